/**
 * The operations model.*: what the definitions of host/bus/operations/model.ts promise, on the registry of models, the
 * data sets and the models that this node offers. Long ones are jobs, whose kinds are registered here.
 */
import type { RegisteredNode } from "../core/core-service.js";
import type { Connector } from "../connectors/connector.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
import type { DataSets } from "../data/data-sets.js";
import type { Jobs } from "../jobs/jobs.js";
import type { DeployedModels } from "../models/deployed-models.js";
import type { Models } from "../models/models.js";
import { runTask, type RunTask } from "../models/training/run-task.js";
import { aggregateOperation, evaluateOperation, optimizeOperation, trainOperation } from "./model-jobs.js";
import { UpdateSigner } from "../updates/update-signer.js";
import { updateTimes, type UpdateTimes } from "./device-update.js";
import { deployOperation, undeployOperation } from "./model-deploy.js";
import { inferOperation } from "./model-infer.js";
import {
  deleteOperation,
  listOperation,
  promoteOperation,
  retrieveOperation,
  storeOperation,
} from "./model-manage.js";
import { transferTimes, type TransferTimes } from "./other-node.js";
import { validateOperation } from "./model-validate.js";
import type { LocalOperation, OperationCall, OperationResult, Submit } from "./operation.js";
import type { ResolveReference } from "./references.js";
import { withStorage } from "./storage-failure.js";

export interface ModelOperationsOptions {
  readonly models: Models;
  readonly deployed: DeployedModels;
  readonly dataSets: DataSets;
  readonly match: DescriptorMatch;
  readonly jobs: Jobs;
  readonly resolve: ResolveReference;
  /** To bring models to other nodes. */
  readonly submit: Submit;
  /** The nodes that are joined, or were. */
  readonly nodes: () => readonly RegisteredNode[];
  /** Servers that this one has joined and can reach: complete nodes too; default none. */
  readonly neighbours?: () => readonly string[];
  readonly connectors: () => readonly Connector[];
  /** Id and labels of this node. */
  readonly node: string;
  readonly labels: readonly string[];
  /** Bytes of the items of one training or measurement at most; default 512 MB. */
  readonly sampleBytes?: number;
  /** MB of heap of a training; default 1024. */
  readonly memoryMb?: number;
  /** How long a model on its way to or from another node may stand still. */
  readonly transfer?: TransferTimes;
  /** Signs packages for devices; default: without a key, so that only signed ones go to them. */
  readonly signer?: UpdateSigner;
  /** Tells a device that what it pulls (SHA-256, hexadecimal) is offered no longer; default: it finds out. */
  readonly recall?: (node: string, digest: string) => void;
  /** How long devices may take with updates. */
  readonly updateTimes?: UpdateTimes;
  /** Default: in a thread of its own. */
  readonly runTask?: RunTask;
}

/** The same with the defaults filled in, for the parts. */
export type ModelContext = Required<ModelOperationsOptions>;

export function createModelOperations(options: ModelOperationsOptions): LocalOperation[] {
  const context: ModelContext = {
    sampleBytes: 512 * 1024 ** 2,
    memoryMb: 1024,
    transfer: transferTimes,
    neighbours: () => [],
    recall: () => undefined,
    signer: new UpdateSigner(undefined),
    updateTimes,
    runTask,
    ...options,
  };
  return [
    trainOperation,
    evaluateOperation,
    validateOperation,
    optimizeOperation,
    storeOperation,
    retrieveOperation,
    listOperation,
    deleteOperation,
    promoteOperation,
    deployOperation,
    undeployOperation,
    inferOperation,
    aggregateOperation,
  ].map((make) => {
    const operation = make(context);
    return {
      ...operation,
      run: (call: OperationCall): Promise<OperationResult> => withStorage(() => operation.run(call)),
    };
  });
}

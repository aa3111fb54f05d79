/**
 * The operations data.*: what the definitions of host/bus/operations/data.ts promise, on data sets of this node and
 * sensors of its connectors. Checks of arguments against the schemas come before, in the Core Service.
 */
import type { DataSets } from "../data/data-sets.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
import type { Connector } from "../connectors/connector.js";
import type { FunctionRuntime } from "../functions/function-runtime.js";
import { collectOperation } from "./data-collect.js";
import { deleteOperation, labelOperation, listOperation, splitOperation } from "./data-manage.js";
import { retrieveOperation } from "./data-retrieve.js";
import { storeOperation } from "./data-store.js";
import { transformOperation } from "./data-transform.js";
import type { LocalOperation, OperationCall, OperationResult, Submit } from "./operation.js";
import type { ResolveReference } from "./references.js";
import { withStorage } from "./storage-failure.js";

export interface DataOperationsOptions {
  readonly dataSets: DataSets;
  readonly match: DescriptorMatch;
  /** Now: connectors come and go. */
  readonly connectors: () => readonly Connector[];
  readonly functions: () => FunctionRuntime | undefined;
  readonly resolve: ResolveReference;
  /** To collect from the sensor of another node. */
  readonly submit: Submit;
  /** Id of this node. */
  readonly node: string;
  /** Most bytes of one output. */
  readonly outputBytes?: number;
}

export function createDataOperations(options: DataOperationsOptions): LocalOperation[] {
  return [
    collectOperation(options),
    storeOperation(options),
    retrieveOperation(options),
    listOperation(options),
    deleteOperation(options),
    transformOperation(options),
    splitOperation(options),
    labelOperation(options),
  ].map((operation) => ({
    ...operation,
    run: (call: OperationCall): Promise<OperationResult> => withStorage(() => operation.run(call)),
  }));
}

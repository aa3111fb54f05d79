/** What a node keeps and does: data sets, models, functions, jobs, and the operations made of them. Nothing is started here. */
import { readdirSync, readFileSync } from "node:fs";
import { createPublicKey } from "node:crypto";
import { basename, join } from "node:path";
import { ExitCode, UserError } from "../../compiler/diagnostics/user-error.js";
import { readOwnerKey } from "../../compiler/update/owner-keys.js";
import type { NodeConfig } from "./config.js";
import type { Connector } from "./connectors/connector.js";
import { descriptorMatch } from "./core/match.js";
import type { CoreService } from "./core/core-service.js";
import { DataSets } from "./data/data-sets.js";
import type { TrustedKey } from "./functions/admission.js";
import type { FunctionRuntime } from "./functions/function-runtime.js";
import { createFunctionRuntime } from "./functions/runtime.js";
import { createJobs, type JobsEngine } from "./jobs/create-jobs.js";
import { createSchedules, type Schedules } from "./jobs/schedules.js";
import type { Log } from "./log.js";
import { DeployedModels } from "./models/deployed-models.js";
import { InferThread } from "./models/infer-thread.js";
import { Models } from "./models/models.js";
import { createDataOperations } from "./operations/data-operations.js";
import { createFunctionOperations } from "./operations/function-operations.js";
import { createModelOperations } from "./operations/model-operations.js";
import { nodeUpdateOperation } from "./operations/node-update.js";
import type { LocalOperation } from "./operations/operation.js";
import { createReferences, type ResolveReference } from "./operations/references.js";
import { scheduleOperation } from "./operations/schedule-operation.js";
import { jobOperations } from "./operations/task-operations.js";
import { workflowOperation } from "./operations/workflow-operation.js";
import { createSweep, type Swept } from "./retention.js";
import { BlobUses } from "./storage/blob-uses.js";
import type { Storage } from "./storage/storage.js";
import { UpdateSigner } from "./updates/update-signer.js";

export interface Services {
  readonly dataSets: DataSets;
  readonly models: Models;
  /** Those that this node offers. */
  readonly deployed: DeployedModels;
  /** Where large models infer. */
  readonly inferences: InferThread;
  readonly functions: FunctionRuntime | undefined;
  readonly jobs: JobsEngine;
  readonly schedules: Schedules;
  readonly resolve: ResolveReference;
  readonly operations: readonly LocalOperation[];
  /** Removes what is too old or needed by nobody. */
  readonly sweep: () => Promise<Swept>;
}

export interface ServiceParts {
  readonly config: NodeConfig;
  readonly storage: Storage;
  readonly core: CoreService;
  /** Now: connectors come and go. */
  readonly connectors: () => readonly Connector[];
  readonly log: Log;
}

/** @throws UserError TMC6006, TMC5201 a key that cannot be read */
export async function createServices({
  config,
  storage,
  core,
  connectors,
  log,
}: ServiceParts): Promise<Services> {
  const shared = config.bus.external?.workers !== undefined;
  const uses = new BlobUses(storage, { shared });
  const dataSets = new DataSets({ storage, uses, quotas: config.quotas, match: descriptorMatch });
  const functions = config.functions.enabled
    ? await createFunctionRuntime({
        storage,
        uses,
        log,
        workers: config.functions.workers,
        memoryBytes: config.functions.memoryBytes,
        trustedWorkers: config.functions.trustedWorkers,
        match: descriptorMatch,
        trustedKeys: readTrustedKeys(config.functions.trustedKeys),
      })
    : undefined;
  const { workers } = config.bus.external ?? {};
  // Workers with a storage each know nothing of each other's jobs and schedules.
  const among = config.storage.kind === "redis" ? workers : undefined;
  const jobs = createJobs(storage, {
    owner: config.id,
    log,
    ...(among === undefined ? {} : { shared: { worker: among.name } }),
  });
  const schedules = createSchedules(storage, {
    owner: config.id,
    submit: core.submit,
    explain: (order, sender) => core.explain(order, sender),
    log,
    ...(among === undefined ? {} : { sharedMs: 2000 }),
  });
  const { key } = config.updates;
  const signer = new UpdateSigner(key === undefined ? undefined : { storage, key: readOwnerKey(key) });
  const models = new Models({ storage, uses, modelBytes: config.quotas.modelBytes });
  const inferences = new InferThread();
  const deployed = new DeployedModels(storage, models, config.id, inferences);
  await deployed.start();
  const resolve = createReferences({
    storage,
    dataSets,
    model: async (qualified) => {
      const found = await models.find(qualified);
      return found === undefined ? undefined : { bytes: await models.bytesOf(found), descriptor: {} };
    },
  });
  const neighbours = (): string[] =>
    core.neighbours().flatMap(({ id, connected }) => (connected ? [id] : []));
  const recall = (node: string, digest: string): void => core.recall(node, digest);
  const operations = [
    ...createDataOperations({
      dataSets,
      match: descriptorMatch,
      connectors,
      functions: () => functions,
      resolve,
      submit: core.submit,
      node: config.id,
    }),
    ...createModelOperations({
      models,
      deployed,
      dataSets,
      match: descriptorMatch,
      jobs,
      resolve,
      submit: core.submit,
      nodes: () => core.nodes(),
      neighbours,
      connectors,
      node: config.id,
      labels: config.labels,
      signer,
      recall,
    }),
    nodeUpdateOperation({
      jobs,
      resolve,
      submit: core.submit,
      nodes: () => core.nodes(),
      neighbours,
      recall,
    }),
    ...jobOperations(jobs),
    scheduleOperation(schedules),
    workflowOperation({
      submit: core.submit,
      jobs,
      node: config.id,
      core,
      stored: {
        dataSet: async (name) => (await dataSets.find(name)) !== undefined,
        model: async (qualified) => (await models.find(qualified)) !== undefined,
      },
    }),
    ...(functions === undefined
      ? []
      : createFunctionOperations({
          runtime: functions,
          jobs,
          nodes: () => core.nodes(),
          match: descriptorMatch,
          resolve,
          submit: core.submit,
          neighbours,
          recall,
          node: config.id,
          log,
        })),
  ];
  const sweep = createSweep({ dataSets, uses, storage });
  return { dataSets, models, deployed, inferences, functions, jobs, schedules, resolve, operations, sweep };
}

/** Every *.pem of the folder; none without a folder. */
function readTrustedKeys(folder: string | undefined): TrustedKey[] {
  if (folder === undefined) return [];
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".pem"))
      .sort()
      .map((file) => ({
        name: basename(file, ".pem"),
        key: createPublicKey(readFileSync(join(folder, file), "utf8")),
      }));
  } catch (error) {
    throw new UserError(
      "TMC6006",
      `a key of functions.trustedKeys cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "the folder holds public keys, NAME.pem, as `tmc function keygen` makes them",
      ExitCode.usage,
    );
  }
}

/**
 * A complete node: which parts it has, in which order they start and stop, and who knows whom. The only file that knows
 * every part; the parts know each other by their interfaces.
 */
import { mkdirSync } from "node:fs";
import { abilitiesOf } from "./abilities.js";
import { packageVersion } from "../../compiler/board/package-version.js";
import { nextBoot } from "./boot-counter.js";
import { openBus, type Bus } from "./bus.js";
import { Closers } from "./closers.js";
import { defaultBroker, type NodeConfig } from "./config.js";
import { actuatorSettings } from "./connectors/actuator-settings.js";
import { createConnectors } from "./connectors/create-connectors.js";
import { formatExplanation } from "./core/format-explanation.js";
import { descriptorMatch } from "./core/match.js";
import { createCoreService, type RunningCoreService } from "./core/service.js";
import type { LoadedConfig } from "./load-config.js";
import { createLog, type NodeLog } from "./log.js";
import { createManagement } from "./management/management.js";
import type { ManagementParts } from "./management/parts.js";
import { createNodeOperations } from "./operations/node-operations.js";
import { createServices, type Services } from "./services.js";
import { NodeSettings } from "./settings.js";
import { NodeLife } from "./life.js";
import { settingsOfNode } from "./settings-of-node.js";
import { sharedBoot } from "./scale-out/redis-worker-group.js";
import { openStorage } from "./storage/open-storage.js";
import { Sweeper } from "./sweeper.js";

export interface ComputingNode {
  readonly id: string;
  readonly boot: number;
  readonly core: RunningCoreService;
  readonly bus: Bus;
  readonly services: Services;
  readonly log: NodeLog;
  /** What listens where, for people. */
  readonly addresses: readonly { readonly what: string; readonly url: string }[];
  /** Resolves when somebody orders its end over the bus or the management interface. Then call `stop`. */
  readonly ended: Promise<"stop" | "restart">;
  /** Finishes what runs, for `drainMs` at most, and ends every part. */
  stop(drainMs?: number): Promise<void>;
}

/** Operations after which this node may offer other functions. */
const functionChanges: ReadonlySet<string> = new Set([
  "function.deploy",
  "function.migrate",
  "function.remove",
]);

/** A cluster of brokers that loses a server also ends connections of nodes that live; they come back within this, ms. */
const returnMs = 15_000;

export interface StartOptions {
  /** Where the log goes; default: stdout. */
  readonly logTo?: NodeJS.WritableStream;
}

/**
 * Starts every part, in the order of docs/node.md. When one cannot start, those before it are ended again.
 * @throws UserError TMC60xx … TMC66xx
 */
export async function startNode(loaded: LoadedConfig, options: StartOptions = {}): Promise<ComputingNode> {
  const nodeLog = createLog(loaded.config.log.level, options.logTo);
  const closers = new Closers();
  try {
    return await start(loaded, nodeLog, closers);
  } catch (error) {
    await closers.run(nodeLog.log);
    throw error;
  }
}

async function start(
  { config, folder }: LoadedConfig,
  nodeLog: NodeLog,
  closers: Closers,
): Promise<ComputingNode> {
  const { log } = nodeLog;
  const startedAt = performance.now();
  mkdirSync(config.state, { recursive: true, mode: 0o700 });
  const version = packageVersion();

  const storage = await openStorage(config.storage, config.state);
  closers.add("storage", () => storage.close());
  // After the storage, whose lock keeps a second process out of the state folder too.
  const ownBoot = await nextBoot(config.state);
  const { workers } = config.bus.external ?? {};
  // Workers make requests under one id: their boot counters must differ.
  const boot = workers === undefined ? ownBoot : await sharedBoot(workers.redis, config.id, ownBoot);
  const bus = await openBus({ config, boot, log, closers });

  const connectors = createConnectors(config.connectors, {
    folder,
    bus: bus.connection,
    connect: bus.connect,
    log,
  });
  let services: Services | undefined = undefined;
  const core = createCoreService({
    id: config.id,
    boot,
    labels: config.labels,
    connection: bus.connection,
    neighbours: bus.neighbours,
    requests:
      workers === undefined
        ? config.requests
        : { ...config.requests, returnMs: Math.max(config.requests.returnMs, returnMs) },
    shared: workers !== undefined,
    access: config.access,
    messageBytes: messageBytes(config),
    roleOf: (sender) => bus.identities.roleOf(sender),
    softwareVersion: version,
    resolve: async (reference, limit) => services?.resolve(reference, limit),
    abilities: () =>
      abilitiesOf({
        connectors,
        models: services?.deployed.list() ?? [],
        functions: services?.functions,
      }),
    log,
  });
  const made = await createServices({ config, storage, core, connectors: () => connectors, log });
  services = made;
  const { jobs, schedules, functions, deployed } = made;
  closers.add("inferences", () => made.inferences.close());
  if (functions !== undefined) closers.add("functions", () => functions.close());

  const life = new NodeLife(core, log);
  const settings = new NodeSettings(config.state);
  const sweeper = new Sweeper(made.sweep, config.sweepS, log);
  for (const setting of settingsOfNode(log, sweeper)) await settings.register(setting);

  for (const operation of made.operations) core.offer(operation);
  deployed.onChange(() => core.abilitiesChanged());
  core.on("request", ({ request, error }) => {
    if (error === undefined && functionChanges.has(request.operation)) core.abilitiesChanged();
  });
  for (const operation of createNodeOperations({
    core,
    settings,
    log,
    control: (action) => life.control(action),
    mismatch: descriptorMatch,
    inferences: () => deployed.counts(),
    startedAt,
  })) {
    core.offer(operation);
  }

  for (const connector of connectors) {
    await connector.start();
    closers.add(`connector ${connector.name}`, () => connector.close());
  }
  for (const setting of actuatorSettings(connectors)) await settings.register(setting);

  await core.start();
  closers.add("Core Service", () => core.stop());
  await jobs.start();
  closers.add("jobs", () => jobs.stop());
  await schedules.start();
  closers.add("schedules", () => schedules.stop());
  sweeper.start();
  closers.add("sweeper", () => sweeper.stop());

  const addresses = [...bus.addresses];
  if (config.management.enabled) {
    const management = createManagement({
      config,
      version,
      core,
      jobs,
      storage,
      log: nodeLog,
      ...(functions === undefined ? {} : { functions }),
      connectors,
      schedules,
      formatExplanation,
      storageBytes: async () => ({
        data: await services.dataSets.totalBytes(),
        models: await services.models.totalBytes(),
      }),
      inferences: () => deployed.counts(),
      ...(bus.broker === undefined ? {} : brokerParts(bus.broker)),
      state: () => life.state,
      drain: () => life.drain(),
      resume: async () => void life.resume(),
      stop: () => life.finish("stop"),
    });
    await management.start();
    closers.add("management", () => management.stop());
    addresses.push({ what: "management", url: management.url });
  }
  log.info({ module: "node", id: config.id, boot, storage: storage.description }, "running");
  return {
    id: config.id,
    boot,
    core,
    bus,
    services: made,
    log: nodeLog,
    addresses,
    ended: life.ended,
    async stop(drainMs = 0) {
      life.state = "stopping";
      await core.drain(drainMs);
      await closers.run(log);
      log.info({ module: "node", id: config.id, boot }, "stopped");
    },
  };
}

const brokerParts = (
  broker: NonNullable<Bus["broker"]>,
): Pick<ManagementParts, "brokerClients" | "brokerStatus"> => ({
  brokerClients: () => broker.status().clients.length,
  brokerStatus: () => broker.status(),
});

function messageBytes(config: NodeConfig): number {
  const { broker = defaultBroker, external } = config.bus;
  return external?.messageBytes ?? broker.quotas.messageBytes;
}

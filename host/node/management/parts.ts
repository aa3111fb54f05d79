/**
 * What the management interface is given of the node: interfaces only. It decides nothing that the Core Service, the
 * jobs or the storage decide; everything that changes something goes through `core.submit` or one of these callbacks.
 */
import type { NodeConfig } from "../config.js";
import type { Connector } from "../connectors/connector.js";
import type { CoreService, Explanation } from "../core/core-service.js";
import type { FunctionRuntime } from "../functions/function-runtime.js";
import type { Jobs } from "../jobs/jobs.js";
import type { Schedule } from "../jobs/schedules.js";
import type { NodeLog } from "../log.js";
import type { InferenceCounts } from "../models/deployed-models.js";
import type { Storage } from "../storage/storage.js";

/** stopping: `stop` was called and the process is about to end. */
export type NodeState = "running" | "draining" | "drained" | "stopping";

/** Reasons are a closed set. */
export interface BrokerCounts {
  readonly connections: number;
  readonly halfOpen: number;
  readonly sessions: number;
  readonly queued: number;
  readonly retained: number;
  /** Since the start. */
  readonly received: number;
  readonly refused: Readonly<Record<string, number>>;
}

export interface ManagementParts {
  /** With absolute paths, as `loadConfig` gives it. */
  readonly config: NodeConfig;
  /** Of tmc. */
  readonly version: string;
  readonly core: CoreService;
  readonly jobs: Jobs;
  readonly storage: Storage;
  readonly log: NodeLog;
  readonly functions?: FunctionRuntime;
  readonly connectors?: readonly Connector[];
  /** An explanation for people. */
  readonly formatExplanation?: (explanation: Explanation) => string;
  /** What `task.schedule` keeps. */
  readonly schedules?: { list(): readonly Schedule[] };
  /** Clients of the embedded broker now; absent with an external one. */
  readonly brokerClients?: () => number;
  /** What the embedded broker counts; absent with an external one. */
  readonly brokerStatus?: () => BrokerCounts;
  /** Bytes kept, by kind: "data", "models", "blobs" … A handful of kinds. */
  readonly storageBytes?: () => Promise<Readonly<Record<string, number>>>;
  /** What the models that this node offers decided. */
  readonly inferences?: () => readonly InferenceCounts[];
  readonly state: () => NodeState;
  /** Takes nothing new and finishes what runs; resolves when drained. */
  readonly drain: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Ends the process in good order; must not wait for the answer to who asked. */
  readonly stop: () => void;
}

export interface Management {
  /** Listens. @throws UserError TMC6401 (address), TMC6402 (port in use), TMC6403 (token file), TMC6404 (TLS files) */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** "http://127.0.0.1:8080"; defined once started. */
  readonly url: string;
}

/**
 * A complete node without a bus: what the management interface is given in its tests. Nodes join and leave, requests
 * end, jobs change and lines are logged when the test says so.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { keysOf } from "../../host/bus/operations/definition.js";
import { operationDefinition, operationDefinitions } from "../../host/bus/operations/catalogue.js";
import { errorCodes, type ErrorName } from "../../host/bus/protocol-keys.js";
import type { Answer, Birth, State } from "../../host/bus/protocol.js";
import { nodeConfigSchema, type NodeConfig } from "../../host/node/config.js";
import type {
  CoreEvents,
  CoreService,
  Explanation,
  RegisteredNode,
  RequestTrace,
} from "../../host/node/core/core-service.js";
import type { JobSummary, Jobs } from "../../host/node/jobs/jobs.js";
import { createLog, type NodeLog } from "../../host/node/log.js";
import { createManagement } from "../../host/node/management/management.js";
import type { Management, ManagementParts, NodeState } from "../../host/node/management/parts.js";
import type { Order } from "../../host/node/operations/operation.js";
import { StorageError, type Storage } from "../../host/node/storage/storage.js";

/** What an operation answers with: a result by name, an output, or the name of an error. */
export interface FakeAnswer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly output?: Uint8Array | string;
  readonly outputDescriptor?: Answer["outputDescriptor"];
  readonly error?: { readonly code: ErrorName; readonly text: string; readonly field?: string };
}

export type Answering = (
  order: Order,
  options: { readonly sender: string; readonly signal?: AbortSignal },
) => FakeAnswer | Promise<FakeAnswer>;

export interface FakeNode {
  readonly parts: ManagementParts;
  readonly management: Management;
  readonly token: string;
  readonly log: NodeLog;
  /** Orders that were submitted. */
  readonly orders: { readonly order: Order; readonly sender: string }[];
  /** Blobs by digest. */
  readonly blobs: Map<string, Uint8Array>;
  answer(operation: string, answering: Answering): void;
  join(node: string, birth?: Partial<Birth>, more?: Partial<RegisteredNode>): RegisteredNode;
  leave(node: string): void;
  request(trace?: Partial<RequestTrace> & { readonly operation?: string }): void;
  job(job: Partial<JobSummary> & { readonly id: string }): JobSummary;
  explanation: Explanation;
  state: NodeState;
  stopped: boolean;
  pending: number;
  /** The state folder, with the token. */
  readonly folder: string;
  /** With the token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** What is asked from outside begins anew, at the same address. */
  startAgain(): Promise<void>;
  close(): Promise<void>;
}

export const sineState = (node: string): State => ({
  version: 1,
  node,
  boot: 3,
  online: true,
  resetReason: 4,
  uptimeS: 3600,
  errorFlags: 1,
  counters: {
    received: 120,
    answered: 118,
    malformed: 1,
    tooLarge: 0,
    duplicates: 2,
    traps: 1,
    reconnects: 0,
    unsent: 0,
    errors: new Map([[7, 2]]),
  },
});

export async function startFakeNode(
  settings: Partial<NodeConfig["management"]> = {},
  more: Partial<ManagementParts> = {},
): Promise<FakeNode> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-management-"));
  const nodes = new Map<string, RegisteredNode>();
  const jobsById = new Map<string, JobSummary>();
  const jobListeners = new Set<(job: JobSummary) => void>();
  const listeners = new Map<string, Set<(value: never) => void>>();
  const answers = new Map<string, Answering>();
  const blobs = new Map<string, Uint8Array>();
  const orders: FakeNode["orders"] = [];
  let nextId = 0;
  const emit = <E extends keyof CoreEvents>(event: E, value: CoreEvents[E]): void => {
    for (const listener of listeners.get(event) ?? []) (listener as (value: CoreEvents[E]) => void)(value);
  };
  const config = nodeConfigSchema.parse({
    id: "edge",
    state: folder,
    management: { port: 0, token: join(folder, "token"), ...settings },
    bus: { external: { url: "mqtt://user:hunter2@broker:1883" } },
  });
  const log = createLog("debug", new PassThrough().resume());

  const core: CoreService = {
    id: "edge",
    boot: 7,
    offer: () => undefined,
    withdraw: () => undefined,
    abilitiesChanged: () => undefined,
    async submit(order, options) {
      orders.push({ order, sender: options.sender });
      const found = answers.get(order.operation);
      const { error, result, ...rest }: FakeAnswer =
        found === undefined
          ? { error: { code: "no-capable-node", text: "nobody does this" } }
          : await found(order, options);
      const keys = keysOf(operationDefinition(order.operation)?.result ?? {});
      return {
        version: 1,
        id: ++nextId,
        boot: 7,
        stage: 2,
        node: "edge",
        queueUs: 12,
        executionUs: 345,
        ...(rest as Pick<Answer, "output" | "outputDescriptor">),
        ...(error === undefined ? {} : { error: { ...error, code: errorCodes[error.code] } }),
        ...(result === undefined
          ? {}
          : {
              result: new Map(
                Object.entries(result).map(([name, value]) => {
                  const key = keys[name];
                  return [typeof key === "number" ? key : (key?.key ?? -1), value];
                }),
              ),
            }),
      };
    },
    recall: () => undefined,
    explain: async () => fake.explanation,
    nodes: () => [...nodes.values()],
    node: (id) => nodes.get(id),
    neighbours: () => [{ id: "cloud", connected: true }],
    counters: () => ({ ...sineState("edge").counters!, errors: new Map() }),
    pending: () => fake.pending,
    birth: () => ({
      version: 1,
      node: "edge",
      boot: 7,
      kind: 1,
      software: "tmc-node",
      softwareVersion: "0.1.0",
      maxMsg: 65536,
      queue: 256,
      operations: operationDefinitions.map((each) => each.name).filter((name) => name !== "node.update"),
    }),
    on(event, listener) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set);
      set.add(listener as (value: never) => void);
      return () => set.delete(listener as (value: never) => void);
    },
    drain: async () => undefined,
    resume: () => undefined,
  };

  const jobs: Jobs = {
    register: () => undefined,
    enqueue: () => Promise.reject(new Error("not in this test")),
    get: async (id) => jobsById.get(id),
    list: async ({ state, limit = 1000 } = {}) =>
      [...jobsById.values()]
        .filter((job) => state === undefined || job.state === state)
        .reverse()
        .slice(0, limit),
    wait: () => Promise.reject(new Error("not in this test")),
    async cancel(id) {
      return jobsById.has(id)
        ? fake.job({ id, state: "cancelled", endedAt: new Date().toISOString() })
        : undefined;
    },
    onChange(listener) {
      jobListeners.add(listener);
      return () => jobListeners.delete(listener);
    },
  };

  const storage: Storage = {
    description: "memory of a test",
    close: async () => undefined,
    records: { get: async () => undefined, list: async () => [], write: async () => true },
    blobs: {
      async put(source, { digest, limit = Infinity } = {}) {
        const pieces: Uint8Array[] = [];
        if (source instanceof Uint8Array) pieces.push(source);
        else for await (const piece of source) pieces.push(piece);
        const all = new Uint8Array(Buffer.concat(pieces));
        const found = createHash("sha256").update(all).digest("hex");
        if (all.length > limit) throw new StorageError("too-large", `larger than ${limit} bytes`);
        if (digest !== undefined && digest !== found) throw new StorageError("corrupt", "another digest");
        blobs.set(found, all);
        return { digest: found, bytes: all.length };
      },
      get: async (digest) => blobs.get(digest),
      async read(digest) {
        const found = blobs.get(digest);
        if (found === undefined) return undefined;
        return (async function* () {
          yield found;
        })();
      },
      async stat(digest) {
        const found = blobs.get(digest);
        return found === undefined ? undefined : { digest, bytes: found.length };
      },
      delete: async (digest) => blobs.delete(digest),
      list: async () => [],
    },
  };

  const parts: ManagementParts = {
    config,
    version: "0.1.0",
    core,
    jobs,
    storage,
    log,
    state: () => fake.state,
    drain: async () => {
      fake.state = "drained";
    },
    resume: async () => {
      fake.state = "running";
    },
    stop: () => {
      fake.stopped = true;
    },
    ...more,
  };
  let management = createManagement(parts);
  const fake: FakeNode = {
    parts,
    management,
    folder,
    token: "",
    log,
    orders,
    blobs,
    state: "running",
    stopped: false,
    pending: 0,
    explanation: { decision: "local", chosen: "edge", error: undefined, candidates: [] },
    answer: (operation, answering) => answers.set(operation, answering),
    join(node, birth = {}, rest = {}) {
      const joined: RegisteredNode = {
        node,
        birth: {
          version: 1,
          node,
          boot: 3,
          kind: 0,
          software: "tmc-minimal",
          softwareVersion: "0.1.0",
          maxMsg: 1024,
          queue: 2,
          operations: ["node.describe", "node.monitor", "data.collect", "model.infer"],
          sensors: [{ name: "accelerometer", channels: 3, unit: "m/s2", rate: 100 }],
          ...birth,
        },
        state: sineState(node),
        online: true,
        inFlight: 0,
        latencyMs: 4.2,
        energyClass: 1,
        lastSeenAt: Date.now(),
        ...rest,
      };
      nodes.set(node, joined);
      emit("node-online", joined);
      return joined;
    },
    leave(node) {
      const found = nodes.get(node);
      if (found === undefined) throw new Error(`${node} never joined`);
      const left = { ...found, online: false };
      nodes.set(node, left);
      emit("node-offline", left);
    },
    request({ operation = "data.store", ...trace } = {}) {
      emit("request", {
        request: { id: ++nextId, boot: 3, sender: "pump-1", operation },
        origin: "bus",
        node: "edge",
        decision: "local",
        attempts: 1,
        error: undefined,
        totalMs: 2,
        queueUs: 10,
        executionUs: 900,
        at: Date.now(),
        ...trace,
      });
    },
    job(change) {
      const job: JobSummary = {
        operation: "model.train",
        subject: "vibration",
        state: "running",
        progress: 0,
        text: "",
        sender: "operator",
        createdAt: new Date().toISOString(),
        ...jobsById.get(change.id),
        ...change,
      };
      jobsById.set(job.id, job);
      for (const listener of jobListeners) listener(job);
      return job;
    },
    fetch: (path, init = {}) =>
      fetch(`${management.url}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${fake.token}`, ...(init.headers as Record<string, string>) },
      }),
    async startAgain() {
      const port = Number(new URL(management.url).port);
      const settings = { ...config, management: { ...config.management, port } };
      management = createManagement({ ...parts, config: settings });
      Object.assign(fake, { management });
      await management.start();
    },
    async close() {
      await management.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await management.start();
  return Object.assign(fake, { token: readFileSync(config.management.token, "utf8").trim() });
}

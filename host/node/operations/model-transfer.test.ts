/** Models of any size between two complete nodes: pushed and fetched in pieces, over a way that fails in each of its ways. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeTflite } from "../../../compiler/model/tflite/write.js";
import { objectOf } from "../../bus/operations/definition.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import type { Answer, Birth } from "../../bus/protocol.js";
import { namedResult, resultMap } from "../../bus/request-codec.js";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { RegisteredNode } from "../core/core-service.js";
import { DataSets } from "../data/data-sets.js";
import { createJobs, hasEnded, type JobsEngine } from "../jobs/create-jobs.js";
import type { JobSummary } from "../jobs/jobs.js";
import { DeployedModels } from "../models/deployed-models.js";
import { Models } from "../models/models.js";
import { buildNetwork } from "../models/training/network.js";
import { BlobUses } from "../storage/blob-uses.js";
import { createModelOperations } from "./model-operations.js";
import { pieceBytes } from "./model-transfer.js";
import { OperationFailure, type LocalOperation, type Order, type Submit } from "./operation.js";
import { createReferences } from "./references.js";
import { jobOperations } from "./task-operations.js";
import { matchForTests, MemoryStorage } from "./testing.js";

const shape = { name: "big", shape: [512], architecture: "mlp", outputs: 2, classifies: true } as const;
/** Three pieces: 2.1 MB. */
const large = Buffer.from(writeTflite(buildNetwork({ ...shape, units: [512, 512], seed: 1 })));
const other = writeTflite(buildNetwork({ ...shape, units: [2], seed: 1 }));
const failure = (code: ErrorName): Answer => ({
  ...{ version: 1, id: 1, boot: 1, stage: 2, node: "x" },
  error: { code: errorCodes[code], text: code },
});

interface Peer {
  readonly id: string;
  readonly storage: MemoryStorage;
  readonly models: Models;
  readonly deployed: DeployedModels;
  readonly jobs: JobsEngine;
  readonly operations: readonly LocalOperation[];
}
/** What becomes of an order on its way; undefined: it arrives. */
type Way = (order: Order, to: string) => Answer | undefined | Promise<Answer | undefined>;

let peers: Map<string, Peer>;
let way: Way;
/** Every order that was sent. */
let orders: Order[];
/** What the answer to an order is turned into. */
let distort: (order: Order, answer: Answer) => Answer;

beforeEach(() => {
  peers = new Map();
  orders = [];
  way = () => undefined;
  distort = (_order, answer) => answer;
});
afterEach(async () => {
  for (const { jobs } of peers.values()) await jobs.stop();
});

async function peer(id: string, { modelBytes = 1e8, patienceMs = 10_000 } = {}): Promise<Peer> {
  const storage = new MemoryStorage();
  const uses = new BlobUses(storage);
  const quotas = { dataBytes: 1e8, dataSetBytes: 1e8 };
  const dataSets = new DataSets({ storage, uses, quotas, match: matchForTests });
  const models = new Models({ storage, uses, modelBytes });
  const deployed = new DeployedModels(storage, models, id);
  const jobs = createJobs(storage, { owner: id, progressMs: 1 });
  const submit: Submit = async (order) => {
    const to = order.selector?.node ?? "";
    orders.push(order);
    return (await way(order, to)) ?? distort(order, await ask(to, order, id));
  };
  const operations = [
    ...createModelOperations({
      ...{ models, deployed, dataSets, match: matchForTests, jobs, submit },
      ...{ resolve: createReferences({ storage, dataSets }), node: id, labels: [], connectors: () => [] },
      nodes: () => [...peers.values()].filter((one) => one.id !== id).map(registered),
      transfer: { patienceMs, pauseMs: 2 },
    }),
    ...jobOperations(jobs),
  ];
  await jobs.start();
  const made = { id, storage, models, deployed, jobs, operations };
  peers.set(id, made);
  return made;
}

function registered({ id, deployed }: Peer): RegisteredNode {
  const birth: Birth = {
    ...{ version: 1, node: id, boot: 1, kind: 1, software: "tmc", softwareVersion: "1" },
    ...{ maxMsg: 262_144, queue: 4, operations: ["model.store", "model.deploy"] },
    models: deployed.list().map(({ name, version }) => ({ name, version, inputs: [{}], outputs: [{}] })),
  };
  const rest = { state: undefined, online: true, inFlight: 0, latencyMs: undefined };
  return { node: id, birth, energyClass: 1, lastSeenAt: 0, ...rest };
}

let requests = 0;
/** As the Core Service runs an operation. */
async function ask(to: string, order: Order, sender = "operator"): Promise<Answer> {
  const definition = operationDefinition(order.operation)!;
  const operation = peers.get(to)?.operations.find((one) => one.definition === definition);
  if (operation === undefined) return failure("no-capable-node");
  const base = { version: 1, id: ++requests, boot: 1, stage: 2, node: to } as const;
  try {
    const { result, output } = await operation.run({
      arguments: objectOf(definition.arguments).parse(order.arguments ?? {}),
      request: { ...order, id: base.id, boot: 1, sender },
      sender,
      signal: new AbortController().signal,
      deadlineAt: performance.now() + 60_000,
    });
    return {
      ...base,
      ...(result === undefined ? {} : { result: resultMap(definition, result) }),
      ...(output === undefined
        ? {}
        : { output: typeof output === "string" ? output : Uint8Array.from(output) }),
    };
  } catch (error) {
    if (!(error instanceof OperationFailure)) throw error;
    return { ...base, error: { code: errorCodes[error.code], text: error.text, field: error.field ?? "" } };
  }
}

async function run(to: string, operation: string, args: Record<string, unknown>) {
  const answer = await ask(to, { operation, arguments: args });
  if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.text ?? ""}`);
  return namedResult(operationDefinition(operation)!, answer) ?? {};
}

const deploy = (on: string, args: object) => run(on, "model.deploy", { model: "big@1", ...args });
const pieces = () =>
  orders.filter((order) => order.operation === "model.retrieve").map((o) => o.arguments?.["offset"]);
const code = (name: ErrorName) => new RegExp(`^${errorCodes[name]}:`);

describe("models between complete nodes", () => {
  it("are fetched in pieces, with what is known of them, and progress", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge")];
    const details = { labels: ["a", "b"], task: "classification", rate: 100, unit: "g" };
    await cloud.models.store("big", "1", large, details);
    // The last piece is on its way until the progress was told.
    const told = new Promise<JobSummary>((resolve) =>
      edge.jobs.onChange((job) => {
        if (job.progress > 0 && job.state === "running") resolve(job);
      }),
    );
    way = async ({ arguments: args }) => {
      if (args?.["offset"] === 2 * pieceBytes) await told;
      return undefined;
    };
    expect(await deploy("edge", { from: "cloud" })).toMatchObject({ deployed: ["edge"] });
    expect(pieces()).toEqual([0, pieceBytes, 2 * pieceBytes]);
    expect(await edge.models.get("big@1")).toMatchObject({
      ...details,
      digest: expect.any(String) as string,
    });
    expect(large.equals(await edge.models.bytesOf(await edge.models.get("big@1")))).toBe(true);
    expect(edge.deployed.list().map(({ version }) => version)).toEqual(["1"]);
    expect((await told).text).toBe(`${2 * pieceBytes} of ${large.length} bytes from cloud`);
    // What is here with these bytes does not travel again.
    orders = [];
    await deploy("edge", { from: "cloud" });
    expect(pieces()).toEqual([0]);
  });

  it("are pushed: the other node fetches, and this one follows it", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge")];
    await cloud.models.store("big", "1", large);
    expect(await deploy("cloud", { nodes: ["edge"] })).toMatchObject({ deployed: ["edge"] });
    expect(pieces()).toEqual([0, pieceBytes, 2 * pieceBytes]);
    expect(edge.deployed.list()).toHaveLength(1);
    const [job] = await cloud.jobs.list();
    expect(job).toMatchObject({ state: "done", steps: [{ node: "edge", state: "done" }] });
    // Small ones go as one input, without a job there.
    orders = [];
    await cloud.models.store("big", "2", other);
    await deploy("cloud", { model: "big@2", nodes: ["edge"] });
    expect(orders.map(({ operation }) => operation)).toEqual(["model.store", "model.deploy"]);
  });

  it("go on where they were after the connection was lost, on either side's way", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge")];
    await cloud.models.store("big", "1", large);
    let lost = 0;
    way = ({ operation, arguments: args }) => {
      const middle = operation === "model.retrieve" && args?.["offset"] === pieceBytes;
      if (!middle && operation !== "task.status") return undefined;
      return ++lost <= 6 ? failure(lost % 2 === 0 ? "deadline" : "no-capable-node") : undefined;
    };
    expect(await deploy("cloud", { nodes: ["edge"] })).toMatchObject({ deployed: ["edge"] });
    expect(lost).toBeGreaterThan(6);
    expect(pieces().filter((offset) => offset === 0)).toHaveLength(1);
    expect(large.equals(await edge.models.bytesOf(await edge.models.get("big@1")))).toBe(true);
  });

  it("are given up when the way stays broken, and leave nothing", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge", { patienceMs: 20 })];
    await cloud.models.store("big", "1", large);
    way = ({ arguments: args }) => (args?.["offset"] === pieceBytes ? failure("deadline") : undefined);
    await expect(deploy("edge", { from: "cloud" })).rejects.toThrow(code("deadline"));
    expect([await edge.models.list(), await edge.storage.blobs.list()]).toEqual([[], []]);
    way = () => undefined;
    await deploy("edge", { from: "cloud" });
    expect(edge.deployed.list()).toHaveLength(1);
    await expect(deploy("edge", { from: "nobody" })).rejects.toThrow(code("no-capable-node"));
  });

  it.each([
    ["other bytes", (bytes: Uint8Array, at: number) => (at === 0 ? bytes : bytes.map((b) => b ^ 1))],
    [
      "a piece out of order",
      (bytes: Uint8Array, at: number) => (at === pieceBytes ? large.subarray(0, pieceBytes) : bytes),
    ],
    ["a short piece", (bytes: Uint8Array) => bytes.subarray(1)],
    ["a long piece", (bytes: Uint8Array) => new Uint8Array([...bytes.subarray(0, 8), ...bytes])],
    ["no bytes", () => new Uint8Array(0)],
  ])("are refused as corrupt, and nothing is kept: %s", async (_what, change) => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge")];
    await cloud.models.store("big", "1", large);
    distort = (order, answer) =>
      order.operation === "model.retrieve" && answer.output instanceof Uint8Array
        ? { ...answer, output: Uint8Array.from(change(answer.output, Number(order.arguments?.["offset"]))) }
        : answer;
    await expect(deploy("edge", { from: "cloud" })).rejects.toThrow(code("corrupt"));
    expect([await edge.models.list(), await edge.storage.blobs.list()]).toEqual([[], []]);
    expect(edge.deployed.list()).toEqual([]);
  });

  it("are refused before they travel: announced too large, no room, other bytes here, not there", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge", { modelBytes: 1e6 })];
    await cloud.models.store("big", "1", large);
    await expect(deploy("edge", { from: "cloud" })).rejects.toThrow(code("no-space"));
    await edge.models.store("big", "1", other);
    await expect(deploy("edge", { from: "cloud" })).rejects.toThrow(code("forbidden"));
    await expect(deploy("edge", { model: "big@7", from: "cloud" })).rejects.toThrow(code("not-found"));
    distort = (order, answer) => {
      if (order.operation !== "model.retrieve") return answer;
      const definition = operationDefinition(order.operation)!;
      const { model } = namedResult(definition, answer) as { model: object };
      return { ...answer, result: resultMap(definition, { model: { ...model, bytes: 2 ** 40 } }) };
    };
    await expect(deploy("edge", { from: "cloud" })).rejects.toThrow(code("too-large"));
    expect(pieces()).toEqual([0, 0, 0, 0]);
    expect((await edge.storage.blobs.list()).map(({ bytes }) => bytes)).toEqual([other.length]);
  });

  it("are not fetched on when who pushes them cancels", async () => {
    const [cloud, edge] = [await peer("cloud"), await peer("edge")];
    await cloud.models.store("big", "1", large);
    const job = await new Promise<string>((resolve) => {
      way = ({ operation, arguments: args }) => {
        if (operation === "task.status") resolve(String(args?.["job"]));
        return args?.["offset"] === pieceBytes ? failure("busy") : undefined;
      };
      void run("cloud", "model.deploy", { model: "big@1", nodes: ["edge"], detach: true });
    });
    const [own] = await cloud.jobs.list();
    await cloud.jobs.cancel(own?.id ?? "");
    expect(await edge.jobs.wait(job)).toMatchObject({ state: "cancelled" });
    expect(hasEnded((await cloud.jobs.get(own?.id ?? ""))!)).toBe(true);
    expect(await edge.storage.blobs.list()).toEqual([]);
  });
});

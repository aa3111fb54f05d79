/** Updates of devices, from the operation to the last byte at a device that pulls: over losses and restarts of both. */
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signHeader, type UpdateFacts } from "../../../compiler/update/artifact.js";
import { silentLog } from "../../../test/support/core-world.js";
import { MemoryBus } from "../../../test/support/memory-bus.js";
import { MemoryNode } from "../../../test/support/memory-node.js";
import { PullingNode } from "../../../test/support/pulling-node.js";
import { nodeUpdate } from "../../bus/operations/node.js";
import { namedResult } from "../../bus/request-codec.js";
import { matchForTests, MemoryStorage } from "./testing.js";
import { createCoreService, type RunningCoreService } from "../core/service.js";
import { DataSets } from "../data/data-sets.js";
import { createJobs, type JobsEngine } from "../jobs/create-jobs.js";
import type { JobSummary } from "../jobs/jobs.js";
import { DeployedModels } from "../models/deployed-models.js";
import { Models } from "../models/models.js";
import { BlobUses } from "../storage/blob-uses.js";
import { UpdateSigner } from "../updates/update-signer.js";
import { createModelOperations } from "./model-operations.js";
import { nodeUpdateOperation } from "./node-update.js";
import { createReferences } from "./references.js";

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
const image = Buffer.from(Uint8Array.from({ length: 20_000 }, (_, i) => i * 31));
const facts: UpdateFacts = { kind: "firmware", name: "pump", version: "2.0.0", counter: 5 };
const signed = (more: Partial<UpdateFacts> = {}, content: Uint8Array = image): Buffer =>
  Buffer.concat([signHeader({ ...facts, ...more }, content, owner.privateKey), content]);
/** Begins as a package does. */
const packaged = Buffer.alloc(6000);
packaged.write("TMCM", 0, "latin1");
const firmware = signed();
const update = { version: "2.0.0", digest: "" };
const operations = { operations: ["node.monitor", "node.update", "model.deploy"] };

let bus: MemoryBus;
let storage: MemoryStorage;
let servers: { stop(): Promise<void> }[];
let pulling: PullingNode[];
beforeEach(() => {
  bus = new MemoryBus();
  storage = new MemoryStorage();
  servers = [];
  pulling = [];
  update.digest = firmware.subarray(20, 52).toString("hex");
});
afterEach(async () => {
  for (const each of pulling) each.stop();
  for (const each of servers) await each.stop();
});

interface Server {
  readonly core: RunningCoreService;
  readonly jobs: JobsEngine;
  stop(): Promise<void>;
  update(more?: object, input?: Uint8Array): ReturnType<RunningCoreService["submit"]>;
}

async function server(boot = 1, key: typeof owner | undefined = undefined): Promise<Server> {
  const connection = bus.connect();
  const core = createCoreService({ id: "edge", boot, connection, log: silentLog });
  const uses = new BlobUses(storage);
  const quotas = { dataBytes: 1e8, dataSetBytes: 1e8 };
  const dataSets = new DataSets({ storage, uses, quotas, match: matchForTests });
  const models = new Models({ storage, uses, modelBytes: 1e7 });
  const jobs = createJobs(storage, { owner: "edge", progressMs: 1, graceMs: 100 });
  const resolve = createReferences({ storage, dataSets });
  const times = { patienceMs: 5000, pauseMs: 5, attemptMs: 5000 };
  const recall = (node: string, digest: string): void => core.recall(node, digest);
  const parts = { jobs, resolve, submit: core.submit, nodes: () => core.nodes(), recall };
  core.offer(nodeUpdateOperation({ ...parts, times }));
  const signer = new UpdateSigner(key === undefined ? undefined : { storage, key });
  for (const operation of createModelOperations({
    ...{ ...parts, models, dataSets, match: matchForTests, signer, updateTimes: times },
    ...{
      deployed: new DeployedModels(storage, models, "edge"),
      node: "edge",
      labels: [],
      connectors: () => [],
    },
  })) {
    core.offer(operation);
  }
  await core.start();
  await jobs.start();
  await MemoryBus.settled();
  let stopped = false;
  const made: Server = {
    core,
    jobs,
    async stop() {
      if (stopped) return;
      stopped = true;
      await jobs.stop();
      await core.stop();
      await connection.close();
    },
    update: (more = {}, input = firmware) =>
      core.submit(
        {
          operation: "node.update",
          arguments: { ...update, nodes: ["mcu"], ...more },
          input,
          deadlineMs: 10_000,
        },
        { sender: "operator" },
      ),
  };
  servers.push(made);
  return made;
}

async function device(id = "mcu", boot = 1, kept?: PullingNode): Promise<PullingNode> {
  const node = new PullingNode(await new MemoryNode(bus, "edge", id, boot, operations).join());
  node.finish = ({ request }) => node.node.answer(request, { stage: 2, result: new Map([[0, "2.0.0"]]) });
  for (const [digest, bytes] of kept?.kept ?? []) node.kept.set(digest, bytes);
  pulling.push(node);
  await MemoryBus.settled();
  return node;
}

const resultOf = (answer: Parameters<typeof namedResult>[1]): unknown => namedResult(nodeUpdate, answer);
const wholeOf = (node: PullingNode): boolean[] => node.installed.map(({ bytes }) => bytes.equals(firmware));

describe("node.update", () => {
  it("brings the image to the node, and tells how far it is", async () => {
    const { update: run, jobs } = await server();
    const mcu = await device();
    const told: JobSummary[] = [];
    jobs.onChange((job) => told.push(job));
    const progress = (): boolean => told.some(({ text }) => text === "11088 of 20192 bytes at mcu");
    // Piece 13 begins there: it comes when that was told.
    mcu.loses = (count) => count >= 13 && !progress();
    const answer = await run();
    expect(answer.error).toBeUndefined();
    expect(resultOf(answer)).toMatchObject({ version: "2.0.0", updated: ["mcu"] });
    expect(wholeOf(mcu)).toEqual([true]);
    expect(mcu.installed[0]?.request.arguments).toMatchObject({ version: "2.0.0", digest: update.digest });
    expect(progress()).toBe(true);
    expect(told.map(({ progress }) => progress)).toEqual(
      told.map((job) => job.progress).sort((a, b) => a - b),
    );
  });

  it("is asked for again after the node's restart, until the new version answers", async () => {
    const { update: run } = await server();
    const old = await device();
    // All came: it restarts into the new version, without a word.
    old.finish = () => {
      old.node.connection.die();
      void device("mcu", 2, old).then((mcu) => {
        // What is there needs no byte more.
        mcu.node.behaviour = (request) =>
          mcu.node.answer(request, { stage: 2, result: new Map([[0, "2.0.0"]]) });
      });
    };
    const answer = await run();
    expect(resultOf(answer)).toMatchObject({ version: "2.0.0", updated: ["mcu"] });
    expect(pulling[1]?.sizes).toEqual([]);
  });

  it("goes on where it was when the node loses its power in the middle", async () => {
    const { update: run } = await server();
    const first = await device();
    let dies = true;
    first.onPiece = (have) => {
      if (have < 10_000 || !dies) return;
      dies = false;
      first.stop();
      first.node.connection.die();
      void device("mcu", 2, first);
    };
    expect((await run()).error).toBeUndefined();
    expect(first.installed).toEqual([]);
    expect(wholeOf(pulling[1] as PullingNode)).toEqual([true]);
    const bytes = (node: PullingNode | undefined): number => node?.sizes.reduce((a, b) => a + b, 0) ?? 0;
    expect(bytes(pulling[1])).toBeLessThan(15_000);
  });

  it("goes on where it was when this node is restarted in the middle, as the same request", async () => {
    const before = await server(1);
    const mcu = await device();
    const asked = new Set<string>();
    const take = mcu.node.behaviour;
    mcu.node.behaviour = (request, node) => {
      asked.add(`${request.boot}/${request.id}`);
      take(request, node);
    };
    let restart: (() => void) | undefined;
    const restarted = new Promise<void>((resolve) => (restart = resolve));
    mcu.onPiece = (have) => {
      if (have > 10_000) restart?.();
    };
    void before.update();
    await restarted;
    const [{ id } = { id: "" }] = await before.jobs.list();
    await before.stop();
    const half = mcu.kept.get([...mcu.kept.keys()][0] ?? "")?.length ?? 0;
    expect(half).toBeLessThan(firmware.length);
    const after = await server(2);
    expect(await after.jobs.wait(id)).toMatchObject({ state: "done", result: { updated: ["mcu"] } });
    expect(wholeOf(mcu)).toEqual([true]);
    expect(asked.size).toBe(1);
  });

  it("ends at the node when its job is cancelled; the next one goes on where it was", async () => {
    const { update: run, jobs } = await server();
    const mcu = await device();
    let half: (() => void) | undefined;
    const reached = new Promise<void>((resolve) => (half = resolve));
    mcu.onPiece = (have) => {
      if (have > 10_000) half?.();
    };
    const answer = run();
    await reached;
    const [{ id } = { id: "" }] = await jobs.list();
    await jobs.cancel(id);
    expect((await answer).error).toMatchObject({ code: 15 });
    await vi.waitUntil(() => mcu.ended === 1, { timeout: 60_000, interval: 5 });
    const pulled = mcu.sizes.length;
    expect((await run()).error).toBeUndefined();
    expect(wholeOf(mcu)).toEqual([true]);
    expect(mcu.sizes.slice(pulled).reduce((a, b) => a + b, 0)).toBeLessThan(12_000);
    // One request after the other: it was never busy.
    expect(mcu.requests().filter((name) => name === "node.update")).toHaveLength(2);
  });

  it("is asked for anew when the node gave up before this node came back", async () => {
    const { core, update: run } = await server();
    const mcu = await device();
    let cut = true;
    mcu.onPiece = (have) => {
      if (have < 10_000 || !cut) return;
      cut = false;
      mcu.node.answer(mcu.node.requests.at(-1)!, { stage: 2, error: { code: 15, text: "" } });
      mcu.stop();
    };
    expect((await run()).error).toBeUndefined();
    expect(wholeOf(mcu)).toEqual([true]);
    expect(core.counts.violations).toBe(0);
  });

  it("waits while another update runs, and passes on what the node refuses", async () => {
    const { update: run } = await server();
    const mcu = await device();
    let busy = 3;
    const take = mcu.node.behaviour;
    mcu.node.behaviour = (request, node) => {
      if (request.operation === "node.update" && busy-- > 0)
        node.answer(request, { stage: 2, error: { code: 7, text: "busy", retryAfterMs: 5 } });
      else take(request, node);
    };
    expect((await run()).error).toBeUndefined();
    mcu.finish = ({ request, digest }) => {
      mcu.kept.delete(digest);
      mcu.node.answer(request, { stage: 2, error: { code: 10, text: "signature" } });
    };
    mcu.kept.clear();
    expect((await run()).error).toMatchObject({ code: 10, text: "signature" });
    expect(mcu.installed).toHaveLength(2);
  });

  it("tells for each node why it did not get it", async () => {
    const { update: run } = await server();
    await device();
    await new MemoryNode(bus, "edge", "plain", 1, { labels: ["hall"] }).join();
    const complete = { kind: 1, operations: ["node.update"], labels: ["hall"] };
    await new MemoryNode(bus, "edge", "cloud", 1, complete).join();
    await MemoryBus.settled();
    const answer = await run({ nodes: ["mcu", "plain", "cloud", "nobody"] });
    expect(resultOf(answer)).toMatchObject({
      updated: ["mcu"],
      failed: {
        plain: "the node has no node.update",
        cloud: "a complete node takes no such update",
        nobody: "joined neither here nor next to here: deploy at its own server",
      },
    });
    const labelled = await run({ nodes: undefined, labels: ["hall"] });
    expect(labelled.error).toMatchObject({ code: 3, text: "the node has no node.update" });
  });

  it.each([
    ["no nodes", { nodes: undefined }, firmware, { code: 1, field: "arguments.nodes" }],
    ["labels of nobody", { nodes: undefined, labels: ["x"] }, firmware, { code: 3 }],
    ["another digest", { digest: "0".repeat(64) }, firmware, { code: 12, field: "arguments.digest" }],
    ["another version", { version: "1" }, firmware, { code: 12, field: "arguments.version" }],
    ["an image that nobody signed", {}, image, { code: 1, field: "input" }],
    ["a model", {}, signed({ kind: "model" }), { code: 1, field: "input" }],
    ["an image cut short", {}, firmware.subarray(0, 9000), { code: 12, field: "input" }],
    ["a file that is not there", {}, `blob:${"0".repeat(64)}`, { code: 5 }],
  ])("refuses %s", async (_, args, input, error) => {
    const { update: run } = await server();
    const mcu = await device();
    expect((await run(args, input as Uint8Array)).error).toMatchObject(error);
    expect(mcu.sizes).toEqual([]);
  });
});

describe("model.deploy of a file", () => {
  const deploy = (made: Server, model: string, input: Uint8Array) =>
    made.core.submit(
      {
        operation: "model.deploy",
        arguments: { model, nodes: ["mcu"] },
        input,
        deadlineMs: 10_000,
      },
      { sender: "operator" },
    );

  /** Offers what it installed last, as a device does. */
  async function slot(): Promise<PullingNode> {
    const mcu = await device();
    mcu.finish = ({ request, bytes }) => {
      mcu.node.answer(request, { stage: 2 });
      const text = (at: number): string => bytes.toString("latin1", at, bytes.indexOf(0, at));
      const end = [new Map<number, unknown>([[0, 0]])];
      const model = { name: text(52), version: text(84), inputs: end, outputs: end };
      const again = new MemoryNode(bus, "edge", "mcu", 1, { ...operations, models: [model] });
      void again.announce();
    };
    return mcu;
  }

  it("gives devices the signed file as it is, also a second time", async () => {
    const made = await server();
    const mcu = await slot();
    const artifact = signed({ kind: "model", name: "v", version: "2" }, packaged);
    expect((await deploy(made, "v@2", artifact)).error).toBeUndefined();
    expect(mcu.installed[0]?.bytes.equals(artifact)).toBe(true);
    // Another one of the same name is not taken for the one that is there.
    const other = signed({ kind: "model", name: "v", version: "2", counter: 6 }, packaged);
    expect((await deploy(made, "v", other)).error).toBeUndefined();
    expect(mcu.installed[1]?.bytes.equals(other)).toBe(true);
    expect((await deploy(made, "w@2", artifact)).error).toMatchObject({ code: 1, text: "signed as v@2" });
    expect((await deploy(made, "v@3", artifact)).error).toMatchObject({ code: 1, text: "signed as v@2" });
  });

  it("signs a package with the key of this node, with a counter that grows", async () => {
    const made = await server(1, owner);
    const mcu = await slot();
    const counters: number[] = [];
    for (const [model, change] of [
      ["v@1", 0],
      ["v@1", 0],
      ["v@2", 1],
      ["v@1", 0],
    ] as const) {
      const content = Buffer.from(packaged);
      content.writeUInt8(change, 200);
      mcu.kept.clear();
      expect((await deploy(made, model, content)).error).toBeUndefined();
      const { bytes } = mcu.installed.at(-1) ?? { bytes: Buffer.alloc(20) };
      counters.push(bytes.readUInt32LE(16));
    }
    const [first = 0] = counters;
    expect(first).toBeGreaterThan(1_700_000_000);
    // The same version is the same bytes; an older one, when it is wanted again, is a new one.
    expect(counters.map((counter, i) => counter - (counters[i - 1] ?? counter))[1]).toBe(0);
    expect(mcu.installed[0]?.bytes.equals(mcu.installed[1]?.bytes ?? Buffer.alloc(0))).toBe(true);
    expect(counters[2]).toBeGreaterThan(first);
    expect(counters[3]).toBeGreaterThan(counters[2] ?? 0);
  });

  it("refuses what nobody signed, and what is no model", async () => {
    const made = await server();
    const mcu = await slot();
    expect((await deploy(made, "v@1", packaged)).error).toMatchObject({
      code: 10,
      text: "not signed, and node.yaml names no updates.key",
    });
    expect((await deploy(made, "v@1", image)).error).toMatchObject({ code: 1, field: "input" });
    expect((await deploy(made, "v", signed())).error).toMatchObject({ code: 1, field: "input" });
    expect(mcu.requests()).toEqual([]);
  });
});

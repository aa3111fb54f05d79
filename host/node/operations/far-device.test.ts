/** Updates of devices of another server, over two servers and their buses: from the order at one to the bytes at the device. */
import { mkdtempSync, rmSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signHeader } from "../../../compiler/update/artifact.js";
import { CoreWorld, silentLog, until, type TestServer } from "../../../test/support/core-world.js";
import { PullingNode } from "../../../test/support/pulling-node.js";
import { nodeUpdate } from "../../bus/operations/node.js";
import { namedResult } from "../../bus/request-codec.js";
import type { AccessRule } from "../core/access.js";
import { DataSets } from "../data/data-sets.js";
import { createJobs, type JobsEngine } from "../jobs/create-jobs.js";
import type { JobSummary } from "../jobs/jobs.js";
import { NodeSettings } from "../settings.js";
import { BlobUses } from "../storage/blob-uses.js";
import { createNodeOperations } from "./node-operations.js";
import { nodeUpdateOperation } from "./node-update.js";
import { createReferences } from "./references.js";
import { jobOperations } from "./task-operations.js";
import { matchForTests, MemoryStorage } from "./testing.js";

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
/** More than a message between servers. */
const image = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i * 31));
const header = signHeader(
  { kind: "firmware", name: "pump", version: "2.0.0", counter: 5 },
  image,
  owner.privateKey,
);
const firmware = Buffer.concat([header, image]);
const digest = firmware.subarray(20, 52).toString("hex");
const birth = { operations: ["node.monitor", "node.update"] };

interface Server extends TestServer {
  readonly jobs: JobsEngine;
}

let world: CoreWorld;
let folder: string;
let engines: JobsEngine[];
let pulling: PullingNode[];
/** Of all servers. */
let access: AccessRule[];
/** Who has joined a server. */
const joined = new Map<string, string[]>();
beforeEach(() => {
  joined.clear();
  access = [{ callers: ["cloud", "edge"], operations: ["node.update"], allow: true }];
  world = new CoreWorld();
  folder = mkdtempSync(join(tmpdir(), "tmc-far-device-"));
  [engines, pulling] = [[], []];
});
afterEach(async () => {
  for (const each of pulling) each.stop();
  for (const jobs of engines) await jobs.stop();
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As a complete node is made: firmware updates, jobs, and what it tells of its nodes. */
async function server(id: string, neighbours: readonly string[] = []): Promise<Server> {
  // Who has joined whom is known to the one that was joined: the other one knows its own neighbours alone.
  const made = await world.server(id, neighbours, {
    access,
    roleOf: (sender) => (joined.get(id)?.includes(sender) === true ? "server" : "node"),
  });
  for (const each of neighbours) joined.set(each, [...(joined.get(each) ?? []), id]);
  const { core } = made;
  const storage = new MemoryStorage();
  const quotas = { dataBytes: 1e8, dataSetBytes: 1e8 };
  const dataSets = new DataSets({ storage, uses: new BlobUses(storage), quotas, match: matchForTests });
  const jobs = createJobs(storage, { owner: id, progressMs: 1, graceMs: 100 });
  engines.push(jobs);
  const update = nodeUpdateOperation({
    ...{ jobs, resolve: createReferences({ storage, dataSets }), submit: core.submit },
    nodes: () => core.nodes(),
    neighbours: () => core.neighbours().map((one) => one.id),
    recall: (node, of) => core.recall(node, of),
    times: { patienceMs: 5000, pauseMs: 5, attemptMs: 5000 },
  });
  const own = createNodeOperations({
    ...{ core, log: silentLog, control: () => Promise.resolve(""), mismatch: matchForTests },
    ...{ settings: new NodeSettings(join(folder, id)), inferences: () => [], startedAt: 0 },
  });
  for (const operation of [update, ...own, ...jobOperations(jobs)]) core.offer(operation);
  await jobs.start();
  return { ...made, jobs };
}
/** Two servers, the second joined to the first, and a device at one of them. */
async function pair(at: "cloud" | "edge"): Promise<{ near: Server; far: Server; mcu: PullingNode }> {
  const cloud = await server("cloud");
  const edge = await server("edge", ["cloud"]);
  await until(() => cloud.core.node("edge")?.online === true);
  const mcu = new PullingNode(await world.node(at, "mcu", birth));
  mcu.window = 30_000;
  mcu.finish = ({ request }) => mcu.node.answer(request, { stage: 2, result: new Map([[0, "2.0.0"]]) });
  pulling.push(mcu);
  return { near: at === "cloud" ? edge : cloud, far: at === "cloud" ? cloud : edge, mcu };
}

const update = ({ core }: Server, nodes: readonly string[], signal?: AbortSignal) =>
  core.submit(
    {
      operation: "node.update",
      arguments: { version: "2.0.0", digest, nodes },
      input: firmware,
      deadlineMs: 60_000,
    },
    { sender: "operator", ...(signal === undefined ? {} : { signal }) },
  );

describe("an update of a device of another server", () => {
  it.each(["edge", "cloud"] as const)("gets there, with news of how far it is (%s)", async (at) => {
    const { near, far, mcu } = await pair(at);
    const told: JobSummary[] = [];
    near.jobs.onChange((job) => told.push(job));
    const progress = (): boolean => told.some(({ text }) => /^\d+ of 300192 bytes at mcu, by /.test(text));
    // The last third comes when that was told.
    mcu.loses = () => (mcu.kept.values().next().value?.length ?? 0) > 200_000 && !progress();
    const answer = await update(near, ["mcu"]);
    expect(answer.error).toBeUndefined();
    expect(namedResult(nodeUpdate, answer)).toMatchObject({ version: "2.0.0", updated: ["mcu"] });
    expect(mcu.installed.map(({ bytes }) => bytes.equals(firmware))).toEqual([true]);
    expect(progress()).toBe(true);
    expect(await far.jobs.list()).toMatchObject([{ state: "done", operation: "node.update" }]);
  });

  it("is told with the device's reason", async () => {
    const { near, mcu } = await pair("edge");
    mcu.finish = ({ request }) =>
      mcu.node.answer(request, { stage: 2, error: { code: 10, text: "not signed by the owner" } });
    expect((await update(near, ["mcu"])).error).toMatchObject({ code: 10, text: "not signed by the owner" });
  });

  it("ends at the device when the job here is cancelled", async () => {
    const { near, far, mcu } = await pair("edge");
    const half = new Promise<void>((reached) => (mcu.onPiece = (have) => have > 100_000 && reached()));
    const answer = update(near, ["mcu"]);
    await half;
    const [{ id } = { id: "" }] = await near.jobs.list();
    await near.jobs.cancel(id);
    expect((await answer).error).toMatchObject({ code: 15 });
    await vi.waitUntil(() => mcu.ended === 1, { timeout: 60_000, interval: 5 });
    await vi.waitUntil(async () => (await far.jobs.list())[0]?.state === "cancelled", { timeout: 60_000 });
    expect(mcu.kept.values().next().value?.length).toBeGreaterThan(100_000);
  });

  it("is asked for in the name of the neighbour, which is a server here too", async () => {
    access = [];
    const { near, far } = await pair("edge");
    const order = { operation: "model.deploy", selector: { node: "mcu" } };
    const codeFor = async (made: Server, sender: string) =>
      (await made.core.explain(order, sender)).error?.code;
    expect(await codeFor(far, "cloud")).toBe("no-capable-node");
    expect(await codeFor(near, "edge")).toBe("no-capable-node");
    expect(await codeFor(far, "somebody")).toBe("forbidden");
  });

  it("of firmware is refused unless the other server has a rule for this one", async () => {
    access = [];
    const { near, mcu } = await pair("edge");
    const text = "access of edge must allow node.update";
    expect((await update(near, ["mcu"])).error).toMatchObject({ code: 10, text });
    expect(mcu.requests()).toEqual([]);
  });

  it("is refused before anything is sent when no server next to this one knows the device", async () => {
    const { near, far, mcu } = await pair("edge");
    const text = "joined neither here nor next to here: deploy at its own server";
    expect((await update(near, ["nobody"])).error).toMatchObject({ code: 3, text });
    mcu.node.connection.die();
    await until(() => far.core.node("mcu")?.online === false);
    expect((await update(near, ["mcu"])).error).toMatchObject({ code: 3, text: "not online" });
    expect(mcu.requests().filter((name) => name === "node.update")).toEqual([]);
  });
});

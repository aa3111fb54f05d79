/** Inputs that minimal nodes pull: whole, in bounded pieces, for the node and the time of the request alone. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreWorld, settled, until, type TestServer } from "../../../test/support/core-world.js";
import type { MemoryNode } from "../../../test/support/memory-node.js";
import { PullingNode, wishFor } from "../../../test/support/pulling-node.js";
import { modelDeploy } from "../../bus/operations/model.js";
import { decodeCbor, encodeCbor } from "../../bus/protocol.js";

const content = new Uint8Array(9001).map((_, i) => i * 31);
const digest = createHash("sha256").update(content).digest("hex");
const deploy = { operation: "model.deploy", selector: { node: "mcu" }, arguments: { model: "m@1" } };
const operations = { operations: ["node.monitor", "model.deploy", "model.infer"] };

let world: CoreWorld;
let edge: TestServer;
let pulling: PullingNode[];
beforeEach(async () => {
  world = new CoreWorld();
  pulling = [];
  edge = await world.server("edge");
});
afterEach(async () => {
  for (const each of pulling) each.stop();
  await world.stop();
});

async function puller(id = "mcu", record: object = operations): Promise<PullingNode> {
  const node = new PullingNode(await world.node("edge", id, record));
  pulling.push(node);
  return node;
}

/** A node that has accepted and does nothing by itself. */
async function idle(id = "mcu"): Promise<MemoryNode> {
  const node = await world.node("edge", id, operations);
  node.behaviour = (request) => node.answer(request, { stage: 1 });
  return node;
}

const pieces = (server = edge): { topic: string; payload: Uint8Array }[] =>
  server.bus.log.filter((m) => m.topic.endsWith("/c") && m.payload.length > 200);
const submit = (more: object = {}, options: object = {}) =>
  edge.core.submit(
    { ...deploy, input: content, deadlineMs: 2000, ...more },
    { sender: "operator", ...options },
  );

describe("an input that is larger than a node's messages", () => {
  it("is pulled by the node, in messages that it takes", async () => {
    const mcu = await puller();
    const offsets: [number, number][] = [];
    const answer = await submit({}, { onPulled: (...at: [number, number]) => offsets.push(at) });
    expect(answer.error).toBeUndefined();
    expect(mcu.installed.map(({ bytes }) => new Uint8Array(bytes))).toEqual([content]);
    expect(mcu.installed[0]?.request).toMatchObject({
      input: `chunk:${digest}`,
      arguments: { model: "m@1" },
      sender: "edge",
    });
    expect(Math.max(...mcu.sizes)).toBeLessThanOrEqual(1024);
    expect(offsets).toEqual([0, 288, 3888, 7488].map((at) => [at, 9001]));
    expect(edge.core.counts.violations).toBe(0);
  });

  it("is pulled when pieces are lost", async () => {
    const mcu = await puller();
    mcu.loses = (count) => count % 3 === 0;
    expect((await submit()).error).toBeUndefined();
    expect(new Uint8Array(mcu.installed[0]?.bytes ?? [])).toEqual(content);
  });

  it("stays in the message when it fits", async () => {
    const mcu = await idle();
    void submit({ input: content.subarray(0, 500) });
    await until(() => mcu.requests.length === 1);
    expect(mcu.requests[0]?.input).toEqual(content.subarray(0, 500));
  });

  it("is pulled through another server, too", async () => {
    const cloud = await world.server("cloud", ["edge"]);
    // A server without any operation is nobody's.
    cloud.core.offer({ definition: { ...modelDeploy, name: "x.y" }, run: () => Promise.resolve({}) });
    edge.core.offer({ definition: { ...modelDeploy, name: "x.y" }, run: () => Promise.resolve({}) });
    const mcu = await puller();
    await until(() => edge.core.node("cloud")?.online === true);
    mcu.window = 32_000;
    const large = new Uint8Array(262_000).map((_, i) => i * 7);
    for (const input of [content, large]) {
      const order = { ...deploy, input, deadlineMs: 2000 };
      expect((await cloud.core.submit(order, { sender: "operator" })).error).toBeUndefined();
    }
    expect(mcu.installed.map(({ bytes }) => bytes.equals(content) || bytes.equals(large))).toEqual([
      true,
      true,
    ]);
  });

  it("of another operation does not go to the node", async () => {
    await idle();
    const answer = await submit({
      operation: "model.infer",
      arguments: {},
      inputDescriptor: { elementType: 0, shape: [4] },
    });
    expect(answer.error).toMatchObject({ code: 6 });
  });
});

describe("wishes", () => {
  it("of other nodes, for other content, behind the end or in another's name get nothing", async () => {
    const mcu = await idle();
    const other = await idle("other");
    void submit();
    void submit({ selector: { node: "other" }, input: content.subarray(1) });
    await until(() => mcu.requests.length === 1 && other.requests.length === 1);
    await other.send("c", wishFor(digest, 0, 1000, "other"));
    await mcu.send("c", wishFor("00".repeat(32), 0, 1000, "mcu"));
    await settled();
    expect(edge.core.counts.late).toBe(2);
    await mcu.send("c", wishFor(digest, 9001, 1000, "mcu"));
    await mcu.send("c", wishFor(digest, 0xffffffff, 1000, "mcu"));
    await mcu.send("c", wishFor(digest, 0, 1000, "other"));
    await mcu.send("c", wishFor(digest, 0, 0, "mcu"));
    await mcu.send("c", encodeCbor(new Map<number, unknown>([[6, 1]])));
    await settled();
    expect(pieces()).toEqual([]);
    expect(edge.core.counts.violations).toBe(5);
    await mcu.send("c", wishFor(digest, 9000, 0xffffffff, "mcu"));
    await settled();
    expect(edge.bus.log.filter((m) => m.topic === "t1/edge/mcu/c")).toHaveLength(7 + 1);
  });

  it("after the answer, or after the request's end, get nothing", async () => {
    const mcu = await idle();
    const request = submit();
    await until(() => mcu.requests.length === 1);
    mcu.answer(mcu.requests[0]!, { stage: 2 });
    await request;
    await mcu.send("c", wishFor(digest, 0, 1000, "mcu"));
    await settled();
    const abort = new AbortController();
    const second = submit({}, { signal: abort.signal });
    await until(() => mcu.requests.length === 2);
    abort.abort();
    await second;
    await mcu.send("c", wishFor(digest, 0, 1000, "mcu"));
    await settled();
    expect(pieces()).toEqual([]);
  });

  it("again and again get a bounded number of pieces", async () => {
    const mcu = await idle();
    void submit();
    await until(() => mcu.requests.length === 1);
    for (let i = 0; i < 300; i++) {
      await mcu.send("c", wishFor(digest, 0, 0xffffffff, "mcu"));
      await settled();
      if (edge.core.counts.violations > 0) break;
    }
    const bytes = pieces().reduce((sum, { payload }) => sum + payload.length, 0);
    expect(edge.core.counts.violations).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(2 * (32 * content.length + 65_536));
  });

  it("that come while one is served take its place", async () => {
    const mcu = await idle();
    const publish = edge.connection.publish.bind(edge.connection);
    edge.connection.publish = async (...message) => {
      await publish(...message);
      await new Promise((resolve) => setImmediate(resolve));
    };
    void submit({ input: new Uint8Array(60_000) });
    await until(() => mcu.requests.length === 1);
    const reference = mcu.requests[0]?.input as string;
    for (let i = 0; i < 20; i++) void mcu.send("c", wishFor(reference.slice(6), 0, 60_000, "mcu"));
    await until(() => pieces().length >= 65);
    await settled();
    // The last one whole, of those before it a piece or none.
    expect(pieces().length).toBeLessThan(65 + 20);
  });

  it("of a node that was reborn wait for the request to come again", async () => {
    const mcu = await idle();
    const first = submit();
    await until(() => mcu.requests.length === 1);
    mcu.connection.die();
    expect((await first).error).toMatchObject({ code: 3 });
    mcu.connection.revive();
    await mcu.announce();
    await mcu.send("c", wishFor(digest, 0, 1000, "mcu"));
    await settled();
    expect(pieces()).toEqual([]);
  });
});

describe("what is offered no longer", () => {
  /** Messages that tell a node so. */
  const ends = (node = "mcu"): Map<number, unknown>[] =>
    edge.bus.log
      .filter((m) => m.topic === `t1/edge/${node}/c`)
      .map((m) => decodeCbor(m.payload) as Map<number, unknown>)
      .filter((message) => message.has(7));
  const endOf = (of: string): Map<number, unknown> =>
    new Map<number, unknown>([
      [0, 1],
      [1, new Uint8Array(Buffer.from(of, "hex"))],
      [2, 0],
      [3, 0],
      [5, "edge"],
      [7, 15],
    ]);

  it("is recalled: the node ends its request, keeps what it has, and goes on there", async () => {
    const mcu = await puller();
    const abort = new AbortController();
    const told = new Promise<void>((heard) => (mcu.onPiece = (have) => have > 4000 && heard()));
    const first = submit({}, { signal: abort.signal });
    await told;
    abort.abort();
    expect((await first).error).toMatchObject({ code: 15 });
    mcu.onPiece = () => undefined;
    edge.core.recall("mcu", digest);
    await until(() => mcu.ended === 1);
    const had = mcu.kept.get(digest)?.length ?? 0;
    expect(had).toBeGreaterThan(4000);
    const sizes = mcu.sizes.length;
    expect((await submit()).error).toBeUndefined();
    expect(mcu.installed.map(({ bytes }) => new Uint8Array(bytes))).toEqual([content]);
    expect(mcu.sizes.slice(sizes).reduce((sum, size) => sum + size, 0)).toBeLessThan(9001 - had + 1000);
    expect(edge.core.counts.violations).toBe(0);
  });

  it("is told to who asks a second time, not to who is early once", async () => {
    const mcu = await idle();
    await mcu.send("c", wishFor(digest, 288, 1000, "mcu"));
    await settled();
    expect(ends()).toEqual([]);
    void submit();
    await until(() => mcu.requests.length === 1);
    await mcu.send("c", wishFor(digest, 288, 1000, "mcu"));
    await settled();
    mcu.answer(mcu.requests[0]!, { stage: 2 });
    await settled();
    // Two others, one after the other; then one of them again.
    for (const of of [digest, "00".repeat(32)]) await mcu.send("c", wishFor(of, 0, 1000, "mcu"));
    await settled();
    expect(ends()).toEqual([]);
    await mcu.send("c", wishFor("00".repeat(32), 0, 1000, "mcu"));
    await settled();
    expect(ends()).toEqual([endOf("00".repeat(32))]);
    expect(edge.core.counts.violations).toBe(0);
  });

  it("is told at once to who was away when it was recalled", async () => {
    const mcu = await idle();
    mcu.connection.die();
    await until(() => edge.core.node("mcu")?.online === false);
    edge.core.recall("mcu", digest);
    edge.core.recall("nobody", digest);
    await settled();
    expect(ends()).toEqual([]);
    mcu.connection.revive();
    await mcu.announce();
    await mcu.send("c", wishFor(digest, 0, 1000, "mcu"));
    await settled();
    expect(ends()).toEqual([endOf(digest)]);
  });

  it("is not what another request offers", async () => {
    const mcu = await idle();
    void submit();
    await until(() => mcu.requests.length === 1);
    edge.core.recall("mcu", digest);
    await settled();
    expect(ends()).toEqual([]);
  });

  it("is not told by one of several workers, except what it offered itself", async () => {
    const worker = await world.server("group", [], { shared: true });
    const mcu = await world.node("group", "mcu", operations);
    for (let i = 0; i < 3; i++) await mcu.send("c", wishFor(digest, 0, 1000, "mcu"));
    await settled();
    const count = () =>
      worker.bus.log.filter(
        (m) => (decodeCbor(m.payload) as Map<number, unknown>).has(7) && m.topic.endsWith("/c"),
      );
    expect(count()).toHaveLength(0);
    worker.core.recall("mcu", digest);
    await settled();
    expect(count()).toHaveLength(1);
  });

  it("is only a server's word: from a node it breaks the protocol", async () => {
    const mcu = await idle();
    const message = endOf(digest).set(5, "mcu");
    await mcu.send("c", encodeCbor(message));
    await settled();
    expect(edge.core.counts.violations).toBe(1);
  });
});

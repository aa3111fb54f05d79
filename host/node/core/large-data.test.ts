/** Data beside the message: chunks in both directions, references resolved for those who cannot follow them. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreWorld, until } from "../../../test/support/core-world.js";
import { encodeCbor } from "../../bus/protocol.js";
import { modelInfer, modelStore } from "../../bus/operations/model.js";
import type { OperationCall } from "../operations/operation.js";
import { Chunks } from "./chunks.js";

const chunk = (digest: Uint8Array, offset: number, total: number, bytes: Uint8Array): Uint8Array =>
  encodeCbor(
    new Map<number, unknown>([
      [0, 1],
      [1, digest],
      [2, offset],
      [3, total],
      [4, bytes],
    ]),
  );
const sha = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
const infer = { operation: "model.infer" };

describe("large data", () => {
  let world: CoreWorld;
  beforeEach(() => {
    world = new CoreWorld();
  });
  afterEach(async () => {
    await world.stop();
  });

  it("puts the input of a local operation together from chunks, and sends a large output in chunks", async () => {
    const edge = await world.server("edge");
    const inputs: unknown[] = [];
    const output = new Uint8Array(5000).map((_, i) => i);
    edge.core.offer({
      definition: modelInfer,
      run: (call: OperationCall) => {
        inputs.push(call.request.input);
        return Promise.resolve({ output });
      },
    });
    const a = await world.node("edge", "a", { operations: ["node.describe"] });
    const data = new Uint8Array(3000).map((_, i) => i * 7);
    const id = a.ask({ ...infer, input: `chunk:${sha(data).toString("hex")}` });
    for (let at = 0; at < data.length; at += 1000) {
      await a.send("c", chunk(sha(data), at, data.length, data.subarray(at, at + 1000)));
    }
    await until(() => a.done(id).length > 0);
    expect(inputs).toEqual([data]);
    expect(a.done(id)[0]?.output).toBe(`chunk:${sha(output).toString("hex")}`);
    const sent = edge.bus.log.filter((m) => m.topic === "t1/edge/a/c").slice(3);
    expect(sent.length).toBe(6);
    expect(sent.every((m) => m.payload.length <= 1024)).toBe(true);
    // Its own chunks came back to it: they are nobody's input.
    expect(edge.core.counts.violations).toBe(0);
  });

  it("passes chunks of another server on to whoever asked", async () => {
    const cloud = await world.server("cloud");
    const edge = await world.server("edge", ["cloud"], { messageBytes: 2048 });
    const output = new Uint8Array(9000).fill(3);
    cloud.core.offer({ definition: modelInfer, run: () => Promise.resolve({ output }) });
    edge.core.offer({ definition: { ...modelInfer, name: "x.y" }, run: () => Promise.resolve({}) });
    await until(() => cloud.core.node("edge")?.online === true);
    const answer = await edge.core.submit(infer, { sender: "operator" });
    expect(answer.output).toBe(undefined);
    expect(answer.error?.code).toBe(1);
    const given = { ...infer, input: Uint8Array.of(1), deadlineMs: 1000 };
    expect((await edge.core.submit(given, { sender: "operator" })).output).toEqual(output);
    const a = await world.node("edge", "a", { operations: ["node.describe"] });
    const id = a.ask(given);
    await until(() => a.done(id).length > 0);
    expect(a.done(id)[0]?.output).toBe(`chunk:${sha(output).toString("hex")}`);
    expect(edge.bus.log.filter((m) => m.topic === "t1/edge/a/c").length).toBe(10);
  });

  it("brings references into the message for a minimal node", async () => {
    const known = new Map([
      ["data:d", { bytes: Uint8Array.of(1, 2, 3, 4), descriptor: { elementType: 0, shape: [4] } }],
    ]);
    known.set("data:big", { bytes: new Uint8Array(3000), descriptor: { elementType: 0, shape: [4] } });
    await world.server("edge", [], { resolve: (reference) => Promise.resolve(known.get(reference)) });
    const { core } = world.get("edge");
    const worker = await world.node("edge", "w");
    const answer = await core.submit({ ...infer, input: "data:d" }, { sender: "operator" });
    expect(answer.error).toBeUndefined();
    expect(worker.requests).toMatchObject([
      { input: Uint8Array.of(1, 2, 3, 4), inputDescriptor: { shape: [4] } },
    ]);
    const big = await core.submit({ ...infer, input: "data:big" }, { sender: "operator" });
    expect(big.error).toMatchObject({ code: 6, field: "input" });
  });

  describe("inputs for another server", () => {
    const input = new Uint8Array(9000).map((_, i) => i * 5);
    const chunksIn = (log: readonly { topic: string }[]) => log.filter((m) => m.topic.endsWith("/c")).length;
    /** edge, joined to cloud, which does the work. */
    async function pair() {
      const cloud = await world.server("cloud");
      const edge = await world.server("edge", ["cloud"], { messageBytes: 2048 });
      const inputs: unknown[] = [];
      const run = (call: OperationCall) => {
        inputs.push(call.request.input);
        return Promise.resolve({ output: input });
      };
      cloud.core.offer({ definition: modelInfer, run });
      // A server without any operation is nobody's.
      edge.core.offer({ definition: { ...modelInfer, name: "x.y" }, run });
      await until(() => cloud.core.node("edge")?.online === true);
      const link = edge.links.get("cloud");
      if (link === undefined) throw new Error("no link");
      return { cloud, edge, inputs, link };
    }

    it("go beside the message, down to those that this server passes on, and the same bytes come back", async () => {
      const { cloud, edge, inputs } = await pair();
      const answer = await edge.core.submit({ ...infer, input }, { sender: "operator" });
      expect(inputs).toEqual([input]);
      // The same bytes on the same topic, the other way: nobody takes them for its own.
      expect(answer.output).toEqual(input);
      expect(cloud.bus.log.every((m) => m.topic.endsWith("/r") || m.payload.length <= 2048)).toBe(true);
      const a = await world.node("edge", "a", { operations: ["node.describe"] });
      const id = a.ask({ ...infer, input: `chunk:${sha(input).toString("hex")}` });
      for (let at = 0; at < input.length; at += 900) {
        await a.send("c", chunk(sha(input), at, input.length, input.subarray(at, at + 900)));
      }
      await until(() => a.done(id).length > 0);
      expect(a.done(id)[0]?.error).toBeUndefined();
      expect(inputs).toEqual([input, input]);
      expect(edge.core.counts.violations + cloud.core.counts.violations).toBe(0);
    });

    it("reach a server that is joined to this one", async () => {
      const { cloud, edge } = await pair();
      const inputs: unknown[] = [];
      edge.core.offer({
        definition: modelStore,
        run: (call: OperationCall) => {
          inputs.push(call.request.input);
          return Promise.resolve({});
        },
      });
      await until(() => cloud.core.node("edge")?.birth.operations.includes("model.store") === true);
      const order = { operation: "model.store", arguments: { name: "m", version: "1" }, input };
      const answer = await cloud.core.submit(order, { sender: "operator" });
      expect(answer.error).toBeUndefined();
      expect(inputs).toEqual([input]);
    });

    it("are no use to a minimal node, and not sent when they are more than a server takes", async () => {
      const { edge } = await pair();
      await world.node("edge", "w");
      edge.links.get("cloud")?.die();
      const small = await edge.core.submit({ ...infer, input }, { sender: "operator" });
      expect(small.error).toMatchObject({ code: 6, field: "input" });
      edge.links.get("cloud")?.revive();
      const huge = new Uint8Array(16 * 1024 * 1024 + 1);
      const large = await edge.core.submit({ ...infer, input: huge }, { sender: "operator" });
      expect(large.error).toMatchObject({ code: 6, field: "input" });
    });

    it("end with an error when the connection is lost in the middle, and go from the start the next time", async () => {
      const { cloud, edge, inputs, link } = await pair();
      const publish = link.publish.bind(link);
      link.publish = (topic, payload, options) => {
        if (topic.endsWith("/c") && chunksIn(cloud.bus.log) === 3) link.die();
        return publish(topic, payload, options);
      };
      const broken = await edge.core.submit({ ...infer, input }, { sender: "operator" });
      expect(broken.error?.code).toBe(3);
      expect(chunksIn(cloud.bus.log)).toBe(3);
      expect(inputs).toEqual([]);
      link.publish = publish;
      link.revive();
      await until(() => cloud.core.node("edge")?.online === true);
      const again = await edge.core.submit({ ...infer, input }, { sender: "operator" });
      expect(again.error).toBeUndefined();
      expect(inputs).toEqual([input]);
    });
  });

  it("makes room by what was taken, and tells at once what it has no room for", async () => {
    const chunks = new Chunks("edge", 4096, { bytesPerSender: 1000, bytes: 1500, keptMs: 60_000 });
    const [one, two] = [new Uint8Array(600).fill(1), new Uint8Array(600).fill(2)];
    const hex = (bytes: Uint8Array) => sha(bytes).toString("hex");
    expect(chunks.receive("a", chunk(sha(one), 0, 600, one))).toBe(true);
    expect(chunks.receive("a", chunk(sha(two), 0, 600, two))).toBe(false);
    await expect(chunks.take("a", hex(two), 60_000)).rejects.toMatchObject({ code: "too-large" });
    expect(await chunks.take("a", hex(one), 0)).toEqual(one);
    expect(await chunks.take("a", hex(one), 0)).toEqual(one);
    expect(chunks.receive("a", chunk(sha(two), 0, 600, two))).toBe(true);
    expect(await chunks.take("a", hex(two), 0, { once: true })).toEqual(two);
    await expect(chunks.take("a", hex(two), 0)).rejects.toMatchObject({ code: "not-found" });
    // An announcement of more than there is memory for reserves none of it.
    expect(chunks.receive("b", chunk(sha(one), 0, 2 ** 40, one))).toBe(false);
    expect(chunks.receive("b", chunk(sha(one), 0, 600, one))).toBe(true);
    chunks.close();
  });

  it("refuses wrong digests, gaps, and more than a sender may", async () => {
    const chunks = new Chunks("edge", 4096, { bytesPerSender: 1000, bytes: 1500, keptMs: 50 });
    const data = new Uint8Array(600).fill(1);
    const digest = sha(data);
    expect(chunks.receive("a", chunk(digest, 0, 600, new Uint8Array(600)))).toBe(true);
    await expect(chunks.take("a", digest.toString("hex"), 100)).rejects.toThrow("corrupt");
    expect(chunks.receive("b", chunk(digest, 100, 600, data.subarray(100)))).toBe(false);
    expect(chunks.receive("b", chunk(digest, 0, 700, data.subarray(100)))).toBe(false);
    expect(chunks.receive("c", chunk(digest, 0, 600, data))).toBe(false);
    expect(chunks.receive("c", chunk(digest, 0, 0, data))).toBe(false);
    expect(chunks.receive("c", new Uint8Array(10))).toBe(false);
    // Nothing moves: what was begun goes away, and there is room again.
    await expect(chunks.take("b", digest.toString("hex"), 30)).rejects.toThrow("not-found");
    await expect.poll(() => chunks.receive("c", chunk(digest, 0, 600, data)), { timeout: 10_000 }).toBe(true);
    expect(await chunks.take("c", digest.toString("hex"), 10)).toEqual(data);
    chunks.close();
  });
});

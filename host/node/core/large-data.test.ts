/** Data beside the message: chunks in both directions, references resolved for those who cannot follow them. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoreWorld, until } from "../../../test/support/core-world.js";
import { encodeCbor } from "../../bus/protocol.js";
import { modelInfer } from "../../bus/operations/model.js";
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

  it("refuses wrong digests, gaps, and more than a sender may", async () => {
    const chunks = new Chunks(4096, { bytesPerSender: 1000, bytes: 1500, keptMs: 50 });
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
    await new Promise((resolve) => setTimeout(resolve, 90));
    expect(chunks.receive("c", chunk(digest, 0, 600, data))).toBe(true);
    expect(await chunks.take("c", digest.toString("hex"), 10)).toEqual(data);
    chunks.close();
  });
});

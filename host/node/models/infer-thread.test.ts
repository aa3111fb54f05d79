/** Large models in their thread: the same bits as in the node's, nobody else kept waiting, bounded in every direction. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { packagePath } from "../../../compiler/board/package-root.js";
import { writeTflite } from "../../../compiler/model/tflite/write.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import { bytesOfFloats } from "../data/data-descriptor.js";
import { MemoryStorage } from "../operations/testing.js";
import { BlobUses } from "../storage/blob-uses.js";
import { DeployedModels } from "./deployed-models.js";
import { inferModel, multiplicationsOf } from "./infer-model.js";
import { InferThread, type InferThreadOptions, type ThreadModel } from "./infer-thread.js";
import { readGraph } from "./inspect-model.js";
import type { ModelRecord } from "./model-records.js";
import { Models } from "./models.js";
import { buildNetwork } from "./training/network.js";

const int8 = new Uint8Array(readFileSync(packagePath("models/vibration/vibration.tflite")));
const mlp = { name: "m", shape: [64], architecture: "mlp", outputs: 3, classifies: true } as const;
const float = writeTflite(buildNetwork({ ...mlp, units: [16], seed: 1 }));
/** 1.2 million multiplications. */
const large = writeTflite(buildNetwork({ ...mlp, units: [1100, 1000], seed: 2 }));

const open: InferThread[] = [];
afterEach(async () => {
  for (const thread of open.splice(0)) await thread.close();
});

function make(options?: InferThreadOptions): InferThread {
  const thread = new InferThread(options);
  open.push(thread);
  return thread;
}

function modelOf(key: string, bytes: Uint8Array): ThreadModel & { read: number } {
  const model = {
    key,
    name: key,
    read: 0,
    bytes: () => {
      model.read++;
      return Promise.resolve(bytes);
    },
  };
  return model;
}

const window = (seed: number): Uint8Array => Uint8Array.from({ length: 384 }, (_, i) => i * seed * 31 + i);
const values = bytesOfFloats(Array.from({ length: 64 }, (_, i) => Math.sin(i)));

describe("a thread for inferences", () => {
  /** From sources a thread takes a while to start: these share one. */
  const thread = new InferThread({ queue: 2 });
  afterAll(() => thread.close());

  it("gives the bits that the node's own thread and a microcontroller give", async () => {
    const [exact, rounded] = [inferModel(readGraph(int8, "v")), inferModel(readGraph(float, "m"))];
    const [v, m] = [modelOf("v", int8), modelOf("m", float)];
    for (const seed of [1, 2, 3, 5]) {
      const there = await thread.infer(v, window(seed), elementTypes.i8);
      expect(there).toEqual(exact(window(seed), elementTypes.i8));
    }
    const there = await thread.infer(m, values, elementTypes.f32);
    expect(there).toEqual(rounded(values, elementTypes.f32));
    expect([v.read, m.read]).toEqual([1, 1]);
  });

  it("has a bounded queue, and what nobody waits for is not done", async () => {
    const v = modelOf("v", int8);
    const infer = (signal?: AbortSignal) => thread.infer(v, window(1), elementTypes.i8, signal);
    const gone = new AbortController();
    const [first, second, third] = [infer(), infer(gone.signal), infer()];
    await expect(infer()).rejects.toMatchObject({ code: "busy" });
    gone.abort();
    await expect(second).rejects.toMatchObject({ code: "cancelled" });
    expect(await first).toEqual(await third);
    await expect(infer(gone.signal)).rejects.toMatchObject({ code: "cancelled" });
    // Nobody waits for it, but it runs: the next one still gets its own answer.
    const left = new AbortController();
    const running = infer(left.signal);
    left.abort();
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    expect(await thread.infer(v, window(2), elementTypes.i8)).toEqual(
      inferModel(readGraph(int8, "v"))(window(2), elementTypes.i8),
    );
  });

  it("refuses what is no model, forgets models for others, and starts anew when it died", async () => {
    const small = make({ modelBytes: int8.length + 10, longestMs: 60_000 });
    await expect(small.load(modelOf("x", new Uint8Array(99)))).rejects.toMatchObject({ code: "corrupt" });
    const lost = { ...modelOf("y", int8), bytes: () => Promise.reject(new Error("disk")) };
    await expect(small.load(lost)).rejects.toMatchObject({ code: "internal" });
    const [v, m] = [modelOf("v", int8), modelOf("m", float)];
    await small.load(v);
    await small.load(m);
    await small.infer(v, window(1), elementTypes.i8);
    expect([v.read, m.read]).toEqual([2, 1]);
    await small.close();
    await expect(small.load(v)).rejects.toMatchObject({ code: "cancelled" });
    // So short that no thread can even start: each order ends, and none waits for ever.
    const hasty = make({ longestMs: 1 });
    const both = [hasty.load(v), hasty.load(v)].map((one) =>
      expect(one).rejects.toMatchObject({ code: "deadline" }),
    );
    await Promise.all(both);
  });
});

describe("deployed models", () => {
  it("infer in the thread when an inference takes long, and only then", async () => {
    const storage = new MemoryStorage();
    const models = new Models({ storage, uses: new BlobUses(storage), modelBytes: 1e8 });
    const thread = make();
    const deployed = new DeployedModels(storage, models, "edge", thread);
    const loaded: string[] = [];
    const load = thread.load.bind(thread);
    thread.load = (model) => {
      loaded.push(model.name);
      return load(model);
    };
    expect(multiplicationsOf(readGraph(large, "large"))).toBeGreaterThan(1_000_000);
    expect(multiplicationsOf(readGraph(float, "small"))).toBeLessThan(2000);
    const [big, small] = [await models.store("large", "1", large), await models.store("small", "1", float)];
    await deployed.deploy(big);
    await deployed.deploy(small);
    expect(loaded).toEqual(["large"]);
    const here = inferModel(readGraph(large, "large"))(values, elementTypes.f32);
    /** Did the node come to something else while the model inferred? */
    const leftRoom = async (record: ModelRecord): Promise<boolean> => {
      let turns = 0;
      const turn = setImmediate(() => turns++);
      const inferred = await deployed.infer(record, values, elementTypes.f32);
      clearImmediate(turn);
      if (record === big) expect(inferred).toEqual(here);
      return turns > 0;
    };
    expect([await leftRoom(big), await leftRoom(small)]).toEqual([true, false]);
    expect(deployed.counts().map(({ inferences }) => inferences)).toEqual([1, 1]);
    await expect(deployed.infer(big, values, elementTypes.f32, AbortSignal.abort())).rejects.toMatchObject({
      code: "cancelled",
    });
  });
});

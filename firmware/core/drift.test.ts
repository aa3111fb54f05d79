/** The sums of a model's input against plain arithmetic, and how a node tells and resets them. */
import { beforeEach, describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import type { SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { decodeEvent, readAs } from "../../host/bus/protocol.js";
import { driftKeys } from "../../host/bus/protocol-keys.js";
import { driftSummary } from "../../host/bus/operations/node.js";
import { NodeUnderTest, decodeCbor } from "../../test/support/firmware-node.js";
import { vibrationPlatform } from "../../test/support/vibration-platform.js";
import { minimalNode } from "../functions/minimal-node.js";
import { ModelInfer } from "../functions/model-infer.js";
import { CborWriter } from "../std/cbor-writer.js";
import { Drift } from "./drift.js";
import { Model } from "./model.js";

const tensor = (shape: number[], scale = 0.5, zeroPoint = 1) => ({
  type: "i8",
  shape,
  elements: shape.reduce((a, b) => a * b, 1),
  scale,
  zeroPoint,
  unit: "g",
  rate: 0,
});

function watching(input: ReturnType<typeof tensor>, bins: number): Drift {
  const drift = new Drift(8, bins);
  drift.watch(input.shape.at(-1) ?? 1, input.elements, input.scale, input.zeroPoint);
  return drift;
}

function summary(drift: Drift) {
  const writer = new CborWriter(1024);
  drift.write(writer, "m@1");
  return readAs("drift", driftKeys, driftSummary, decodeCbor(writer.written().slice()));
}

describe("Drift", () => {
  it("sums up each channel as plain arithmetic does", () => {
    const drift = watching(tensor([1, 100, 3], 0.25, -7), 16);
    const seen: number[][] = [[], [], []];
    for (let round = 0; round < 50; round++) {
      const input = Int8Array.from({ length: 300 }, (_, i) => ((i * 37 + round * 11) % 256) - 128);
      drift.add(input);
      input.forEach((q, i) => seen[i % 3]?.push((q + 7) * 0.25));
    }
    const { features, samples } = summary(drift);
    expect(samples).toBe(5000);
    features.forEach(([min, max, mean, variance, bins], f) => {
      const values = seen[f] ?? [];
      const expectedMean = values.reduce((a, b) => a + b, 0) / values.length;
      const expectedVariance = values.reduce((a, b) => a + (b - expectedMean) ** 2, 0) / values.length;
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
      expect(mean).toBeCloseTo(expectedMean, 4);
      expect(variance / expectedVariance).toBeCloseTo(1, 5);
      expect(bins).toEqual(
        Array.from({ length: 16 }, (_, b) => values.filter((v) => (v / 0.25 - 7 + 128) >> 4 === b).length),
      );
    });
  });

  it("keeps the variance of a constant, and of both ends", () => {
    const drift = watching(tensor([4, 1], 1, 0), 2);
    expect(summary(drift).features).toEqual([]);
    drift.add(Int8Array.of(-128, -128, -128, -128));
    expect(summary(drift).features).toEqual([[-128, -128, -128, 0, [4, 0]]]);
    drift.add(Int8Array.of(127, 127, 127, 127));
    expect(summary(drift).features).toEqual([[-128, 127, -0.5, 127.5 ** 2, [4, 4]]]);
  });

  it("takes a last dimension of more than 8 as one feature", () => {
    expect(watching(tensor([1, 9]), 16).features).toBe(1);
    expect(watching(tensor([1, 8]), 16).features).toBe(8);
  });

  it.each([0, 3, 32])("refuses %d bins", (bins) => {
    expect(() => watching(tensor([4]), bins)).toThrow("power of two from 2 to 16");
  });
});

describe("a node whose model watches its drift", () => {
  let platform: SimulatedPlatform;
  let bus: NodeUnderTest;
  beforeEach(() => {
    platform = vibrationPlatform();
    usePlatform(platform);
    const model = new Model("vibration.tflite", { drift: true });
    const options = { name: "t", version: "1", sensors: [], settings: [], labels: [], jobs: 2 };
    const node = minimalNode({ ...options, models: [model] });
    node.offer(new ModelInfer([model], []));
    node.serve();
    platform.start();
    bus = new NodeUnderTest(platform);
  });

  const infer = () =>
    bus.ask({
      operation: "model.infer",
      input: Uint8Array.from([1, 2, 3, 1, 2, 3, 1, 2, 3, 3, 2, 1]),
      descriptor: new Map<number, unknown>([
        [0, 0],
        [1, [1, 4, 1, 3]],
      ]),
    });
  const told = () => {
    const drift = bus.ask({ operation: "node.monitor" }).result?.get(11) as unknown[];
    return readAs("drift", driftKeys, driftSummary, drift[0]);
  };
  const configure = (name: string, value: number) =>
    bus.ask({
      operation: "node.configure",
      arguments: new Map<number, unknown>([[0, new Map([[name, value]])]]),
    });

  it("tells the sums, and none of the samples", () => {
    infer();
    infer();
    const { model, epoch, samples, features } = told();
    expect({ model, epoch, samples }).toEqual({ model: "vibration@1.0.0", epoch: 0, samples: 8 });
    // Quantised 1 1 1 3, 2 2 2 2, 3 3 3 1; real = (q - 1) / 2.
    expect(features.map((f) => f.slice(0, 4))).toEqual([
      [0, 1, 0.25, 0.1875],
      [0.5, 0.5, 0.5, 0],
      [0, 1, 0.75, 0.1875],
    ]);
    expect(features[0]?.[4]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("begins anew with another epoch, which it tells", () => {
    infer();
    expect(configure("drift.epoch", 7).error).toBeUndefined();
    platform.advance(1000);
    expect(told()).toEqual({ model: "vibration@1.0.0", epoch: 7, samples: 0, features: [] });
    infer();
    platform.advance(1000);
    expect(told().samples).toBe(4);
  });

  it("publishes an event of its own, and leaves telemetry small", () => {
    infer();
    configure("drift.interval", 120);
    platform.advance(125_000);
    const events = platform.takePublished("/e").map((p) => decodeEvent(p.payload));
    expect(events.map((e) => e.name)).toEqual(["telemetry", "telemetry", "drift"]);
    expect((events[0]?.value as Map<number, unknown>).has(11)).toBe(false);
    const [first] = events[2]?.value as unknown[];
    expect(readAs("drift", driftKeys, driftSummary, first).samples).toBe(4);
  });

  it("refuses models whose drift does not fit in a message", () => {
    const models = [1, 2, 3].map(() => new Model("vibration.tflite", { drift: true }));
    const options = { name: "t", version: "1", sensors: [], settings: [], labels: [], jobs: 1 };
    expect(() => {
      minimalNode({ ...options, models }).serve();
    }).toThrow("does not fit in a message");
  });
});

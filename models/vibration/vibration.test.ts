/** The vibration model as committed: its data, its bytes, its golden outputs and its descriptor belong together. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { importTfjs } from "../../compiler/model/import-tfjs.js";
import { decide, quantizeInput } from "../../compiler/model/quantize/accuracy.js";
import { quantizeAfterTraining } from "../../compiler/model/quantize/post-training.js";
import { encodeSamples, readSamples } from "../../compiler/model/quantize/samples.js";
import { ModelRuntime } from "../../compiler/model/runtime.js";
import { readTflite } from "../../compiler/model/tflite/read.js";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import { axes, generateDataset, generateWindow, inUnits, sampleRate, windowLength } from "./generator.js";
import { Random } from "./random.js";

const directory = dirname(fileURLToPath(import.meta.url));
const artefact = (name: string): Buffer => readFileSync(join(directory, name));
const model = artefact("vibration.tflite");
const graph = readTflite(model, "vibration.tflite");

const end = z.object({
  shape: z.array(z.number()),
  type: z.string(),
  scale: z.number(),
  zero_point: z.number(),
});
const side = z.object({
  accuracy: z.number(),
  per_class: z.record(z.string(), z.number()),
  confusion: z.array(z.array(z.number())),
});
const descriptor = z
  .object({
    name: z.literal("vibration"),
    version: z.string(),
    task: z.literal("classification"),
    model: z.object({ file: z.string(), bytes: z.number(), sha256: z.string() }),
    input: end.extend({ unit: z.literal("g"), rate_hz: z.number() }),
    output: end.extend({ labels: z.array(z.string()) }),
    metrics: z.object({ data: z.string(), float: side, int8: side, agreement: z.number() }),
  })
  .parse(parse(artefact("model.yaml").toString("utf8")));

/** Power of `window` along all axes, without gravity, at `frequency` in Hz: squares of g. */
function powerAt(window: Int16Array, frequency: number): number {
  const values = inUnits(window);
  let power = 0;
  for (let axis = 0; axis < axes; axis++) {
    let [re, im, mean] = [0, 0, 0];
    for (let i = 0; i < windowLength; i++) {
      mean += (values[i * axes + axis] ?? 0) / windowLength;
    }
    for (let i = 0; i < windowLength; i++) {
      const value = (values[i * axes + axis] ?? 0) - mean;
      re += value * Math.cos((2 * Math.PI * frequency * i) / sampleRate);
      im += value * Math.sin((2 * Math.PI * frequency * i) / sampleRate);
    }
    power += (re * re + im * im) / (windowLength * windowLength);
  }
  return power;
}

describe("generated windows", () => {
  it("are the same bytes on every machine", () => {
    const { windows } = generateDataset(1, 30);
    const digest = createHash("sha256").update(Buffer.from(windows.buffer)).digest("hex");
    expect(digest.slice(0, 16)).toBe("3180e2cf13f785ec");
    expect(generateWindow(1, 7, 1)).toEqual(
      windows.subarray(7 * windowLength * axes, 8 * windowLength * axes),
    );
  });

  it("show 1 g of gravity, imbalance at the shaft's frequency and bearing damage at the resonance", () => {
    const mean = (label: number, low: number, high: number): number => {
      let sum = 0;
      for (let index = 0; index < 60; index++) {
        const window = generateWindow(5, index, label);
        for (let frequency = low; frequency < high; frequency += 12.5) {
          sum += powerAt(window, frequency) / 60;
        }
      }
      return sum;
    };
    expect(mean(1, 25, 62.5)).toBeGreaterThan(20 * mean(0, 25, 62.5));
    expect(mean(2, 350, 700)).toBeGreaterThan(20 * mean(0, 350, 700));
    const values = inUnits(generateWindow(5, 0, 0));
    const gravity = [0, 1, 2].map((axis) => {
      const along = values.filter((_, i) => i % axes === axis);
      return along.reduce((a, b) => a + b, 0) / windowLength;
    });
    expect(Math.hypot(...gravity)).toBeCloseTo(1, 1);
  });

  it("come from streams that look random", () => {
    const random = new Random(3);
    const normal = Array.from({ length: 20000 }, () => random.normal());
    expect(normal.reduce((a, b) => a + b, 0) / normal.length).toBeCloseTo(0, 1);
    expect(normal.reduce((a, b) => a + b * b, 0) / normal.length).toBeCloseTo(1, 1);
    expect(new Random(1, 0).uint32()).not.toBe(new Random(1, 1).uint32());
    expect(random.permutation(100).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it("are the committed data files", () => {
    for (const [name, seed, count] of [
      ["calibration.samples", 3, 96],
      ["test.samples", 2, 150],
    ] as const) {
      const data = generateDataset(seed, count);
      const { shape, unit, labels } = readSamples(join(directory, name));
      const stored = { shape, unit, labels, type: "int16" as const, scale: 1 / 8192 };
      const bytes = encodeSamples({ ...stored, classes: data.labels, values: data.windows });
      expect(Buffer.compare(artefact(name), bytes)).toBe(0);
    }
  });
});

describe("the committed model", () => {
  it("follows from the committed weights, byte for byte", () => {
    const { quantized } = quantizeAfterTraining(
      importTfjs(join(directory, "model.json")),
      readSamples(join(directory, "calibration.samples")),
      { method: "minmax", percentile: 100, inputRange: { low: -4, high: 4 - 1 / 32 } },
    );
    expect(Buffer.compare(writeTflite(quantized), model)).toBe(0);
    expect(readTflite(writeTflite(quantized), "vibration.tflite").operators).toEqual(quantized.operators);
  });

  it("gives the golden outputs", () => {
    const runtime = new ModelRuntime(graph);
    const count = readdirSync(join(directory, "golden")).length / 2;
    expect(count).toBeGreaterThanOrEqual(6);
    for (let k = 0; k < count; k++) {
      runtime.input(0).set(new Int8Array(artefact(`golden/input_${k}.bin`)));
      runtime.invoke();
      expect(Array.from(runtime.output(0))).toEqual(
        Array.from(new Int8Array(artefact(`golden/output_${k}.bin`))),
      );
    }
  });

  it("classifies more than 95 % of windows that nobody has used before", () => {
    const runtime = new ModelRuntime(graph);
    const data = generateDataset(4711, 600);
    const values = inUnits(data.windows);
    const size = windowLength * axes;
    let right = 0;
    for (let i = 0; i < data.count; i++) {
      runtime.input(0).set(quantizeInput(graph, values.subarray(i * size, (i + 1) * size)));
      runtime.invoke();
      right += decide(runtime.output(0)) === data.labels[i] ? 1 : 0;
    }
    expect(right / data.count).toBeGreaterThan(0.95);
  });

  it("is what the descriptor says", () => {
    const { metrics, input, output, model: file } = descriptor;
    expect(file).toEqual({
      file: "vibration.tflite",
      bytes: model.length,
      sha256: createHash("sha256").update(model).digest("hex"),
    });
    for (const [described, index] of [
      [input, graph.inputs[0]],
      [output, graph.outputs[0]],
    ] as const) {
      const tensor = graph.tensors[index ?? -1];
      expect(described).toMatchObject({
        shape: tensor?.shape,
        type: tensor?.type,
        scale: tensor?.quantization?.scales[0],
        zero_point: tensor?.quantization?.zeroPoints[0],
      });
    }
    expect(input).toMatchObject({ scale: 1 / 32, zero_point: 0, rate_hz: sampleRate });
    expect(metrics.float.accuracy).toBeGreaterThan(0.95);
    expect(metrics.int8.accuracy).toBeGreaterThan(0.95);
    for (const { accuracy, confusion } of [metrics.float, metrics.int8]) {
      const total = confusion.flat().reduce((a, b) => a + b, 0);
      const hits = confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
      expect(accuracy).toBeCloseTo(hits / total, 4);
    }
  });

  it("keeps its folder below 300 KB", () => {
    const sizes = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => {
      const stat = statSync(join(directory, name));
      return stat.isFile() ? stat.size : 0;
    });
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(300_000);
  });
});

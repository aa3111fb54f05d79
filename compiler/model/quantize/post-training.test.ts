/** Quantised networks against their float originals, the report on them, and data that does not fit. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../graph.js";
import { importTfjs } from "../import-tfjs.js";
import { ModelRuntime } from "../runtime.js";
import { readTflite } from "../tflite/read.js";
import { writeTflite } from "../tflite/write.js";
import { lossMeasure, measureLoss, parametersOf, quantizeInput } from "./accuracy.js";
import {
  loadTf,
  predict,
  randomInput,
  randomizeWeights,
  sampleNetworks,
  saveModel,
  withDirectory,
} from "./fixtures/tfjs-models.js";
import { FloatExecutor } from "./float-executor.js";
import type { FloatGraph } from "./float-graph.js";
import { foldGraph } from "./fold.js";
import { quantizeAfterTraining, type PostTrainingOptions } from "./post-training.js";
import { formatLoss } from "./report.js";
import type { Samples } from "./samples.js";

const tf = await loadTf();
const minmax: PostTrainingOptions = { method: "minmax", percentile: 100 };

function randomSamples(shape: readonly number[], count: number, labels: readonly string[] = []): Samples {
  const size = shape.reduce((a, b) => a * b, 1);
  const inputs = Array.from({ length: count }, (_, i) => randomInput(size, i + 1));
  const classes = Uint8Array.from(labels.length > 0 ? inputs : [], (_, i) => i % labels.length);
  return { shape, inputs, unit: "", labels, classes, targets: [] };
}

async function network(name: string): Promise<{ graph: FloatGraph; shape: readonly number[] }> {
  const { model: build, shape } = sampleNetworks(tf)[name] ?? { model: () => tf.sequential(), shape: [] };
  const model = build();
  randomizeWeights(tf, model, 5);
  return withDirectory(async (directory) => ({
    graph: importTfjs(await saveModel(model, directory)),
    shape,
  }));
}

describe("post-training quantisation", () => {
  for (const [name, { model: build, shape }] of Object.entries(sampleNetworks(tf))) {
    it(`stays close to TensorFlow.js, also through a file: ${name}`, async () => {
      const model = build();
      randomizeWeights(tf, model, 5);
      const graph = await withDirectory(async (directory) => importTfjs(await saveModel(model, directory)));
      const samples = randomSamples(shape, 40);
      const { quantized } = quantizeAfterTraining(graph, samples, minmax);
      const runtime = new ModelRuntime(readTflite(writeTflite(quantized), name));
      const { scale, zeroPoint } = parametersOf(quantized, quantized.outputs[0] ?? -1);
      let worst = 0;
      for (const input of samples.inputs.slice(0, 20)) {
        runtime.input(0).set(quantizeInput(quantized, input));
        runtime.invoke();
        const truth = predict(tf, model, input, shape);
        const reach = Math.max(...truth.map(Math.abs), 128 * scale);
        runtime.output(0).forEach((q, i) => {
          worst = Math.max(worst, Math.abs(scale * (q - zeroPoint) - (truth[i] ?? 0)) / reach);
        });
      }
      expect(worst).toBeLessThan(0.08);
      expect(worst).toBeGreaterThan(0);
    });
  }

  it("follows the specification: types, granularity, fixed softmax, pooling and reshape that keep their parameters", async () => {
    const { graph, shape } = await network("sequential image classifier");
    const { quantized } = quantizeAfterTraining(graph, randomSamples(shape, 10), minmax);
    const seen = new Set<string>();
    for (const operator of quantized.operators) {
      seen.add(operator.kind);
      if ("filter" in operator) {
        const filter = quantized.tensors[operator.filter];
        const bias = quantized.tensors[operator.bias ?? -1];
        const channels = bias?.shape[0] ?? 0;
        const scales = operator.kind === "FullyConnected" ? 1 : channels;
        expect(filter?.quantization?.scales).toHaveLength(scales);
        expect(filter?.quantization?.axis).toBe(operator.kind === "DepthwiseConv2D" ? 3 : 0);
        expect(filter?.quantization?.zeroPoints.every((z) => z === 0)).toBe(true);
        expect(filter?.data).toBeInstanceOf(Int8Array);
        expect(filter?.data instanceof Int8Array && filter.data.includes(-128)).toBe(false);
        expect(bias?.data).toBeInstanceOf(Int32Array);
        const input = parametersOf(quantized, operator.input);
        expect(bias?.quantization?.scales).toEqual(
          filter?.quantization?.scales.map((s) => Math.fround(s * input.scale)),
        );
      } else if (operator.kind === "AveragePool2D" || operator.kind === "Reshape") {
        expect(parametersOf(quantized, operator.output)).toEqual(parametersOf(quantized, operator.input));
      } else if (operator.kind === "Softmax") {
        expect(parametersOf(quantized, operator.output)).toEqual({ scale: 1 / 256, zeroPoint: -128 });
      }
    }
    expect(seen.size).toBe(6);
  });

  it("takes the input's range from the caller", async () => {
    const { graph, shape } = await network("one-dimensional sensor network");
    const inputRange = { low: -4, high: 4 - 1 / 32 };
    const { quantized } = quantizeAfterTraining(graph, randomSamples(shape, 4), { ...minmax, inputRange });
    expect(parametersOf(quantized, quantized.inputs[0] ?? -1)).toEqual({ scale: 1 / 32, zeroPoint: 0 });
  });

  it("refuses data that does not fit", async () => {
    const { graph, shape } = await network("one-dimensional sensor network");
    const good = randomSamples(shape, 2);
    const run = (calibration: Samples, test?: Samples) => () =>
      quantizeAfterTraining(graph, calibration, test === undefined ? minmax : { ...minmax, test });
    expect(run(randomSamples(shape, 0))).toThrow(expect.objectContaining({ code: "TMC3222" }));
    expect(run(randomSamples([40, 2], 2))).toThrow(
      /samples of shape \[40, 2\], the model takes \[40, 1, 3\]/,
    );
    expect(run(good, randomSamples([3], 2))).toThrow(expect.objectContaining({ code: "TMC3223" }));
    expect(run(good, randomSamples(shape, 2, ["a", "b"]))).toThrow(
      expect.objectContaining({ code: "TMC3224" }),
    );
    const targets = good.inputs.map(() => Float32Array.of(1, 2));
    expect(run(good, { ...good, targets })).toThrow(/targets of 2 values, the model has 4 outputs/);
  });
});

describe("the measured loss", () => {
  it("counts decisions and finds the layer that was damaged", async () => {
    const { graph, shape } = await network("sequential image classifier");
    const labels = ["a", "b", "c"];
    const test = randomSamples(shape, 30, labels);
    const { float, quantized, loss } = quantizeAfterTraining(graph, test, { ...minmax, test });
    expect(loss?.accuracy?.classes.map((c) => c.count)).toEqual([10, 10, 10]);
    const { confusion, int8 } = loss?.accuracy ?? { confusion: { int8: [] }, int8: NaN };
    expect(confusion.int8.flat().reduce((a, b) => a + b, 0)).toBe(30);
    expect(int8).toBeCloseTo(confusion.int8.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / 30);
    expect(loss?.layers.filter((l) => l.kind === "Reshape").map((l) => l.own)).toEqual([
      Infinity,
      Infinity,
      Infinity,
    ]);

    // Weights of one layer with 4 steps instead of 127: that layer is the one that loses most.
    const victim = 5;
    const operator = quantized.operators[victim];
    const filter = operator !== undefined && "filter" in operator ? operator.filter : -1;
    const damaged: Graph = {
      ...quantized,
      tensors: quantized.tensors.map((tensor, i) =>
        i === filter ? { ...tensor, data: Int8Array.from(tensor.data as Int8Array, (w) => w & -32) } : tensor,
      ),
    };
    const worse = measureLoss(float, damaged, test);
    expect(worse.ranking[0]).toBe(victim);
    expect(worse.layers[victim]?.own).toBeLessThan((loss?.layers[victim]?.own ?? 0) - 6);
    const text = formatLoss(worse, "test.samples");
    expect(text).toMatch(/accuracy on 30 samples of test.samples/);
    expect(text).toMatch(/the layer that loses most: .*Conv2D\), \d+\.\d dB$/);
  });

  it("is agreement alone when the samples have no classes", async () => {
    const { graph, shape } = await network("global pooling and flattened activations");
    const test = randomSamples(shape, 20);
    const { loss } = quantizeAfterTraining(graph, test, { ...minmax, test });
    expect(loss?.accuracy).toBeUndefined();
    expect(loss?.agreement).toBeGreaterThan(0.8);
    expect(loss && formatLoss(loss, "x")).not.toContain("accuracy");
    expect(loss && lossMeasure(loss).measure).toBe("agreement");
  });

  it("is the growth of the error when the samples have targets", async () => {
    const { graph, shape } = await network("global pooling and flattened activations");
    const { inputs, ...rest } = randomSamples(shape, 30);
    const plain = { ...rest, inputs };
    const executor = new FloatExecutor(foldGraph(graph));
    // The float model is wrong by 0.5 everywhere: the error of int8 is that and its own noise.
    const targets = inputs.map((input) => executor.run(input).map((value) => value + 0.5));
    const { loss } = quantizeAfterTraining(graph, plain, { ...minmax, test: { ...plain, targets } });
    expect(loss?.error?.float).toBeCloseTo(0.5, 5);
    expect(loss?.error?.int8).toBeGreaterThan(0.49);
    expect(loss?.deviation).toBeGreaterThan(0.001);
    expect(loss?.deviation).toBeLessThan(0.05);
    expect(loss && formatLoss(loss, "x")).toMatch(/root mean square error on 30 samples of x: float 0.5000/);
    const made = (float: number, int8: number) =>
      lossMeasure({
        activations: "int8" as const,
        samples: 1,
        agreement: 1,
        deviation: 0,
        layers: [],
        ranking: [],
        error: { float, int8 },
      });
    expect(made(0.5, 0.51)).toEqual({ measure: "error", lost: expect.closeTo(2, 9) as number });
    expect(made(0, 0).lost).toBe(0);
    expect(made(0, 0.1).lost).toBe(Infinity);
  });
});

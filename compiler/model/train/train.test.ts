/** Fine-tuning: gradients, the differentiable graph against the executors, what training and pruning change, refusals. */
import { describe, expect, it } from "vitest";
import { compileModel } from "../compile.js";
import { importTfjs } from "../import-tfjs.js";
import { layerMacs } from "../layers.js";
import type { Graph } from "../graph.js";
import { calibrate } from "../quantize/calibrate.js";
import {
  loadTf,
  randomInput,
  randomizeWeights,
  sampleNetworks,
  saveModel,
  withDirectory,
} from "../quantize/fixtures/tfjs-models.js";
import { FloatExecutor } from "../quantize/float-executor.js";
import { foldGraph } from "../quantize/fold.js";
import { chooseParameters } from "../quantize/parameters.js";
import { quantizeFolded, type PostTrainingOptions } from "../quantize/post-training.js";
import type { Samples } from "../quantize/samples.js";
import { DifferentiableGraph } from "./differentiable-graph.js";
import { useFastFilterGradients } from "./filter-gradients.js";
import { channelMask, magnitudeMask, sparsityAt } from "./prune.js";
import { shuffled } from "./shuffle.js";
import { loadTrainer, type FineTuneOptions } from "./trainer.js";

const tf = await loadTf();
const minmax: PostTrainingOptions = { method: "minmax", percentile: 100 };
const usual: FineTuneOptions = {
  epochs: 2,
  batchSize: 8,
  learningRate: 0.002,
  seed: 1,
  quantized: true,
  sparsity: 0,
  channelSparsity: 0,
  calibration: minmax,
};

/** Channels in fours, which the compiler can remove. */
const wide = {
  shape: [6, 6, 2],
  model: () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [6, 6, 2], filters: 16, kernelSize: 3, activation: "relu" }),
        tf.layers.conv2d({ filters: 16, kernelSize: 3, activation: "relu" }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    }),
};

async function network(name: string): Promise<{ graph: Graph; samples: Samples }> {
  const { model: build, shape } = name === "wide" ? wide : sampleNetworks(tf)[name]!;
  const model = build();
  randomizeWeights(tf, model, 5);
  const graph = await withDirectory(async (folder) => foldGraph(importTfjs(await saveModel(model, folder))));
  const size = shape.reduce((a, b) => a * b, 1);
  const inputs = Array.from({ length: 32 }, (_, i) => randomInput(size, i + 1));
  return { graph, samples: { shape, inputs, unit: "", labels: [], classes: new Uint8Array(), targets: [] } };
}

describe("gradients of filters", () => {
  it("are those of TensorFlow.js", () => {
    const cases = ([1, 2, [2, 1]] as const).flatMap((strides) =>
      (["same", "valid"] as const).flatMap((pad) =>
        [false, true].map((depthwise) => ({ strides, pad, depthwise })),
      ),
    );
    const gradients = (): Float32Array[] =>
      cases.map(({ strides, pad, depthwise }, i) => {
        const x = tf.tensor4d(randomInput(2 * 7 * 6 * 3, i), [2, 7, 6, 3]);
        const filter = tf.tensor4d(randomInput(3 * 2 * 3 * 2, 50 + i), [3, 2, 3, 2]);
        const apply = depthwise ? tf.depthwiseConv2d : tf.conv2d;
        const stride = typeof strides === "number" ? strides : ([...strides] as [number, number]);
        const by = tf.grad((w) =>
          apply(x, w as typeof filter, stride, pad)
            .square()
            .sum(),
        );
        return by(filter).dataSync() as Float32Array;
      });
    const original = gradients();
    useFastFilterGradients(tf);
    const ours = gradients();
    ours.forEach((gradient, i) => {
      const scale = Math.max(...original[i]!.map(Math.abs));
      gradient.forEach((value, k) => expect(Math.abs(value - original[i]![k]!)).toBeLessThan(1e-5 * scale));
    });
  });
});

describe("the differentiable graph", () => {
  it.each(Object.keys(sampleNetworks(tf)))("computes what the executors do: %s", async (name) => {
    const { graph, samples } = await network(name);
    const differentiable = new DifferentiableGraph(tf, graph);
    const [input = new Float32Array()] = samples.inputs;
    const shape = graph.tensors[graph.inputs[0]!]!.shape;
    const output = graph.outputs[0] ?? -1;
    const last = graph.operators.find((operator) => operator.output === output);
    const watched = last?.kind === "Softmax" ? last.input : output;
    const compare = (expected: Float32Array, found: Float32Array, tolerance: number): void => {
      const scale = Math.max(...expected.map(Math.abs));
      expected.forEach((v, i) => expect(Math.abs(v - found[i]!)).toBeLessThanOrEqual(tolerance * scale));
    };
    const executor = new FloatExecutor(graph);
    executor.run(input);
    const run = (grid?: ReturnType<typeof chooseParameters>) =>
      differentiable.forward(tf.tensor(input, [...shape]), grid).dataSync() as Float32Array;
    compare(executor.tensor(watched), run(), 1e-5);
    // The grid: every activation of the output is one of its 256 values.
    const grid = chooseParameters(graph, calibrate(graph, samples.inputs, minmax), undefined);
    const { scale, zeroPoint } = grid[watched]!;
    for (const value of run(grid)) {
      const steps = value / scale + zeroPoint;
      expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-3);
      expect(steps).toBeGreaterThan(-128.01);
      expect(steps).toBeLessThan(127.01);
    }
    compare(executor.tensor(watched), run(grid), 0.15);
    expect(differentiable.result()).toEqual(graph);
    differentiable.dispose();
  });

  it("refuses what it cannot train", async () => {
    const { graph } = await network("one-dimensional sensor network");
    const [input = -1] = graph.inputs;
    const reshape: Graph = { ...graph, operators: [{ kind: "Reshape", input, output: input + 1 }] };
    const refusal = expect.objectContaining({ code: "TMC3229" }) as unknown;
    expect(() => new DifferentiableGraph(tf, reshape)).toThrow(refusal);
    const odd = Object.assign({ ...graph.operators[0]! }, { kind: "Median" });
    const unknown: Graph = { ...graph, operators: [odd, ...graph.operators.slice(1)] };
    expect(() => new DifferentiableGraph(tf, unknown)).toThrow(/operator 0 \(Median\)/);
  });
});

describe("fine-tuning", () => {
  it("brings the int8 model closer to the float model, the same on every run", async () => {
    const { graph, samples } = await network("wide");
    const trainer = await loadTrainer();
    // Ranges that cut much off, so that there is something to learn.
    const cut = { method: "percentile", percentile: 90 } as const;
    const before = quantizeFolded(graph, samples, { ...cut, test: samples }).loss?.deviation ?? NaN;
    const losses: number[] = [];
    const tune = () =>
      trainer.fineTune(graph, samples, samples.inputs, { ...usual, calibration: cut, epochs: 4 }, (_, loss) =>
        losses.push(loss),
      );
    const tuned = await tune();
    expect(losses).toHaveLength(4);
    expect(losses[3]).toBeLessThan(losses[0]!);
    const { loss } = quantizeFolded(tuned, samples, { ...cut, test: samples }, graph);
    expect(loss?.deviation).toBeLessThan(0.8 * before);
    expect(await tune()).toEqual(tuned);
  });

  it("learns classes and targets", async () => {
    const { graph, samples } = await network("one-dimensional sensor network");
    const trainer = await loadTrainer();
    const labels = ["a", "b", "c", "d"];
    const classes = Uint8Array.from(samples.inputs, (input) => (input[0]! > 0 ? 1 : 2));
    const options = { ...usual, quantized: false, epochs: 6, learningRate: 0.01 };
    for (const training of [
      { ...samples, labels, classes },
      { ...samples, targets: samples.inputs.map((input) => input.slice(0, 4)) },
    ]) {
      const losses: number[] = [];
      await trainer.fineTune(graph, training, samples.inputs, options, (_, loss) => losses.push(loss));
      expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
    }
    const diverging = trainer.fineTune(graph, samples, samples.inputs, { ...options, learningRate: 1e30 });
    await expect(diverging).rejects.toMatchObject({ code: "TMC3229" });
  });

  it("prunes channels that the compiler then removes", async () => {
    const { graph, samples } = await network("wide");
    const pruning = { ...usual, channelSparsity: 0.5, sparsity: 0.2 };
    const tuned = await (await loadTrainer()).fineTune(graph, samples, samples.inputs, pruning);
    const macs = (float: Graph): number => {
      const { quantized } = quantizeFolded(float, samples, minmax);
      return compileModel(quantized).layers.reduce((sum, layer) => sum + layerMacs(layer), 0);
    };
    expect(macs(tuned)).toBeLessThan(0.55 * macs(graph));
    // Pruned channels have no bias either: zeros go well with padding.
    const first = tuned.operators.find((operator) => operator.kind === "Conv2D");
    const filter = tuned.tensors[first?.filter ?? -1]?.data ?? new Float32Array();
    const gone = [...(tuned.tensors[first?.bias ?? -1]?.data ?? [])].filter((_, c) =>
      filter.subarray((c * filter.length) / 16, ((c + 1) * filter.length) / 16).every((w) => w === 0),
    );
    expect(gone.map((bias) => Math.abs(Number(bias)))).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    for (const operator of tuned.operators) {
      const data = "filter" in operator ? tuned.tensors[operator.filter]?.data : undefined;
      if (data instanceof Float32Array) {
        expect(data.filter((w) => w === 0).length).toBeGreaterThanOrEqual(Math.floor(0.2 * data.length));
      }
    }
  });
});

describe("pruning", () => {
  it("rises with the cube of what is left and then stays", () => {
    expect(sparsityAt(0.8, 0)).toBe(0);
    expect(sparsityAt(0.8, 0.3)).toBeCloseTo(0.8 - 0.8 / 8, 12);
    expect(sparsityAt(0.8, 0.6)).toBe(0.8);
    expect(sparsityAt(0.8, 1)).toBe(0.8);
  });

  it("takes the smallest weights, and the smallest channels but never all", () => {
    const weights = Float32Array.of(3, -1, 0.5, 2, -4, 1);
    expect([...magnitudeMask(weights, 0.5)]).toEqual([1, 0, 0, 1, 1, 0]);
    expect([...magnitudeMask(weights, 0)]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...channelMask(weights, 3, (i) => i % 3, 0.4)]).toEqual([1, 1, 0, 1, 1, 0]);
    expect([...channelMask(weights, 3, (i) => i % 3, 0.99)]).toEqual([0, 1, 0, 0, 1, 0]);
    expect([...channelMask(weights, 1, () => 0, 0.99)]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("shuffles all samples by the seed", () => {
    expect(shuffled(50, 1).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffled(50, 1)).toEqual(shuffled(50, 1));
    expect(shuffled(50, 1)).not.toEqual(shuffled(50, 2));
  });
});

/** Bias correction on networks whose weights are rounded coarsely: the means of channels come back. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../graph.js";
import { importTfjs } from "../import-tfjs.js";
import { ModelRuntime } from "../runtime.js";
import { integersOf, parametersOf, quantizeInput } from "./accuracy.js";
import { correctBiases } from "./bias-correction.js";
import { calibrate } from "./calibrate.js";
import {
  loadTf,
  randomInput,
  randomizeWeights,
  sampleNetworks,
  saveModel,
  withDirectory,
} from "./fixtures/tfjs-models.js";
import { FloatExecutor } from "./float-executor.js";
import { foldGraph } from "./fold.js";
import { quantizeGraph } from "./quantize.js";

const tf = await loadTf();

/** Mean absolute difference of the channel means of float and int8, over all outputs of weighted operators. */
function shift(float: Graph, quantized: Graph, inputs: readonly Float32Array[]): number {
  const executor = new FloatExecutor(float);
  const runtime = new ModelRuntime(quantized);
  const sums = new Map<string, number>();
  runtime.onLayer = (operator, tensor, data) => {
    if (!("filter" in (quantized.operators[operator] ?? {}))) {
      return;
    }
    const { scale, zeroPoint } = parametersOf(quantized, tensor);
    const channels = float.tensors[tensor]?.shape.at(-1) ?? 1;
    const truth = executor.tensor(tensor);
    const integers = integersOf(quantized, tensor, data);
    integers.forEach((q, i) => {
      const key = `${operator} ${i % channels}`;
      const difference = scale * (q - zeroPoint) - (truth[i] ?? 0);
      sums.set(key, (sums.get(key) ?? 0) + (difference * channels) / integers.length / inputs.length);
    });
  };
  for (const input of inputs) {
    executor.run(input);
    runtime.input(0).set(quantizeInput(quantized, input));
    runtime.invoke();
  }
  return [...sums.values()].reduce((sum, value) => sum + Math.abs(value), 0) / sums.size;
}

describe("bias correction", () => {
  it.each([
    ["sequential image classifier", "int8"],
    ["one-dimensional sensor network", "int8"],
    ["one-dimensional sensor network", "int16"],
  ] as const)("brings the means of channels back: %s, %s", async (name, activations) => {
    const { model: build, shape } = sampleNetworks(tf)[name]!;
    const model = build();
    randomizeWeights(tf, model, 5);
    const float = foldGraph(
      await withDirectory(async (folder) => importTfjs(await saveModel(model, folder))),
    );
    const size = shape.reduce((a, b) => a * b, 1);
    const inputs = Array.from({ length: 24 }, (_, i) => randomInput(size, i + 1));
    const quantized = quantizeGraph(
      float,
      calibrate(float, inputs, { method: "minmax", percentile: 100 }),
      undefined,
      activations,
    );
    // Weights with 16 steps instead of 254, all rounded down: every mean moves.
    const coarse: Graph = {
      ...quantized,
      tensors: quantized.tensors.map((tensor) =>
        tensor.data instanceof Int8Array ? { ...tensor, data: tensor.data.map((w) => w & -16) } : tensor,
      ),
    };
    const before = shift(float, coarse, inputs);
    const corrected = correctBiases(float, coarse, inputs);
    expect(shift(float, corrected, inputs)).toBeLessThan(before / 3);
    const changed = corrected.tensors.filter((tensor, i) => tensor !== coarse.tensors[i]);
    expect(changed.length).toBeGreaterThan(0);
    const biases = activations === "int16" ? BigInt64Array : Int32Array;
    expect(changed.every((tensor) => tensor.data instanceof biases)).toBe(true);
  });
});

/**
 * Bias correction: rounded weights and clipped inputs move the mean of every output channel; the bias moves it back.
 * M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, "Data-Free Quantization Through Weight Equalization and Bias
 * Correction" (ICCV 2019), section 4.2, in the empirical form of its appendix D: means come from calibration data, and
 * each layer is corrected before the next is looked at.
 *
 * The means are those before the activation. Convolutions and dense layers are linear, so
 *   E[W x + b] - E[Wq xq + bq] = W E[x] + b - Wq E[xq] - bq,
 * and one run of the layer on mean inputs gives what runs on all inputs would.
 */
import { activationInputs, type Graph, type Operator, type Tensor } from "../graph.js";
import { ModelRuntime } from "../runtime.js";
import { integersOf, parametersOf, quantizeInput } from "./accuracy.js";
import { FloatExecutor } from "./float-executor.js";
import { floatTensor } from "./float-graph.js";

type Weighted = Extract<Operator, { filter: number }>;

/** A correction beyond this would hide that the layer is broken. In steps of the bias. */
const MAX_STEPS = 2 ** 24;
/** The same for int64. */
const MAX_WIDE_STEPS = 2 ** 32;

/** `operator` alone; its constants stay tensors of the graph. */
function alone(graph: Graph, operator: Operator): Graph {
  const inputs = [...new Set(activationInputs(operator))].filter(
    (index) => graph.tensors[index]?.data === undefined,
  );
  return { ...graph, operators: [operator], inputs, outputs: [operator.output] };
}

/** Means over all samples of every float activation, and the int8 inputs of the model. */
function floatMeans(float: Graph, inputs: readonly Float32Array[]): (Float64Array | undefined)[] {
  const executor = new FloatExecutor(float);
  const means = float.tensors.map((tensor, index) =>
    tensor.data === undefined ? new Float64Array(executor.tensor(index).length) : undefined,
  );
  for (const input of inputs) {
    executor.run(input);
    means.forEach((mean, index) => {
      if (mean !== undefined) {
        executor.tensor(index).forEach((value, i) => (mean[i] = (mean[i] ?? 0) + value / inputs.length));
      }
    });
  }
  return means;
}

/** The constants of `tensor` as the real numbers that they stand for. */
function dequantized(tensor: Tensor): Tensor {
  const { data, quantization, shape, name } = tensor;
  const scales = quantization?.scales ?? [1];
  const axis = quantization?.axis ?? 0;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const count = shape[axis] ?? 1;
  const scaleOf = (i: number): number =>
    scales.length === 1 ? (scales[0] ?? 1) : (scales[Math.floor(i / inner) % count] ?? 1);
  return {
    name,
    shape,
    type: "float32",
    data: Float32Array.from(data ?? [], Number).map((value, i) => value * scaleOf(i)),
  };
}

/** Mean of every output channel before the activation when the layer gets `input`. */
function channelMeans(graph: Graph, operator: Weighted, input: Float64Array): Float64Array {
  const executor = new FloatExecutor(alone(graph, { ...operator, activation: "none" }));
  executor.tensor(operator.input).set(input);
  executor.execute();
  const output = executor.tensor(operator.output);
  const channels = floatTensor(graph, operator.output).shape.at(-1) ?? 1;
  const means = new Float64Array(channels);
  output.forEach((value, i) => {
    means[i % channels] = (means[i % channels] ?? 0) + (value * channels) / output.length;
  });
  return means;
}

/** All results of an operator as bytes, one per sample. */
function runAll(
  graph: Graph,
  operator: Operator,
  tensors: ReadonlyMap<number, readonly Int8Array[]>,
): Int8Array[] {
  const one = alone(graph, operator);
  const runtime = new ModelRuntime(one);
  const count = tensors.get(one.inputs[0] ?? -1)?.length ?? 0;
  return Array.from({ length: count }, (_, sample) => {
    one.inputs.forEach((index, i) => runtime.input(i).set(tensors.get(index)?.[sample] ?? []));
    runtime.invoke();
    return runtime.output(0).slice();
  });
}

/**
 * `quantized` (made of `float` by `quantizeGraph`: same operator and activation numbers) with corrected biases. Layers
 * without a bias stay as they are. Memory: the activations of all samples at once, while they are needed.
 */
export function correctBiases(float: Graph, quantized: Graph, inputs: readonly Float32Array[]): Graph {
  const means = floatMeans(float, inputs);
  const tensors = [...quantized.tensors];
  const corrected: Graph = { ...quantized, tensors };
  const values = new Map<number, readonly Int8Array[]>();
  values.set(
    quantized.inputs[0] ?? -1,
    inputs.map((input) => quantizeInput(quantized, input)),
  );
  quantized.operators.forEach((operator, at) => {
    const original = float.operators[at];
    if ("filter" in operator && operator.bias !== undefined && original?.kind === operator.kind) {
      const bias = tensors[operator.bias];
      const mean = meanOf(corrected, operator.input, values.get(operator.input) ?? []);
      const real: Graph = {
        ...corrected,
        tensors: tensors.map((tensor, i) =>
          i === operator.filter || i === operator.bias ? dequantized(tensor) : tensor,
        ),
      };
      const truth = channelMeans(float, original as Weighted, means[operator.input] ?? mean);
      const found = channelMeans(real, operator, mean);
      const scales = bias?.quantization?.scales ?? [1];
      const moveOf = (c: number, most: number): number => {
        const move = Math.round(((truth[c] ?? 0) - (found[c] ?? 0)) / (scales[c] ?? scales[0] ?? 1));
        return Math.max(-most, Math.min(most, move));
      };
      if (bias?.data instanceof Int32Array) {
        const data = bias.data.map((steps, c) => steps + moveOf(c, MAX_STEPS));
        tensors[operator.bias] = { ...bias, data };
      } else if (bias?.data instanceof BigInt64Array) {
        const data = bias.data.map((steps, c) => steps + BigInt(moveOf(c, MAX_WIDE_STEPS)));
        tensors[operator.bias] = { ...bias, data };
      }
    }
    values.set(operator.output, runAll(corrected, operator, values));
    for (const index of values.keys()) {
      if (!quantized.operators.slice(at + 1).some((later) => activationInputs(later).includes(index))) {
        values.delete(index);
      }
    }
  });
  return corrected;
}

function meanOf(graph: Graph, index: number, samples: readonly Int8Array[]): Float64Array {
  const { scale, zeroPoint } = parametersOf(graph, index);
  const integers = samples.map((sample) => integersOf(graph, index, sample));
  const mean = new Float64Array(integers[0]?.length ?? 0);
  for (const sample of integers) {
    sample.forEach((q, i) => (mean[i] = (mean[i] ?? 0) + (scale * (q - zeroPoint)) / samples.length));
  }
  return mean;
}

/**
 * A network is trained on inputs of mean 0 and deviation 1 by channel; then that is folded into its first layer, so that
 * the model takes data in its unit. The same for the targets of a regression and the last layer. Exact but for rounding.
 */
import type { Graph, Operator } from "../../../../compiler/model/graph.js";
import { floatConstant, floatTensor } from "../../../../compiler/model/quantize/float-graph.js";
import type { SampleSet } from "./tasks.js";

/** By channel, over all frames of all items. */
export interface Normalization {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** A channel that never changes has deviation 1. Of vectors for a dense network each number is a channel. */
export function normalizationOf({ values, shape }: SampleSet, graph: Graph): Normalization {
  const vector = shape.length === 1 && firstLayer(graph)?.kind === "FullyConnected";
  const channels = vector || shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const frames = values.length / channels;
  const mean = new Float64Array(channels);
  const square = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) {
    const channel = i % channels;
    mean[channel] = (mean[channel] ?? 0) + (values[i] ?? 0) / frames;
  }
  for (let i = 0; i < values.length; i++) {
    const channel = i % channels;
    square[channel] = (square[channel] ?? 0) + ((values[i] ?? 0) - (mean[channel] ?? 0)) ** 2 / frames;
  }
  return { mean, deviation: square.map(deviationOf) };
}

export function normalize(values: Float32Array, { mean, deviation }: Normalization): Float32Array {
  const channels = mean.length;
  return values.map((value, i) => (value - (mean[i % channels] ?? 0)) / (deviation[i % channels] ?? 1));
}

export interface TargetScale {
  readonly offset: number;
  readonly scale: number;
}

export function targetScaleOf(values: Float32Array): TargetScale {
  const offset = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - offset) ** 2, 0) / values.length;
  return { offset, scale: deviationOf(square) };
}

function deviationOf(square: number): number {
  return square > 1e-18 ? Math.sqrt(square) : 1;
}

type FirstLayer = Extract<Operator, { kind: "FullyConnected" | "Conv2D" }>;

/** The only reader of the input, when normalisation can be folded into it exactly: no padding, with a bias. */
function firstLayer(graph: Graph): FirstLayer | undefined {
  const [first, ...others] = graph.operators.filter(
    (operator) => "input" in operator && operator.input === graph.inputs[0],
  );
  if (others.length > 0 || (first?.kind !== "FullyConnected" && first?.kind !== "Conv2D")) return undefined;
  return first.bias !== undefined && (first.kind === "FullyConnected" || first.padding === "valid")
    ? first
    : undefined;
}

export function foldsNormalization(graph: Graph): boolean {
  return firstLayer(graph) !== undefined;
}

/**
 * "unit": of a graph that takes normalised inputs, the one that takes the data as it is. "normalized": the opposite.
 * Graphs that cannot fold it stay as they are.
 */
export function withNormalization(graph: Graph, by: Normalization, to: "unit" | "normalized"): Graph {
  const first = firstLayer(graph);
  if (first?.bias === undefined) return graph;
  const filter = floatConstant(graph, first.filter).slice();
  const bias = floatConstant(graph, first.bias).slice();
  const channels = by.mean.length;
  const inputs = filter.length / bias.length;
  for (let output = 0; output < bias.length; output++) {
    let shift = 0;
    for (let i = 0; i < inputs; i++) {
      const at = output * inputs + i;
      const mean = by.mean[i % channels] ?? 0;
      const deviation = by.deviation[i % channels] ?? 1;
      const weight = filter[at] ?? 0;
      filter[at] = to === "unit" ? weight / deviation : weight * deviation;
      shift += to === "unit" ? -(weight / deviation) * mean : weight * mean;
    }
    bias[output] = (bias[output] ?? 0) + shift;
  }
  return withConstants(
    graph,
    new Map([
      [first.filter, filter],
      [first.bias, bias],
    ]),
  );
}

/** The graph whose last dense layer puts out `value * scale + offset`; others stay as they are. */
export function withOutputScale(graph: Graph, { scale, offset }: TargetScale): Graph {
  const last = graph.operators.find(({ output }) => output === graph.outputs[0]);
  if (last?.kind !== "FullyConnected" || last.bias === undefined) return graph;
  return withConstants(
    graph,
    new Map([
      [last.filter, floatConstant(graph, last.filter).map((weight) => weight * scale)],
      [last.bias, floatConstant(graph, last.bias).map((bias) => bias * scale + offset)],
    ]),
  );
}

/** The graph with other constants, by tensor. */
export function withConstants(graph: Graph, data: ReadonlyMap<number, Float32Array>): Graph {
  const tensors = graph.tensors.map((tensor, index) => {
    const values = data.get(index);
    return values === undefined ? tensor : { ...floatTensor(graph, index), data: values };
  });
  return { ...graph, tensors };
}

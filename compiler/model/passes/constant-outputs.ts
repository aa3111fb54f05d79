/**
 * Finds the channels of every tensor that have one value whatever the input is: all-zero filters, saturated or vanishing
 * channels, and what follows from them. Proved by bounds of the accumulators, not by running the model.
 */
import { elementCount, tensorAt, type Graph } from "../graph.js";
import { constantOutput, weightIndex, type Range, type WeightedLayer } from "../kernels/ranges.js";
import { layerInputs, type AddLayer, type Layer, type WindowGeometry } from "../layers.js";
import { add } from "../reference/kernels.js";

/** By channel (last dimension): the value it has at every position, or undefined. */
export type ConstantChannels = readonly (number | undefined)[];

/** Channels of tensors that no layer computes (inputs of the model, constants) are not constant. */
export function constantChannels(graph: Graph, layers: readonly Layer[]): Map<number, ConstantChannels> {
  const known = new Map<number, ConstantChannels>();
  for (const layer of layers) {
    const told = seesChannels(graph, layer)
      ? layerInputs(layer).map((tensor) => known.get(tensor) ?? [])
      : [];
    const [first = [], second = []] = told;
    const channels = tensorAt(graph, layer.output).shape.at(-1) ?? 1;
    known.set(
      layer.output,
      Array.from({ length: channels }, (_, c) => channelOutput(graph, layer, c, first, second)),
    );
  }
  return known;
}

function channelOutput(
  graph: Graph,
  layer: Layer,
  c: number,
  first: ConstantChannels,
  second: ConstantChannels,
): number | undefined {
  switch (layer.kind) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "FullyConnected":
      return constantOutput(layer, rangeWith(layer, c, first), c);
    case "Add":
      return constantSum(layer, first[c], second[c]);
    case "Lookup": {
      const value = first[c];
      return value === undefined ? undefined : layer.table[value & 255];
    }
    case "MaxPool2D":
    case "AveragePool2D": {
      const value = first[c];
      return value === undefined ? undefined : Math.min(Math.max(value, layer.clamp.min), layer.clamp.max);
    }
    case "Reshape":
      return keepsChannels(graph, layer.input, layer.output) ? first[c] : undefined;
    default:
      return undefined;
  }
}

function constantSum(
  layer: AddLayer,
  left: number | undefined,
  right: number | undefined,
): number | undefined {
  if (left === undefined || right === undefined) {
    return undefined;
  }
  const output = new Int8Array(1);
  add({ ...layer, count: 1 }, Int8Array.of(left), Int8Array.of(right), output);
  return output[0];
}

/**
 * Whether the channels that the layer works on are the last dimensions of its tensors. A tensor can stand for another one
 * of another shape, whose reshape was removed.
 */
export function seesChannels(graph: Graph, layer: Layer): boolean {
  const last = (tensor: number): number => tensorAt(graph, tensor).shape.at(-1) ?? 1;
  switch (layer.kind) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "MaxPool2D":
    case "AveragePool2D":
      return last(layer.input) === layer.geometry.inputChannels;
    case "FullyConnected":
      return last(layer.input) === layer.inputDepth;
    case "Lookup":
      return last(layer.input) === last(layer.output);
    case "Add":
      return last(layer.left) === last(layer.output) && last(layer.right) === last(layer.output);
    default:
      return true;
  }
}

/** Whether a reshape leaves the channels what they are. */
export function keepsChannels(graph: Graph, input: number, output: number): boolean {
  const from = tensorAt(graph, input).shape;
  const to = tensorAt(graph, output).shape;
  return from.at(-1) === to.at(-1) && elementCount(from) === elementCount(to);
}

/** Whether every window lies inside the image. */
export function neverPads(g: WindowGeometry): boolean {
  const bottom = (g.outputHeight - 1) * g.strideHeight - g.padTop + (g.filterHeight - 1) * g.dilationHeight;
  const right = (g.outputWidth - 1) * g.strideWidth - g.padLeft + (g.filterWidth - 1) * g.dilationWidth;
  return g.padTop === 0 && g.padLeft === 0 && bottom < g.inputHeight && right < g.inputWidth;
}

/** Whether the layer's windows can leave the image, where an input counts as 0 instead of its value. */
export function canPad(layer: WeightedLayer): boolean {
  return layer.kind !== "FullyConnected" && !neverPads(layer.geometry);
}

/** The input channel that weight `k` of output channel `c` multiplies. */
export function inputChannel(layer: WeightedLayer, c: number, k: number): number {
  switch (layer.kind) {
    case "Conv2D":
      return k % layer.geometry.inputChannels;
    case "DepthwiseConv2D":
      return Math.floor(c / layer.depthMultiplier);
    case "FullyConnected":
      return k;
  }
}

/** What the accumulator of channel `c` can reach when some input channels are constant. */
function rangeWith(layer: WeightedLayer, c: number, constants: ConstantChannels): Range {
  const weights = layer.filter.length / layer.multiplier.length;
  const pads = canPad(layer);
  let min = layer.bias?.[c] ?? 0;
  let max = min;
  for (let k = 0; k < weights; k++) {
    const weight = layer.filter[weightIndex(layer, c, k)] ?? 0;
    const value = constants[inputChannel(layer, c, k)];
    const products = (value === undefined ? [-128, 127] : [value]).map(
      (input) => weight * (input + layer.inputOffset),
    );
    if (value !== undefined && pads) {
      products.push(0);
    }
    min += Math.min(...products);
    max += Math.max(...products);
  }
  return { min, max };
}

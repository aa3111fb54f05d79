/**
 * Removes channels that are constant from tensors, filters and biases, where every reader can do without: a convolution
 * or fully connected layer takes them into its bias, the others pass them on. The result keeps every output bit; what was
 * removed is told, so that whole tensors can still be shown.
 *
 * Works on layers: the returned graph has the shapes of the smaller tensors (for the memory plan), its operators are not
 * changed. Channels stay multiples of 4 where they were, as the fast kernels want it.
 */
import { tensorAt, type Graph } from "../graph.js";
import { weightIndex, type WeightedLayer } from "../kernels/ranges.js";
import { layerInputs, type Layer } from "../layers.js";
import {
  canPad,
  constantChannels,
  inputChannel,
  keepsChannels,
  seesChannels,
  type ConstantChannels,
} from "./constant-outputs.js";
import { narrowLayer } from "./narrow-layer.js";

/** A tensor that is stored without some of its channels. */
export interface NarrowTensor {
  /** Channels of the whole tensor. */
  readonly channels: number;
  /** Those that are stored, ascending. */
  readonly kept: readonly number[];
  /** By channel: the value of those that are not stored, 0 for the others. */
  readonly constants: Int8Array;
}

export interface NarrowedModel {
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  /** By tensor number; tensors without an entry are whole. */
  readonly narrow: ReadonlyMap<number, NarrowTensor>;
}

export function removeConstantChannels(graph: Graph, layers: readonly Layer[]): NarrowedModel {
  const constants = constantChannels(graph, layers);
  const groups = groupTensors(graph, layers);
  const kept = keptChannels(graph, layers, constants, groups);
  const narrow = new Map<number, NarrowTensor>();
  for (const [tensor, values] of constants) {
    const own = kept.get(groups.get(tensor) ?? tensor);
    if (own !== undefined && own.size < values.length) {
      narrow.set(tensor, {
        channels: values.length,
        kept: [...own].sort((a, b) => a - b),
        constants: Int8Array.from(values, (value, c) => (own.has(c) ? 0 : (value ?? 0))),
      });
    }
  }
  const tensors = graph.tensors.map((tensor, index) => {
    const own = narrow.get(index);
    return own === undefined ? tensor : { ...tensor, shape: [...tensor.shape.slice(0, -1), own.kept.length] };
  });
  return { graph: { ...graph, tensors }, layers: layers.map((layer) => narrowLayer(layer, narrow)), narrow };
}

/** By tensor: the number of its group. Tensors of a group keep the same channels: a layer passes them on one to one. */
function groupTensors(graph: Graph, layers: readonly Layer[]): Map<number, number> {
  const parent = new Map<number, number>();
  const find = (tensor: number): number => {
    const up = parent.get(tensor) ?? tensor;
    return up === tensor ? tensor : find(up);
  };
  for (const layer of layers) {
    if (passesChannelsOn(graph, layer)) {
      for (const input of layerInputs(layer)) {
        parent.set(find(input), find(layer.output));
      }
    }
  }
  const groups = new Map<number, number>();
  for (const layer of layers) {
    for (const tensor of [...layerInputs(layer), layer.output]) {
      groups.set(tensor, find(tensor));
    }
  }
  return groups;
}

function passesChannelsOn(graph: Graph, layer: Layer): boolean {
  if (!seesChannels(graph, layer)) {
    return false;
  }
  switch (layer.kind) {
    case "DepthwiseConv2D":
      return layer.depthMultiplier === 1;
    case "Add":
    case "Lookup":
    case "MaxPool2D":
    case "AveragePool2D":
      return true;
    case "Reshape":
      return keepsChannels(graph, layer.input, layer.output);
    default:
      return false;
  }
}

/** By group: the channels that stay. Starts with those that cannot go and adds what those need, until nothing changes. */
function keptChannels(
  graph: Graph,
  layers: readonly Layer[],
  constants: ReadonlyMap<number, ConstantChannels>,
  groups: ReadonlyMap<number, number>,
): Map<number, Set<number>> {
  const kept = new Map<number, Set<number>>();
  const groupOf = (tensor: number): number => groups.get(tensor) ?? tensor;
  const keep = (tensor: number, channel: number): void => {
    kept.get(groupOf(tensor))?.add(channel);
  };
  const keepAll = (tensor: number): void => {
    const channels = tensorAt(graph, tensor).shape.at(-1) ?? 1;
    for (let c = 0; c < channels; c++) {
      keep(tensor, c);
    }
  };
  groups.forEach((group) => kept.set(group, new Set()));
  [...graph.inputs, ...graph.outputs].forEach(keepAll);
  for (const tensor of groups.keys()) {
    const values = constants.get(tensor);
    if (values === undefined) {
      keepAll(tensor);
    } else {
      values.forEach((value, c) => value === undefined && keep(tensor, c));
    }
  }
  for (const layer of layers) {
    if (!passesChannelsOn(graph, layer)) {
      if ((layer.kind === "Conv2D" || layer.kind === "FullyConnected") && seesChannels(graph, layer)) {
        needed(layer, constants.get(layer.input) ?? []).forEach((channel) => keep(layer.input, channel));
      } else {
        layerInputs(layer).forEach(keepAll);
        keepAll(layer.output);
      }
    }
  }
  for (const tensor of groups.keys()) {
    fillUp(kept.get(groupOf(tensor)) ?? new Set(), tensorAt(graph, tensor).shape.at(-1) ?? 1);
  }
  return kept;
}

/** Constant inputs that cannot go into the bias: at the border they count as 0 for some windows only. */
function needed(layer: WeightedLayer, constants: ConstantChannels): number[] {
  if (!canPad(layer)) {
    return [];
  }
  const zeroPoint = -layer.inputOffset;
  const matters = new Set<number>();
  const channels = layer.multiplier.length;
  for (let c = 0; c < channels; c++) {
    for (let k = 0; k < layer.filter.length / channels; k++) {
      if (layer.filter[weightIndex(layer, c, k)] !== 0) {
        matters.add(inputChannel(layer, c, k));
      }
    }
  }
  return [...matters].filter(
    (channel) => constants[channel] !== undefined && constants[channel] !== zeroPoint,
  );
}

/** Fills up to a multiple of 4 where all channels are one, and keeps at least 4, or all. */
function fillUp(kept: Set<number>, channels: number): void {
  const wanted =
    channels % 4 === 0
      ? Math.max(4, Math.ceil(kept.size / 4) * 4)
      : Math.min(channels, Math.max(4, kept.size));
  for (let c = 0; c < channels && kept.size < wanted; c++) {
    kept.add(c);
  }
}

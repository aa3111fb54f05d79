/** ONNX operators that slide a window over an image or a signal: convolutions and pooling. */
import { windowGeometry } from "../../quantize/float-graph.js";
import type { Padding } from "../../graph.js";
import { transposeConstant, type Constant } from "../constants.js";
import { channelsLastOrder, heldShape, plainOrder } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";
import { addWeights } from "./weights.js";

/** Height and width; of a signal the width is 1. */
type Pair = [number, number];

const pair = (list: readonly number[], otherwise: number): Pair => [
  list[0] ?? otherwise,
  list.length > 1 ? (list[1] ?? otherwise) : otherwise,
];

interface Window {
  readonly padding: Padding;
  /** Height and width of the output. */
  readonly size: Pair;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}

/** Rank and spatial dimensions of an input [N, C, H, W] or [N, C, L]. */
function image(node: OnnxNode, value: Activation): { spatial: number; channels: number; size: Pair } {
  const { shape } = value;
  if (shape.length !== 3 && shape.length !== 4) {
    throw node.shapeError(`takes 3 or 4 dimensions, but gets [${shape.join(", ")}]`);
  }
  return { spatial: shape.length - 2, channels: shape[1] ?? 1, size: pair(shape.slice(2), 1) };
}

/** Reads strides, dilations and padding, and finds TFLite's padding that does the same. */
function readWindow(node: OnnxNode, input: Activation, kernelShape: readonly number[]): Window {
  const { spatial, size } = image(node, input);
  if (kernelShape.length !== spatial || !kernelShape.every((k) => Number.isSafeInteger(k) && k >= 1)) {
    throw node.shapeError(
      `a window of [${kernelShape.join(", ")}] on an input of [${input.shape.join(", ")}]`,
    );
  }
  const strides = pair(node.list("strides", spatial, 1, 1), 1);
  const dilations = pair(node.list("dilations", spatial, 1, 1), 1);
  const kernel = pair(kernelShape, 1);
  const auto = node.text("auto_pad", "NOTSET");
  const pads = node.list("pads", 2 * spatial, 0, 0);
  const ceil = node.int("ceil_mode", 0) === 1;
  if (auto === "SAME_UPPER" || auto === "VALID") {
    const padding = auto === "VALID" ? "valid" : "same";
    const output = size.map(
      (length, d) =>
        windowGeometry(length, kernel[d] ?? 1, strides[d] ?? 1, dilations[d] ?? 1, padding).output,
    );
    return checked(node, input, { padding, size: pair(output, 1), kernel, strides, dilations });
  }
  if (auto !== "NOTSET") {
    throw node.attributeError("auto_pad", auto, "NOTSET, SAME_UPPER, VALID");
  }
  const before = pair(pads.slice(0, spatial), 0);
  const after = pair(pads.slice(spatial), 0);
  const output = size.map((length, d) => {
    const effective = ((kernel[d] ?? 1) - 1) * (dilations[d] ?? 1) + 1;
    const steps = (length + (before[d] ?? 0) + (after[d] ?? 0) - effective) / (strides[d] ?? 1);
    return (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  });
  for (const padding of ["valid", "same"] as const) {
    const fits = size.every((length, d) => {
      const geometry = windowGeometry(length, kernel[d] ?? 1, strides[d] ?? 1, dilations[d] ?? 1, padding);
      return geometry.output === output[d] && geometry.before === before[d];
    });
    if (fits) {
      return checked(node, input, { padding, size: pair(output, 1), kernel, strides, dilations });
    }
  }
  throw node.attributeError("pads", pads, "those that equal SAME_UPPER or VALID for this input");
}

function checked(node: OnnxNode, input: Activation, window: Window): Window {
  if (window.size.some((length) => !(length >= 1))) {
    throw node.shapeError(
      `a window of ${window.kernel.join(" x ")} does not fit into an input of [${input.shape.join(", ")}]`,
    );
  }
  return window;
}

/** [1, C, ...size] of an output with as many spatial dimensions as `input`. */
function outputShape(input: Activation, channels: number, size: Pair): number[] {
  return [1, channels, ...size.slice(0, input.shape.length - 2)];
}

/** Weights [O, I, (K) KH, (K) KW] with a width of 1 where there is none. */
function filter2D({ shape, ...rest }: Constant): Constant {
  return { ...rest, shape: shape.length === 3 ? [...shape, 1] : shape };
}

export function conv(node: OnnxNode): Activation {
  return convolve(node, node.activation(0), node.requiredConstant(1), node.constant(2));
}

/** The convolution of a node whose input, weights [O, I/groups, ...] and bias [O] are known. */
export function convolve(
  node: OnnxNode,
  value: Activation,
  weights: Constant,
  bias: Constant | undefined,
): Activation {
  const input = node.channelsLast(value);
  const { channels } = image(node, input);
  const [filters = 0, perGroup = 0, ...kernelShape] = weights.shape;
  const declared = node.ints("kernel_shape");
  if (declared !== undefined && declared.join() !== kernelShape.join()) {
    throw node.attributeError(
      "kernel_shape",
      declared,
      `[${kernelShape.join(", ")}], the shape of the weights`,
    );
  }
  const window = readWindow(node, input, kernelShape);
  const group = node.int("group", 1);
  const depthwise = group === channels && perGroup === 1 && filters % channels === 0 && group > 1;
  if (!depthwise && group !== 1) {
    throw node.attributeError("group", group, `1, and ${channels} (the channels of the input)`);
  }
  if (!depthwise && perGroup !== channels) {
    throw node.shapeError(`weights for ${perGroup} channels on an input of [${value.shape.join(", ")}]`);
  }
  // [O, I, KH, KW] → [O, KH, KW, I], or [C*M, 1, KH, KW] → [1, KH, KW, C*M]
  const filter = transposeConstant(filter2D(weights), depthwise ? [1, 2, 3, 0] : [0, 2, 3, 1]);
  const constants = addWeights(node, input, filter, depthwise ? 3 : 0, bias);
  const shape = outputShape(input, filters, window.size);
  const output = node.output(shape, channelsLastOrder(shape.length));
  const common = {
    input: input.tensor,
    ...constants,
    output: output.tensor,
    padding: window.padding,
    strideHeight: window.strides[0],
    strideWidth: window.strides[1],
    dilationHeight: window.dilations[0],
    dilationWidth: window.dilations[1],
    activation: "none",
  } as const;
  node.builder.add(
    depthwise
      ? { kind: "DepthwiseConv2D", ...common, depthMultiplier: filters / channels }
      : { kind: "Conv2D", ...common },
  );
  return output;
}

export function pool(kind: "MaxPool2D" | "AveragePool2D"): (node: OnnxNode) => Activation {
  return (node) => {
    const input = node.channelsLast(node.activation(0));
    const { spatial, channels } = image(node, input);
    const window = readWindow(node, input, node.list("kernel_shape", spatial, 0, 1));
    if (window.dilations.some((dilation) => dilation !== 1)) {
      throw node.attributeError("dilations", node.ints("dilations"), "1");
    }
    node.requireInt("storage_order", 0);
    if (kind === "AveragePool2D" && node.int("count_include_pad", 0) !== 0 && window.padding === "same") {
      throw node.attributeError("count_include_pad", 1, "0, or 1 without padding");
    }
    const shape = outputShape(input, channels, window.size);
    const output = node.output(shape, channelsLastOrder(shape.length));
    addPool(node, kind, input, output, window);
    return output;
  };
}

function addPool(
  node: OnnxNode,
  kind: "MaxPool2D" | "AveragePool2D",
  input: Activation,
  output: Activation,
  { padding, kernel, strides }: Pick<Window, "padding" | "kernel" | "strides">,
): void {
  node.builder.add({
    kind,
    input: input.tensor,
    output: output.tensor,
    padding,
    filterHeight: kernel[0],
    filterWidth: kernel[1],
    strideHeight: strides[0],
    strideWidth: strides[1],
    activation: "none",
  });
  if (kind === "MaxPool2D") {
    node.keepNotes(input, output);
  }
}

/** Pooling over all of height and width. */
export function globalPool(kind: "MaxPool2D" | "AveragePool2D"): (node: OnnxNode) => Activation {
  return (node) => {
    const input = node.channelsLast(node.activation(0));
    const { channels, size, spatial } = image(node, input);
    const shape = [1, channels, ...new Array<number>(spatial).fill(1)];
    const output = node.output(shape, channelsLastOrder(shape.length));
    addPool(node, kind, input, output, { padding: "valid", kernel: size, strides: size });
    return output;
  };
}

/** The mean over all dimensions between batch and channels. */
export function reduceMean(node: OnnxNode): Activation {
  const value = node.activation(0);
  const { shape } = value;
  const given = node.ints("axes") ?? node.integers(1);
  const axes = (given ?? []).map((axis) => node.axis(axis, shape.length, "axes"));
  const keep = node.int("keepdims", 1) === 1;
  node.requireInt("noop_with_empty_axes", 0);
  const held = heldShape(shape, value.order);
  const [, height = 1, width = 1] = held;
  // The held dimensions that are reduced must be height and width.
  const reduced = value.order.slice(1, -1);
  const rest = axes.filter((axis) => shape[axis] !== 1 && !reduced.includes(axis));
  const missing = reduced.filter((axis) => shape[axis] !== 1 && !axes.includes(axis));
  if (given === undefined || held.length !== 4 || rest.length > 0 || missing.length > 0 || value.elements) {
    throw node.attributeError("axes", given ?? null, "all dimensions between batch and channels");
  }
  const keptShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const pooled = node.output(keptShape, value.order);
  addPool(node, "AveragePool2D", value, pooled, {
    padding: "valid",
    kernel: [height, width],
    strides: [height, width],
  });
  if (keep) {
    return pooled;
  }
  const left = keptShape.filter((_, axis) => !axes.includes(axis));
  return node.reshaped(pooled, left, plainOrder(left.length));
}

/** y = scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel. */
export function batchNormalization(node: OnnxNode): Activation {
  const value = node.activation(0);
  const input = value.shape.length < 3 ? node.plain(value) : node.channelsLast(value);
  const channels = input.shape[1] ?? 1;
  node.requireInt("training_mode", 0);
  const output = node.output(input.shape, input.order);
  node.builder.add({
    kind: "BatchNormalization",
    input: input.tensor,
    output: output.tensor,
    gamma: node.floatConstant(1, [channels]),
    beta: node.floatConstant(2, [channels]),
    mean: node.floatConstant(3, [channels]),
    variance: node.floatConstant(4, [channels]),
    epsilon: node.float("epsilon", 1e-5),
  });
  return output;
}

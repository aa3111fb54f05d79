/** ONNX operators that slide a window over an image or a signal: convolutions and pooling. */
import { windowGeometry } from "../../quantize/float-graph.js";
import type { Padding } from "../../graph.js";
import { transposeConstant, type Constant } from "../constants.js";
import { channelsLastOrder, heldAxis, heldList, heldShape } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";
import { addWeights } from "./weights.js";

/** Height and width; of a signal the width is 1. */
type Pair = [number, number];

const pair = (list: readonly number[], otherwise: number): Pair => [
  list[0] ?? otherwise,
  list.length > 1 ? (list[1] ?? otherwise) : otherwise,
];

interface Window {
  /** The input, padded where TFLite's padding cannot do what the model says. */
  readonly input: Activation;
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

/** What stands in the padding: 0, or what no maximum is. Undefined: padding must not count (averages). */
type Filler = 0 | "lowest" | undefined;

/**
 * Reads strides, dilations and padding, and finds TFLite's padding that does the same, or pads before. In averages of
 * TFLite padding does not count; `counted`: here it does.
 */
function readWindow(
  node: OnnxNode,
  input: Activation,
  kernelShape: readonly number[],
  filler: Filler,
  counted = false,
): Window {
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
    return checked(node, { input, padding, size: pair(output, 1), kernel, strides, dilations });
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
  for (const padding of counted ? (["valid"] as const) : (["valid", "same"] as const)) {
    const fits = size.every((length, d) => {
      const geometry = windowGeometry(length, kernel[d] ?? 1, strides[d] ?? 1, dilations[d] ?? 1, padding);
      return geometry.output === output[d] && geometry.before === before[d];
    });
    if (fits) {
      return checked(node, { input, padding, size: pair(output, 1), kernel, strides, dilations });
    }
  }
  if (filler === undefined || ceil) {
    throw node.attributeError(
      ceil ? "ceil_mode" : "pads",
      ceil ? 1 : pads,
      "padding that equals SAME_UPPER or VALID for this input",
    );
  }
  const padded = addPad(
    node,
    input,
    [0, 0, ...pads.slice(0, spatial)],
    [0, 0, ...pads.slice(spatial)],
    filler,
  );
  return checked(node, {
    input: padded,
    padding: "valid",
    size: pair(output, 1),
    kernel,
    strides,
    dilations,
  });
}

function checked(node: OnnxNode, window: Window): Window {
  const { input } = window;
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
  const window = readWindow(node, input, kernelShape, 0);
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
    input: window.input.tensor,
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
    const counted = kind === "AveragePool2D" && node.int("count_include_pad", 0) !== 0;
    const filler = kind === "MaxPool2D" ? "lowest" : counted ? 0 : undefined;
    const window = readWindow(node, input, node.list("kernel_shape", spatial, 0, 1), filler, counted);
    if (window.dilations.some((dilation) => dilation !== 1)) {
      throw node.attributeError("dilations", node.ints("dilations"), "1");
    }
    node.requireInt("storage_order", 0);
    if (counted && window.padding === "same") {
      throw node.attributeError("auto_pad", "SAME_UPPER", "NOTSET when padding counts");
    }
    const shape = outputShape(input, channels, window.size);
    const output = node.output(shape, channelsLastOrder(shape.length));
    addPool(node, kind, window.input, output, window);
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
  node.keepNotes(input, output);
}

/** Pooling over all of height and width. */
export function globalPool(kind: "MaxPool2D" | "AveragePool2D"): (node: OnnxNode) => Activation {
  return (node) => {
    const input = node.channelsLast(node.activation(0));
    const { spatial } = image(node, input);
    const axes = Array.from({ length: spatial }, (_, i) => i + 2);
    return reduced(node, input, kind === "MaxPool2D" ? "ReduceMax" : "Mean", axes);
  };
}

/** Over `axes` of the model; they stay with size 1. Means and maxima of whole images are pools, which fast kernels compute. */
function reduced(
  node: OnnxNode,
  value: Activation,
  kind: "Mean" | "ReduceMax" | "ReduceMin" | "Sum",
  axes: readonly number[],
): Activation {
  const output = node.output(
    value.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    value.order,
  );
  const held = heldShape(value.shape, value.order);
  const [, height = 1, width = 1] = held;
  const wanted = axes.map((axis) => heldAxis(value.order, axis)).filter((axis) => held[axis] !== 1);
  const whole = held.flatMap((size, axis) => (axis > 0 && axis < 3 && size !== 1 ? [axis] : []));
  const isImage = held.length === 4 && wanted.toSorted().join() === whole.join();
  // An average keeps the scale of its input, a mean has one of its own.
  const pool = kind === "ReduceMax" ? "MaxPool2D" : "AveragePool2D";
  if (isImage && (kind === "ReduceMax" || (kind === "Mean" && node.notes.of(value.tensor) === undefined))) {
    addPool(node, pool, value, output, {
      padding: "valid",
      kernel: [height, width],
      strides: [height, width],
    });
    return output;
  }
  const list = axes.map((axis) => heldAxis(value.order, axis)).toSorted((a, b) => a - b);
  node.builder.add({ kind, input: value.tensor, output: output.tensor, axes: list });
  if (kind === "ReduceMax" || kind === "ReduceMin") {
    node.keepNotes(value, output);
  }
  return output;
}

export function reduce(kind: "Mean" | "ReduceMax" | "ReduceMin" | "Sum"): (node: OnnxNode) => Activation {
  return (node) => {
    const given = node.activation(0);
    const value = given.elements === undefined ? given : node.plain(given);
    const rank = value.shape.length;
    const listed = node.ints("axes") ?? node.integers(1);
    const axes = [...new Set((listed ?? []).map((axis) => node.axis(axis, rank, "axes")))];
    const keep = node.int("keepdims", 1) === 1;
    node.requireInt("noop_with_empty_axes", 0);
    if (axes.length === 0 || axes.some((axis) => axis === 0)) {
      throw node.attributeError("axes", listed ?? null, "some of the dimensions behind the batch");
    }
    const kept = reduced(node, value, kind, axes);
    if (keep) {
      return kept;
    }
    const left = kept.shape.filter((_, axis) => !axes.includes(axis));
    const order = kept.order
      .filter((axis) => !axes.includes(axis))
      .map((axis) => axis - axes.filter((gone) => gone < axis).length);
    return node.reshaped(kept, left, order);
  };
}

/** `value` with `before` and `after` elements put around each of the model's dimensions. */
export function addPad(
  node: OnnxNode,
  value: Activation,
  before: readonly number[],
  after: readonly number[],
  filler: number | "lowest",
): Activation {
  const { shape, order } = value;
  const padded = shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0));
  const output = node.output(padded, order, `${node.name}/pad`);
  const lowest = node.notes.of(value.tensor) === undefined ? -Infinity : -128;
  node.builder.add({
    kind: "Pad",
    input: value.tensor,
    output: output.tensor,
    before: heldList(before, order, 0),
    after: heldList(after, order, 0),
    value: filler === 0 ? undefined : filler === "lowest" ? lowest : filler,
  });
  node.keepNotes(value, output);
  return output;
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

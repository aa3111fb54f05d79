/**
 * What each layer class of TensorFlow.js becomes in the float graph: one entry of `layerImporters` per class. A layer or
 * an attribute that is not in here is an error that names it and lists what is; nothing is approximated or skipped
 * (except layers that only act in training).
 *
 * One-dimensional layers ([time, channels]) are held as [1, time, 1, channels], so that they are two-dimensional ones
 * of width 1 and need no operators of their own.
 */
import { elementCount } from "./graph.js";
import type { LayerContext, Value } from "./import-tfjs-context.js";
import { elementwiseImporters, leakyRelu } from "./import-tfjs-elementwise.js";
import { movementImporters } from "./import-tfjs-movement.js";
import { windowGeometry } from "./quantize/float-graph.js";

type LayerImporter = (layer: LayerContext) => Value;

interface Extent {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function extent(layer: LayerContext, rank: 1 | 2): Extent {
  layer.require("data_format", ["channels_last", "channelsLast"], '"channels_last"');
  const { shape } = layer.input(rank + 1);
  const [height = 1, second = 1, third = 1] = shape;
  return rank === 2 ? { height, width: second, channels: third } : { height, width: 1, channels: second };
}

/** [height, width, channels], or [height, channels] for one-dimensional layers. */
function imageShape(rank: 1 | 2, height: number, width: number, channels: number): number[] {
  return rank === 2 ? [height, width, channels] : [height, channels];
}

/** Output rows and columns of a sliding window; refuses windows that do not fit. */
function slide(
  layer: LayerContext,
  from: Extent,
  kernel: [number, number],
  strides: [number, number],
  dilation: [number, number],
) {
  const padding = layer.padding();
  const height = windowGeometry(from.height, kernel[0], strides[0], dilation[0], padding).output;
  const width = windowGeometry(from.width, kernel[1], strides[1], dilation[1], padding).output;
  if (height < 1 || width < 1) {
    throw layer.shapeError(
      `a window of ${kernel.join(" x ")} does not fit into an input of ${from.height} x ${from.width}`,
    );
  }
  return { height, width, padding };
}

/** Reorders `values` of shape [a, b] to [b, a]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      out[c * rows + r] = values[r * columns + c] ?? 0;
    }
  }
  return out;
}

function conv(rank: 1 | 2): LayerImporter {
  return (layer) => {
    const from = extent(layer, rank);
    layer.require("groups", [1], "1");
    const filters = layer.count("filters");
    const kernel = layer.pair("kernel_size", rank);
    const strides = layer.pair("strides", rank, 1);
    const dilation = layer.pair("dilation_rate", rank, 1);
    const { height, width, padding } = slide(layer, from, kernel, strides, dilation);
    const shape = rank === 2 ? [...kernel, from.channels, filters] : [kernel[0], from.channels, filters];
    // [KH, KW, I, O] → [O, KH, KW, I]
    const weights = transpose(layer.weight("kernel", shape), kernel[0] * kernel[1] * from.channels, filters);
    const filter = layer.builder.constant(
      weights,
      [filters, ...kernel, from.channels],
      `${layer.name}/kernel`,
    );
    const bias = layer.bias(filters);
    const output = layer.output(imageShape(rank, height, width, filters));
    layer.builder.add({
      kind: "Conv2D",
      input: layer.input().tensor,
      filter,
      bias,
      output: output.tensor,
      padding,
      strideHeight: strides[0],
      strideWidth: strides[1],
      dilationHeight: dilation[0],
      dilationWidth: dilation[1],
      activation: "none",
    });
    return layer.activated(output);
  };
}

/** The depthwise part of DepthwiseConv2D and SeparableConv2D; its output has no activation yet. */
function depthwise(layer: LayerContext, biased: boolean): Value {
  const from = extent(layer, 2);
  // TensorFlow.js 4 does not save this attribute of SeparableConv2D; the weights tell it.
  const multiplier = layer.count("depth_multiplier", layer.anyWeight("depthwise_kernel").shape[3]);
  const kernel = layer.pair("kernel_size", 2);
  const strides = layer.pair("strides", 2, 1);
  const dilation = layer.pair("dilation_rate", 2, 1);
  const { height, width, padding } = slide(layer, from, kernel, strides, dilation);
  const channels = from.channels * multiplier;
  // [KH, KW, C, M] and [1, KH, KW, C*M] have their elements in the same order.
  const weights = layer.weight("depthwise_kernel", [...kernel, from.channels, multiplier]);
  const filter = layer.builder.constant(weights, [1, ...kernel, channels], `${layer.name}/depthwise_kernel`);
  const bias = biased ? layer.bias(channels) : undefined;
  const output = layer.output([height, width, channels]);
  layer.builder.add({
    kind: "DepthwiseConv2D",
    input: layer.input().tensor,
    filter,
    bias,
    output: output.tensor,
    padding,
    strideHeight: strides[0],
    strideWidth: strides[1],
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
    depthMultiplier: multiplier,
    activation: "none",
  });
  return output;
}

function separable(layer: LayerContext): Value {
  const middle = depthwise(layer, false);
  const [height = 1, width = 1, channels = 1] = middle.shape;
  const filters = layer.count("filters");
  const weights = transpose(layer.weight("pointwise_kernel", [1, 1, channels, filters]), channels, filters);
  const filter = layer.builder.constant(weights, [filters, 1, 1, channels], `${layer.name}/pointwise_kernel`);
  const bias = layer.bias(filters);
  const output = layer.output([height, width, filters]);
  layer.builder.add({
    kind: "Conv2D",
    input: middle.tensor,
    filter,
    bias,
    output: output.tensor,
    padding: "valid",
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    dilationWidth: 1,
    activation: "none",
  });
  return layer.activated(output);
}

function dense(layer: LayerContext): Value {
  const input = layer.input();
  const depth = input.shape.at(-1) ?? 1;
  const units = layer.count("units");
  const weights = transpose(layer.weight("kernel", [depth, units]), depth, units);
  const filter = layer.builder.constant(weights, [units, depth], `${layer.name}/kernel`);
  const bias = layer.bias(units);
  const output = layer.output([...input.shape.slice(0, -1), units]);
  layer.builder.add({
    kind: "FullyConnected",
    input: input.tensor,
    filter,
    bias,
    output: output.tensor,
    keepNumDims: input.shape.length > 1,
    activation: "none",
  });
  return layer.activated(output);
}

function batchNormalization(layer: LayerContext): Value {
  const input = layer.input();
  const last = input.shape.length;
  const channels = input.shape.at(-1) ?? 1;
  const axis = layer.attribute("axis");
  const normalized: unknown = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  if (normalized !== undefined && normalized !== null && normalized !== -1 && normalized !== last) {
    throw layer.attributeError("axis", axis, "the last dimension (-1)");
  }
  const epsilon = layer.attribute("epsilon") ?? 1e-3;
  if (typeof epsilon !== "number" || !(epsilon >= 0)) {
    throw layer.attributeError("epsilon", epsilon, "a number of at least 0");
  }
  const constantOne = new Float32Array(channels).fill(1);
  const output = layer.output(input.shape);
  layer.builder.add({
    kind: "BatchNormalization",
    input: input.tensor,
    output: output.tensor,
    gamma: layer.attribute("scale") === false ? constantOne : layer.weight("gamma", [channels]),
    beta: layer.attribute("center") === false ? new Float32Array(channels) : layer.weight("beta", [channels]),
    mean: layer.weight("moving_mean", [channels]),
    variance: layer.weight("moving_variance", [channels]),
    epsilon,
  });
  return output;
}

function pool(kind: "MaxPool2D" | "AveragePool2D", rank: 1 | 2): LayerImporter {
  return (layer) => {
    const from = extent(layer, rank);
    const size = layer.pair("pool_size", rank, 2);
    const strides = layer.attribute("strides") == null ? size : layer.pair("strides", rank);
    const { height, width, padding } = slide(layer, from, size, strides, [1, 1]);
    const output = layer.output(imageShape(rank, height, width, from.channels));
    layer.builder.add({
      kind,
      input: layer.input().tensor,
      output: output.tensor,
      padding,
      filterHeight: size[0],
      filterWidth: size[1],
      strideHeight: strides[0],
      strideWidth: strides[1],
      activation: "none",
    });
    return output;
  };
}

function globalPool(kind: "MaxPool2D" | "AveragePool2D", rank: 1 | 2): LayerImporter {
  return (layer) => {
    const { height, width, channels } = extent(layer, rank);
    layer.require("keepdims", [false], "false");
    const pooled = layer.builder.value([1, 1, channels], `${layer.name}/pool`);
    layer.builder.add({
      kind,
      input: layer.input().tensor,
      output: pooled.tensor,
      padding: "valid",
      filterHeight: height,
      filterWidth: width,
      strideHeight: height,
      strideWidth: width,
      activation: "none",
    });
    return reshaped(layer, pooled, [channels]);
  };
}

function reshaped(layer: LayerContext, input: Value, shape: readonly number[]): Value {
  const output = layer.output(shape);
  layer.builder.add({ kind: "Reshape", input: input.tensor, output: output.tensor });
  return output;
}

function reshape(layer: LayerContext): Value {
  const input = layer.input();
  const count = elementCount(input.shape);
  const target: unknown = layer.attribute("target_shape");
  // TensorFlow.js saves the dimension that it is to work out as null.
  const list: unknown[] = Array.isArray(target) ? target.map((v: unknown) => v ?? -1) : [];
  const given = list.filter(
    (v): v is number => typeof v === "number" && Number.isInteger(v) && v !== 0 && v >= -1,
  );
  const known = given.reduce((product, v) => (v === -1 ? product : product * v), 1);
  const shape = given.map((v) => (v === -1 ? count / known : v));
  if (
    given.length !== list.length ||
    list.length === 0 ||
    elementCount(shape) !== count ||
    !shape.every(Number.isInteger)
  ) {
    throw layer.attributeError(
      "target_shape",
      target,
      `dimensions whose product is ${count}, at most one of them -1`,
    );
  }
  return reshaped(layer, input, shape);
}

function relu(layer: LayerContext): Value {
  const slope = layer.attribute("negative_slope") ?? 0;
  if (slope !== 0 && (layer.attribute("max_value") ?? null) === null) {
    layer.require("threshold", [0], "0");
    return leakyRelu(layer, "negative_slope", slope);
  }
  layer.require("negative_slope", [0], "0 with max_value");
  layer.require("threshold", [0], "0");
  layer.require("max_value", [6], "6 or none");
  return layer.apply(layer.attribute("max_value") === 6 ? "relu6" : "relu", layer.input());
}

function softmax(layer: LayerContext): Value {
  const input = layer.input();
  layer.require("axis", [-1, input.shape.length], "the last dimension (-1)");
  return layer.apply("softmax", input);
}

/** Layers that do nothing outside training, and the input. */
function passed(layer: LayerContext): Value {
  return layer.input();
}

/** By class name of TensorFlow.js and Keras. */
export const layerImporters: Readonly<Partial<Record<string, LayerImporter>>> = {
  InputLayer: passed,
  Conv1D: conv(1),
  Conv2D: conv(2),
  DepthwiseConv2D: (layer) => layer.activated(depthwise(layer, true)),
  SeparableConv2D: separable,
  Dense: dense,
  BatchNormalization: batchNormalization,
  ReLU: relu,
  Softmax: softmax,
  Activation: (layer) => layer.activated(layer.input()),
  MaxPooling1D: pool("MaxPool2D", 1),
  MaxPooling2D: pool("MaxPool2D", 2),
  AveragePooling1D: pool("AveragePool2D", 1),
  AveragePooling2D: pool("AveragePool2D", 2),
  GlobalMaxPooling1D: globalPool("MaxPool2D", 1),
  GlobalMaxPooling2D: globalPool("MaxPool2D", 2),
  GlobalAveragePooling1D: globalPool("AveragePool2D", 1),
  GlobalAveragePooling2D: globalPool("AveragePool2D", 2),
  Flatten: (layer) => reshaped(layer, layer.input(), [elementCount(layer.input().shape)]),
  Reshape: reshape,
  Dropout: passed,
  SpatialDropout1D: passed,
  GaussianNoise: passed,
  GaussianDropout: passed,
  ...elementwiseImporters,
  ...movementImporters,
};

/** Class names that can be imported, sorted. */
export function supportedLayers(): string[] {
  return Object.keys(layerImporters).sort();
}

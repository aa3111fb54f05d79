/** Lowers the operators that have weights: filters, biases and requantisation constants are checked and computed. */
import { UserError } from "../diagnostics/user-error.js";
import {
  elementCount,
  tensorAt,
  type Conv2D,
  type DepthwiseConv2D,
  type FullyConnected,
  type Graph,
  type Tensor,
} from "./graph.js";
import type { Conv2DLayer, DepthwiseConv2DLayer, FullyConnectedLayer } from "./layers.js";
import {
  activationClamp,
  fixedMultiplier,
  perTensor,
  shapeError,
  text,
  windowGeometry,
} from "./lower-common.js";

export function lowerConv2D(graph: Graph, operator: Conv2D, index: number, where: string): Conv2DLayer {
  const filter = tensorAt(graph, operator.filter);
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const [channels = 0, height = 0, width = 0, depth = 0] = filter.shape;
  if (filter.shape.length !== 4) {
    throw shapeError(where, `has a filter of shape ${text(filter.shape)}, not [O, H, W, C]`);
  }
  const geometry = windowGeometry(input, output, { height, width }, operator, where);
  if (geometry.inputChannels !== depth && geometry.inputChannels % depth === 0) {
    throw new UserError(
      "TMC3012",
      `${where}: ${geometry.inputChannels / depth} groups are not supported; supported: a filter over all input channels`,
      "Replace the grouped convolution by depthwise and 1x1 convolutions.",
    );
  }
  if (geometry.inputChannels !== depth || geometry.outputChannels !== channels) {
    throw shapeError(
      where,
      `applies a filter ${text(filter.shape)} to ${text(input.shape)} giving ${text(output.shape)}`,
    );
  }
  return {
    kind: "Conv2D",
    operator: index,
    input: operator.input,
    output: operator.output,
    geometry,
    ...weights(graph, operator, { channels, axis: 0, floatProduct: false }, where),
  };
}

export function lowerDepthwiseConv2D(
  graph: Graph,
  operator: DepthwiseConv2D,
  index: number,
  where: string,
): DepthwiseConv2DLayer {
  const filter = tensorAt(graph, operator.filter);
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const [one = 0, height = 0, width = 0, channels = 0] = filter.shape;
  if (filter.shape.length !== 4 || one !== 1) {
    throw shapeError(where, `has a filter of shape ${text(filter.shape)}, not [1, H, W, O]`);
  }
  const geometry = windowGeometry(input, output, { height, width }, operator, where);
  if (
    geometry.outputChannels !== channels ||
    geometry.inputChannels * operator.depthMultiplier !== channels
  ) {
    throw shapeError(
      where,
      `applies a filter ${text(filter.shape)} with depth multiplier ${operator.depthMultiplier} to ${text(input.shape)} giving ${text(output.shape)}`,
    );
  }
  return {
    kind: "DepthwiseConv2D",
    operator: index,
    input: operator.input,
    output: operator.output,
    geometry,
    depthMultiplier: operator.depthMultiplier,
    ...weights(graph, operator, { channels, axis: 3, floatProduct: false }, where),
  };
}

export function lowerFullyConnected(
  graph: Graph,
  operator: FullyConnected,
  index: number,
  where: string,
): FullyConnectedLayer {
  const filter = tensorAt(graph, operator.filter);
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const [outputDepth = 0, inputDepth = 0] = filter.shape;
  const rows = elementCount(input.shape) / inputDepth;
  if (
    filter.shape.length !== 2 ||
    !Number.isInteger(rows) ||
    elementCount(output.shape) !== rows * outputDepth ||
    output.shape.at(-1) !== outputDepth
  ) {
    throw shapeError(
      where,
      `applies a filter ${text(filter.shape)} to ${text(input.shape)} giving ${text(output.shape)}`,
    );
  }
  const perChannel = (filter.quantization?.scales.length ?? 1) > 1;
  checkBiasScale(graph, operator, perChannel, where);
  return {
    kind: "FullyConnected",
    operator: index,
    input: operator.input,
    output: operator.output,
    rows,
    inputDepth,
    outputDepth,
    ...weights(graph, operator, { channels: outputDepth, axis: 0, floatProduct: !perChannel }, where),
  };
}

interface Channels {
  readonly channels: number;
  /** Dimension of the filter that per-channel scales belong to. */
  readonly axis: number;
  /** The reference multiplies input and filter scale in float32 for a fully connected layer with one scale. */
  readonly floatProduct: boolean;
}

type Weighted = Conv2D | DepthwiseConv2D | FullyConnected;

function weights(
  graph: Graph,
  operator: Weighted,
  { channels, axis, floatProduct }: Channels,
  where: string,
) {
  const filter = tensorAt(graph, operator.filter);
  const input = perTensor(tensorAt(graph, operator.input), where);
  const output = perTensor(tensorAt(graph, operator.output), where);
  const scales = filterScales(filter, channels, axis, where);
  const multiplier = new Int32Array(channels);
  const shift = new Int8Array(channels);
  for (let c = 0; c < channels; c++) {
    const filterScale = scales[scales.length === 1 ? 0 : c] ?? 0;
    const product = floatProduct ? Math.fround(input.scale * filterScale) : input.scale * filterScale;
    const real = product / output.scale;
    const what = `input scale ${input.scale} times filter scale ${filterScale} (output channel ${c}) over output scale ${output.scale}`;
    const fixed = fixedMultiplier(real, what, where);
    multiplier[c] = fixed.multiplier;
    shift[c] = fixed.shift;
  }
  return {
    inputOffset: -input.zeroPoint,
    filter: constantInt8(filter, where),
    bias:
      operator.bias === undefined ? undefined : constantBias(tensorAt(graph, operator.bias), channels, where),
    multiplier,
    shift,
    outputOffset: output.zeroPoint,
    clamp: activationClamp(operator.activation, output, where),
  };
}

function constantInt8(filter: Tensor, where: string): Int8Array {
  if (filter.data === undefined) {
    throw new UserError(
      "TMC3012",
      `${where}: a filter computed at run time is not supported; supported: constant filters`,
      "Export the model for inference, so that its weights become constants.",
    );
  }
  if (!(filter.data instanceof Int8Array)) {
    throw new UserError(
      "TMC3020",
      `${where}: the filter has the type ${filter.type}; supported: int8`,
      "Quantise the model to full int8.",
    );
  }
  if (filter.data.length !== elementCount(filter.shape)) {
    throw shapeError(where, `has ${filter.data.length} weights for a filter of shape ${text(filter.shape)}`);
  }
  return filter.data;
}

function constantBias(bias: Tensor, channels: number, where: string): Int32Array {
  if (bias.data === undefined) {
    throw new UserError(
      "TMC3012",
      `${where}: a bias computed at run time is not supported; supported: constant biases`,
      "Export the model for inference, so that its weights become constants.",
    );
  }
  if (!(bias.data instanceof Int32Array)) {
    throw new UserError(
      "TMC3020",
      `${where}: the bias has the type ${bias.type}; supported: int32`,
      "Quantise the model to full int8.",
    );
  }
  if (bias.data.length !== channels) {
    throw shapeError(where, `has ${channels} output channels and a bias of shape ${text(bias.shape)}`);
  }
  return bias.data;
}

function filterScales(filter: Tensor, channels: number, axis: number, where: string): readonly number[] {
  const refuse = (reason: string): UserError =>
    new UserError("TMC3021", `${where}: the filter ${reason}`, "Quantise the model again.");
  const quantization = filter.quantization;
  if (quantization === undefined || quantization.scales.length === 0) {
    throw refuse("has no quantisation parameters");
  }
  const { scales, zeroPoints } = quantization;
  if (scales.length !== 1 && (scales.length !== channels || quantization.axis !== axis)) {
    throw refuse(
      `has ${scales.length} scales along dimension ${quantization.axis}; supported: one, or ${channels} along dimension ${axis}`,
    );
  }
  if (zeroPoints.some((zeroPoint) => zeroPoint !== 0)) {
    throw refuse(
      `has the zero point ${zeroPoints.find((zeroPoint) => zeroPoint !== 0)}; int8 weights have 0`,
    );
  }
  const bad = scales.find((scale) => !(scale > 0 && Number.isFinite(scale)));
  if (bad !== undefined) {
    throw refuse(`has the scale ${bad}`);
  }
  return scales;
}

/** The reference refuses a fully connected layer whose bias is on another scale than its products. */
function checkBiasScale(graph: Graph, operator: FullyConnected, perChannel: boolean, where: string): void {
  if (operator.bias === undefined || perChannel) {
    return;
  }
  const scaleOf = (tensor: number): number => tensorAt(graph, tensor).quantization?.scales[0] ?? 0;
  const product = scaleOf(operator.input) * scaleOf(operator.filter);
  const bias = scaleOf(operator.bias);
  if (!(Math.abs(product - bias) / scaleOf(operator.output) <= 0.02)) {
    throw new UserError(
      "TMC3021",
      `${where}: the bias has scale ${bias}; input scale times filter scale is ${product}`,
      "Quantise the model again: the scale of a bias is the product of the input's and the filter's.",
    );
  }
}

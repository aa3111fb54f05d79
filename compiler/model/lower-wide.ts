/**
 * Lowers operators of int16 activations: symmetric (zero points 0), int8 weights, int64 biases. Shapes and scales are
 * checked by the functions for int8; what differs is the arithmetic (`layers-wide.ts`).
 */
import { UserError } from "../diagnostics/user-error.js";
import {
  activationInputs,
  elementCount,
  tensorAt,
  tensorBytes,
  type Graph,
  type Operator,
  type Softmax,
  type Unary,
} from "./graph.js";
import type { ElementwiseLayer, Layer, ReshapeLayer } from "./layers.js";
import type { WideLayer, WideSigmoidLayer, WideSoftmaxLayer } from "./layers-wide.js";
import { lowerBinary } from "./lower-binary.js";
import { fixedMultiplier, isWide, perTensor, shapeError, text } from "./lower-common.js";
import { lowerConv2D, lowerDepthwiseConv2D, lowerFullyConnected } from "./lower-weighted.js";
import { MAX_SOFTMAX_DEPTH, wideKinds } from "./operator-support.js";
import { sigmoidTable, softmaxExponentials, softmaxReciprocals } from "./reference/wide.js";

/** Sums stay below 2^47, which is what the reference's 64-bit rescaling takes. */
const MAX_BIAS = 2n ** 46n;
const MAX_WEIGHTS_PER_CHANNEL = 2 ** 23;
const MAX_SHIFT = 7;

type Weighted = Extract<Operator, { filter: number }>;
type NarrowLayer = ReturnType<typeof lowerConv2D | typeof lowerDepthwiseConv2D | typeof lowerFullyConnected>;

/** The layer of an operator whose output is int16. `common` lowers those that are the same in both types. */
export function lowerWide(
  graph: Graph,
  operator: Operator,
  index: number,
  where: string,
  common: () => Layer,
): Layer {
  const narrow = activationInputs(operator).find((tensor) => !isWide(tensorAt(graph, tensor)));
  if (narrow !== undefined) {
    throw typeError(where, `reads ${tensorAt(graph, narrow).type} and writes int16`);
  }
  switch (operator.kind) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "FullyConnected":
      return lowerWeighted(graph, operator, index, where);
    case "Add":
    case "Maximum":
    case "Minimum":
    case "Mul":
    case "Sub":
      return lowerWideBinary(graph, operator, index, where);
    case "Logistic":
    case "Tanh":
      return lowerSigmoid(graph, operator, index, where);
    case "Softmax":
      return lowerWideSoftmax(graph, operator, index, where);
    case "MaxPool2D":
    case "AveragePool2D": {
      const layer = common();
      if (layer.kind === "MaxPool2D" || layer.kind === "AveragePool2D") {
        return { ...layer, kind: `Wide${layer.kind}` } as WideLayer;
      }
      throw new Error("a pool that is none");
    }
    case "Reshape":
      return { ...(common() as ReshapeLayer), count: tensorBytes(tensorAt(graph, operator.output)) };
    default:
      throw typeError(where, "has int16 activations");
  }
}

function typeError(where: string, what: string): UserError {
  return new UserError(
    "TMC3020",
    `${where} ${what}; int16 is supported from int16 to int16 by ${wideKinds.join(", ")}`,
    "Quantise the model with int8 activations.",
  );
}

function lowerWeighted(graph: Graph, operator: Weighted, index: number, where: string): WideLayer {
  const { bias: biasIndex, ...unbiased } = operator;
  const layer = lowerNarrow(graph, { ...unbiased, bias: undefined }, index, where);
  const channels = layer.multiplier.length;
  const bias = biasIndex === undefined ? undefined : wideBias(graph, biasIndex, channels, where);
  const largest = Math.max(...layer.shift);
  if (largest > MAX_SHIFT) {
    throw new UserError(
      "TMC3022",
      `${where}: input scale times filter scale over output scale is up to 2^${largest}; at most 2^${MAX_SHIFT} can be expressed with int16 activations`,
      "Calibrate the model with more representative data: the scales of its tensors are too far apart.",
    );
  }
  if (layer.filter.length / channels > MAX_WEIGHTS_PER_CHANNEL) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: ${where} sums ${layer.filter.length / channels} products; at most ${MAX_WEIGHTS_PER_CHANNEL} are accepted`,
      "Reduce the width of the model.",
    );
  }
  const { operator: number, input, output, filter, multiplier, shift, clamp } = layer;
  const common = { operator: number, input, output, filter, bias, multiplier, shift, clamp };
  switch (layer.kind) {
    case "Conv2D":
      return { kind: "WideConv2D", ...common, geometry: layer.geometry };
    case "DepthwiseConv2D": {
      const { geometry, depthMultiplier } = layer;
      return { kind: "WideDepthwiseConv2D", ...common, geometry, depthMultiplier };
    }
    case "FullyConnected": {
      const { rows, inputDepth, outputDepth } = layer;
      return { kind: "WideFullyConnected", ...common, rows, inputDepth, outputDepth };
    }
  }
}

function lowerNarrow(graph: Graph, operator: Weighted, index: number, where: string): NarrowLayer {
  switch (operator.kind) {
    case "Conv2D":
      return lowerConv2D(graph, operator, index, where);
    case "DepthwiseConv2D":
      return lowerDepthwiseConv2D(graph, operator, index, where);
    case "FullyConnected":
      return lowerFullyConnected(graph, operator, index, where);
  }
}

function wideBias(graph: Graph, index: number, channels: number, where: string): BigInt64Array {
  const { data, type, shape } = tensorAt(graph, index);
  if (data === undefined) {
    throw new UserError(
      "TMC3012",
      `${where}: a bias computed at run time is not supported; supported: constant biases`,
      "Export the model for inference, so that its weights become constants.",
    );
  }
  if (!(data instanceof BigInt64Array)) {
    throw new UserError(
      "TMC3020",
      `${where}: the bias has the type ${type}; supported with int16 activations: int64`,
      "Quantise the model with int64 biases, as the TFLite converter does by default.",
    );
  }
  if (data.length !== channels) {
    throw shapeError(where, `has ${channels} output channels and a bias of shape ${text(shape)}`);
  }
  const large = data.find((value) => value > MAX_BIAS || value < -MAX_BIAS);
  if (large !== undefined) {
    throw new UserError(
      "TMC3022",
      `${where}: the bias ${large} is beyond 2^46`,
      "Calibrate the model with more representative data.",
    );
  }
  return data;
}

type WideBinary = Parameters<typeof lowerBinary>[1];

function lowerWideBinary(graph: Graph, operator: WideBinary, index: number, where: string): ElementwiseLayer {
  const layer = lowerBinary(graph, operator, index, where);
  if (layer.kind !== "Elementwise") {
    throw new Error("an int16 operator became an int8 layer");
  }
  return layer;
}

function lowerSigmoid(graph: Graph, operator: Unary, index: number, where: string): WideSigmoidLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  if (text(input.shape) !== text(output.shape)) {
    throw shapeError(where, `maps ${text(input.shape)} to ${text(output.shape)}`);
  }
  checkUnitOutput(perTensor(output, where).scale, where);
  const { scale } = perTensor(input, where);
  const tanh = operator.kind === "Tanh";
  const fixed = powerOfTwo(scale, tanh) ?? general(scale);
  if (fixed.multiplier > 32767 || fixed.multiplier < 1) {
    throw new UserError(
      "TMC3022",
      `${where}: the input scale is ${scale}; supported with int16 activations: 2^-44 to 2.66`,
      "Calibrate the model with more representative data.",
    );
  }
  return {
    kind: tanh ? "WideTanh" : "WideLogistic",
    operator: index,
    input: operator.input,
    output: operator.output,
    count: elementCount(output.shape),
    ...fixed,
    table: sigmoidTable,
  };
}

/** The reference treats a scale within 0.1 % of 2^-12 (tanh: or 2^-11) as that power. */
function powerOfTwo(scale: number, tanh: boolean): { multiplier: number; shift: number } | undefined {
  const r = Math.fround;
  const log = r(r(Math.log(scale)) * r(1 / r(Math.log(2))));
  const rounded = Math.sign(log) * Math.floor(Math.abs(log) + 0.5);
  const left = 12 + rounded;
  const near = Math.abs(r(log - rounded)) < r(1e-3);
  return near && (left === 0 || (tanh && left === 1)) ? { multiplier: 3 << left, shift: 0 } : undefined;
}

function general(scale: number): { multiplier: number; shift: number } {
  let multiplier = scale * 4096 * 3;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}

function lowerWideSoftmax(graph: Graph, operator: Softmax, index: number, where: string): WideSoftmaxLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const depth = input.shape.at(-1) ?? 1;
  if (text(input.shape) !== text(output.shape)) {
    throw shapeError(where, `maps ${text(input.shape)} to ${text(output.shape)}`);
  }
  if (depth > MAX_SOFTMAX_DEPTH) {
    throw new UserError(
      "TMC3012",
      `${where}: a row of ${depth} elements is not supported; supported: at most ${MAX_SOFTMAX_DEPTH}`,
      "Reduce the number of classes.",
    );
  }
  checkUnitOutput(perTensor(output, where).scale, where);
  const real = (perTensor(input, where).scale * operator.beta) / (10 / 65535);
  const fixed = fixedMultiplier(real, "input scale times beta over 10/65535", where);
  if (fixed.shift > 14) {
    throw new UserError(
      "TMC3022",
      `${where}: beta ${operator.beta} times the input scale is too large for the integer arithmetic`,
      "Calibrate the model with more representative data.",
    );
  }
  return {
    kind: "WideSoftmax",
    operator: index,
    input: operator.input,
    output: operator.output,
    rows: elementCount(input.shape) / depth,
    depth,
    ...fixed,
    exponentials: softmaxExponentials,
    reciprocals: softmaxReciprocals,
  };
}

function checkUnitOutput(scale: number, where: string): void {
  if (scale !== 1 / 32768) {
    throw new UserError(
      "TMC3021",
      `${where}: an int16 output has scale 1/32768 here, not ${scale}`,
      "Quantise the model again.",
    );
  }
}

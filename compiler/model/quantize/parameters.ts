/**
 * Quantisation parameters by TFLite's int8 specification: asymmetric per-tensor activations, symmetric weights (per
 * output channel for convolutions, per tensor for fully connected layers), int32 biases of scale input * weight, fixed
 * softmax, logistic and tanh outputs, and outputs of pooling and reshape that keep their input's parameters. With int16
 * activations (int16x8) these are symmetric, and biases are int64.
 *
 * All scales are float32 values: that is what a .tflite file stores and what the multipliers are computed from.
 */
import { activationInputs, type Graph, type Operator, type Quantization } from "../graph.js";
import type { Range } from "./calibrate.js";
import { keepsParameters, sharedRanges } from "./shared-ranges.js";

export interface TensorParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Element type of all activations of a model. */
export type ActivationType = "int8" | "int16";

/**
 * A bias may take this many steps at most. int32: sums keep far from the limits. int64: more would need multipliers
 * below the smallest one, 2^-31, to come back into the output's range.
 */
const maxBiasSteps: Readonly<Record<ActivationType, number>> = { int8: 2 ** 24, int16: 2 ** 31 };

/** Scale and zero point that cover `range` and 0; the zero point is the exact image of 0, and 0 of int16. */
export function activationParameters(range: Range, type: ActivationType = "int8"): TensorParameters {
  const low = Math.min(0, range.low);
  const high = Math.max(0, range.high);
  if (high <= low) {
    // A tensor that is always 0.
    return { scale: 1, zeroPoint: 0 };
  }
  if (type === "int16") {
    // As far as int16 reaches on either side: a sensor of -4..4 (exclusive) gets exactly 2^-13.
    return { scale: Math.max(Math.fround(high / 32767), Math.fround(-low / 32768), 2 ** -100), zeroPoint: 0 };
  }
  const scale = Math.max(Math.fround((high - low) / 255), 2 ** -100);
  return { scale, zeroPoint: Math.min(127, Math.max(-128, Math.round(-128 - low / scale))) };
}

/** The bounds a fused activation puts on a range. */
function clampRange(range: Range, operator: Operator): Range {
  const activation = "activation" in operator ? operator.activation : "none";
  switch (activation) {
    case "none":
      return range;
    case "relu":
      return { low: Math.max(0, range.low), high: Math.max(0, range.high) };
    case "relu6":
      return { low: Math.max(0, range.low), high: Math.min(6, range.high) };
    case "relu_n1_to_1":
      return { low: Math.max(-1, range.low), high: Math.min(1, range.high) };
  }
}

/** Parameters of every activation tensor; undefined for constants. `input` fixes those of the model's input. */
export function chooseParameters(
  graph: Graph,
  ranges: readonly (Range | undefined)[],
  input: TensorParameters | undefined,
  type: ActivationType = "int8",
): (TensorParameters | undefined)[] {
  const shared = sharedRanges(graph, ranges, clampRange);
  const ofRange = (index: number): TensorParameters =>
    activationParameters(shared[index] ?? { low: 0, high: 0 }, type);
  const chosen: (TensorParameters | undefined)[] = graph.tensors.map(() => undefined);
  for (const index of graph.inputs) {
    chosen[index] = input ?? ofRange(index);
  }
  for (const operator of graph.operators) {
    if (keepsParameters(operator)) {
      // Inputs with fixed parameters may differ: then they are requantised (`rescale.ts`).
      const inputs = activationInputs(operator).map((index) => chosen[index]);
      const [first] = inputs;
      const equal = inputs.every((one) => one?.scale === first?.scale && one?.zeroPoint === first?.zeroPoint);
      chosen[operator.output] = equal && first !== undefined ? first : ofRange(operator.output);
      continue;
    }
    switch (operator.kind) {
      case "Logistic":
      case "Softmax":
        chosen[operator.output] =
          type === "int16" ? { scale: 1 / 32768, zeroPoint: 0 } : { scale: 1 / 256, zeroPoint: -128 };
        break;
      case "Tanh":
        chosen[operator.output] = { scale: type === "int16" ? 1 / 32768 : 1 / 128, zeroPoint: 0 };
        break;
      default:
        chosen[operator.output] = ofRange(operator.output);
    }
  }
  return chosen;
}

export interface QuantizedConstant<Data = Int8Array | Int16Array> {
  readonly data: Data;
  readonly quantization: Quantization;
}

/** Weights and bias of one operator. `values` are in TFLite's order; `channelOf` maps an index to its output channel. */
export interface FloatWeights {
  readonly values: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly channels: number;
  readonly channelOf: (index: number) => number;
  /** One scale for all channels. */
  readonly perTensor: boolean;
  /** Dimension of the filter that counts output channels. */
  readonly axis: number;
}

/** Quantises weights to -127..127 and the bias to int32, or int64 where activations are int16. `inputScale` is the scale of the operator's input. */
export function quantizeWeights(
  weights: FloatWeights,
  inputScale: number,
  type: ActivationType = "int8",
): {
  filter: QuantizedConstant<Int8Array>;
  bias: QuantizedConstant<Int32Array | BigInt64Array> | undefined;
} {
  const { values, bias, channels, channelOf, perTensor } = weights;
  const largest = new Float64Array(channels);
  values.forEach((value, i) => {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c] ?? 0, Math.abs(value));
  });
  const scales = Array.from(largest, (size, c) => {
    // A filter of zeros (or nearly) still needs a scale in which its bias is small enough and well resolved.
    const forBias = Math.abs(bias?.[c] ?? 0) / (inputScale * maxBiasSteps[type]);
    return Math.fround(Math.max(size / 127, forBias));
  });
  const shared = Math.max(...scales) || 1;
  // A channel of zeros: any scale, but with int16 a multiplier is at most 2^7.
  const ofZeros = type === "int16" ? shared : 1;
  const used = scales.map((scale) => (perTensor ? shared : scale || ofZeros));
  const scaleOf = (channel: number): number => used[channel] ?? 1;
  const data = new Int8Array(values.length);
  values.forEach((value, i) => {
    data[i] = Math.min(127, Math.max(-127, Math.round(value / scaleOf(channelOf(i)))));
  });
  const stepsOf = (value: number, c: number): number => Math.round(value / (inputScale * scaleOf(c)));
  const stored = perTensor ? [shared] : used;
  const zeros = stored.map(() => 0);
  return {
    filter: { data, quantization: { scales: stored, zeroPoints: zeros, axis: perTensor ? 0 : weights.axis } },
    bias:
      bias === undefined
        ? undefined
        : {
            data:
              type === "int16"
                ? BigInt64Array.from(Array.from(bias, (value, c) => BigInt(stepsOf(value, c))))
                : Int32Array.from(bias, stepsOf),
            quantization: {
              scales: stored.map((scale) => Math.fround(scale * inputScale)),
              zeroPoints: zeros,
              axis: 0,
            },
          },
  };
}

/** A constant operand of an elementwise operator, in `shared` or in the parameters that cover its values. */
export function quantizeOperand(
  values: Float32Array,
  shared: TensorParameters | undefined,
  type: ActivationType = "int8",
): QuantizedConstant {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const parameters = shared ?? activationParameters({ low, high }, type);
  return {
    data: quantizeValues(values, parameters, type),
    quantization: { scales: [parameters.scale], zeroPoints: [parameters.zeroPoint], axis: 0 },
  };
}

/** Least and largest integer. */
export const activationBounds: Readonly<Record<ActivationType, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
};

/** round((value / scale) + zeroPoint), saturated: how a float input becomes the model's input. Halves go up. */
export function quantizeValue(
  value: number,
  { scale, zeroPoint }: TensorParameters,
  type: ActivationType = "int8",
): number {
  const [least, most] = activationBounds[type];
  return Math.min(most, Math.max(least, Math.round(value / scale) + zeroPoint));
}

/** Every value as `quantizeValue` does. */
export function quantizeValues(
  values: ArrayLike<number>,
  parameters: TensorParameters,
  type: ActivationType,
): Int8Array | Int16Array {
  const quantize = (value: number): number => quantizeValue(value, parameters, type);
  return type === "int16" ? Int16Array.from(values, quantize) : Int8Array.from(values, quantize);
}

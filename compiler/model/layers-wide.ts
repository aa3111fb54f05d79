/**
 * Layers of int16 activations with int8 weights ("int16x8"): symmetric, zero points 0. They have kinds of their own, so
 * that nothing made for int8 takes one of them. Additions and products of two tensors are `ElementwiseLayer`s with `wide`.
 */
import type { Clamp, Requantization, WindowGeometry } from "./layers.js";

interface WideCommon {
  readonly operator: number;
  readonly input: number;
  readonly output: number;
}

/** Sums are exact in 64 bits; then acc * (multiplier rounded to 15 bits) * 2^(shift - 15), rounded once. Shift -31..7. */
export interface WideWeights extends WideCommon, Pick<Requantization, "multiplier" | "shift"> {
  readonly filter: Int8Array;
  readonly bias: BigInt64Array | undefined;
  /** int16 bounds. */
  readonly clamp: Clamp;
}

export interface WideConv2DLayer extends WideWeights {
  readonly kind: "WideConv2D";
  readonly geometry: WindowGeometry;
}

export interface WideDepthwiseConv2DLayer extends WideWeights {
  readonly kind: "WideDepthwiseConv2D";
  readonly geometry: WindowGeometry;
  readonly depthMultiplier: number;
}

export interface WideFullyConnectedLayer extends WideWeights {
  readonly kind: "WideFullyConnected";
  readonly rows: number;
  readonly inputDepth: number;
  readonly outputDepth: number;
}

export interface WidePoolLayer extends WideCommon {
  readonly kind: "WideMaxPool2D" | "WideAveragePool2D";
  readonly geometry: WindowGeometry;
  readonly clamp: Clamp;
}

/** Input (x * multiplier + rounding) >> shift, in steps of 1/12288; then a table with interpolation. */
export interface WideSigmoidLayer extends WideCommon {
  readonly kind: "WideLogistic" | "WideTanh";
  readonly count: number;
  /** 1..32767 */
  readonly multiplier: number;
  /** 0..31 */
  readonly shift: number;
  /** 256 values of the logistic function at i / 24, in 1/65536. */
  readonly table: Uint16Array;
}

export interface WideSoftmaxLayer extends WideCommon {
  readonly kind: "WideSoftmax";
  readonly rows: number;
  readonly depth: number;
  /** Differences to the maximum become steps of 10/65535. */
  readonly multiplier: number;
  /** -31..14 */
  readonly shift: number;
  /** 513 values of exp on [-10, 0] and of 1 / (1 + x) on [0, 1], in 1/32768, for a lookup with interpolation. */
  readonly exponentials: Int16Array;
  readonly reciprocals: Int16Array;
}

export type WideLayer =
  | WideConv2DLayer
  | WideDepthwiseConv2DLayer
  | WideFullyConnectedLayer
  | WidePoolLayer
  | WideSigmoidLayer
  | WideSoftmaxLayer;

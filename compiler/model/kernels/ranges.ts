/**
 * What the accumulators of a layer can reach, from its weights and biases alone: the proof that a faster way to
 * requantise is exact. Bounds are of the true sums; where they leave int32 the sums wrap and nothing is proved.
 */
import type { Conv2DLayer, DepthwiseConv2DLayer, FullyConnectedLayer, Requantization } from "../layers.js";
import { multiplyByQuantizedMultiplier } from "../reference/arithmetic.js";

export type WeightedLayer = Conv2DLayer | DepthwiseConv2DLayer | FullyConnectedLayer;

/** Inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Position of weight `k` of output channel `c` in `layer.filter`. */
export function weightIndex(layer: WeightedLayer, c: number, k: number): number {
  const channels = layer.multiplier.length;
  return layer.kind === "DepthwiseConv2D" ? k * channels + c : c * (layer.filter.length / channels) + k;
}

/** The least and greatest accumulator of each output channel over all inputs, padding included. */
export function accumulatorRanges(layer: WeightedLayer): Range[] {
  const channels = layer.multiplier.length;
  const weights = layer.filter.length / channels;
  const low = -128 + layer.inputOffset; // at most 0
  const high = 127 + layer.inputOffset; // at least 0
  return Array.from({ length: channels }, (_, c) => {
    let min = layer.bias?.[c] ?? 0;
    let max = min;
    for (let k = 0; k < weights; k++) {
      const weight = layer.filter[weightIndex(layer, c, k)] ?? 0;
      min += weight * (weight > 0 ? low : high);
      max += weight * (weight > 0 ? high : low);
    }
    return { min, max };
  });
}

/** The int8 output of channel `c` for an accumulator. */
export function requantized(layer: Requantization, acc: number, c: number): number {
  const scaled = multiplyByQuantizedMultiplier(acc, layer.multiplier[c] ?? 0, layer.shift[c] ?? 0);
  return Math.min(Math.max((scaled + layer.outputOffset) | 0, layer.clamp.min), layer.clamp.max);
}

/** Multiplier, rounding and shift of `tmc_right_shift` (runtime-c/include/tmc/kernels.h). */
export interface RightShift {
  readonly multiplier: number;
  readonly rounding: number;
  readonly shift: number;
}

const MAX_DOUBLED = 2 ** 30;
/** To the right: rounding and zero point stay within 30 bits. */
export const MAX_SHIFT = 22;

/**
 * How channel `c` is requantised in 7 instructions, or undefined when that is not proved exact for every accumulator
 * in `range`. A channel whose output does not depend on its accumulator gets the multiplier 0.
 */
export function rightShiftOf(layer: Requantization, range: Range, c: number): RightShift | undefined {
  const constant = constantOutput(layer, range, c);
  if (constant !== undefined) {
    return { multiplier: 0, rounding: 1 + 2 * constant, shift: 1 };
  }
  if (range.min < -MAX_DOUBLED || range.max >= MAX_DOUBLED) {
    return undefined;
  }
  const shift = -(layer.shift[c] ?? 0);
  return shift >= 1 && shift <= MAX_SHIFT
    ? {
        multiplier: layer.multiplier[c] ?? 0,
        rounding: 2 ** (shift - 1) + layer.outputOffset * 2 ** shift,
        shift,
      }
    : undefined;
}

/** The output of channel `c` when it is the same for every accumulator in `range`, else undefined. */
export function constantOutput(layer: Requantization, range: Range, c: number): number | undefined {
  if (range.min === range.max) {
    return requantized(layer, range.min | 0, c);
  }
  const left = 2 ** Math.max(0, layer.shift[c] ?? 0);
  if (range.min * left < -MAX_DOUBLED || range.max * left >= MAX_DOUBLED) {
    return undefined; // sums or shifts may wrap: not monotonous
  }
  const low = requantized(layer, range.min, c);
  return low === requantized(layer, range.max, c) ? low : undefined;
}

/**
 * Functions of one int8 value as the reference computes them, for tables made at compile time: requantisation with a
 * clamp, leaky ReLU, logistic, tanh, hard swish. All take and return int8 values held in numbers.
 */
import {
  logistic,
  multiplyByQuantizedMultiplier,
  roundingDivideByPowerOfTwo,
  tanh,
  type FixedMultiplier,
} from "./arithmetic.js";

export type UnaryFunction = (value: number) => number;

function clamp(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}

function scaled(x: number, { multiplier, shift }: FixedMultiplier): number {
  return multiplyByQuantizedMultiplier(x, multiplier, shift);
}

/** To another scale and zero point, then clamped: Quantize and the ReLU family. */
export function requantized(
  inputZeroPoint: number,
  factor: FixedMultiplier,
  outputZeroPoint: number,
  bounds: { readonly min: number; readonly max: number },
): UnaryFunction {
  return (value) =>
    clamp((scaled(value - inputZeroPoint, factor) + outputZeroPoint) | 0, bounds.min, bounds.max);
}

/** `slope` is the multiplier of |alpha|; `negative` says that alpha is negative. */
export function leakyRelu(
  inputZeroPoint: number,
  identity: FixedMultiplier,
  slope: FixedMultiplier,
  negative: boolean,
  outputZeroPoint: number,
): UnaryFunction {
  return (value) => {
    const input = value - inputZeroPoint;
    const below = scaled(input, slope);
    const output = input >= 0 ? scaled(input, identity) : negative ? -below : below;
    return clamp((outputZeroPoint + output) | 0, -128, 127);
  };
}

/** Inputs from `radius` on give the extremes; `factor` brings the others to Q4.27. */
export interface SigmoidInput {
  readonly zeroPoint: number;
  readonly radius: number;
  readonly factor: FixedMultiplier;
}

function saturating({ zeroPoint, radius, factor }: SigmoidInput, inside: (q4: number) => number) {
  return (value: number): number => {
    const input = value - zeroPoint;
    return input <= -radius ? -128 : input >= radius ? 127 : clamp(inside(scaled(input, factor)), -128, 127);
  };
}

/** Output scale 1/256, zero point -128. */
export function logisticOf(input: SigmoidInput): UnaryFunction {
  return saturating(input, (q4) => roundingDivideByPowerOfTwo(logistic(q4), 23) - 128);
}

/** Output scale 1/128, zero point 0. */
export function tanhOf(input: SigmoidInput): UnaryFunction {
  return saturating(input, (q4) => roundingDivideByPowerOfTwo(tanh(q4), 24));
}

const INT16_MAX = 32767;

function toInt16(x: number): number {
  return (x << 16) >> 16;
}

/** a * b / 2^15 rounded to nearest, halves away from zero; int16, saturated in the one case that overflows. */
function roundingHighMul16(a: number, b: number): number {
  if (a === -32768 && b === -32768) {
    return INT16_MAX;
  }
  const product = a * b;
  return Math.trunc((product + (product >= 0 ? 16384 : -16383)) / 32768);
}

/** A positive multiplier with 15 bits instead of 31. */
function multiplier16({ multiplier }: FixedMultiplier): number {
  return multiplier >= 2147483647 - 32768 ? INT16_MAX : (multiplier + 32768) >> 16;
}

/**
 * x * relu6(x + 3) / 6 in 16-bit arithmetic. `reluish` brings (x - zero point) * 128 to the scale where 3 is 2^15 (shift
 * -15..31), `output` to the output's scale (shift -15..0).
 */
export function hardSwish(
  inputZeroPoint: number,
  reluish: FixedMultiplier,
  output: FixedMultiplier,
  outputZeroPoint: number,
): UnaryFunction {
  const shiftLeft = (x: number, exponent: number): number => clamp(x * 2 ** exponent, -32768, INT16_MAX);
  return (value) => {
    const input = (value - inputZeroPoint) * 128;
    const onOutputScale = roundingHighMul16(input, multiplier16(output));
    let gate = reluish.shift > 0 ? shiftLeft(input, reluish.shift - 1) : input;
    gate = roundingHighMul16(gate, multiplier16(reluish));
    if (reluish.shift > 0) {
      gate = shiftLeft(gate, 1);
    } else if (reluish.shift < 0) {
      gate = roundingDivideByPowerOfTwo(gate, -reluish.shift);
    }
    gate = (gate + 32768) >> 1; // from [-1, 1] to [0, 1]
    const product = Math.trunc((gate * onOutputScale) / 32768);
    const result = toInt16(roundingDivideByPowerOfTwo(product, -output.shift) + outputZeroPoint);
    return clamp(result, -128, 127);
  };
}

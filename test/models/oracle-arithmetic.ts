/** Integer arithmetic of the second implementation (`oracle.ts`): gemmlowp's formulas with BigInt. */
import type { Activation, Tensor } from "../../compiler/model/graph.js";

export const wrap = (x: bigint): bigint => BigInt.asIntN(32, x);
export const INT_MIN = -(1n << 31n);
export const INT_MAX = (1n << 31n) - 1n;

export function highMul(a: bigint, b: bigint): bigint {
  if (a === INT_MIN && b === INT_MIN) {
    return INT_MAX;
  }
  const product = a * b;
  return (product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n);
}

export function divideByPowerOfTwo(x: bigint, exponent: number): bigint {
  const mask = (1n << BigInt(exponent)) - 1n;
  const threshold = (mask >> 1n) + (x < 0n ? 1n : 0n);
  return (x >> BigInt(exponent)) + ((x & mask) > threshold ? 1n : 0n);
}

/** Multiplier and exponent by division instead of bits. */
export function fixed(real: number): { multiplier: bigint; shift: number } {
  if (real === 0) {
    return { multiplier: 0n, shift: 0 };
  }
  let shift = Math.floor(Math.log2(real)) + 1;
  while (real / 2 ** shift >= 1) shift++;
  while (real / 2 ** shift < 0.5) shift--;
  let multiplier = BigInt(Math.floor((real / 2 ** shift) * 2 ** 31 + 0.5));
  if (multiplier === 1n << 31n) {
    multiplier >>= 1n;
    shift++;
  }
  return shift < -31 ? { multiplier: 0n, shift: 0 } : { multiplier, shift };
}

export function scaled(x: bigint, { multiplier, shift }: { multiplier: bigint; shift: number }): bigint {
  const left = wrap(x << BigInt(Math.max(0, shift)));
  return divideByPowerOfTwo(highMul(left, multiplier), Math.max(0, -shift));
}

export const scale = (tensor: Tensor): number => tensor.quantization?.scales[0] ?? 0;
export const zero = (tensor: Tensor): bigint => BigInt(tensor.quantization?.zeroPoints[0] ?? 0);

export function clampTo(x: bigint, activation: Activation, output: Tensor): number {
  const quantized = (real: number): number => {
    const steps = Math.fround(real / Math.fround(scale(output)));
    return Number(zero(output)) + Math.sign(steps) * Math.floor(Math.abs(steps) + 0.5);
  };
  const low = { none: -128, relu: quantized(0), relu6: quantized(0), relu_n1_to_1: quantized(-1) }[
    activation
  ];
  const high = { none: 127, relu: 127, relu6: quantized(6), relu_n1_to_1: quantized(1) }[activation];
  return Math.min(Math.max(Number(x), low, -128), high, 127);
}

export const saturate = (x: bigint): bigint => (x > INT_MAX ? INT_MAX : x < INT_MIN ? INT_MIN : x);

/** exp(a) for a <= 0 with 4 or 5 integer bits; Q0.31. */
export function expNegative(a: bigint, integerBits = 5): bigint {
  if (a === 0n) return INT_MAX;
  const quarter = 1n << BigInt(29 - integerBits);
  const part = (a & (quarter - 1n)) - quarter;
  const x = saturate(part << BigInt(integerBits)) + (1n << 28n);
  const x2 = highMul(x, x);
  const x3 = highMul(x2, x);
  const x4 = highMul(x2, x2);
  const rest = divideByPowerOfTwo(highMul(divideByPowerOfTwo(x4, 2) + x3, 715827883n) + x2, 1);
  let result = 1895147668n + highMul(1895147668n, x + rest);
  const remainder = part - a;
  [1672461947n, 1302514674n, 790015084n, 290630308n, 39332535n, 720401n, 242n].forEach((factor, k) => {
    if (k < integerBits + 2 && (remainder >> BigInt(29 - integerBits + k)) & 1n)
      result = highMul(result, factor);
  });
  return result;
}

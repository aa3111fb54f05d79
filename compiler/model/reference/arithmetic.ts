/**
 * The normative integer arithmetic: TFLite's int8 specification with the reference rounding of TFLite Micro
 * (saturating rounding doubling high multiply, then a rounding right shift: two roundings).
 *
 * `runtime-c/kernels/arithmetic.h` is the same in C, function by function. Everything here takes and returns
 * int32 values held in numbers; where the reference would overflow, both of ours wrap modulo 2^32.
 */

/** A positive real number as multiplier * 2^(shift - 31), multiplier 0 or in [2^30, 2^31). */
export interface FixedMultiplier {
  readonly multiplier: number;
  /** Positive shifts left before the multiplication, negative shifts right after it; -31..30 in executable graphs. */
  readonly shift: number;
}

const TWO_31 = 2147483648;
const INT32_MAX = 2147483647;
const INT32_MIN = -2147483648;

/** C's round(): halves away from zero. */
export function roundHalfAway(x: number): number {
  const magnitude = Math.abs(x);
  const floor = Math.floor(magnitude);
  const rounded = magnitude - floor >= 0.5 ? floor + 1 : floor;
  return x < 0 ? -rounded : rounded;
}

/** C's frexp for finite x > 0: x = fraction * 2^exponent, fraction in [0.5, 1). Exact. */
function frexp(x: number): { fraction: number; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  let scaled = x;
  let exponent = 0;
  if (x < 2 ** -1022) {
    scaled = x * 2 ** 54; // subnormal: the exponent field is not its exponent
    exponent = -54;
  }
  view.setFloat64(0, scaled);
  const high = view.getUint32(0);
  exponent += ((high >>> 20) & 0x7ff) - 1022;
  view.setUint32(0, (high & 0x800fffff) | (1022 << 20));
  return { fraction: view.getFloat64(0), exponent };
}

/**
 * The nearest fixed-point multiplier of a real one, as the reference computes it: a fraction that rounds up to 1
 * becomes 1/2 with the next shift; a multiplier below about 2^-32 becomes 0.
 * `real` is finite and not negative. The shift of a huge multiplier is returned as it is: callers check its range.
 */
export function quantizeMultiplier(real: number): FixedMultiplier {
  if (real === 0) {
    return { multiplier: 0, shift: 0 };
  }
  const { fraction, exponent } = frexp(real);
  let multiplier = roundHalfAway(fraction * TWO_31);
  let shift = exponent;
  if (multiplier === TWO_31) {
    multiplier /= 2;
    shift += 1;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/**
 * floor((a * b + 2^30) / 2^31), saturated in the one case that overflows (both INT32_MIN).
 * Exact without 64-bit integers: b = bh * 2^16 + bl, so a * bh and a * bl stay below 2^47 and doubles hold them.
 */
export function saturatingRoundingDoublingHighMul(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) {
    return INT32_MAX;
  }
  const low = b & 0xffff;
  const high = b >> 16;
  const lowProduct = a * low + 1073741824;
  // (high * 2^16 * a + lowProduct) / 2^31 = (high * a + lowProduct / 2^16) / 2^15; the inner floor changes nothing.
  return Math.floor((a * high + Math.floor(lowProduct / 65536)) / 32768) | 0;
}

/** x / 2^exponent rounded to nearest, halves away from zero; exponent 0..31. */
export function roundingDivideByPowerOfTwo(x: number, exponent: number): number {
  const mask = exponent === 31 ? INT32_MAX : (1 << exponent) - 1;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/** x * multiplier * 2^(shift - 31) with the reference's two roundings. */
export function multiplyByQuantizedMultiplier(x: number, multiplier: number, shift: number): number {
  return shift > 0
    ? saturatingRoundingDoublingHighMul(x << shift, multiplier)
    : roundingDivideByPowerOfTwo(saturatingRoundingDoublingHighMul(x, multiplier), -shift);
}

/** x * 2^exponent, saturated; exponent 1..30. */
export function saturatingShiftLeft(x: number, exponent: number): number {
  const product = x * 2 ** exponent;
  return product > INT32_MAX ? INT32_MAX : product < INT32_MIN ? INT32_MIN : product;
}

/** (a + b) / 2 rounded to nearest, halves away from zero; the sum does not overflow. */
function roundingHalfSum(a: number, b: number): number {
  const sum = a + b;
  return Math.trunc((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/** exp(a) for a in (-1/4, 0], both Q0.31: Taylor expansion around -1/8. */
function expOnQuarterInterval(a: number): number {
  const mul = saturatingRoundingDoublingHighMul;
  const expMinusEighth = 1895147668;
  const oneThird = 715827883;
  const x = (a + (1 << 28)) | 0;
  const x2 = mul(x, x);
  const x3 = mul(x2, x);
  const x4 = mul(x2, x2);
  const x4Over4 = roundingDivideByPowerOfTwo(x4, 2);
  const rest = roundingDivideByPowerOfTwo((mul((x4Over4 + x3) | 0, oneThird) + x2) | 0, 1);
  return (expMinusEighth + mul(expMinusEighth, (x + rest) | 0)) | 0;
}

/** exp(-2^k) in Q0.31 for k = -2..4: bit 24 + k + 2 of a Q5.26 magnitude selects the factor. */
const expFactors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const;

/** exp(a) for a <= 0: a has `integerBits` (4 or 5) integer bits, the result is in Q0.31 (INT32_MAX stands for 1). */
export function expOnNegativeValues(a: number, integerBits = 5): number {
  if (a === 0) {
    return INT32_MAX;
  }
  const quarter = 1 << (29 - integerBits);
  const inQuarter = (a & (quarter - 1)) - quarter;
  let result = expOnQuarterInterval(saturatingShiftLeft(inQuarter, integerBits));
  const remainder = (inQuarter - a) | 0;
  for (let k = 0; k < integerBits + 2; k++) {
    if ((remainder & (quarter << k)) !== 0) {
      result = saturatingRoundingDoublingHighMul(result, expFactors[k] ?? 0);
    }
  }
  return result;
}

/** 2 / (1 + a) for a in [0, 1), Q0.31, result in Q2.29: three Newton-Raphson steps. */
function twoOverOnePlus(a: number): number {
  const mul = saturatingRoundingDoublingHighMul;
  const half = roundingHalfSum(a, INT32_MAX);
  let x = (1515870810 + mul(half, -1010580540)) | 0; // 48/17 - 32/17 * half
  for (let i = 0; i < 3; i++) {
    const error = ((1 << 29) - mul(half, x)) | 0;
    x = (x + saturatingShiftLeft(mul(x, error), 2)) | 0;
  }
  return x;
}

/** 1 / (1 + a) for a in [0, 1), Q0.31. */
export function oneOverOnePlus(a: number): number {
  return saturatingShiftLeft(twoOverOnePlus(a), 1);
}

/** 1 / (1 + exp(-a)): a in Q4.27, result in Q0.31. */
export function logistic(a: number): number {
  if (a === 0) {
    return 1 << 30;
  }
  const positive = oneOverOnePlus(expOnNegativeValues(a > 0 ? -a : a, 4));
  return a > 0 ? positive : INT32_MAX - positive;
}

/** tanh(a): a in Q4.27, result in Q0.31. */
export function tanh(a: number): number {
  if (a === 0) {
    return 0;
  }
  // exp(2 * negative): the same bits with one integer bit more.
  const exponential = expOnNegativeValues(a < 0 ? a : -a, 5);
  const magnitude = saturatingShiftLeft((twoOverOnePlus(exponential) - (1 << 29)) | 0, 2);
  return a < 0 ? -magnitude : magnitude;
}

/** Of x > 0 with `integerBits` integer bits: 1 / x as `reciprocal` (Q0.31) * 2^-bitsOverUnit. */
export function reciprocalOf(x: number, integerBits: number): { reciprocal: number; bitsOverUnit: number } {
  const headroom = Math.clz32(x);
  return {
    reciprocal: oneOverOnePlus(((x << headroom) - INT32_MIN) | 0),
    bitsOverUnit: integerBits - headroom,
  };
}

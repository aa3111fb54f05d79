/**
 * Exponential functions and logarithms in single precision: the same bits on every target, because each is a
 * polynomial written here and every operation rounds to f32. Reductions use constants in two parts (Cody and Waite),
 * polynomials are minimax (Remez, coefficients rounded one after the other). "Error" is the largest difference from
 * the exact value over all singles, in units in the last place (ulp) of the exact value; below 2^-126 an ulp is
 * 2^-149. Special values are ECMAScript's. Not for double precision.
 */

/** 12582912 + n has the integer n in its low bits, and adding it rounds to the nearest integer. */
export const rounding = 12582912;
export const roundingBits = 0x4b400000;

/** e^x. Error below 0.9 ulp. Infinity above 88.72284, 0 below -103.972084. */
export function expF32(x: f32): f32 {
  if (!(x >= -103.972084 && x <= 88.72284)) {
    if (x !== x) return x;
    return x > 0 ? f32(Infinity) : 0;
  }
  const shifted = x * 1.44269504088896341 + rounding;
  const n = shifted - rounding;
  const high = x - n * 0.693145751953125;
  const low = n * 1.428606765330187e-6;
  const r = high - low;
  let p: f32 = 1.383887604e-3;
  p = p * r + 8.36919155e-3;
  p = p * r + 4.166810215e-2;
  p = p * r + 1.666651666e-1;
  p = p * r + 4.999999404e-1;
  return timesPowerOf2(p * (r * r) - low + high + 1, i32(f32Bits(shifted)) - roundingBits);
}

/** x * 2^n for 0.5 <= x < 2 and -151 <= n <= 129, rounded once. */
export function timesPowerOf2(x: f32, n: i32): f32 {
  if (n > -126 && n < 128) return x * f32FromBits(u32(n + 127) << 23);
  // In two steps, of which only the second rounds or overflows.
  return n > 0
    ? x * 2 * f32FromBits(u32(n + 126) << 23)
    : x * f32FromBits(u32(n + 227) << 23) * 7.888609052210118e-31;
}

/** The natural logarithm. Error below 0.9 ulp. NaN below 0, -Infinity at 0. */
export function logF32(x: f32): f32 {
  if (!(x > 0 && x < f32(Infinity))) return logOfSpecial(x);
  const parts = powerAndRest(x);
  const e = parts.e;
  const r = parts.r;
  const half = 0.5 * r * r;
  return r - (half - (logTail(r) + e * 1.428606765330187e-6)) + e * 0.693145751953125;
}

/** The logarithm to base 2. Error below 0.9 ulp; powers of two are exact. NaN below 0, -Infinity at 0. */
export function log2F32(x: f32): f32 {
  if (!(x > 0 && x < f32(Infinity))) return logOfSpecial(x);
  const parts = powerAndRest(x);
  const e = parts.e;
  const r = parts.r;
  const half = 0.5 * r * r;
  const high = upper12(r - half);
  const low = r - high - half + logTail(r);
  return (low + high) * -1.7605285393074155e-4 + low * 1.44287109375 + high * 1.44287109375 + e;
}

/** The logarithm to base 10. Error below 0.9 ulp; 10, 100, 1000 … are exact. NaN below 0, -Infinity at 0. */
export function log10F32(x: f32): f32 {
  if (!(x > 0 && x < f32(Infinity))) return logOfSpecial(x);
  const parts = powerAndRest(x);
  const e = parts.e;
  const r = parts.r;
  const half = 0.5 * r * r;
  const high = upper12(r - half);
  const low = r - high - half + logTail(r);
  const small = e * 4.6050390665186569e-6 + (low + high) * -3.1689971365267411e-5;
  return small + low * 0.434326171875 + high * 0.434326171875 + e * 0.301025390625;
}

/** The hyperbolic tangent. Error below 1.4 ulp. */
export function tanhF32(x: f32): f32 {
  const a = Math.abs(x);
  if (a >= 0.625) {
    const t = a > 9.1 ? f32(1) : 1 - 2 / (expF32(a + a) + 1);
    return x < 0 ? -t : t;
  }
  if (a < 2.44140625e-4) return x;
  const z = x * x;
  let p: f32 = -5.692296196e-3;
  p = p * z + 2.062816732e-2;
  p = p * z + -5.373651534e-2;
  p = p * z + 1.333140582e-1;
  p = p * z + -3.333328068e-1;
  return p * z * x + x;
}

/** The logistic function 1 / (1 + e^-x). Error below 1.5 ulp for x >= 0, below 2.5 ulp for x < 0. */
export function sigmoidF32(x: f32): f32 {
  const t = expF32(-Math.abs(x));
  return x < 0 ? t / (1 + t) : 1 / (1 + t);
}

/** x = 2^e * (1 + r) with an integer e and sqrt(1/2) <= 1 + r < sqrt(2). */
interface PowerAndRest {
  e: f32;
  r: f32;
}

/** For 0 < x < Infinity. Exact. */
function powerAndRest(x: f32): PowerAndRest {
  let bits = f32Bits(x);
  let e = -127;
  if (bits < 0x800000) {
    bits = f32Bits(x * 8388608);
    e = -150;
  }
  bits += 0x3f800000 - 0x3f3504f3;
  e += i32(bits >>> 23);
  return { e: f32(e), r: f32FromBits((bits & 0x7fffff) + 0x3f3504f3) - 1 };
}

/** log(1 + r) - r + r^2 / 2. */
function logTail(r: f32): f32 {
  let p: f32 = -7.642644644e-2;
  p = p * r + 1.276661158e-1;
  p = p * r + -1.315945387e-1;
  p = p * r + 1.420095116e-1;
  p = p * r + -1.662333459e-1;
  p = p * r + 2.000126094e-1;
  p = p * r + -2.500082254e-1;
  p = p * r + 3.333333135e-1;
  return p * (r * r * r);
}

/** Any logarithm where it is not a finite number. */
function logOfSpecial(x: f32): f32 {
  if (x === 0) return f32(-Infinity);
  return x > 0 ? x : f32(NaN);
}

/** x cut to its upper 12 bits: products of two such numbers are exact. */
export function upper12(x: f32): f32 {
  return f32FromBits(f32Bits(x) & 0xfffff000);
}

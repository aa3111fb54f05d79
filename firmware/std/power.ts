/**
 * x^y in single precision: the same bits on every target. The logarithm to base 2 is a sum of two singles (a table of
 * 16 reciprocals, then a polynomial), its product with y is exact in the same way, and what is left after the integer
 * part goes through e^r. The meaning of "error" is math.ts's. Not for double precision.
 */
import { rounding, roundingBits, timesPowerOf2, upper12 } from "./math.js";

/**
 * For the 16 intervals of a mantissa (the upper 7 are halved, so that they lie around 1): a reciprocal of 8 bits, and
 * minus its logarithm to base 2 in two parts, the first a multiple of 2^-12.
 */
const reciprocals = new Float32Array(16);
const logHigh = new Float32Array(16);
const logLow = new Float32Array(16);
for (let i = 0; i < 16; i++) {
  const middle = (f64(i) + 16.5) / (i < 7 ? 16 : 32);
  const reciprocal = i === 0 || i === 15 ? 1 : Math.round(128 / middle) / 128;
  const logarithm = -Math.log2(reciprocal);
  const high = Math.round(logarithm * 4096) / 4096;
  reciprocals[i] = f32(reciprocal);
  logHigh[i] = f32(high);
  logLow[i] = f32(logarithm - high);
}

/** x^y. Error below 1.1 ulp. Special values are those of ECMAScript: pow(1, NaN) and pow(1, Infinity) are NaN, unlike in C. */
export function powF32(x: f32, y: f32): f32 {
  if (x > 0 && x < f32(Infinity) && Math.abs(y) < 8589934592) return powerOfPositive(x, y);
  return powerOfSpecial(x, y);
}

/** For 0 < x < Infinity and |y| < 2^33. */
function powerOfPositive(x: f32, y: f32): f32 {
  let bits = f32Bits(x);
  let e = -127;
  if (bits < 0x800000) {
    bits = f32Bits(x * 8388608);
    e = -150;
  }
  // x = 2^e * (upper + lower): upper has 12 bits.
  const i = i32((bits >>> 19) & 15);
  e += i32(bits >>> 23);
  let one: u32 = 0x3f800000;
  if (i >= 7) {
    e++;
    one = 0x3f000000;
  }
  const mantissa = (bits & 0x7fffff) | one;
  const upper = f32FromBits(mantissa & 0xfffff000);
  const lower = f32FromBits(mantissa) - upper;
  // r + rLow = (upper + lower) * reciprocal - 1 exactly, |r| < 0.0626.
  const reciprocal = reciprocals[i];
  const first = upper * reciprocal - 1;
  const second = lower * reciprocal;
  const r = first + second;
  const rLow = first - r + second;
  // log(1 + r) = high + low
  const rHigh = upper12(r);
  const square = 0.5 * rHigh * rHigh;
  let p: f32 = 1.459579468e-1;
  p = p * r + -1.674506366e-1;
  p = p * r + 1.999880075e-1;
  p = p * r + -2.499988526e-1;
  p = p * r + 3.333333433e-1;
  const high = r - square;
  const low = r - high - square + (rLow - r * rLow - 0.5 * (r - rHigh) * (r + rHigh) + p * (r * r * r));
  // log2(x) = whole + rest, whole with 12 bits
  const highUpper = upper12(high);
  const scaled = highUpper * 1.44287109375;
  const small = (high - highUpper + low) * 1.44287109375 + (high + low) * -1.7605285393074155e-4 + logLow[i];
  const base = f32(e) + logHigh[i];
  const sum = base + scaled;
  const tail = base - sum + scaled + small;
  const whole = upper12(sum + tail);
  const rest = sum - whole + tail;
  // y * log2(x) = product + productLow
  const yHigh = upper12(y);
  const product = yHigh * whole;
  const productLow = (y - yHigh) * whole + y * rest;
  const exponent = product + productLow;
  if (!(exponent < 129)) return f32(Infinity);
  if (exponent < -151) return 0;
  const shifted = exponent + rounding;
  const n = shifted - rounding;
  // 2^fraction = e^(g + gLow)
  const fraction = product - n;
  const f = fraction + productLow;
  const fHigh = upper12(f);
  const g = fHigh * 0.693115234375;
  const gLow = (fraction - fHigh + productLow) * 0.693147182464599609 + fHigh * 3.1946183298714459e-5;
  const s = g + gLow;
  const sLow = g - s + gLow;
  let q: f32 = 1.383887604e-3;
  q = q * s + 8.36919155e-3;
  q = q * s + 4.166810215e-2;
  q = q * s + 1.666651666e-1;
  q = q * s + 4.999999404e-1;
  return timesPowerOf2(q * (s * s) + sLow + s + 1, i32(f32Bits(shifted)) - roundingBits);
}

/** The cases that are not a power of a positive finite number to a moderate one. */
function powerOfSpecial(x: f32, y: f32): f32 {
  if (y === 0) return 1;
  if (x !== x || y !== y) return f32(NaN);
  const a = Math.abs(x);
  if (Math.abs(y) >= 8589934592) {
    // y is even or infinite; x^y is 1 or out of range.
    if (a === 1) return Math.abs(y) === f32(Infinity) ? f32(NaN) : 1;
    return a > 1 === y > 0 ? f32(Infinity) : 0;
  }
  // From 2^24 on every single is even.
  const below = i32(Math.abs(y) < 16777216 ? y : 0);
  const integer = f32(below) === y || Math.abs(y) >= 16777216;
  if (x < 0 && a < f32(Infinity) && !integer) return f32(NaN);
  let size: f32 = 0;
  if (a === 0 || a === f32(Infinity)) size = (a === 0) === y > 0 ? 0 : f32(Infinity);
  else size = powerOfPositive(a, y);
  return integer && (below & 1) !== 0 && f32Bits(x) >>> 31 !== 0 ? -size : size;
}

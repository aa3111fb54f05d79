/**
 * Trigonometric functions in single precision, for every finite angle (radians): the same bits on every target. Up to
 * 402 radians the angle is reduced by pi / 2 in three parts (Cody and Waite), above by integer arithmetic on the bits
 * of 2 / pi (Payne and Hanek), both to a sum of two singles. Polynomials and the meaning of "error" are math.ts's.
 * Not for double precision.
 */
import { rounding, upper12 } from "./math.js";

/** The sine of x radians. Error below 0.9 ulp for every finite x; NaN for infinities. */
export function sinF32(x: f32): f32 {
  return sineAt(x, 0);
}

/** The cosine of x radians. As `sinF32`. */
export function cosF32(x: f32): f32 {
  return sineAt(x, 1);
}

/** The tangent of x radians. Error below 1.3 ulp for every finite x; NaN for infinities. */
export function tanF32(x: f32): f32 {
  let quadrant = 0;
  let r = x;
  let low: f32 = 0;
  const a = Math.abs(x);
  if (a > 0.785398185) {
    const reduced = a < 402 ? reduce(x) : reduceLarge(x);
    quadrant = reduced.quadrant;
    r = reduced.high;
    low = reduced.low;
  } else if (a < 2.44140625e-4) return x;
  const z = r * r;
  let p: f32 = 4.380368628e-3;
  p = p * z + 8.385941328e-5;
  p = p * z + 1.083770394e-2;
  p = p * z + 2.128276974e-2;
  p = p * z + 5.405944586e-2;
  p = p * z + 1.333267242e-1;
  p = p * z + 3.333334923e-1;
  const cubic = p * z * r;
  const slope = r + cubic;
  const tail = cubic + (low + low * (slope * slope));
  const t = r + tail;
  if ((quadrant & 1) === 0) return t;
  // -1 / (r + tail), corrected by what the rounding of t and of the quotient leaves.
  const q = -1 / t;
  const qHigh = upper12(q);
  const tHigh = upper12(t);
  const rest = 1 + qHigh * tHigh + qHigh * (r - tHigh + tail);
  return qHigh + q * rest;
}

/** The arc tangent, -pi / 2 to pi / 2. Error below 1.2 ulp. */
export function atanF32(x: f32): f32 {
  if (x !== x) return x;
  const a = Math.abs(x);
  if (a < 0.5463) return a < 2.44140625e-4 ? x : arc(x, 0);
  const y: f32 =
    a < 1.83
      ? arc((a - 1) / (a + 1), 1.5695823663e-7) + 0.78539800643920898
      : arc(-1 / a, 3.1391647326e-7) + 1.570796012878418;
  return x < 0 ? -y : y;
}

/** The angle of the point (x, y), -pi to pi. Error below 1.6 ulp. Zeros and infinities of both signs as in ECMAScript. */
export function atan2F32(y: f32, x: f32): f32 {
  if (x !== x || y !== y) return f32(NaN);
  let small = Math.abs(y);
  let large = Math.abs(x);
  const steep = small > large;
  if (steep) {
    small = large;
    large = Math.abs(y);
  }
  // The angle of (large, small) is eighths * pi / 4 + arc(t).
  let eighths = 0;
  let t: f32 = 0;
  if (small < large * 0.5463) {
    t = small / large;
  } else if (large === f32(Infinity)) {
    eighths = 1;
  } else if (large > 0) {
    if (large > 1.7e38) {
      small *= 0.5;
      large *= 0.5;
    }
    eighths = 1;
    t = (small - large) / (small + large);
  }
  if (steep) {
    eighths = 2 - eighths;
    t = -t;
  }
  if (f32Bits(x) >>> 31 !== 0) {
    eighths = 4 - eighths;
    t = -t;
  }
  const k = f32(eighths);
  const angle = arc(t, k * 1.5695823663e-7) + k * 0.78539800643920898;
  return f32Bits(y) >>> 31 !== 0 ? -angle : angle;
}

/** The sine of x + quadrants * pi / 2. */
function sineAt(x: f32, quadrants: i32): f32 {
  let quadrant = quadrants;
  let r = x;
  let low: f32 = 0;
  const a = Math.abs(x);
  if (a > 0.785398185) {
    const reduced = a < 402 ? reduce(x) : reduceLarge(x);
    quadrant += reduced.quadrant;
    r = reduced.high;
    low = reduced.low;
  } else if (a < 2.44140625e-4) return quadrants === 0 ? x : 1;
  const z = r * r;
  const half = 0.5 * z;
  let value: f32 = 0;
  if ((quadrant & 1) !== 0) {
    let p: f32 = 2.443232734e-5;
    p = p * z + -1.388730947e-3;
    p = p * z + 4.166664556e-2;
    const w = 1 - half;
    value = w + (1 - w - half + (p * z * z - r * low));
  } else {
    let p: f32 = -1.951789745e-4;
    p = p * z + 8.33218731e-3;
    p = p * z + -1.666665524e-1;
    value = r + (p * z * r + (low - low * half));
  }
  return (quadrant & 2) !== 0 ? -value : value;
}

/** x = quadrant * pi / 2 + high + low, quadrant modulo 4, |high| <= pi / 4 but for rounding; the sum is good to 2^-47. */
interface Reduced {
  quadrant: i32;
  high: f32;
  low: f32;
}

/** For |x| < 402: the products with the first two parts of pi / 2 are exact. */
function reduce(x: f32): Reduced {
  const shifted = x * 0.63661977236758134 + rounding;
  const n = shifted - rounding;
  const first = x - n * 1.570770263671875;
  const second = n * 2.6063062250614166e-5;
  const sum = first - second;
  const rest = n * 6.0771006282767104e-11 - (first - sum - second);
  const high = sum - rest;
  return { quadrant: i32(f32Bits(shifted) & 3), high, low: sum - high - rest };
}

/** The bytes of 2 / pi, most significant first, after three zeros. */
const twoOverPi: RomArray<u8> = [
  0, 0, 0, 162, 249, 131, 110, 78, 68, 21, 41, 252, 39, 87, 209, 245, 52, 221, 192, 219, 98, 149, 153, 60, 67,
  144, 65,
];

/** For |x| >= 402: x = m * 2^e, and 12 bytes of m * 2 / pi from the one that holds the quadrant on. */
function reduceLarge(x: f32): Reduced {
  const bits = f32Bits(x) & 0x7fffffff;
  if (bits >= 0x7f800000) return { quadrant: 0, high: f32(NaN), low: 0 };
  const m = (bits & 0x7fffff) | 0x800000;
  const e = i32(bits >>> 23) - 152; // two bits above the point are the quadrant
  const at = (e >> 3) + 3;
  let carry: u32 = 0;
  let w0: u32 = 0;
  let w1: u32 = 0;
  let w2: u32 = 0;
  for (let i = 11; i >= 0; i--) {
    const sum = m * u32(twoOverPi[at + i]) + carry;
    w2 = (w2 >>> 8) | (w1 << 24);
    w1 = (w1 >>> 8) | (w0 << 24);
    w0 = (w0 >>> 8) | (sum << 24);
    carry = sum >>> 8;
  }
  const shift = e & 7;
  w0 = (w0 << shift) | ((w1 >>> 1) >>> (31 - shift));
  w1 = (w1 << shift) | ((w2 >>> 1) >>> (31 - shift));
  w2 = w2 << shift;
  let quadrant = i32(w0 >>> 30);
  // The fraction of a quadrant, in 64 bits: rounded to the nearest quadrant, made positive, normalised.
  w0 = (w0 << 2) | (w1 >>> 30);
  w1 = (w1 << 2) | (w2 >>> 30);
  let negative = x < 0;
  if (w0 >= 0x80000000) {
    quadrant++;
    negative = !negative;
    w0 = ~w0;
    w1 = ~w1;
  }
  const zeros = Math.clz32(w0);
  w0 = (w0 << zeros) | ((w1 >>> 1) >>> (31 - zeros));
  w1 = w1 << zeros;
  // Two singles of 24 bits, times pi / 2.
  const scale = f32FromBits(u32(103 - zeros) << 23);
  const a = f32(w0 >>> 8) * scale;
  const b = f32(((w0 & 0xff) << 16) | (w1 >>> 16)) * scale * 5.9604644775390625e-8;
  const product = a * 1.5707963267948966;
  const aHigh = upper12(a);
  const aLow = a - aHigh;
  const rest =
    aHigh * 1.5703125 -
    product +
    aHigh * 4.8375129699707031e-4 +
    aLow * 1.5703125 +
    aLow * 4.8375129699707031e-4 +
    (a * 7.5497901264043321e-8 + b * 1.5707963267948966);
  const high = product + rest;
  const low = product - high + rest;
  return {
    quadrant: x < 0 ? -quadrant : quadrant,
    high: negative ? -high : high,
    low: negative ? -low : low,
  };
}

/** The arc tangent of |t| < 0.5464, plus `low`, which is smaller. */
function arc(t: f32, low: f32): f32 {
  const z = t * t;
  let p: f32 = 3.4147989e-2;
  p = p * z + -7.644888014e-2;
  p = p * z + 1.084797978e-1;
  p = p * z + -1.426059008e-1;
  p = p * z + 1.999887675e-1;
  p = p * z + -3.333331645e-1;
  return t + (p * z * t + low);
}

/**
 * Transcendental functions in single precision: the same bits on every target, because each is a polynomial written
 * here and every operation rounds to f32. Coefficients and reductions are those of Cephes (S. Moshier). Errors are
 * the largest over all arguments of the stated domain, against the exact value, in units in the last place.
 * Not for double precision, and not for angles beyond the domain.
 */

/** e^x. Error below 1 ulp where the result is normal. Overflow gives Infinity, underflow 0. */
export function expF32(x: f32): f32 {
  if (x !== x) return x;
  if (x > 88.72284) return f32(Infinity);
  if (x < -103.97208) return 0;
  const n = Math.floor(x * 1.44269504088896341 + 0.5);
  const r = x - n * 0.693359375 - n * -2.1219444e-4;
  let p: f32 = 1.98756915e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  const y = p * (r * r) + r + 1;
  // In two steps, so that neither factor leaves the range of normal numbers.
  const power = i32(n);
  const half = power >> 1;
  return y * powerOf2(half) * powerOf2(power - half);
}

/** The natural logarithm. Error below 1 ulp. NaN below 0, -Infinity at 0. */
export function logF32(x: f32): f32 {
  if (x === 0) return f32(-Infinity);
  if (!(x > 0) || x === f32(Infinity)) return x > 0 ? x : f32(NaN);
  let bits = f32Bits(x);
  let exponent = -126;
  if (bits < 0x800000) {
    bits = f32Bits(x * 16777216);
    exponent = -150;
  }
  exponent += i32(bits >>> 23);
  let m = f32FromBits((bits & 0x7fffff) | 0x3f000000); // 0.5 <= m < 1
  if (m < 0.707106781186547524) {
    exponent--;
    m = m + m - 1;
  } else {
    m = m - 1;
  }
  const z = m * m;
  let p: f32 = 7.0376836292e-2;
  p = p * m + -1.151461031e-1;
  p = p * m + 1.167699874e-1;
  p = p * m + -1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m + -1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m + -2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  const e = f32(exponent);
  const y = p * m * z + e * -2.1219444e-4 - 0.5 * z;
  return m + y + e * 0.693359375;
}

/** The sine of x radians, |x| <= 8192. Error below 2^-23; below 1 ulp for |x| <= pi / 4. */
export function sinF32(x: f32): f32 {
  return sineAt(x, 0);
}

/** The cosine of x radians; as `sinF32`. */
export function cosF32(x: f32): f32 {
  return sineAt(x, 2);
}

/** The hyperbolic tangent. Error below 2 ulp. */
export function tanhF32(x: f32): f32 {
  const a = Math.abs(x);
  if (a >= 0.625) {
    const t = a > 9.1 ? f32(1) : 1 - 2 / (expF32(a + a) + 1);
    return x < 0 ? -t : t;
  }
  const z = x * x;
  let p: f32 = -5.70498872745e-3;
  p = p * z + 2.06390887954e-2;
  p = p * z + -5.37397155531e-2;
  p = p * z + 1.33314422036e-1;
  p = p * z + -3.33332819422e-1;
  return p * z * x + x;
}

/** 1 / (1 + e^-x). */
export function sigmoidF32(x: f32): f32 {
  return 1 / (1 + expF32(-x));
}

/** 2^n, -126 <= n <= 127. */
function powerOf2(n: i32): f32 {
  return f32FromBits(((n + 127) << 23) >>> 0);
}

/** The sine of x + octants * pi / 4. */
function sineAt(x: f32, octants: i32): f32 {
  let a = Math.abs(x);
  if (!(a <= 8192)) a = a === a ? a % 6.283185307179586 : a;
  let octant = i32(a * 1.27323954473516);
  octant += octant & 1;
  const y = f32(octant);
  const r = a - y * 0.78515625 - y * 2.4187564849853515625e-4 - y * 3.77489497744594108e-8;
  const z = r * r;
  let sign = x < 0 && octants === 0 ? 4 : 0;
  sign = (octant + octants + sign) & 7;
  let value: f32 = 0;
  if ((sign & 3) === 2) {
    let p: f32 = 2.443315711809948e-5;
    p = p * z + -1.388731625493765e-3;
    p = p * z + 4.166664568298827e-2;
    value = p * z * z - 0.5 * z + 1;
  } else {
    let p: f32 = -1.9515295891e-4;
    p = p * z + 8.3321608736e-3;
    p = p * z + -1.6666654611e-1;
    value = p * z * r + r;
  }
  return sign >= 4 ? -value : value;
}

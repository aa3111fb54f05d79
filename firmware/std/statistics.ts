/**
 * Statistics of a window of samples, in single precision. Sums are compensated (W. Kahan 1965), so that their error
 * does not grow with the number of samples; moments are taken about a first mean and then shifted to the exact one.
 * Population moments (divided by n), samples n >= 1. Intended for |x| from 1e-8 to 1e9: the fourth powers of the
 * differences from the mean must be normal numbers. Errors were measured for n up to 4096.
 */

/** Sum / n; NaN without samples. Error below 2^-22 times the mean |x|. */
export function mean(data: Float32Array): f32 {
  let sum: f32 = 0;
  let lost: f32 = 0;
  for (let i = 0; i < data.length; i++) {
    const term = data[i] - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return sum / f32(data.length);
}

/** Root mean square: sqrt(sum of x^2 / n); NaN without samples. Relative error below 2^-23. */
export function rms(data: Float32Array): f32 {
  let sum: f32 = 0;
  let lost: f32 = 0;
  for (let i = 0; i < data.length; i++) {
    const term = data[i] * data[i] - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return Math.sqrt(sum / f32(data.length));
}

/** The smallest sample. NaN is ignored, but for the first sample. Traps (`index`) without samples. */
export function minimum(data: Float32Array): f32 {
  let low = data[0];
  for (let i = 1; i < data.length; i++) if (data[i] < low) low = data[i];
  return low;
}

/** The largest sample. As `minimum`. */
export function maximum(data: Float32Array): f32 {
  let high = data[0];
  for (let i = 1; i < data.length; i++) if (data[i] > high) high = data[i];
  return high;
}

/** The largest |x|; 0 without samples. */
export function peak(data: Float32Array): f32 {
  let high: f32 = 0;
  for (let i = 0; i < data.length; i++) {
    const size = Math.abs(data[i]);
    if (size > high) high = size;
  }
  return high;
}

/** The share of neighbours of which exactly one is negative: 0 to 1; 0 for fewer than 2 samples. 0 is not negative. */
export function zeroCrossingRate(data: Float32Array): f32 {
  if (data.length < 2) return 0;
  let crossings = 0;
  let negative = data[0] < 0;
  for (let i = 1; i < data.length; i++) {
    const now = data[i] < 0;
    if (now !== negative) crossings++;
    negative = now;
  }
  return f32(crossings) / f32(data.length - 1);
}

/** Central moments of a window: two passes of `run`, then read them. No flash besides code; RAM 16 bytes. */
export class Moments {
  mean: f32 = 0;
  /** m2 = sum of (x - mean)^2 / n. Relative error below 2^-21. */
  variance: f32 = 0;
  /** m3 / m2^1.5 (Fisher's g1); 0 when all samples are equal. Error below 2^-20 max(1, |skewness|). */
  skewness: f32 = 0;
  /** m4 / m2^2 (Pearson's: 3 for the normal distribution); 0 when all samples are equal. Relative error below 2^-20. */
  kurtosis: f32 = 0;

  run(data: Float32Array): void {
    const n = f32(data.length);
    const near = mean(data);
    let s1: f32 = 0;
    let s2: f32 = 0;
    let s3: f32 = 0;
    let s4: f32 = 0;
    let lost1: f32 = 0;
    let lost2: f32 = 0;
    let lost3: f32 = 0;
    let lost4: f32 = 0;
    for (let i = 0; i < data.length; i++) {
      const d = data[i] - near;
      const square = d * d;
      const term1 = d - lost1;
      const next1 = s1 + term1;
      lost1 = next1 - s1 - term1;
      s1 = next1;
      const term2 = square - lost2;
      const next2 = s2 + term2;
      lost2 = next2 - s2 - term2;
      s2 = next2;
      const term3 = square * d - lost3;
      const next3 = s3 + term3;
      lost3 = next3 - s3 - term3;
      s3 = next3;
      const term4 = square * square - lost4;
      const next4 = s4 + term4;
      lost4 = next4 - s4 - term4;
      s4 = next4;
    }
    // What the first mean was off by, and the moments about the mean.
    const off = s1 / n;
    s2 = s2 / n;
    s3 = s3 / n;
    s4 = s4 / n;
    const square = off * off;
    const m2 = s2 - square;
    this.mean = near + off;
    this.variance = m2 > 0 ? m2 : 0;
    this.skewness = 0;
    this.kurtosis = 0;
    if (m2 > 0) {
      this.skewness = (s3 - 3 * off * s2 + 2 * square * off) / (m2 * Math.sqrt(m2));
      this.kurtosis = (s4 - 4 * off * s3 + 6 * square * s2 - 3 * square * square) / (m2 * m2);
    }
  }
}

/**
 * The discrete Fourier transform of real samples, X[k] = sum over n of x[n] e^(-2 pi i k n / size), in place, in single
 * precision. Two samples make one complex number, so that size / 2 points are transformed (radix 4, decimation in time;
 * Cooley and Tukey 1965) and then taken apart (Press et al., Numerical Recipes, "FFT of single real function"). Tables
 * are made in setup. The fixed-point one is fft-i16.ts; no inverse, no other sizes than powers of two.
 */

/** Pairs of indices below `count` (a power of two) that bit reversal exchanges. @setup */
export function bitReversal(count: i32): Uint16Array {
  const pairs: u16[] = [];
  for (let i = 0; i < count; i++) {
    let reversed = 0;
    for (let bit = 1; bit < count; bit *= 2) reversed = reversed * 2 + ((i & bit) === 0 ? 0 : 1);
    if (i < reversed) pairs.push(u16(i), u16(reversed));
  }
  return new Uint16Array(pairs);
}

/** Where radix-4 stages begin for `count` points: with groups of 1 point, or of 2 after a radix-2 stage. */
export function firstGroup(count: i32): i32 {
  let length = 1;
  while (length < count) length *= 4;
  return length === count ? 1 : 2;
}

/** Cosine and sine of 2 pi k / (4 length) times 2, 1 and 3 for k < length, for every radix-4 stage after the first. @setup */
export function stageTwiddles(count: i32): f64[] {
  const table: f64[] = [];
  for (let length = firstGroup(count) === 1 ? 4 : 2; length < count; length *= 4) {
    for (let k = 0; k < length; k++) {
      for (const times of [2, 1, 3]) {
        const angle = (2 * Math.PI * f64(times * k)) / (4 * f64(length));
        table.push(Math.cos(angle), Math.sin(angle));
      }
    }
  }
  return table;
}

/** Cosine and sine of 2 pi k / size for 0 < k < size / 4. @setup */
export function splitTwiddles(size: i32): f64[] {
  const table: f64[] = [];
  for (let k = 1; k < size >> 2; k++) {
    const angle = (2 * Math.PI * f64(k)) / f64(size);
    table.push(Math.cos(angle), Math.sin(angle));
  }
  return table;
}

/** @throws when it is no power of two from 8 to 8192. @setup */
export function checkFftSize(size: i32): void {
  if (size < 8 || size > 8192 || (size & (size - 1)) !== 0) {
    throw new Error("the size of an FFT is a power of two from 8 to 8192");
  }
}

/** Flash: 7 bytes per sample; RAM: none. */
export class RealFft {
  private readonly swaps: Uint16Array;
  private readonly stages: Float32Array;
  private readonly split: Float32Array;

  /** `size`: samples, a power of two from 8 to 8192. @setup */
  constructor(readonly size: i32) {
    checkFftSize(size);
    this.swaps = bitReversal(size >> 1);
    this.stages = Float32Array.from(stageTwiddles(size >> 1));
    this.split = Float32Array.from(splitTwiddles(size));
  }

  /**
   * Replaces `size` samples by their spectrum, packed: data[0] = X[0] and data[1] = X[size / 2] (both real), then
   * data[2k] and data[2k + 1] = real and imaginary part of X[k] for 0 < k < size / 2. Not scaled. The error of a value
   * is below 2^-25 log2(size) times the largest |X[k]|. Traps (`index`) when `data` is shorter.
   */
  run(data: Float32Array): void {
    this.reverse(data);
    let length = firstGroup(this.size >> 1);
    if (length === 1) {
      this.fours(data);
      length = 4;
    } else {
      this.twos(data);
    }
    let at = 0;
    while (2 * length < this.size) {
      this.stage(data, length, at);
      at += 6 * length;
      length *= 4;
    }
    this.takeApart(data);
  }

  private reverse(data: Float32Array): void {
    const swaps = this.swaps;
    for (let i = 1; i < swaps.length; i += 2) {
      const a = 2 * swaps[i - 1];
      const b = 2 * swaps[i];
      const re = data[a];
      const im = data[a + 1];
      data[a] = data[b];
      data[a + 1] = data[b + 1];
      data[b] = re;
      data[b + 1] = im;
    }
  }

  /** Transforms of 2 points. */
  private twos(data: Float32Array): void {
    for (let i = 0; i < this.size; i += 4) {
      const re = data[i + 2];
      const im = data[i + 3];
      data[i + 2] = data[i] - re;
      data[i + 3] = data[i + 1] - im;
      data[i] += re;
      data[i + 1] += im;
    }
  }

  /** Transforms of 4 points. */
  private fours(data: Float32Array): void {
    for (let i = 0; i < this.size; i += 8) {
      const sumRe = data[i] + data[i + 2];
      const sumIm = data[i + 1] + data[i + 3];
      const difRe = data[i] - data[i + 2];
      const difIm = data[i + 1] - data[i + 3];
      const oddRe = data[i + 4] + data[i + 6];
      const oddIm = data[i + 5] + data[i + 7];
      const turnRe = data[i + 5] - data[i + 7];
      const turnIm = data[i + 6] - data[i + 4];
      data[i] = sumRe + oddRe;
      data[i + 1] = sumIm + oddIm;
      data[i + 2] = difRe + turnRe;
      data[i + 3] = difIm + turnIm;
      data[i + 4] = sumRe - oddRe;
      data[i + 5] = sumIm - oddIm;
      data[i + 6] = difRe - turnRe;
      data[i + 7] = difIm - turnIm;
    }
  }

  /** Four transforms of `length` points become one of 4 length; their twiddles begin at `first`. */
  private stage(data: Float32Array, length: i32, first: i32): void {
    const stages = this.stages;
    const step = 2 * length;
    for (let k = 0; k < length; k++) {
      const at = first + 6 * k;
      const bCos = stages[at];
      const bSin = stages[at + 1];
      const cCos = stages[at + 2];
      const cSin = stages[at + 3];
      const dCos = stages[at + 4];
      const dSin = stages[at + 5];
      for (let a = 2 * k; a < this.size; a += 4 * step) {
        const b = a + step;
        const c = b + step;
        const d = c + step;
        const bRe = data[b] * bCos + data[b + 1] * bSin;
        const bIm = data[b + 1] * bCos - data[b] * bSin;
        const cRe = data[c] * cCos + data[c + 1] * cSin;
        const cIm = data[c + 1] * cCos - data[c] * cSin;
        const dRe = data[d] * dCos + data[d + 1] * dSin;
        const dIm = data[d + 1] * dCos - data[d] * dSin;
        const sumRe = data[a] + bRe;
        const sumIm = data[a + 1] + bIm;
        const difRe = data[a] - bRe;
        const difIm = data[a + 1] - bIm;
        const oddRe = cRe + dRe;
        const oddIm = cIm + dIm;
        const turnRe = cIm - dIm;
        const turnIm = dRe - cRe;
        data[a] = sumRe + oddRe;
        data[a + 1] = sumIm + oddIm;
        data[b] = difRe + turnRe;
        data[b + 1] = difIm + turnIm;
        data[c] = sumRe - oddRe;
        data[c + 1] = sumIm - oddIm;
        data[d] = difRe - turnRe;
        data[d + 1] = difIm - turnIm;
      }
    }
  }

  /** The spectrum of the real samples from that of the complex ones. */
  private takeApart(data: Float32Array): void {
    const split = this.split;
    const first = data[0];
    data[0] = first + data[1];
    data[1] = first - data[1];
    let low = 2;
    let high = this.size - 2;
    for (let i = 1; i < split.length; i += 2) {
      const cos = split[i - 1];
      const sin = split[i];
      const evenRe = 0.5 * (data[low] + data[high]);
      const evenIm = 0.5 * (data[low + 1] - data[high + 1]);
      const oddRe = 0.5 * (data[low + 1] + data[high + 1]);
      const oddIm = 0.5 * (data[high] - data[low]);
      const re = oddRe * cos + oddIm * sin;
      const im = oddIm * cos - oddRe * sin;
      data[low] = evenRe + re;
      data[low + 1] = evenIm + im;
      data[high] = evenRe - re;
      data[high + 1] = im - evenIm;
      low += 2;
      high -= 2;
    }
    data[low + 1] = -data[low + 1];
  }
}

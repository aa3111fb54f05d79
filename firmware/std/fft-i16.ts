/**
 * The discrete Fourier transform of real samples in 16-bit fixed point, in place: the algorithm of fft.ts with products
 * of 30 bits and one rounding per stage. Every stage scales, so that nothing overflows whatever the samples are: the
 * result is X[k] / size. The single precision one is fft.ts's.
 */
import { bitReversal, checkFftSize, firstGroup, splitTwiddles, stageTwiddles } from "./fft.js";

/** Fractions of 15 bits; 1 becomes 32767 / 32768. @setup */
function toQ15(values: f64[]): Int16Array {
  return Int16Array.from(values.map((v) => Math.max(-32767, Math.min(32767, Math.round(v * 32768)))));
}

/** Flash: 4 bytes per sample; RAM: none. */
export class RealFftI16 {
  private readonly swaps: Uint16Array;
  private readonly stages: Int16Array;
  private readonly split: Int16Array;

  /** `size`: samples, a power of two from 8 to 8192. @setup */
  constructor(readonly size: i32) {
    checkFftSize(size);
    this.swaps = bitReversal(size >> 1);
    this.stages = toQ15(stageTwiddles(size >> 1));
    this.split = toQ15(splitTwiddles(size));
  }

  /**
   * Replaces `size` samples by their spectrum divided by `size`, packed: data[0] = X[0] and data[1] = X[size / 2] (both
   * real), then data[2k] and data[2k + 1] = real and imaginary part of X[k] for 0 < k < size / 2. Scaling: the first
   * stage divides by 8 (4 points) or 4 (2 points), each further one of radix 4 by 4, the last does not. Any samples are
   * allowed. The error of a value is below 2.5 (of 32768). Traps (`index`) when `data` is shorter.
   */
  run(data: Int16Array): void {
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

  private reverse(data: Int16Array): void {
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

  /** Transforms of 2 points, divided by 4. */
  private twos(data: Int16Array): void {
    for (let i = 0; i < this.size; i += 4) {
      const aRe = data[i] + 2;
      const aIm = data[i + 1] + 2;
      const bRe = data[i + 2];
      const bIm = data[i + 3];
      data[i] = i16((aRe + bRe) >> 2);
      data[i + 1] = i16((aIm + bIm) >> 2);
      data[i + 2] = i16((aRe - bRe) >> 2);
      data[i + 3] = i16((aIm - bIm) >> 2);
    }
  }

  /** Transforms of 4 points, divided by 8. */
  private fours(data: Int16Array): void {
    for (let i = 0; i < this.size; i += 8) {
      const sumRe = data[i] + data[i + 2] + 4;
      const sumIm = data[i + 1] + data[i + 3] + 4;
      const difRe = data[i] - data[i + 2] + 4;
      const difIm = data[i + 1] - data[i + 3] + 4;
      const oddRe = data[i + 4] + data[i + 6];
      const oddIm = data[i + 5] + data[i + 7];
      const turnRe = data[i + 5] - data[i + 7];
      const turnIm = data[i + 6] - data[i + 4];
      data[i] = i16((sumRe + oddRe) >> 3);
      data[i + 1] = i16((sumIm + oddIm) >> 3);
      data[i + 2] = i16((difRe + turnRe) >> 3);
      data[i + 3] = i16((difIm + turnIm) >> 3);
      data[i + 4] = i16((sumRe - oddRe) >> 3);
      data[i + 5] = i16((sumIm - oddIm) >> 3);
      data[i + 6] = i16((difRe - turnRe) >> 3);
      data[i + 7] = i16((difIm - turnIm) >> 3);
    }
  }

  /** Four transforms of `length` points become one of 4 length, divided by 4; their twiddles begin at `first`. */
  private stage(data: Int16Array, length: i32, first: i32): void {
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
        // Four times the values, so that only the last shift rounds.
        const aRe = data[a] * 4 + 8;
        const aIm = data[a + 1] * 4 + 8;
        const bRe = (data[b] * bCos + data[b + 1] * bSin) >> 13;
        const bIm = (data[b + 1] * bCos - data[b] * bSin) >> 13;
        const cRe = (data[c] * cCos + data[c + 1] * cSin) >> 13;
        const cIm = (data[c + 1] * cCos - data[c] * cSin) >> 13;
        const dRe = (data[d] * dCos + data[d + 1] * dSin) >> 13;
        const dIm = (data[d + 1] * dCos - data[d] * dSin) >> 13;
        const sumRe = aRe + bRe;
        const sumIm = aIm + bIm;
        const difRe = aRe - bRe;
        const difIm = aIm - bIm;
        const oddRe = cRe + dRe;
        const oddIm = cIm + dIm;
        const turnRe = cIm - dIm;
        const turnIm = dRe - cRe;
        data[a] = i16((sumRe + oddRe) >> 4);
        data[a + 1] = i16((sumIm + oddIm) >> 4);
        data[b] = i16((difRe + turnRe) >> 4);
        data[b + 1] = i16((difIm + turnIm) >> 4);
        data[c] = i16((sumRe - oddRe) >> 4);
        data[c + 1] = i16((sumIm - oddIm) >> 4);
        data[d] = i16((difRe - turnRe) >> 4);
        data[d + 1] = i16((difIm - turnIm) >> 4);
      }
    }
  }

  /** The spectrum of the real samples from that of the complex ones. */
  private takeApart(data: Int16Array): void {
    const split = this.split;
    const first = data[0];
    const second = data[1];
    data[0] = sat.i16(first + second);
    data[1] = sat.i16(first - second);
    let low = 2;
    let high = this.size - 2;
    for (let i = 1; i < split.length; i += 2) {
      const cos = split[i - 1];
      const sin = split[i];
      // Eight times the values.
      const evenRe = (data[low] + data[high]) * 4 + 4;
      const evenIm = (data[low + 1] - data[high + 1]) * 4;
      const oddRe = data[low + 1] + data[high + 1];
      const oddIm = data[high] - data[low];
      const re = (oddRe * cos + oddIm * sin) >> 13;
      const im = ((oddIm * cos - oddRe * sin) >> 13) + 4;
      data[low] = i16((evenRe + re) >> 3);
      data[low + 1] = i16((evenIm + im) >> 3);
      data[high] = i16((evenRe - re) >> 3);
      data[high + 1] = i16((im - evenIm) >> 3);
      low += 2;
      high -= 2;
    }
    data[low + 1] = sat.i16(-data[low + 1]);
  }
}

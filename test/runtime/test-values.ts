/** Doubles for tests, the same sequence as test-values.h makes. */

const words = new Uint32Array(2);
const double = new Float64Array(words.buffer);
const float = new Float32Array(words.buffer);

export class TestValues {
  /** The last random word, unsigned. */
  state = 2463534242;

  private random(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  next(kind: number): number {
    const a = this.random();
    const b = this.random();
    switch (kind % 8) {
      case 0:
      case 1:
        return doubleOf(a, b);
      case 2:
        return (a | 0) / 2 ** (b % 31);
      case 3:
        words[0] = a & 0xff7fffff;
        return float[0] ?? 0;
      case 4:
        return ((a | 0) >> (b % 32)) + 0.5;
      case 5:
        return doubleOf(((a & 0x800fffff) | ((963 + (b % 120)) << 20)) >>> 0, b);
      case 6:
        return doubleOf((a % 4095) << 20, b % 3) * (b % 2 === 0 ? 1 : -1);
      default:
        return a / ((b % 100000) + 1);
    }
  }
}

export function doubleOf(high: number, low: number): number {
  words[1] = high;
  words[0] = low;
  return double[0] ?? 0;
}

/** 16 hexadecimal digits; all NaNs alike. */
export function hex64(value: number): string {
  double[0] = Number.isNaN(value) ? doubleOf(0x7ff80000, 0) : value;
  return hex32(words[1] ?? 0) + hex32(words[0] ?? 0);
}

/** 8 hexadecimal digits of the value rounded to single precision; all NaNs alike. */
export function hexF32(value: number): string {
  float[0] = value;
  return Number.isNaN(value) ? "7fc00000" : hex32(words[0] ?? 0);
}

/** 8 hexadecimal digits of an integer modulo 2^32. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

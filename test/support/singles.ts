/** Singles for tests of f32 functions: samples over all bit patterns, and errors in units in the last place. */

const view = new DataView(new ArrayBuffer(4));

export function singleOfBits(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

export function bitsOfSingle(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

/** Zeros, infinities, NaN, the ends of the denormal and normal ranges, ones and their neighbours, of both signs. */
export const specialSingles: readonly number[] = [
  0, 1, 0x7fffff, 0x800000, 0x33800000, 0x3f000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x40000000,
  0x40400000, 0x4b7fffff, 0x4b800000, 0x4f000000, 0x7f7fffff, 0x7f800000, 0x7fc00000,
].flatMap((bits) => [singleOfBits(bits), singleOfBits(bits + 0x80000000)]);

/** Every `stride`-th single of all 2^32 bit patterns, infinities and a few NaN included. */
export function* everySingle(stride: number): Generator<number> {
  for (let bits = 0; bits < 2 ** 32; bits += stride) {
    if ((bits & 0x7fffffff) <= 0x7f800001) yield singleOfBits(bits);
  }
}

/** Uniform numbers 0 <= x < 1, the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const largest = 3.4028234663852886e38;
const spacingAtLargest = 2 ** 104;

/**
 * How far `value` is from `exact`, in units in the last place of `exact` (2^-149 below 2^-126). Infinity where they
 * differ in being NaN, infinite or zero with a certain sign, or when `value` is no single.
 */
export function errorInUlp(value: number, exact: number): number {
  if (!Object.is(value, Math.fround(value))) return Infinity;
  if (Number.isNaN(exact) || Number.isNaN(value)) return Object.is(value, exact) ? 0 : Infinity;
  if (exact === 0 || Math.abs(exact) === Infinity) return Object.is(value, exact) ? 0 : Infinity;
  if (value === 0 && Object.is(value, -0) !== exact < 0) return Infinity;
  if (Math.abs(value) === Infinity) {
    const beyond = largest + spacingAtLargest - Math.abs(exact);
    return value > 0 === exact > 0 ? Math.max(0, beyond / spacingAtLargest) : Infinity;
  }
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  // log2 rounds: just below a power of two it may give the power.
  const unit = 2 ** (Math.abs(exact) < 2 ** exponent ? Math.max(exponent - 1, -126) - 23 : exponent - 23);
  return Math.abs(value - exact) / Math.min(unit, spacingAtLargest);
}

/** The worst of many: for messages that name the argument. */
export class Worst {
  error = 0;
  at = "";

  take(value: number, exact: number, ...args: readonly number[]): void {
    const error = errorInUlp(value, exact);
    if (error > this.error) {
      this.error = error;
      this.at = `f(${args.join(", ")}) = ${value}, exactly ${exact}`;
    }
  }

  /** "" when the error is below `ulps`. */
  above(ulps: number): string {
    return this.error < ulps ? "" : `${this.error} ulp: ${this.at}`;
  }
}

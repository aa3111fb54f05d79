/**
 * Weights back from the streams that fast kernels read (kernels/pack.ts the other way): layers that the reference kernels
 * compute with the same result. Fully connected layers come back with the input's zero point inside their biases.
 */
import { denseGroups } from "../kernels/pack.js";

/** Words of a constant, from its first; any number of them. */
export type Words = (i: number) => number;

export interface Unpacked {
  readonly filter: Int8Array;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int8Array;
}

/** Collects the channels of one layer; weight `k` of channel `c` is where `index` says. */
class Channels implements Unpacked {
  readonly filter: Int8Array;
  readonly bias: Int32Array;
  readonly multiplier: Int32Array;
  readonly shift: Int8Array;
  constructor(
    readonly channels: number,
    readonly depth: number,
    private readonly outputOffset: number,
    private readonly index: (c: number, k: number) => number,
  ) {
    this.filter = new Int8Array(channels * depth);
    this.bias = new Int32Array(channels);
    this.multiplier = new Int32Array(channels);
    this.shift = new Int8Array(channels);
  }
  set(c: number, k: number, weight: number): void {
    if (c < this.channels && k < this.depth) {
      this.filter[this.index(c, k)] = weight;
    }
  }
  /** A `tmc_right_shift`. With multiplier 0 the output is constant: 1 * (its difference to the offset). */
  rightShift(c: number, multiplier: number, rounding: number, shift: number): void {
    if (c >= this.channels) {
      return;
    }
    if (multiplier !== 0) {
      this.multiplier[c] = multiplier;
      this.shift[c] = -shift;
      return;
    }
    for (let k = 0; k < this.depth; k++) {
      this.set(c, k, 0);
    }
    this.bias[c] = Math.round((rounding - 2 ** (shift - 1)) / 2 ** shift) - this.outputOffset;
    this.multiplier[c] = 2 ** 30;
    this.shift[c] = 1;
  }
}

const low = (word: number): number => (word << 16) >> 16;
const high = (word: number): number => word >> 16;
/** The two weights of a half: that of the first channel, that of the second. */
const first = (half: number): number => (half << 24) >> 24;
const second = (half: number): number => (half - first(half)) >> 8;

interface Shape {
  readonly channels: number;
  /** Weights of a channel. */
  readonly depth: number;
  readonly outputOffset: number;
}

const byChannel =
  (depth: number) =>
  (c: number, k: number): number =>
    c * depth + k;

function columns({ channels, depth, outputOffset }: Shape): Channels {
  return new Channels(channels, depth, outputOffset, byChannel(depth));
}

/** packConv2D */
export function unpackConv2D(words: Words, shape: Shape): Unpacked {
  const out = columns(shape);
  const pairs = 2 * Math.ceil(shape.depth / 4);
  for (let at = 0, c = 0; c < shape.channels; c += 2, at += pairs + 8) {
    const a = Math.min(c, shape.channels - 2);
    out.bias[a] = words(at + 1);
    out.bias[a + 1] = (words(at) - words(at + 1)) >> 8;
    for (let i = 0; i < pairs; i++) {
      const k = 4 * (i >> 1) + (i % 2);
      const word = words(at + 2 + i);
      out.set(a, k, first(low(word)));
      out.set(a + 1, k, second(low(word)));
      out.set(a, k + 2, first(high(word)));
      out.set(a + 1, k + 2, second(high(word)));
    }
    const r = at + 2 + pairs;
    out.rightShift(a, words(r), words(r + 1), words(r + 2));
    out.rightShift(a + 1, words(r + 3), words(r + 4), words(r + 5));
  }
  return out;
}

/** packGeneralConv2D; the weights alone. */
export function unpackGeneralConv2D(words: Words, shape: Shape): Int8Array {
  const out = columns(shape);
  const pairs = 2 * Math.ceil(shape.depth / 4);
  for (let at = 0, c = 0; c < shape.channels; c += 2, at += pairs) {
    for (let i = 0; i < pairs; i++) {
      setBytes(out, c, 4 * (i >> 1) + (i % 2), words(at + i));
    }
  }
  return out.filter;
}

function setBytes(out: Channels, c: number, k: number, word: number): void {
  out.set(c, k, (word << 24) >> 24);
  out.set(c + 1, k, (word << 16) >> 24);
  out.set(c, k + 2, (word << 8) >> 24);
  out.set(c + 1, k + 2, word >> 24);
}

/** packDense; `shifts` and `step` as packRequantization gives them. */
export function unpackDense(
  words: Words,
  wide: boolean,
  shifts: Words,
  step: number,
  shape: Shape,
): Unpacked {
  const out = columns(shape);
  const steps = Math.ceil(shape.depth / 4);
  let at = 0;
  let c = 0;
  for (const size of denseGroups(shape.channels, wide)) {
    const pairs = size / 2;
    for (let pair = 0; pair < pairs; pair++) {
      out.bias[c + 2 * pair] = words(at + 2 * pair + 1);
      out.bias[c + 2 * pair + 1] = (words(at + 2 * pair) - words(at + 2 * pair + 1)) >> 8;
    }
    for (let i = 0; i < size * steps; i++) {
      const k = 4 * Math.floor(i / size) + (Math.floor(i / pairs) % 2);
      const to = c + 2 * (i % pairs);
      const word = words(at + size + i);
      out.set(to, k, first(low(word)));
      out.set(to + 1, k, second(low(word)));
      out.set(to, k + 2, first(high(word)));
      out.set(to + 1, k + 2, second(high(word)));
    }
    at += size * (1 + steps);
    c += size;
  }
  for (let channel = 0; channel < shape.channels; channel++) {
    const r = 3 * step * channel;
    out.rightShift(channel, shifts(r), shifts(r + 1), shifts(r + 2));
  }
  return out;
}

/** packGeneralDense; the weights alone. */
export function unpackGeneralDense(words: Words, shape: Shape): Int8Array {
  const out = columns(shape);
  const steps = Math.ceil(shape.depth / 4);
  for (let at = 0, c = 0; c < shape.channels; c += 4, at += 4 * steps) {
    for (let i = 0; i < 4 * steps; i++) {
      setBytes(out, c + 2 * (i % 2), 4 * (i >> 2) + ((i >> 1) % 2), words(at + i));
    }
  }
  return out.filter;
}

/** packDepthwise. */
export function unpackDepthwise(words: Words, compact: boolean, shape: Shape): Unpacked {
  const { channels, depth: taps, outputOffset } = shape;
  const out = new Channels(channels, taps, outputOffset, (c, k) => k * channels + c);
  const tapWords = compact ? taps : 2 * taps;
  for (let at = 0, c = 0; c < channels; c += 4, at += tapWords + 16) {
    for (let i = 0; i < 4; i++) {
      if (c + i < channels) {
        out.bias[c + i] = words(at + i) >> 1;
      }
    }
    for (let k = 0; k < taps; k++) {
      if (compact) {
        const word = words(at + 4 + k);
        [0, 1, 2, 3].forEach((i) => out.set(c + i, k, (word << (24 - 8 * i)) >> 24));
      } else {
        setTap(out, c, k, [words(at + 4 + 2 * k), words(at + 5 + 2 * k)], 1);
      }
    }
    const r = at + 4 + tapWords;
    for (let i = 0; i < 4; i++) {
      const own = r + 4 * (i >> 1) + (i % 2);
      out.rightShift(c + i, words(own), words(own + 2), words(r + 8 + i));
    }
  }
  return out;
}

/** packDepthwiseTaps. */
export function unpackDepthwiseTaps(words: Words, shape: Shape): Int8Array {
  const { channels, depth: taps, outputOffset } = shape;
  const out = new Channels(channels, taps, outputOffset, (c, k) => k * channels + c);
  for (let at = 0, c = 0; c < channels; c += 4) {
    for (let k = 0; k < taps; k++, at += 2) {
      setTap(out, c, k, [words(at), words(at + 1)], 0);
    }
  }
  return out.filter;
}

/** Weights of four channels in two words, shifted left by `doubled`. */
function setTap(
  out: Channels,
  c: number,
  k: number,
  [even, odd]: readonly [number, number],
  doubled: number,
): void {
  out.set(c, k, low(even) >> doubled);
  out.set(c + 1, k, low(odd) >> doubled);
  out.set(c + 2, k, high(even) >> doubled);
  out.set(c + 3, k, high(odd) >> doubled);
}

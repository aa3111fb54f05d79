/** Packs weights, start values and requantisation into the streams that the fast kernels read (runtime-c/kernels). */
import type { Conv2DLayer, DepthwiseConv2DLayer, FullyConnectedLayer } from "../layers.js";
import { channelPairs, paddedDepth } from "./choose.js";
import { weightIndex, type RightShift, type WeightedLayer } from "./ranges.js";

/** Grows; words are kept modulo 2^32. */
class Stream {
  private readonly words: number[] = [];
  push(...words: readonly number[]): void {
    this.words.push(...words);
  }
  /** Two int16 in one word. */
  pushPair(low: number, high: number): void {
    this.words.push((low & 0xffff) | (high << 16));
  }
  toArray(): Uint32Array {
    return Uint32Array.from(this.words);
  }
}

function pushShift(stream: Stream, { multiplier, rounding, shift }: RightShift): void {
  stream.push(multiplier, rounding, shift);
}

/** The half word that multiplies one input for two channels; channels that do not exist weigh 0. */
function half(layer: WeightedLayer, first: number, second: number, k: number): number {
  const channels = layer.multiplier.length;
  const depth = layer.filter.length / channels;
  const weight = (c: number): number =>
    c < channels && k < depth ? (layer.filter[weightIndex(layer, c, k)] ?? 0) : 0;
  return weight(first) + 256 * weight(second);
}

/** Of channels that do not exist. */
const none: RightShift = { multiplier: 0, rounding: 1, shift: 1 };

/** conv_block.h */
export function packConv2D(layer: Conv2DLayer, requantization: readonly RightShift[]): Uint32Array {
  const stream = new Stream();
  const depth = paddedDepth(layer);
  for (const [first, second] of channelPairs(layer.multiplier.length)) {
    const bias = layer.bias?.[first] ?? 0;
    stream.push(bias + 256 * (layer.bias?.[second] ?? 0), bias);
    for (let k = 0; k < depth; k += 4) {
      stream.pushPair(half(layer, first, second, k), half(layer, first, second, k + 2));
      stream.pushPair(half(layer, first, second, k + 1), half(layer, first, second, k + 3));
    }
    pushShift(stream, requantization[first] ?? none);
    pushShift(stream, requantization[second] ?? none);
  }
  return stream.toArray();
}

/** winograd_conv2d.c */
export function packWinograd(layer: Conv2DLayer, requantization: readonly RightShift[]): Uint32Array {
  const stream = new Stream();
  const { inputChannels, outputChannels } = layer.geometry;
  for (let first = 0; first < outputChannels; first += 2) {
    for (const o of [first, first + 1]) {
      for (let c = 0; c < inputChannels; c += 4) {
        for (let tap = 0; tap < 9; tap++) {
          const byte = (i: number): number =>
            (layer.filter[(o * 9 + tap) * inputChannels + c + i] ?? 0) & 255;
          stream.push(byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24));
        }
      }
    }
    for (const o of [first, first + 1]) {
      stream.push(2 * (layer.bias?.[o] ?? 0));
      pushShift(stream, requantization[o] ?? none);
    }
  }
  return stream.toArray();
}

/**
 * How many channels are computed together: sixes first in a wide layer (one less where that leaves whole fours), then
 * fours, the last one perhaps not full.
 */
export function denseGroups(outputDepth: number, wide: boolean): number[] {
  const sixes = wide ? Math.floor(outputDepth / 6) - (outputDepth % 6 === 2 ? 1 : 0) : 0;
  const fours = Math.ceil((outputDepth - 6 * sixes) / 4);
  return [...Array.from({ length: sixes }, () => 6), ...Array.from({ length: fours }, () => 4)];
}

/** dense_block.h */
export function packDense(layer: FullyConnectedLayer, wide: boolean): Uint32Array {
  const stream = new Stream();
  const biases = denseBiases(layer);
  const bias = (c: number): number => biases[c] ?? 0;
  let first = 0;
  for (const size of denseGroups(layer.outputDepth, wide)) {
    const start = first;
    const evens = Array.from({ length: size / 2 }, (_, i) => start + 2 * i);
    evens.forEach((c) => stream.push(bias(c) + 256 * bias(c + 1), bias(c)));
    for (let k = 0; k < layer.inputDepth; k += 4) {
      for (const i of [k, k + 1]) {
        evens.forEach((c) => stream.pushPair(half(layer, c, c + 1, i), half(layer, c, c + 1, i + 2)));
      }
    }
    first += size;
  }
  return stream.toArray();
}

/** Biases with the input's zero point multiplied in, true sums; up to a multiple of 4 with zeros. */
function denseBiases(layer: FullyConnectedLayer): number[] {
  const { inputDepth, outputDepth } = layer;
  return Array.from({ length: Math.ceil(outputDepth / 4) * 4 }, (_, c) => {
    let sum = layer.bias?.[c] ?? 0;
    for (let k = 0; c < outputDepth && k < inputDepth; k++) {
      sum += (layer.filter[c * inputDepth + k] ?? 0) * layer.inputOffset;
    }
    return sum;
  });
}

/** The bytes that multiply inputs `k` and `k + 2` for two channels of a general layer. */
function pushBytes(stream: Stream, layer: WeightedLayer, first: number, k: number): void {
  const channels = layer.multiplier.length;
  const depth = layer.filter.length / channels;
  const byte = (c: number, i: number): number =>
    c < channels && i < depth ? (layer.filter[weightIndex(layer, c, i)] ?? 0) & 255 : 0;
  const [second, other] = [first + 1, k + 2];
  stream.push(
    byte(first, k) | (byte(second, k) << 8) | (byte(first, other) << 16) | (byte(second, other) << 24),
  );
}

/** general_conv2d.c */
export function packGeneralConv2D(layer: Conv2DLayer): Uint32Array {
  const stream = new Stream();
  for (let c = 0; c < layer.multiplier.length; c += 2) {
    for (let k = 0; k < paddedDepth(layer); k += 4) {
      pushBytes(stream, layer, c, k);
      pushBytes(stream, layer, c, k + 1);
    }
  }
  return stream.toArray();
}

/** dense_block.h; the biases wrap modulo 2^32. */
export function packGeneralDense(layer: FullyConnectedLayer): { stream: Uint32Array; bias: Int32Array } {
  const stream = new Stream();
  for (let c = 0; c < layer.outputDepth; c += 4) {
    for (let k = 0; k < layer.inputDepth; k += 4) {
      for (const i of [k, k + 1]) {
        pushBytes(stream, layer, c, i);
        pushBytes(stream, layer, c + 2, i);
      }
    }
  }
  return { stream: stream.toArray(), bias: Int32Array.from(denseBiases(layer)) };
}

/** One entry when all channels are requantised alike, else one each and three more, which may be read. */
export function packRequantization(requantization: readonly RightShift[]): {
  words: Int32Array;
  step: 0 | 1;
} {
  const words = requantization.map(({ multiplier, rounding, shift }) => [multiplier, rounding, shift]);
  const [first] = words;
  const alike = first !== undefined && words.every((one) => one.every((word, i) => word === first[i]));
  const filled = Array.from({ length: words.length + 3 }, (_, c) => words[c] ?? [0, 1, 1]);
  return { words: Int32Array.from((alike ? words.slice(0, 1) : filled).flat()), step: alike ? 0 : 1 };
}

/** depthwise_block.h; `compact`: to be copied to RAM. */
export function packDepthwise(
  layer: DepthwiseConv2DLayer,
  requantization: readonly RightShift[],
  compact: boolean,
): Uint32Array {
  const stream = new Stream();
  const channels = layer.multiplier.length;
  const taps = layer.filter.length / channels;
  for (let c = 0; c < channels; c += 4) {
    stream.push(...[0, 1, 2, 3].map((i) => 2 * (layer.bias?.[c + i] ?? 0)));
    for (let k = 0; k < taps; k++) {
      const weights = fourWeights(layer, c, k);
      if (compact) {
        stream.push(weights.reduce((word, weight, i) => word | ((weight & 255) << (8 * i)), 0));
      } else {
        pushTap(stream, weights, 2);
      }
    }
    const four = [0, 1, 2, 3].map((i) => requantization[c + i] ?? none);
    for (const two of [four.slice(0, 2), four.slice(2)]) {
      stream.push(...two.map((r) => r.multiplier), ...two.map((r) => r.rounding));
    }
    stream.push(...four.map((r) => r.shift));
  }
  return stream.toArray();
}

/** Only the taps: general_depthwise_conv2d.c without right shifts. */
export function packDepthwiseTaps(layer: DepthwiseConv2DLayer): Uint32Array {
  const stream = new Stream();
  const channels = layer.multiplier.length;
  for (let c = 0; c < channels; c += 4) {
    for (let k = 0; k < layer.filter.length / channels; k++) {
      pushTap(stream, fourWeights(layer, c, k), 1);
    }
  }
  return stream.toArray();
}

/** Of tap `k` of channels c..c+3; those that do not exist weigh 0. */
function fourWeights(layer: DepthwiseConv2DLayer, c: number, k: number): number[] {
  const channels = layer.multiplier.length;
  return [0, 1, 2, 3].map((i) => (c + i < channels ? (layer.filter[weightIndex(layer, c + i, k)] ?? 0) : 0));
}

function pushTap(stream: Stream, four: readonly number[], times: number): void {
  const [a = 0, b = 0, c = 0, d = 0] = four;
  stream.pushPair(times * a, times * c);
  stream.pushPair(times * b, times * d);
}

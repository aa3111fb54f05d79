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

/** conv_block.h */
export function packConv2D(layer: Conv2DLayer, requantization: readonly RightShift[]): Uint32Array {
  const stream = new Stream();
  const depth = paddedDepth(layer);
  const none: RightShift = { multiplier: 0, rounding: 1, shift: 1 };
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

/** fast_fully_connected.c */
export function packDense(layer: FullyConnectedLayer): Uint32Array {
  const stream = new Stream();
  const { inputDepth, outputDepth } = layer;
  const bias = (c: number): number => {
    let sum = layer.bias?.[c] ?? 0;
    for (let k = 0; c < outputDepth && k < inputDepth; k++) {
      sum += (layer.filter[c * inputDepth + k] ?? 0) * layer.inputOffset;
    }
    return c < outputDepth ? sum : 0;
  };
  for (let c = 0; c < outputDepth; c += 4) {
    stream.push(bias(c) + 256 * bias(c + 1), bias(c), bias(c + 2) + 256 * bias(c + 3), bias(c + 2));
    for (let k = 0; k < inputDepth; k += 4) {
      for (const i of [k, k + 1]) {
        stream.pushPair(half(layer, c, c + 1, i), half(layer, c, c + 1, i + 2));
        stream.pushPair(half(layer, c + 2, c + 3, i), half(layer, c + 2, c + 3, i + 2));
      }
    }
  }
  return stream.toArray();
}

/** One entry when all channels are requantised alike, else one each. */
export function packRequantization(requantization: readonly RightShift[]): {
  words: Int32Array;
  step: 0 | 1;
} {
  const words = requantization.map(({ multiplier, rounding, shift }) => [multiplier, rounding, shift]);
  const [first] = words;
  const alike = first !== undefined && words.every((one) => one.every((word, i) => word === first[i]));
  return { words: Int32Array.from((alike ? words.slice(0, 1) : words).flat()), step: alike ? 0 : 1 };
}

/** depthwise_block.h */
export function packDepthwise(
  layer: DepthwiseConv2DLayer,
  requantization: readonly RightShift[],
): Uint32Array {
  const stream = new Stream();
  const channels = layer.multiplier.length;
  const taps = layer.filter.length / channels;
  const weight = (c: number, k: number): number => 2 * (layer.filter[weightIndex(layer, c, k)] ?? 0);
  for (let c = 0; c < channels; c += 4) {
    stream.push(...[0, 1, 2, 3].map((i) => 2 * (layer.bias?.[c + i] ?? 0)));
    for (let k = 0; k < taps; k++) {
      stream.pushPair(weight(c, k), weight(c + 2, k));
      stream.pushPair(weight(c + 1, k), weight(c + 3, k));
    }
    const four = requantization.slice(c, c + 4);
    stream.push(...four.map((r) => r.multiplier));
    stream.push(...four.map((r) => r.rounding));
    stream.push(...four.map((r) => r.shift));
  }
  return stream.toArray();
}

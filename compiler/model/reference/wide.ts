/**
 * The kernels of int16 activations on Node.js: the same loops and roundings as `runtime-c/kernels/wide.c`. Tensors are
 * views of int16 elements; sums are exact (below 2^47) in doubles.
 */
import type {
  WideConv2DLayer,
  WideDepthwiseConv2DLayer,
  WideFullyConnectedLayer,
  WidePoolLayer,
  WideSigmoidLayer,
  WideSoftmaxLayer,
  WideWeights,
} from "../layers-wide.js";
import { multiplyByQuantizedMultiplier } from "./arithmetic.js";

function clamp(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}

/** The accumulator of output channel `c` as int16. */
function requantize(acc: number, c: number, layer: WideWeights): number {
  const multiplier = layer.multiplier[c] ?? 0;
  const reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
  const shift = BigInt(15 - (layer.shift[c] ?? 0));
  const sum = BigInt(acc) + (layer.bias?.[c] ?? 0n);
  const scaled = (sum * BigInt(reduced) + (1n << (shift - 1n))) >> shift;
  return clamp(Number(BigInt.asIntN(32, scaled)), layer.clamp.min, layer.clamp.max);
}

export function wideConv2D(layer: WideConv2DLayer, input: Int16Array, output: Int16Array): void {
  const { geometry: g, filter } = layer;
  const depth = g.inputChannels;
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    for (let x = 0; x < g.outputWidth; x++) {
      for (let c = 0; c < g.outputChannels; c++) {
        let acc = 0;
        for (let fy = 0; fy < g.filterHeight; fy++) {
          const iy = y * g.strideHeight - g.padTop + fy * g.dilationHeight;
          for (let fx = 0; fx < g.filterWidth && iy >= 0 && iy < g.inputHeight; fx++) {
            const ix = x * g.strideWidth - g.padLeft + fx * g.dilationWidth;
            if (ix < 0 || ix >= g.inputWidth) {
              continue;
            }
            const from = (iy * g.inputWidth + ix) * depth;
            const weights = ((c * g.filterHeight + fy) * g.filterWidth + fx) * depth;
            for (let k = 0; k < depth; k++) {
              acc += (filter[weights + k] ?? 0) * (input[from + k] ?? 0);
            }
          }
        }
        output[out++] = requantize(acc, c, layer);
      }
    }
  }
}

export function wideDepthwiseConv2D(
  layer: WideDepthwiseConv2DLayer,
  input: Int16Array,
  output: Int16Array,
): void {
  const { geometry: g, filter } = layer;
  const channels = g.outputChannels;
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    for (let x = 0; x < g.outputWidth; x++) {
      for (let c = 0; c < channels; c++) {
        const from = Math.floor(c / layer.depthMultiplier);
        let acc = 0;
        for (let fy = 0; fy < g.filterHeight; fy++) {
          const iy = y * g.strideHeight - g.padTop + fy * g.dilationHeight;
          for (let fx = 0; fx < g.filterWidth && iy >= 0 && iy < g.inputHeight; fx++) {
            const ix = x * g.strideWidth - g.padLeft + fx * g.dilationWidth;
            if (ix >= 0 && ix < g.inputWidth) {
              const weight = filter[(fy * g.filterWidth + fx) * channels + c] ?? 0;
              acc += weight * (input[(iy * g.inputWidth + ix) * g.inputChannels + from] ?? 0);
            }
          }
        }
        output[out++] = requantize(acc, c, layer);
      }
    }
  }
}

export function wideFullyConnected(
  layer: WideFullyConnectedLayer,
  input: Int16Array,
  output: Int16Array,
): void {
  const { filter, inputDepth, outputDepth } = layer;
  for (let row = 0; row < layer.rows; row++) {
    for (let c = 0; c < outputDepth; c++) {
      let acc = 0;
      for (let k = 0; k < inputDepth; k++) {
        acc += (filter[c * inputDepth + k] ?? 0) * (input[row * inputDepth + k] ?? 0);
      }
      output[row * outputDepth + c] = requantize(acc, c, layer);
    }
  }
}

export function widePool(layer: WidePoolLayer, input: Int16Array, output: Int16Array): void {
  const { geometry: g } = layer;
  const depth = g.inputChannels;
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    const startY = Math.max(0, y * g.strideHeight - g.padTop);
    const endY = Math.min(y * g.strideHeight - g.padTop + g.filterHeight, g.inputHeight);
    for (let x = 0; x < g.outputWidth; x++) {
      const startX = Math.max(0, x * g.strideWidth - g.padLeft);
      const endX = Math.min(x * g.strideWidth - g.padLeft + g.filterWidth, g.inputWidth);
      const count = (endY - startY) * (endX - startX);
      for (let c = 0; c < depth; c++) {
        let sum = 0;
        let max = -32768;
        for (let iy = startY; iy < endY; iy++) {
          for (let ix = startX; ix < endX; ix++) {
            const value = input[(iy * g.inputWidth + ix) * depth + c] ?? 0;
            sum += value;
            max = value > max ? value : max;
          }
        }
        const half = count >> 1;
        const mean = Math.trunc((sum > 0 ? sum + half : sum - half) / count);
        const value = layer.kind === "WideMaxPool2D" ? max : mean;
        output[out++] = clamp(value, layer.clamp.min, layer.clamp.max);
      }
    }
  }
}

/** `output` may be `input`. */
export function wideSigmoid(layer: WideSigmoidLayer, input: Int16Array, output: Int16Array): void {
  const { table, multiplier, shift } = layer;
  const rounding = shift > 0 ? 2 ** (shift - 1) : 0;
  const tanh = layer.kind === "WideTanh";
  const bits = tanh ? 8 : 9; // of the fraction between two entries of the table
  for (let i = 0; i < layer.count; i++) {
    const x = ((input[i] ?? 0) * multiplier + rounding) >> shift;
    const magnitude = Math.abs(x);
    const at = magnitude >> bits;
    const low = table[at] ?? 0;
    const fraction = magnitude & ((1 << bits) - 1);
    const saturated = tanh ? 0xffff << 8 : 0x7fff << 10;
    const value = at >= 255 ? saturated : (low << bits) + fraction * ((table[at + 1] ?? 0) - low);
    output[i] = tanh
      ? (x >= 0 ? value - (1 << 23) + 128 : -value + (1 << 23) + 127) >> 8
      : (x >= 0 ? value + 512 : (1 << 25) - value + 511) >> 10;
  }
}

/** A table of 513 values at the upper 9 bits of `value`, the lower 7 interpolate. */
function interpolated(value: number, table: Int16Array): number {
  const at = 256 + (value >> 7);
  const base = table[at] ?? 0;
  const slope = (table[at + 1] ?? 0) - base;
  return base + ((slope * (value & 127) + 64) >> 7);
}

export function wideSoftmax(layer: WideSoftmaxLayer, input: Int16Array, output: Int16Array): void {
  const { depth, multiplier, shift } = layer;
  for (let row = 0; row < layer.rows; row++) {
    const from = row * depth;
    let max = -32768;
    for (let c = 0; c < depth; c++) {
      max = Math.max(max, input[from + c] ?? 0);
    }
    let sum = 0; // Q16.15
    for (let c = 0; c < depth; c++) {
      const difference = multiplyByQuantizedMultiplier((input[from + c] ?? 0) - max, multiplier, shift);
      const exponential = interpolated(clamp(difference + 32767, -32768, 32767), layer.exponentials);
      output[from + c] = exponential;
      sum += exponential;
    }
    const headroom = Math.clz32(sum);
    const shifted = Math.floor((sum * 2 ** (headroom - 1) + 8192) / 16384);
    const reciprocal = interpolated(clamp(shifted - 98304, -32768, 32767), layer.reciprocals);
    const right = 31 - headroom;
    for (let c = 0; c < depth; c++) {
      const product = (output[from + c] ?? 0) * reciprocal + 2 ** (right - 1);
      output[from + c] = clamp(Math.floor(product / 2 ** right), 0, 32767);
    }
  }
}

/** round() of C for floats. */
function roundFloat(x: number): number {
  return Math.fround(Math.sign(x) * Math.floor(Math.abs(x) + 0.5));
}

/**
 * 513 values of `f` on [input scale * -32768, input scale * 32767] around `zeroPoint`, in steps of `outputScale`, each moved
 * by half of the error that interpolation makes in the middle of its interval. All in float32, as the reference has it.
 */
function interpolationTable(
  f: (x: number) => number,
  inputScale: number,
  zeroPoint: number,
  outputScale: number,
): Int16Array {
  const r = Math.fround;
  const inputMin = r(inputScale * (-32768 - zeroPoint));
  const inputMax = r(inputScale * (32767 - zeroPoint));
  const outputMin = r(outputScale * -32768);
  const outputMax = r(outputScale * 32767);
  const step = r(r(inputMax - inputMin) / 512);
  const inverse = r(65536 / r(outputMax - outputMin));
  const limited = (x: number): number => clamp(x, -32768, 32767);
  return Int16Array.from({ length: 513 }, (_, i) => {
    if (i === 512) {
      return limited(roundFloat(r(r(f(inputMax)) * inverse)));
    }
    const at = r(inputMin + r(i * step));
    const sample = roundFloat(r(r(f(at)) * inverse));
    const middle = roundFloat(r(r(f(r(at + r(step / 2)))) * inverse));
    const next = r(r(f(r(inputMin + r((i + 1) * step)))) * inverse);
    const error = r(roundFloat(r(r(next + sample) / 2)) - middle);
    return limited(r(sample - roundFloat(r(error / 2))));
  });
}

const unit = Math.fround(2 / 65535);

/** exp on [-10, 0]. */
export const softmaxExponentials = interpolationTable(Math.exp, Math.fround(10 / 65535), 32767, unit);

/** 1 / (1 + x) on [0, 1]. */
export const softmaxReciprocals = interpolationTable(
  (x) => 1 / Math.fround(1 + x),
  Math.fround(1 / 65535),
  -32768,
  unit,
);

/**
 * The logistic function at i / 24, in 1/65536, each moved by half of the error that interpolation makes in the middle of
 * its interval; the last stands for 1.
 */
export const sigmoidTable = Uint16Array.from({ length: 256 }, (_, i) => {
  const f = (x: number): number => 65536 / (1 + Math.exp(-x / 24));
  return i === 255 ? 65535 : Math.round(f(i) + (f(i + 0.5) - (f(i) + f(i + 1)) / 2) / 2);
});

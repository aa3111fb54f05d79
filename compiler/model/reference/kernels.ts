/**
 * The normative kernels on Node.js: one function per layer, the same loops and roundings as `runtime-c/kernels`.
 * Sums wrap modulo 2^32, as they do in C. Operands may be views of one arena where the memory plan allows it.
 */
import type {
  AddLayer,
  Conv2DLayer,
  DepthwiseConv2DLayer,
  FullyConnectedLayer,
  PoolLayer,
  Requantization,
  SoftmaxLayer,
} from "../layers.js";
import {
  expOnNegativeValues,
  multiplyByQuantizedMultiplier,
  reciprocalOf,
  roundingDivideByPowerOfTwo,
  saturatingRoundingDoublingHighMul,
} from "./arithmetic.js";

function clamp(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}

/** int32 accumulator of output channel `c` to int8. */
function requantize(acc: number, c: number, layer: Requantization): number {
  const scaled = multiplyByQuantizedMultiplier(acc, layer.multiplier[c] ?? 0, layer.shift[c] ?? 0);
  return clamp((scaled + layer.outputOffset) | 0, layer.clamp.min, layer.clamp.max);
}

/** First index in [0, size) of a dilated window that falls inside [0, limit), for a window starting at `origin`. */
function firstInside(origin: number, dilation: number): number {
  return origin >= 0 ? 0 : Math.ceil(-origin / dilation);
}

/** One past the last such index. */
function lastInside(origin: number, dilation: number, size: number, limit: number): number {
  return Math.min(size, Math.ceil((limit - origin) / dilation));
}

export function conv2D(layer: Conv2DLayer, input: Int8Array, output: Int8Array): void {
  const g = layer.geometry;
  const { filter, bias, inputOffset } = layer;
  const depth = g.inputChannels;
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    const originY = y * g.strideHeight - g.padTop;
    const startY = firstInside(originY, g.dilationHeight);
    const endY = lastInside(originY, g.dilationHeight, g.filterHeight, g.inputHeight);
    for (let x = 0; x < g.outputWidth; x++) {
      const originX = x * g.strideWidth - g.padLeft;
      const startX = firstInside(originX, g.dilationWidth);
      const endX = lastInside(originX, g.dilationWidth, g.filterWidth, g.inputWidth);
      for (let c = 0; c < g.outputChannels; c++) {
        let acc = bias?.[c] ?? 0;
        for (let fy = startY; fy < endY; fy++) {
          const row = (originY + fy * g.dilationHeight) * g.inputWidth;
          for (let fx = startX; fx < endX; fx++) {
            const from = (row + originX + fx * g.dilationWidth) * depth;
            const weights = ((c * g.filterHeight + fy) * g.filterWidth + fx) * depth;
            for (let k = 0; k < depth; k++) {
              acc = (acc + (filter[weights + k] ?? 0) * ((input[from + k] ?? 0) + inputOffset)) | 0;
            }
          }
        }
        output[out++] = requantize(acc, c, layer);
      }
    }
  }
}

export function depthwiseConv2D(layer: DepthwiseConv2DLayer, input: Int8Array, output: Int8Array): void {
  const g = layer.geometry;
  const { filter, bias, inputOffset, depthMultiplier } = layer;
  const depth = g.inputChannels;
  const channels = g.outputChannels;
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    const originY = y * g.strideHeight - g.padTop;
    const startY = firstInside(originY, g.dilationHeight);
    const endY = lastInside(originY, g.dilationHeight, g.filterHeight, g.inputHeight);
    for (let x = 0; x < g.outputWidth; x++) {
      const originX = x * g.strideWidth - g.padLeft;
      const startX = firstInside(originX, g.dilationWidth);
      const endX = lastInside(originX, g.dilationWidth, g.filterWidth, g.inputWidth);
      for (let c = 0; c < channels; c++) {
        const from = Math.floor(c / depthMultiplier);
        let acc = bias?.[c] ?? 0;
        for (let fy = startY; fy < endY; fy++) {
          const row = (originY + fy * g.dilationHeight) * g.inputWidth + originX;
          const weights = fy * g.filterWidth;
          for (let fx = startX; fx < endX; fx++) {
            const value = input[(row + fx * g.dilationWidth) * depth + from] ?? 0;
            acc = (acc + (filter[(weights + fx) * channels + c] ?? 0) * (value + inputOffset)) | 0;
          }
        }
        output[out++] = requantize(acc, c, layer);
      }
    }
  }
}

export function fullyConnected(layer: FullyConnectedLayer, input: Int8Array, output: Int8Array): void {
  const { filter, bias, inputOffset, inputDepth, outputDepth } = layer;
  for (let row = 0; row < layer.rows; row++) {
    const from = row * inputDepth;
    for (let c = 0; c < outputDepth; c++) {
      const weights = c * inputDepth;
      let acc = bias?.[c] ?? 0;
      for (let k = 0; k < inputDepth; k++) {
        acc = (acc + (filter[weights + k] ?? 0) * ((input[from + k] ?? 0) + inputOffset)) | 0;
      }
      output[row * outputDepth + c] = requantize(acc, c, layer);
    }
  }
}

/** `output` may be `left` or `right`. */
export function add(layer: AddLayer, left: Int8Array, right: Int8Array, output: Int8Array): void {
  for (let i = 0; i < layer.count; i++) {
    const l = ((left[i] ?? 0) + layer.leftOffset) << 20;
    const r = ((right[i] ?? 0) + layer.rightOffset) << 20;
    const sum =
      multiplyByQuantizedMultiplier(l, layer.leftMultiplier, layer.leftShift) +
      multiplyByQuantizedMultiplier(r, layer.rightMultiplier, layer.rightShift);
    const scaled = multiplyByQuantizedMultiplier(sum | 0, layer.outputMultiplier, layer.outputShift);
    output[i] = clamp((scaled + layer.outputOffset) | 0, layer.clamp.min, layer.clamp.max);
  }
}

export function pool(layer: PoolLayer, input: Int8Array, output: Int8Array): void {
  const g = layer.geometry;
  const depth = g.inputChannels;
  const average = layer.kind === "AveragePool2D";
  let out = 0;
  for (let y = 0; y < g.outputHeight; y++) {
    const originY = y * g.strideHeight - g.padTop;
    const startY = Math.max(0, originY);
    const endY = Math.min(originY + g.filterHeight, g.inputHeight);
    for (let x = 0; x < g.outputWidth; x++) {
      const originX = x * g.strideWidth - g.padLeft;
      const startX = Math.max(0, originX);
      const endX = Math.min(originX + g.filterWidth, g.inputWidth);
      const count = (endY - startY) * (endX - startX);
      for (let c = 0; c < depth; c++) {
        let sum = 0;
        let max = -128;
        for (let iy = startY; iy < endY; iy++) {
          for (let ix = startX; ix < endX; ix++) {
            const value = input[(iy * g.inputWidth + ix) * depth + c] ?? 0;
            sum += value;
            max = value > max ? value : max;
          }
        }
        output[out++] = clamp(average ? roundedMean(sum, count) : max, layer.clamp.min, layer.clamp.max);
      }
    }
  }
}

/** sum / count rounded to nearest, halves away from zero. */
function roundedMean(sum: number, count: number): number {
  const half = count >> 1;
  return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
}

export function softmax(layer: SoftmaxLayer, input: Int8Array, output: Int8Array): void {
  const { depth, minDifference, multiplier, shift } = layer;
  const exponential = (difference: number): number =>
    expOnNegativeValues(saturatingRoundingDoublingHighMul(difference << shift, multiplier));
  for (let row = 0; row < layer.rows; row++) {
    const from = row * depth;
    let max = -128;
    for (let c = 0; c < depth; c++) {
      max = Math.max(max, input[from + c] ?? 0);
    }
    let sum = 0; // Q12.19
    for (let c = 0; c < depth; c++) {
      const difference = (input[from + c] ?? 0) - max;
      if (difference >= minDifference) {
        sum = (sum + roundingDivideByPowerOfTwo(exponential(difference), 12)) | 0;
      }
    }
    const { reciprocal, bitsOverUnit } = reciprocalOf(sum, 12);
    for (let c = 0; c < depth; c++) {
      const difference = (input[from + c] ?? 0) - max;
      if (difference >= minDifference) {
        const probability = saturatingRoundingDoublingHighMul(reciprocal, exponential(difference));
        const unsaturated = roundingDivideByPowerOfTwo(probability, bitsOverUnit + 23);
        output[from + c] = clamp(unsaturated - 128, -128, 127);
      } else {
        output[from + c] = -128;
      }
    }
  }
}

/** Layers of other kinds that are convolutions in disguise and are faster as such. */
import type { Conv2DLayer, Layer, WindowGeometry } from "../layers.js";

/** Rows of inputs from which on a fully connected layer is faster as a convolution: three are computed together. */
const MIN_ROWS = 3;

/** The convolution with the same inputs, weights and outputs; undefined for layers that are none. */
export function asConvolution(layer: Layer): Conv2DLayer | undefined {
  if (layer.kind === "FullyConnected" && layer.rows >= MIN_ROWS) {
    const { rows, inputDepth, outputDepth, ...rest } = layer;
    return { ...rest, kind: "Conv2D", geometry: pointwise(rows, inputDepth, outputDepth) };
  }
  if (layer.kind === "DepthwiseConv2D" && layer.geometry.inputChannels === 1) {
    const { depthMultiplier: _, ...rest } = layer;
    return { ...rest, kind: "Conv2D", filter: transposed(layer.filter, layer.geometry.outputChannels) };
  }
  return undefined;
}

/** A 1x1 window over `rows` positions. */
function pointwise(rows: number, inputChannels: number, outputChannels: number): WindowGeometry {
  return {
    ...{
      inputHeight: rows,
      inputWidth: 1,
      inputChannels,
      outputHeight: rows,
      outputWidth: 1,
      outputChannels,
    },
    ...{ filterHeight: 1, filterWidth: 1, strideHeight: 1, strideWidth: 1 },
    ...{ dilationHeight: 1, dilationWidth: 1, padTop: 0, padLeft: 0 },
  };
}

/** [taps, channels] to [channels, taps]. */
function transposed(filter: Int8Array, channels: number): Int8Array {
  const taps = filter.length / channels;
  return Int8Array.from(filter, (_, i) => filter[(i % taps) * channels + Math.floor(i / taps)] ?? 0);
}

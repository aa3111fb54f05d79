/**
 * Images of one column become images of one row: the same bytes in memory, the same outputs, but the kernels, which
 * work by rows, have one row instead of many.
 */
import type { Layer, WindowGeometry } from "../layers.js";

/** The same layer where its window does not slide over a single column. */
export function layFlat(layer: Layer): Layer {
  return "geometry" in layer && isColumn(layer.geometry)
    ? { ...layer, geometry: swapped(layer.geometry) }
    : layer;
}

function isColumn(g: WindowGeometry): boolean {
  return g.inputWidth === 1 && g.filterWidth === 1 && g.outputWidth === 1 && g.inputHeight > 1;
}

function swapped(g: WindowGeometry): WindowGeometry {
  return {
    ...g,
    ...{ inputHeight: g.inputWidth, inputWidth: g.inputHeight },
    ...{ outputHeight: g.outputWidth, outputWidth: g.outputHeight },
    ...{ filterHeight: g.filterWidth, filterWidth: g.filterHeight },
    ...{ strideHeight: g.strideWidth, strideWidth: g.strideHeight },
    ...{ dilationHeight: g.dilationWidth, dilationWidth: g.dilationHeight },
    ...{ padTop: g.padLeft, padLeft: g.padTop },
  };
}

/**
 * Which weights a board takes in RAM, where reading them costs no wait states: those that an inference reads from flash
 * most often. Says nothing about where they go in RAM: they are initialised data like others.
 */
import type { KernelChoice } from "../kernels/choose.js";
import type { Layer } from "../layers.js";

/** A constant array that may be in RAM. */
export interface WeightArray {
  readonly symbol: string;
  readonly bytes: number;
  /** How often one inference reads each byte from flash, roughly: what its data cache keeps counts once. */
  readonly reads: number;
}

/** How often an inference reads each weight (table entry) of the layer from flash. */
export function weightReads(layer: Layer, kernel: KernelChoice): number {
  const conv = kernel.as ?? layer;
  switch (conv.kind) {
    case "Conv2D": {
      const { outputHeight, outputWidth } = conv.geometry;
      switch (kernel.name) {
        case "portable":
          return outputHeight * outputWidth;
        case "winograd":
          return Math.ceil((Math.ceil(outputHeight / 2) * Math.ceil(outputWidth / 2)) / (3 * kernel.triples));
        default:
          return Math.ceil((outputHeight * outputWidth) / (3 * kernel.triples));
      }
    }
    case "DepthwiseConv2D": {
      const { outputHeight, outputWidth } = conv.geometry;
      // The fast kernel may copy its weights to scratch memory; a row of positions goes through one window from the cache.
      return kernel.name === "portable" ? outputHeight * outputWidth : kernel.triples > 1 ? 1 : outputHeight;
    }
    case "WideConv2D":
    case "WideDepthwiseConv2D":
      return conv.geometry.outputHeight * conv.geometry.outputWidth;
    case "FullyConnected":
    case "WideFullyConnected":
      return conv.rows;
    case "Lookup":
      return conv.count / conv.table.length;
    default:
      return 1;
  }
}

/** The symbols of the arrays to have in RAM: most reads first, then the larger, as long as they fit into `bytes`. */
export function chooseForRam(arrays: readonly WeightArray[], bytes: number): ReadonlySet<string> {
  const chosen = new Set<string>();
  let left = bytes;
  for (const array of arrays.toSorted((a, b) => b.reads - a.reads || b.bytes - a.bytes)) {
    const size = Math.ceil(array.bytes / 4) * 4; // each may start a word
    if (size <= left) {
      chosen.add(array.symbol);
      left -= size;
    }
  }
  return chosen;
}

/**
 * How far the output of a kernel that works in order may overlap its input: each step reads what it needs and then
 * writes, so an output byte may lie where no later step reads.
 */
import type { WindowGeometry } from "../layers.js";

export interface Steps {
  readonly count: number;
  /** One past the last output byte that steps 0..t write. */
  readonly written: (t: number) => number;
  /** The lowest input byte that step t reads; Infinity for none. */
  readonly reads: (t: number) => number;
}

/**
 * The least distance from the output's first byte to the input's so that no step overwrites what a later one reads;
 * may be negative. -Infinity when there is only one step.
 */
export function overlapDistance({ count, written, reads }: Steps): number {
  let distance = -Infinity;
  let lowest = Infinity; // read by the steps after t
  for (let t = count - 2; t >= 0; t--) {
    lowest = Math.min(lowest, reads(t + 1));
    distance = Math.max(distance, written(t) - lowest);
  }
  return distance;
}

/** A convolution that computes `together` positions at once, reading all their inputs first. */
export function convStep(g: WindowGeometry, together: number): Steps {
  const positions = g.outputHeight * g.outputWidth;
  const start = (position: number): number => {
    const y = Math.max(0, Math.floor(position / g.outputWidth) * g.strideHeight - g.padTop);
    const x = Math.max(0, (position % g.outputWidth) * g.strideWidth - g.padLeft);
    return (y * g.inputWidth + x) * g.inputChannels;
  };
  return {
    count: Math.ceil(positions / together),
    written: (t) => Math.min((t + 1) * together, positions) * g.outputChannels,
    reads: (t) => {
      const own = Array.from({ length: together }, (_, i) => Math.min(t * together + i, positions - 1));
      return Math.min(...own.map(start));
    },
  };
}

/** A 3x3 convolution with stride 1 that computes `together` tiles of 2x2 outputs at once. */
export function tileStep(g: WindowGeometry, together: number): Steps {
  const across = Math.ceil(g.outputWidth / 2);
  const tiles = Math.ceil(g.outputHeight / 2) * across;
  const start = (tile: number): number => {
    const y = Math.max(0, 2 * Math.floor(tile / across) - g.padTop);
    const x = Math.max(0, 2 * (tile % across) - g.padLeft);
    return (y * g.inputWidth + x) * g.inputChannels;
  };
  const end = (tile: number): number => {
    const y = Math.min(2 * Math.floor(tile / across) + 1, g.outputHeight - 1);
    const x = Math.min(2 * (tile % across) + 1, g.outputWidth - 1);
    return (y * g.outputWidth + x + 1) * g.outputChannels;
  };
  return {
    count: Math.ceil(tiles / together),
    written: (t) => end(Math.min((t + 1) * together, tiles) - 1),
    reads: (t) => {
      const own = Array.from({ length: together }, (_, i) => Math.min(t * together + i, tiles - 1));
      return Math.min(...own.map(start));
    },
  };
}

/** One row of outputs; the rows of the input that it adds to those already kept are read first. */
export function depthwiseStep(g: WindowGeometry): Steps {
  const row = g.inputWidth * g.inputChannels;
  const height = (g.filterHeight - 1) * g.dilationHeight + 1;
  return {
    count: g.outputHeight,
    written: (y) => (y + 1) * g.outputWidth * g.outputChannels,
    reads: (y) => {
      const first = y * g.strideHeight - g.padTop;
      const kept = y === 0 ? -g.padTop : (y - 1) * g.strideHeight - g.padTop + height;
      const next = Math.max(0, first, kept);
      return next < Math.min(first + height, g.inputHeight) ? next * row : Infinity;
    },
  };
}

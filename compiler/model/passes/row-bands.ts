/**
 * Runs a chain of layers with windows band by band: each band computes a few rows of the last layer's output, and of the
 * layers between only the rows that those need. So the tensors between never exist whole. Rows that two bands need are
 * computed twice; every output bit is the same.
 *
 * This file cuts a chain into bands and places what a band needs in one piece of scratch memory; `compile.ts` decides
 * whether that is worth it. To the memory plan the chain is one layer.
 */
import type { Graph } from "../graph.js";
import { chooseKernel, type KernelChoice } from "../kernels/choose.js";
import { overlapDistance } from "../kernels/overlap.js";
import { layerInputs, layerMacs, type Layer, type WindowGeometry } from "../layers.js";
import { ALIGNMENT, align, placeBlocks, type Block, type Overlap } from "../place.js";

/** A layer whose rows can be computed on their own. */
export type WindowLayer = Extract<Layer, { geometry: WindowGeometry }>;

/** One layer of one band: reads and writes whole rows. */
export interface BandStep {
  /** With the geometry of the band; tensors and operator are the original's. */
  readonly layer: WindowLayer;
  readonly kernel: KernelChoice;
  /** First row that it reads of the layer's input, and writes of its output. */
  readonly inputRow: number;
  readonly outputRow: number;
}

export interface RowBands {
  /** Positions of the first and the last layer of the chain. */
  readonly first: number;
  readonly last: number;
  /** By band, then by layer of the chain. */
  readonly bands: readonly (readonly BandStep[])[];
  /** Offset in the scratch memory of the rows of each layer's output but the last's, by layer. */
  readonly rowOffsets: readonly number[];
  /** The same of each layer's own scratch memory. */
  readonly scratchOffsets: readonly number[];
  /** What the memory plan needs to know of the chain as one layer. */
  readonly kernel: KernelChoice;
  /** Multiplications that are done again, against the chain as it was. */
  readonly extraMacs: number;
}

export function hasWindow(layer: Layer | undefined): layer is WindowLayer {
  return layer !== undefined && "geometry" in layer;
}

/** Whether the layers at `first`..`last` pass one tensor on from each to the next, which nobody else reads. */
export function isChain(graph: Graph, layers: readonly Layer[], first: number, last: number): boolean {
  for (let at = first; at <= last; at++) {
    const layer = layers[at];
    if (!hasWindow(layer) || graph.tensors[layer.input]?.data !== undefined) {
      return false;
    }
    if (at < last) {
      const readers = layers.filter((other) => layerInputs(other).includes(layer.output));
      const next = layers[at + 1];
      if (graph.outputs.includes(layer.output) || readers.length !== 1 || readers[0] !== next) {
        return false;
      }
    }
  }
  return last > first;
}

/**
 * The chain `first`..`last` in `count` bands of nearly equal height; undefined when the bands do not start at addresses
 * that kernels accept, or a band would lie in the padding alone. `triples` by layer of the chain: see `chooseKernel`; default 1.
 */
export function cutIntoBands(
  layers: readonly Layer[],
  first: number,
  last: number,
  count: number,
  triples: readonly number[] = [],
  choose: (layer: WindowLayer, triples: number) => KernelChoice = rememberKernels(),
): RowBands | undefined {
  const chain = layers.slice(first, last + 1).filter(hasWindow);
  const height = chain.at(-1)?.geometry.outputHeight ?? 0;
  const bands: BandStep[][] = [];
  for (let band = 0; band < count; band++) {
    const from = Math.floor((height * band) / count);
    const to = Math.floor((height * (band + 1)) / count);
    const steps = bandSteps(chain, from, to, (layer, j) => choose(layer, triples[j] ?? 1));
    if (steps === undefined) {
      return undefined;
    }
    bands.push(steps);
  }
  const inner = placeInside(bands);
  const macs = (steps: readonly WindowLayer[]): number =>
    steps.reduce((sum, layer) => sum + layerMacs(layer), 0);
  const done = bands.reduce((sum, steps) => sum + macs(steps.map(({ layer }) => layer)), 0);
  return {
    first,
    last,
    bands,
    ...inner,
    kernel: asOneKernel(chain, bands, inner.bytes),
    extraMacs: done - macs(chain),
  };
}

/** Bands of equal height have equal kernels; choosing one looks at every weight. */
export function rememberKernels(): (layer: WindowLayer, triples: number) => KernelChoice {
  const known = new Map<string, KernelChoice>();
  return (layer, triples) => {
    const { inputHeight, outputHeight, padTop } = layer.geometry;
    const key = [layer.operator, inputHeight, outputHeight, padTop, triples].join();
    const kernel = known.get(key) ?? chooseKernel(layer, triples);
    known.set(key, kernel);
    return kernel;
  };
}

function bandSteps(
  chain: readonly WindowLayer[],
  from: number,
  to: number,
  choose: (layer: WindowLayer, j: number) => KernelChoice,
): BandStep[] | undefined {
  const steps: BandStep[] = [];
  let rows = { from, to };
  for (let j = chain.length - 1; j >= 0; j--) {
    const layer = chain[j];
    if (layer === undefined || rows.to <= rows.from) {
      return undefined;
    }
    const g = layer.geometry;
    const top = rows.from * g.strideHeight - g.padTop;
    const bottom = (rows.to - 1) * g.strideHeight - g.padTop + (g.filterHeight - 1) * g.dilationHeight + 1;
    const input = { from: Math.max(0, top), to: Math.min(g.inputHeight, bottom) };
    const inputStart = input.from * g.inputWidth * g.inputChannels;
    const outputStart = rows.from * g.outputWidth * g.outputChannels;
    const outside = j === chain.length - 1 ? outputStart : 0;
    const start = j === 0 ? inputStart : 0;
    if (input.to <= input.from || outside % ALIGNMENT !== 0 || start % ALIGNMENT !== 0) {
      return undefined;
    }
    const geometry = {
      ...g,
      inputHeight: input.to - input.from,
      outputHeight: rows.to - rows.from,
      padTop: input.from - top,
    };
    const cut: WindowLayer = { ...layer, geometry };
    steps.unshift({
      layer: cut,
      kernel: choose(cut, j),
      inputRow: input.from,
      outputRow: rows.from,
    });
    rows = input;
  }
  return steps;
}

/** Places rows and scratch memory of the largest band; all bands use the same places. */
function placeInside(bands: readonly (readonly BandStep[])[]): {
  readonly rowOffsets: readonly number[];
  readonly scratchOffsets: readonly number[];
  readonly bytes: number;
} {
  const length = bands[0]?.length ?? 0;
  const most = (j: number, of: (step: BandStep) => number): number =>
    Math.max(0, ...bands.map((steps) => (steps[j] === undefined ? 0 : of(steps[j]))));
  const rows = Array.from({ length: length - 1 }, (_, j): Block => {
    const bytes = most(j, ({ layer: { geometry: g } }) => g.outputHeight * g.outputWidth * g.outputChannels);
    return { bytes: bytes + most(j + 1, ({ kernel }) => kernel.readsBeyond), first: j, last: j + 1 };
  });
  const scratch = Array.from({ length }, (_, j): Block => {
    return { bytes: most(j, ({ kernel }) => kernel.scratchBytes), first: j, last: j };
  });
  const overlaps = rows.flatMap((output, j): Overlap[] => {
    const input = rows[j - 1];
    const distances = bands.map((steps) => steps[j]?.kernel.overlap);
    const safe = distances.filter((distance) => distance !== undefined);
    // One distance that every band keeps; a kernel with a single step may be anywhere.
    const distance = Math.max(...safe);
    return input === undefined || safe.length < bands.length || !Number.isFinite(distance)
      ? []
      : [{ at: j, input, output, distance: align(distance) }];
  });
  const blocks = [...rows, ...scratch];
  const { offsets, size } = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: undefined });
  return {
    rowOffsets: rows.map((block) => offsets.get(block) ?? 0),
    scratchOffsets: scratch.map((block) => offsets.get(block) ?? 0),
    bytes: size,
  };
}

/** In each band the first layer reads all its rows before the last one writes. */
function asOneKernel(
  chain: readonly WindowLayer[],
  bands: readonly (readonly BandStep[])[],
  scratchBytes: number,
): KernelChoice {
  const from = chain[0]?.geometry;
  const to = chain.at(-1)?.geometry;
  const end = (band: number): number => {
    const step = bands[band]?.at(-1);
    return step === undefined ? 0 : step.outputRow + step.layer.geometry.outputHeight;
  };
  return {
    name: "portable",
    scratchBytes,
    readsBeyond: Math.max(0, ...bands.map((steps) => steps[0]?.kernel.readsBeyond ?? 0)),
    overlap: overlapDistance({
      count: bands.length,
      written: (t) => end(t) * (to?.outputWidth ?? 0) * (to?.outputChannels ?? 0),
      reads: (t) => (bands[t]?.[0]?.inputRow ?? 0) * (from?.inputWidth ?? 0) * (from?.inputChannels ?? 0),
    }),
    triples: 0,
    requantization: [],
  };
}

/**
 * Chooses the kernel of each layer: a fast one where its conditions hold for every possible input, else the portable
 * one. The choice is the same for all boards; the fast kernels have portable twins (runtime-c/kernels/dsp.h).
 */
import type { AddLayer, Conv2DLayer, DepthwiseConv2DLayer, FullyConnectedLayer, Layer } from "../layers.js";
import { asConvolution } from "./as-convolution.js";
import { convStep, depthwiseStep, overlapDistance, tileStep } from "./overlap.js";
import {
  accumulatorRanges,
  MAX_SHIFT,
  rightShiftOf,
  weightIndex,
  type RightShift,
  type WeightedLayer,
} from "./ranges.js";

/** What the memory plan and the emitter need to know of a kernel. */
export interface KernelChoice {
  readonly name:
    | "portable"
    | "conv"
    | "conv1x1"
    | "conv-dilated"
    | "conv-general"
    | "winograd"
    | "depthwise"
    | "depthwise-general"
    | "dense"
    | "dense-wide"
    | "dense-general"
    | "add"
    | "pool";
  /** The convolution that is computed in the layer's place, where it is one in disguise. */
  readonly as?: Conv2DLayer;
  /** Bytes of the arena that the kernel needs while it runs, at a multiple of 4. */
  readonly scratchBytes: number;
  /** Bytes after the input that may be read, without effect. */
  readonly readsBeyond: number;
  /**
   * The output may overlap the input when it starts at least this many bytes before it (negative: at most so many
   * after it). Undefined: they must not overlap.
   */
  readonly overlap: number | undefined;
  /**
   * Convolutions: how many times three positions go through a pair of channels before the next pair. Depthwise: 2 when
   * the weights are copied to RAM, else 1. Others 0.
   */
  readonly triples: number;
  /** Of each output channel; empty for kernels without channels. */
  readonly requantization: readonly RightShift[];
}

const portable: KernelChoice = {
  name: "portable",
  scratchBytes: 0,
  readsBeyond: 0,
  overlap: undefined,
  triples: 0,
  requantization: [],
};

/** Rows of a window in the depthwise kernel (TMC_K_DEPTHWISE_ROWS). */
const MAX_DEPTHWISE_ROWS = 16;

/** Scratch memory above which a depthwise convolution is left to the portable kernel. */
const MAX_DEPTHWISE_SCRATCH = 32768;

/** `triples`: 1 or one of `triplesToTry`. */
export function chooseKernel(layer: Layer, triples = 1): KernelChoice {
  switch (layer.kind) {
    case "Conv2D":
      return chooseConv2D(layer, triples);
    case "DepthwiseConv2D":
    case "FullyConnected": {
      const as = asConvolution(layer);
      if (as !== undefined) {
        return { ...chooseConv2D(as, triples), as };
      }
      return layer.kind === "FullyConnected" ? chooseDense(layer) : chooseDepthwise(layer, triples);
    }
    case "Add":
      return fastAdd(layer) === undefined ? portable : { ...portable, name: "add" };
    case "AveragePool2D":
    case "MaxPool2D":
      return layer.geometry.inputChannels >= 4 ? { ...portable, name: "pool" } : portable;
    default:
      return portable;
  }
}

/** Inputs of a window, filled up to a multiple of 4. */
export function paddedDepth(layer: Conv2DLayer | FullyConnectedLayer): number {
  return Math.ceil(layer.filter.length / layer.multiplier.length / 4) * 4;
}

/** The channels of each pair: 0 and 1, 2 and 3 ...; of an odd number the last two once more together. */
export function channelPairs(channels: number): (readonly [number, number])[] {
  return Array.from({ length: Math.ceil(channels / 2) }, (_, i) => {
    const first = Math.min(2 * i, channels - 2);
    return [first, first + 1] as const;
  });
}

/** Bytes of the flash accelerator's data cache that the weights of a pair of channels may fill. */
const CACHED_STREAM = 224;

/**
 * Numbers of triples to try, best first: more read the weights from flash less often, but need more scratch memory.
 * Negative: Winograd's method with so many triples of tiles.
 */
export function triplesToTry(layer: Layer): readonly number[] {
  const conv = layer.kind === "Conv2D" ? layer : asConvolution(layer);
  if (conv === undefined) {
    return layer.kind === "DepthwiseConv2D" && layer.geometry.outputHeight >= 3 ? [2] : [];
  }
  const { outputHeight, outputWidth } = conv.geometry;
  const all = Math.ceil((outputHeight * outputWidth) / 3);
  const direct = streamIsCached(conv)
    ? [8, 4, 2].filter((triples) => triples <= all)
    : [8, 6, 4, 3].filter((triples) => triples <= all && copiesWeights(conv, triples));
  return winogradFits(conv) ? [...winogradTriples(conv).map((triples) => -triples), ...direct] : direct;
}

function streamIsCached(layer: Conv2DLayer): boolean {
  return 2 * paddedDepth(layer) + 32 <= CACHED_STREAM;
}

/** Whether the weights of a pair of channels are copied to RAM before they are used. */
export function copiesWeights(layer: Conv2DLayer, triples: number): boolean {
  return triples >= 3 && !streamIsCached(layer) && paddedDepth(layer) % 16 === 0;
}

/** Input channels from which on Winograd's method saves more than it costs, and from which on in any case. */
const WINOGRAD_CHANNELS = { some: 16, many: 64 } as const;

function winogradFits(layer: Conv2DLayer): boolean {
  const { geometry: g } = layer;
  return (
    [g.filterHeight, g.filterWidth].every((size) => size === 3) &&
    [g.strideHeight, g.strideWidth, g.dilationHeight, g.dilationWidth].every((step) => step === 1) &&
    g.inputChannels % 8 === 0 &&
    g.inputChannels >= WINOGRAD_CHANNELS.some &&
    g.outputChannels % 2 === 0 &&
    // Four times the accumulator comes out.
    accumulatorRanges(layer).every(({ min, max }) => min >= -(2 ** 29) && max < 2 ** 29) &&
    rightShifts(layer) !== undefined
  );
}

/** Triples of tiles to try: filters are transformed for each of them again. */
function winogradTriples({ geometry: g }: Conv2DLayer): number[] {
  const all = Math.ceil((Math.ceil(g.outputHeight / 2) * Math.ceil(g.outputWidth / 2)) / 3);
  const least = g.inputChannels >= WINOGRAD_CHANNELS.many ? 1 : 2;
  return [8, 7, 6, 5, 4, 3, 2, 1].filter((triples) => triples <= all && triples >= least);
}

function chooseWinograd(layer: Conv2DLayer, triples: number): KernelChoice {
  const g = layer.geometry;
  return {
    name: "winograd",
    scratchBytes: (96 * triples + 65) * g.inputChannels + 384,
    triples,
    readsBeyond: 0,
    overlap: overlapDistance(tileStep(g, 3 * triples)),
    requantization: rightShifts(layer) ?? [],
  };
}

function chooseConv2D(layer: Conv2DLayer, triples: number): KernelChoice {
  if (triples < 0) {
    return chooseWinograd(layer, -triples);
  }
  const g = layer.geometry;
  const requantization = rightShifts(layer);
  const fits =
    requantization !== undefined &&
    g.outputChannels >= 2 &&
    channelsPair(layer, channelPairs(g.outputChannels), requantization);
  const depth = paddedDepth(layer);
  const pointwise =
    g.filterHeight * g.filterWidth * g.strideHeight * g.strideWidth === 1 && g.inputChannels % 4 === 0;
  const dilated = g.dilationHeight > 1 || g.dilationWidth > 1;
  const plain = dilated ? "conv-dilated" : pointwise ? "conv1x1" : "conv";
  const name = fits ? plain : "conv-general";
  return {
    name,
    scratchBytes:
      6 * depth * triples +
      (fits && copiesWeights(layer, triples) ? 2 * depth + 32 : 0) +
      (name === "conv1x1" ? 0 : depth + 4),
    triples,
    readsBeyond: g.inputChannels % 4 === 0 ? 0 : 3,
    overlap: overlapDistance(convStep(g, 3 * triples)),
    requantization: requantization ?? [],
  };
}

/** Inputs that a row of depthwise windows touches. */
export function depthwiseColumns({ geometry: g }: DepthwiseConv2DLayer): number {
  return (g.outputWidth - 1) * g.strideWidth + (g.filterWidth - 1) * g.dilationWidth + 1;
}

function chooseDepthwise(layer: DepthwiseConv2DLayer, triples: number): KernelChoice {
  const g = layer.geometry;
  const requantization = rightShifts(layer);
  const fits =
    requantization !== undefined &&
    g.dilationHeight === 1 &&
    g.dilationWidth === 1 &&
    layer.depthMultiplier === 1 &&
    g.inputChannels % 4 === 0;
  const rows = (g.filterHeight - 1) * g.dilationHeight + 1;
  const channels = Math.ceil(g.outputChannels / 4) * 4;
  const rowBytes = 2 * rows * depthwiseColumns(layer) * channels;
  if (g.filterHeight > MAX_DEPTHWISE_ROWS || rowBytes > MAX_DEPTHWISE_SCRATCH) {
    return portable;
  }
  const copyBytes = fits && triples > 1 ? (16 + 2 * g.filterHeight * g.filterWidth) * channels : 0;
  return {
    name: fits ? "depthwise" : "depthwise-general",
    scratchBytes: rowBytes + copyBytes + (fits ? 0 : 4 * g.outputWidth),
    readsBeyond: fits ? 0 : 3,
    triples: fits ? triples : 0,
    overlap: overlapDistance(depthwiseStep(g)),
    requantization: requantization ?? [],
  };
}

/** Weights and channels from which on a fully connected layer is worth the larger kernel. */
const WIDE = { weights: 8192, channels: 12 } as const;

function chooseDense(layer: FullyConnectedLayer): KernelChoice {
  const requantization = rightShifts(layer);
  const pairs = channelPairs(layer.outputDepth - (layer.outputDepth % 2));
  const readsBeyond = layer.inputDepth % 4 === 0 ? 0 : 3;
  if (requantization === undefined || !channelsPair(layer, pairs, requantization)) {
    return { ...portable, name: "dense-general", readsBeyond };
  }
  const wide = layer.filter.length >= WIDE.weights && layer.outputDepth >= WIDE.channels;
  return { ...portable, name: wide ? "dense-wide" : "dense", readsBeyond, requantization };
}

function rightShifts(layer: WeightedLayer): RightShift[] | undefined {
  const shifts = accumulatorRanges(layer).map((range, c) => rightShiftOf(layer, range, c));
  return shifts.every((shift) => shift !== undefined) ? shifts : undefined;
}

/** Whether the second channel of each pair fits in 23 bits with sign, and both weights in one half word. */
function channelsPair(
  layer: WeightedLayer,
  pairs: readonly (readonly [number, number])[],
  requantization: readonly RightShift[],
): boolean {
  const ranges = accumulatorRanges(layer);
  const weights = layer.filter.length / layer.multiplier.length;
  return pairs.every(([first, second]) => {
    const { min = -Infinity, max = Infinity } = ranges[second] ?? {};
    const matters = requantization[second]?.multiplier !== 0; // else its sum is not looked at
    if (matters && (min < -(2 ** 23) || max >= 2 ** 23)) {
      return false;
    }
    for (let k = 0; k < weights; k++) {
      const low = layer.filter[weightIndex(layer, first, k)] ?? 0;
      if (low + 256 * (layer.filter[weightIndex(layer, second, k)] ?? 0) < -32768) {
        return false;
      }
    }
    return true;
  });
}

export interface FastAdd {
  /** The operand that is multiplied; undefined with equal scales. */
  readonly scaled: "left" | "right" | undefined;
  readonly rounding: number;
  readonly output: RightShift;
}

/** How the fast addition computes the layer; undefined when it cannot. */
export function fastAdd(layer: AddLayer): FastAdd | undefined {
  const plain = (multiplier: number, shift: number): boolean => multiplier === 2 ** 30 && shift === 0;
  const leftPlain = plain(layer.leftMultiplier, layer.leftShift);
  const rightPlain = plain(layer.rightMultiplier, layer.rightShift);
  const shift = -layer.outputShift;
  if (shift < 1 || shift > MAX_SHIFT) {
    return undefined;
  }
  const output: RightShift = {
    multiplier: layer.outputMultiplier,
    rounding: 2 ** (shift - 1) + layer.outputOffset * 2 ** shift,
    shift,
  };
  if (leftPlain && rightPlain) {
    return { scaled: undefined, rounding: 0, output };
  }
  const scaledShift = -(leftPlain ? layer.rightShift : layer.leftShift);
  // A multiplier of 0 has no shift.
  if (!(leftPlain || rightPlain) || scaledShift < 1) {
    return undefined;
  }
  // The plain operand's offset goes into the rounding of the other, whose own value stays below 2^28.
  const plainOffset = leftPlain ? layer.leftOffset : layer.rightOffset;
  const rounding = 2 ** (scaledShift - 1) + plainOffset * 2 ** (19 + scaledShift);
  return Math.abs(rounding) > 2 ** 30
    ? undefined
    : { scaled: leftPlain ? "right" : "left", rounding, output };
}

/**
 * Calibration: runs the float model over representative inputs and finds the range of every activation tensor.
 * Three methods: "minmax" keeps every value, "percentile" cuts rare extremes on both sides, "entropy" chooses the cut
 * that changes the distribution least. Which range a tensor finally gets is `parameters.ts`'s business.
 */
import type { Graph } from "../graph.js";
import { FloatExecutor } from "./float-executor.js";

export type CalibrationMethod = "minmax" | "percentile" | "entropy";

export interface CalibrationOptions {
  readonly method: CalibrationMethod;
  /** For "percentile": percent of the values that stay inside the range; the rest is cut half on each side. */
  readonly percentile: number;
}

/** Closed, finite, low <= high. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const BINS = 2048;
const LEVELS = 256;

/** One range per tensor; undefined for constants. `inputs` has at least one element, all of the size of the model's input. */
export function calibrate(
  graph: Graph,
  inputs: readonly Float32Array[],
  options: CalibrationOptions,
): (Range | undefined)[] {
  const executor = new FloatExecutor(graph);
  const activations = graph.tensors.flatMap((tensor, index) => (tensor.data === undefined ? [index] : []));
  const low = graph.tensors.map(() => Infinity);
  const high = graph.tensors.map(() => -Infinity);
  for (const input of inputs) {
    executor.run(input);
    for (const index of activations) {
      for (const value of executor.tensor(index)) {
        low[index] = Math.min(low[index] ?? value, value);
        high[index] = Math.max(high[index] ?? value, value);
      }
    }
  }
  const ranges = graph.tensors.map((tensor, index): Range | undefined =>
    tensor.data === undefined ? { low: low[index] ?? 0, high: high[index] ?? 0 } : undefined,
  );
  if (options.method === "minmax") {
    return ranges;
  }
  const histograms = ranges.map((range) => (range === undefined ? undefined : new Float64Array(BINS)));
  for (const input of inputs) {
    executor.run(input);
    for (const index of activations) {
      const range = ranges[index];
      const histogram = histograms[index];
      if (range === undefined || histogram === undefined || range.high <= range.low) {
        continue;
      }
      const perUnit = BINS / (range.high - range.low);
      for (const value of executor.tensor(index)) {
        const bin = Math.min(BINS - 1, Math.floor((value - range.low) * perUnit));
        histogram[bin] = (histogram[bin] ?? 0) + 1;
      }
    }
  }
  return ranges.map((range, index) => {
    const histogram = histograms[index];
    if (range === undefined || histogram === undefined || range.high <= range.low) {
      return range;
    }
    return options.method === "percentile"
      ? percentileRange(range, histogram, options.percentile)
      : entropyRange(range, histogram);
  });
}

/** Lower edge of bin `index`. */
function edge(range: Range, index: number): number {
  return range.low + ((range.high - range.low) * index) / BINS;
}

/** The range without the bins that hold (100 - percentile) / 2 percent of the values at each end. */
export function percentileRange(range: Range, histogram: Float64Array, percentile: number): Range {
  const total = histogram.reduce((a, b) => a + b, 0);
  const cut = (total * (100 - percentile)) / 200;
  let first = 0;
  for (let sum = histogram[0] ?? 0; sum <= cut && first < BINS - 1; first++) {
    sum += histogram[first + 1] ?? 0;
  }
  let last = BINS - 1;
  for (let sum = histogram[last] ?? 0; sum <= cut && last > first; last--) {
    sum += histogram[last - 1] ?? 0;
  }
  return {
    low: first === 0 ? range.low : edge(range, first),
    high: last === BINS - 1 ? range.high : edge(range, last + 1),
  };
}

/**
 * The range whose quantised distribution has the smallest Kullback-Leibler divergence from the true one (Migacz,
 * "8-bit inference with TensorRT", GTC 2017), searched at 64 places of the larger side; the other side is cut by the
 * same factor. Never cuts below an eighth of the range.
 */
export function entropyRange(range: Range, histogram: Float64Array): Range {
  const zero = Math.min(BINS - 1, Math.max(0, Math.floor((-range.low / (range.high - range.low)) * BINS)));
  const total = histogram.reduce((a, b) => a + b, 0);
  let best = range;
  let least = Infinity;
  for (let step = 64; step >= 8; step--) {
    const first = Math.round(zero * (1 - step / 64));
    const end = Math.round(zero + (BINS - zero) * (step / 64));
    if (end - first < LEVELS) {
      break;
    }
    const divergence = clippedDivergence(histogram, first, end, total);
    // Prefer the wider range unless the gain is real: ties are common with few values.
    if (divergence < least * 0.999) {
      least = divergence;
      best = {
        low: first === 0 ? range.low : edge(range, first),
        high: end === BINS ? range.high : edge(range, end),
      };
    }
  }
  return best;
}

/** KL divergence of the histogram clipped to [first, end) from its version in LEVELS steps. */
function clippedDivergence(histogram: Float64Array, first: number, end: number, total: number): number {
  const clipped = histogram.slice(first, end);
  const before = histogram.subarray(0, first).reduce((a, b) => a + b, 0);
  const after = histogram.subarray(end).reduce((a, b) => a + b, 0);
  clipped[0] = (clipped[0] ?? 0) + before;
  clipped[clipped.length - 1] = (clipped[clipped.length - 1] ?? 0) + after;
  let divergence = 0;
  for (let level = 0; level < LEVELS; level++) {
    const from = Math.floor((level * clipped.length) / LEVELS);
    const to = Math.floor(((level + 1) * clipped.length) / LEVELS);
    // What the quantised tensor can express: the unclipped counts of these bins, spread over the occupied ones.
    let sum = 0;
    let occupied = 0;
    for (let bin = from; bin < to; bin++) {
      sum += histogram[first + bin] ?? 0;
      occupied += (clipped[bin] ?? 0) > 0 ? 1 : 0;
    }
    for (let bin = from; bin < to; bin++) {
      const p = (clipped[bin] ?? 0) / total;
      if (p > 0) {
        const q = Math.max(sum / occupied, 1e-3) / (total - before - after);
        divergence += p * Math.log(p / q);
      }
    }
  }
  return divergence;
}

/**
 * Calibration: runs the float model over representative inputs and finds the range of every activation tensor.
 * Four methods: "minmax" keeps every value, "percentile" cuts rare extremes on both sides, "mse" chooses the cut with
 * the least expected square error, "entropy" the one with the least divergence (`entropy.ts`). Which range a tensor
 * finally gets is `parameters.ts`'s business.
 */
import type { Graph } from "../graph.js";
import { entropyRange } from "./entropy.js";
import { FloatExecutor } from "./float-executor.js";
import type { ActivationType } from "./parameters.js";

export const calibrationMethods = ["minmax", "percentile", "mse", "entropy"] as const;

export type CalibrationMethod = (typeof calibrationMethods)[number];

export interface CalibrationOptions {
  readonly method: CalibrationMethod;
  /** For "percentile": percent of the values that stay inside the range; the rest is cut half on each side. */
  readonly percentile: number;
  /** What the ranges are for; default int8. */
  readonly activations?: ActivationType;
}

/** Closed, finite, low <= high. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const BINS = 2048;

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
        if (value === 0 && options.method === "entropy") {
          continue; // represented exactly, whatever the range
        }
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
    switch (options.method) {
      case "percentile":
        return percentileRange(range, histogram, options.percentile);
      case "entropy":
        // The steps of int16 are finer than the bins: nothing diverges, nothing is cut.
        return options.activations === "int16" ? range : entropyRange(range, histogram);
      default:
        return leastErrorRange(range, histogram, options.activations === "int16" ? 65535 : 255);
    }
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
 * The range with the least expected square error: what lies outside is clipped, what lies inside is rounded to one of
 * `steps` + 1 values (error step^2 / 12). Each side is searched in steps of a 64th of its length, down to an eighth.
 */
export function leastErrorRange(range: Range, histogram: Float64Array, steps = 255): Range {
  const low = Math.min(0, range.low);
  const high = Math.max(0, range.high);
  let best: Range = range;
  let least = Infinity;
  for (const below of low < 0 ? cuts : [1]) {
    for (const above of high > 0 ? cuts : [1]) {
      const candidate = { low: low * below, high: high * above };
      const error = expectedError(range, histogram, candidate, steps);
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
  }
  return best;
}

const cuts = Array.from({ length: 57 }, (_, i) => 1 - i / 64);

function expectedError(range: Range, histogram: Float64Array, cut: Range, steps: number): number {
  const width = (range.high - range.low) / BINS;
  const rounding = ((cut.high - cut.low) / steps) ** 2 / 12;
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const count = histogram[bin] ?? 0;
    if (count > 0) {
      const value = range.low + (bin + 0.5) * width;
      const outside = Math.max(0, cut.low - value, value - cut.high);
      error += count * (outside > 0 ? outside * outside : rounding);
    }
  }
  return error;
}

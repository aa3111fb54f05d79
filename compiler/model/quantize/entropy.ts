/**
 * Entropy calibration: the range whose int8 image tells least less than the float values, by the Kullback-Leibler
 * divergence of their distributions. The search of S. Migacz, "8-bit Inference with TensorRT" (GTC 2017), for asymmetric
 * ranges: both ends move, and zeros do not count, because the zero point represents 0 exactly.
 */
import type { Range } from "./calibrate.js";

/** Steps of an int8 range. */
const LEVELS = 256;
/** Ends are searched in steps of a 64th of each side, down to an eighth. */
const CUTS = Array.from({ length: 57 }, (_, i) => 1 - i / 64);
/** Probability that stands for none, so that the divergence stays finite. */
const NEARLY_NONE = 1e-9;

/**
 * The range to use for values with this histogram, whose bins divide `range` evenly. The result contains 0 when the
 * range does. `range.low < range.high`; an empty histogram gives `range` itself.
 */
export function entropyRange(range: Range, histogram: Float64Array): Range {
  const bins = histogram.length;
  const width = (range.high - range.low) / bins;
  const sums = sumUp(histogram);
  let least = Infinity;
  let best = range;
  for (const below of range.low < 0 ? CUTS : [1]) {
    for (const above of range.high > 0 ? CUTS : [1]) {
      // Whole bins, and at least one.
      const first = range.low < 0 ? Math.round((range.low * below - range.low) / width) : 0;
      const last = range.high > 0 ? Math.round((range.high * above - range.low) / width) : bins;
      if (last <= first) {
        continue;
      }
      const divergence = divergenceOfCut(histogram, first, last, sums);
      // Of equals the widest, which comes first.
      if (divergence < least - 1e-12) {
        least = divergence;
        best = {
          low: first === 0 ? range.low : range.low + first * width,
          high: last === bins ? range.high : range.low + last * width,
        };
      }
    }
  }
  return best;
}

/** n ln n, and 0 for none. */
const entropyTerm = (n: number): number => (n > 0 ? n * Math.log(n) : 0);

/** Sums over the first i bins, so that any run of bins is one subtraction. */
interface Sums {
  readonly counts: Float64Array;
  readonly filled: Float64Array;
  readonly terms: Float64Array;
}

function sumUp(histogram: Float64Array): Sums {
  const before = (of: (count: number) => number): Float64Array => {
    const sums = new Float64Array(histogram.length + 1);
    histogram.forEach((count, i) => (sums[i + 1] = (sums[i] ?? 0) + of(count)));
    return sums;
  };
  return {
    counts: before((count) => count),
    filled: before((count) => (count > 0 ? 1 : 0)),
    terms: before(entropyTerm),
  };
}

function between(sums: Float64Array, first: number, end: number): number {
  return (sums[end] ?? 0) - (sums[first] ?? 0);
}

/**
 * KL(P || Q) in nats. P: the histogram with everything outside first..last-1 moved into the bins at the ends (clipping).
 * Q: what is inside, averaged over each of the 256 steps among the bins that P fills. `first` < `last`.
 */
export function divergenceOfCut(
  histogram: Float64Array,
  first: number,
  last: number,
  sums: Sums = sumUp(histogram),
): number {
  const total = between(sums.counts, 0, histogram.length);
  const inside = between(sums.counts, first, last);
  if (total === 0 || inside === 0) {
    return total === 0 ? 0 : Infinity;
  }
  // What clipping adds to the bins at the ends.
  const added = new Map([[first, between(sums.counts, 0, first)]]);
  added.set(last - 1, (added.get(last - 1) ?? 0) + between(sums.counts, last, histogram.length));
  let sumOfTerms = between(sums.terms, first, last);
  for (const [bin, more] of added) {
    const count = histogram[bin] ?? 0;
    sumOfTerms += entropyTerm(count + more) - entropyTerm(count);
  }
  const steps = Math.min(LEVELS, last - first);
  // Sum of p ln p - p ln q, times the total.
  let divergence = sumOfTerms - entropyTerm(total);
  for (let step = 0, start = first; step < steps; step++) {
    const end = first + Math.floor(((last - first) * (step + 1)) / steps);
    const mass = between(sums.counts, start, end);
    let clipped = mass;
    let filled = between(sums.filled, start, end);
    if (step === 0 || step === steps - 1) {
      for (const [bin, more] of added) {
        if (bin >= start && bin < end) {
          clipped += more;
          filled += more > 0 && (histogram[bin] ?? 0) === 0 ? 1 : 0;
        }
      }
    }
    if (clipped > 0) {
      divergence -= clipped * Math.log(Math.max(mass / filled / inside, NEARLY_NONE));
    }
    start = end;
  }
  return divergence / total;
}

/**
 * Magnitude pruning: which weights become 0, and when. M. Zhu, S. Gupta, "To Prune, or Not to Prune: Exploring the
 * Efficacy of Pruning for Model Compression" (2017): the sparsity rises with the cube of the time that is left, so that
 * much goes while there is much to spare. Whole output channels go by the sum of their magnitudes (H. Li et al., "Pruning
 * Filters for Efficient ConvNets", ICLR 2017).
 *
 * Single zero weights save nothing on their own: kernels are dense. A channel without weights is a constant; the compiler
 * removes it and all that reads it (`passes/remove-constant-channels.ts`), exactly.
 */

/** Fraction of the training after which the sparsity stays: what is left then recovers. */
const RAMP_END = 0.6;

/** Sparsity at `done` (0..1) of the training, from 0 to `final`: s(t) = final - final * (1 - t)^3. */
export function sparsityAt(final: number, done: number): number {
  const t = Math.min(1, Math.max(0, done / RAMP_END));
  return final - final * (1 - t) ** 3;
}

/** 1 for weights that stay and 0 for floor(sparsity * n) of the smallest magnitudes; of equals the first go. */
export function magnitudeMask(weights: Float32Array, sparsity: number): Float32Array {
  const mask = new Float32Array(weights.length).fill(1);
  smallest(weights.map(Math.abs), Math.floor(sparsity * weights.length)).forEach((i) => (mask[i] = 0));
  return mask;
}

/**
 * The same for whole output channels; `channelOf` maps an index to its channel. At least one channel stays.
 */
export function channelMask(
  weights: Float32Array,
  channels: number,
  channelOf: (index: number) => number,
  sparsity: number,
): Float32Array {
  const sizes = new Float32Array(channels);
  weights.forEach((weight, i) => {
    const c = channelOf(i);
    sizes[c] = (sizes[c] ?? 0) + Math.abs(weight);
  });
  const gone = new Set(smallest(sizes, Math.min(channels - 1, Math.floor(sparsity * channels))));
  return Float32Array.from(weights, (_, i) => (gone.has(channelOf(i)) ? 0 : 1));
}

/** Indices of the `count` smallest values. */
function smallest(values: Float32Array, count: number): number[] {
  const order = Array.from(values, (_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  return order.slice(0, count);
}

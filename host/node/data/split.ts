/** Gives items their usage by shares: the same items, shares and seed give the same split. It stores nothing. */
import type { Usage } from "./data-descriptor.js";

export interface Shares {
  readonly training: number;
  readonly validation: number;
  readonly test: number;
  readonly calibration: number;
}

/** In this order the oldest items are given away, when the split is by time. */
const order = ["training", "validation", "calibration", "test"] as const;

/** `count` items by share: whole numbers by largest remainder, so that a share is missed by less than one item. */
export function countsOf(shares: Shares, count: number): Record<(typeof order)[number], number> {
  const total = Math.min(
    1,
    order.reduce((sum, usage) => sum + shares[usage], 0),
  );
  const exact = order.map((usage) => ({ usage, wanted: shares[usage] * count }));
  const counts = { training: 0, validation: 0, test: 0, calibration: 0 };
  for (const { usage, wanted } of exact) counts[usage] = Math.floor(wanted + 1e-9);
  let left = Math.round(total * count) - order.reduce((sum, usage) => sum + counts[usage], 0);
  const byRemainder = exact
    .filter(({ wanted }) => wanted > 0)
    .sort((a, b) => b.wanted - Math.floor(b.wanted + 1e-9) - (a.wanted - Math.floor(a.wanted + 1e-9)));
  for (const { usage } of byRemainder) {
    if (left <= 0) break;
    counts[usage]++;
    left--;
  }
  return counts;
}

/** mulberry32: 0 ≤ x < 1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const a = result[i];
    const b = result[j];
    if (a !== undefined && b !== undefined) [result[i], result[j]] = [b, a];
  }
  return result;
}

/**
 * The usage of each item, in the order of `labels` (one for each item, oldest first). By "random" the shares hold for
 * each label by itself; by "time" the oldest are training. Items that no share covers get undefined.
 */
export function splitUsages(
  labels: readonly string[],
  shares: Shares,
  by: "random" | "time",
  seed: number,
): (Usage | undefined)[] {
  const usages = new Array<Usage | undefined>(labels.length).fill(undefined);
  const give = (indices: readonly number[]): void => {
    const counts = countsOf(shares, indices.length);
    let at = 0;
    for (const usage of order) {
      for (const index of indices.slice(at, at + counts[usage])) usages[index] = usage;
      at += counts[usage];
    }
  };
  const all = labels.map((_, index) => index);
  if (by === "time") {
    give(all);
    return usages;
  }
  const random = generator(seed);
  for (const label of [...new Set(labels)].sort()) {
    give(
      shuffled(
        all.filter((index) => labels[index] === label),
        random,
      ),
    );
  }
  return usages;
}

/** Placing blocks: never overlapping, never below the bound, and the exact search equal to trying every order. */
import { describe, expect, it } from "vitest";
import { Random } from "../../test/models/random-graphs.js";
import { align, aliveTogether, placeBlocks, type Block, type Overlap } from "./place.js";

interface Problem {
  readonly blocks: readonly Block[];
  readonly overlaps: readonly Overlap[];
}

function problem(seed: number, count: number, most = 12): Problem {
  const random = new Random(seed);
  const times = count + 1;
  const blocks = Array.from({ length: count }, () => {
    const first = random.int(0, times - 1);
    return {
      bytes: 4 * random.int(1, most),
      first,
      last: Math.min(times, first + random.int(0, 3)),
    };
  });
  // A block that starts where another ends may overlap it as far as a random distance allows.
  const overlaps = blocks.flatMap((input) => {
    const output = blocks.find(
      (other) => other !== input && other.first === input.last && input.first < input.last,
    );
    return output === undefined || random.int(0, 1) === 0
      ? []
      : [{ at: input.last, input, output, distance: 4 * random.int(-6, 6) }];
  });
  return {
    blocks,
    overlaps: overlaps.filter(({ output }, i) => overlaps.findIndex((o) => o.output === output) === i),
  };
}

function apart(a: Block, at: number, b: Block, bt: number, overlaps: readonly Overlap[]): boolean {
  if (!aliveTogether(a, b) || at + align(a.bytes) <= bt || bt + align(b.bytes) <= at) {
    return true;
  }
  return overlaps.some(
    ({ input, output, distance }) =>
      (input === a && output === b && at - bt >= distance) ||
      (input === b && output === a && bt - at >= distance),
  );
}

/** The least size, by trying every offset of every block; `known` is the size of some placement. */
function smallest({ blocks, overlaps }: Problem, known: number): number {
  let best = known;
  const offsets: number[] = [];
  const visit = (i: number, top: number): void => {
    const block = blocks[i];
    if (block === undefined) {
      best = top;
      return;
    }
    const end = best - 4 - align(block.bytes);
    for (let offset = 0; offset <= end; offset += 4) {
      if (offsets.every((other, j) => apart(block, offset, blocks[j] ?? block, other, overlaps))) {
        offsets.push(offset);
        visit(i + 1, Math.max(top, offset + align(block.bytes)));
        offsets.pop();
      }
    }
  };
  visit(0, 0);
  return best;
}

describe("placing blocks", () => {
  it("keeps apart what is alive together", () => {
    for (let seed = 0; seed < 100; seed++) {
      const { blocks, overlaps } = problem(seed, 4 + (seed % 20));
      const { offsets, size } = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: undefined });
      blocks.forEach((a, i) => {
        const at = offsets.get(a) ?? -1;
        expect(at).toBeGreaterThanOrEqual(0);
        expect(at + align(a.bytes)).toBeLessThanOrEqual(size);
        for (const b of blocks.slice(i + 1)) {
          expect(apart(a, at, b, offsets.get(b) ?? -1, overlaps), `problem ${seed}`).toBe(true);
        }
      });
    }
  });
  it("finds the smallest where it says so, and says so for small problems", () => {
    const winners = new Map<string, number>();
    for (let seed = 0; seed < 40; seed++) {
      const small = problem(1000 + seed, 6, 6);
      const { size, optimal, heuristic } = placeBlocks(small.blocks, small.overlaps, {
        lowerBound: 0,
        limit: undefined,
      });
      winners.set(heuristic, (winners.get(heuristic) ?? 0) + 1);
      expect([optimal, size], `problem ${1000 + seed}`).toEqual([true, smallest(small, size)]);
    }
    expect(winners.get("exact search")).toBeGreaterThan(0);
  });
  it("stops where a limit is met, and searches nothing that cannot meet it", () => {
    let stopped = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { blocks, overlaps } = problem(seed, 12);
      const best = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: undefined });
      const enough = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: best.size + 16 });
      expect(enough.size).toBeLessThanOrEqual(best.size + 16);
      stopped += enough.size > best.size ? 1 : 0;
      const hopeless = placeBlocks(blocks, overlaps, { lowerBound: best.size, limit: best.size - 4 });
      expect(hopeless.size).toBeGreaterThanOrEqual(best.size);
    }
    expect(stopped).toBeGreaterThan(5);
  });
  it("ends in bounded time for large problems, with the same result every time", () => {
    const { blocks, overlaps } = problem(7, 78);
    const start = performance.now();
    const one = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: undefined });
    expect(performance.now() - start).toBeLessThan(3000);
    const two = placeBlocks(blocks, overlaps, { lowerBound: 0, limit: undefined });
    expect([...two.offsets.values()]).toEqual([...one.offsets.values()]);
  });
  it("places nothing in nothing", () => {
    expect(placeBlocks([], [], { lowerBound: 0, limit: undefined })).toMatchObject({
      size: 0,
      optimal: true,
    });
  });
});

/**
 * Puts blocks of memory with known lifetimes into one arena, as small as possible: several greedy orders, and an exact
 * search where they do not meet the bound. Knows nothing of layers: `plan.ts` makes the blocks.
 *
 * The search is a branch and bound over pairs: of two blocks that are alive together one lies before the other. With
 * some pairs decided, the longest path gives each block its least offset; the first conflict that is left is decided
 * both ways. It visits a fixed number of nodes at most, so that equal input gives equal plans on every machine.
 */

/** Something that needs `bytes` from operator `first` to operator `last`, inclusive. */
export interface Block {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** `output` may overlap `input` when it starts at least `distance` bytes (a multiple of ALIGNMENT) before it. */
export interface Overlap<B extends Block = Block> {
  readonly at: number;
  readonly input: B;
  readonly output: B;
  readonly distance: number;
}

export interface Placing<B extends Block = Block> {
  readonly offsets: ReadonlyMap<B, number>;
  readonly size: number;
  /** Name of the greedy order, or "exact search". */
  readonly heuristic: string;
  /** No placement of these blocks is smaller: the bound is met, or the search saw everything. */
  readonly optimal: boolean;
}

export interface PlacingGoal {
  /** No placement is smaller. */
  readonly lowerBound: number;
  /** Only whether a placement of at most this size exists matters; undefined: the smallest is wanted. */
  readonly limit: number | undefined;
}

/** Offsets are multiples of this, so that kernels may read words. */
export const ALIGNMENT = 4;

export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

export function aliveTogether(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Larger problems are left to the greedy orders. */
const MAX_SEARCHED = 80;
/** Offsets in the search are int32. */
const MAX_SEARCHED_BYTES = 2 ** 30;
const MAX_NODES = 3000;

/** A placement of all blocks; deterministic. */
export function placeBlocks<B extends Block>(
  blocks: readonly B[],
  overlaps: readonly Overlap<B>[],
  { lowerBound, limit }: PlacingGoal,
): Placing<B> {
  const enough = Math.max(lowerBound, limit ?? 0);
  let best: Omit<Placing<B>, "optimal"> = { offsets: new Map(), size: Infinity, heuristic: "none" };
  for (const [heuristic, compare] of greedyOrders(blocks)) {
    const placed = placeGreedily(blocks, overlaps, compare);
    if (placed.size < best.size) {
      best = { ...placed, heuristic };
    }
    if (best.size <= enough) {
      return { ...best, optimal: best.size <= lowerBound };
    }
  }
  const pointless = limit !== undefined && lowerBound > limit;
  if (pointless || blocks.length > MAX_SEARCHED || best.size > MAX_SEARCHED_BYTES) {
    return { ...best, optimal: false };
  }
  const search = new Search(blocks, overlaps);
  const complete = search.run(best.size, enough);
  const offsets = search.found;
  if (offsets !== undefined) {
    best = {
      offsets: new Map(blocks.map((block, i) => [block, offsets[i] ?? 0])),
      size: search.size,
      heuristic: "exact search",
    };
  }
  return { ...best, optimal: complete || best.size <= lowerBound };
}

/* ---- greedy ----------------------------------------------------------------------------------------------- */

type Compare = (a: Block, b: Block) => number;

function greedyOrders(blocks: readonly Block[]): readonly (readonly [string, Compare])[] {
  // By operator: bytes alive.
  const breadth = new Map<number, number>();
  for (const { bytes, first, last } of blocks) {
    for (let at = first; at <= last; at++) {
      breadth.set(at, (breadth.get(at) ?? 0) + align(bytes));
    }
  }
  const widest = new Map(
    blocks.map((block) => {
      let most = 0;
      for (let at = block.first; at <= block.last; at++) {
        most = Math.max(most, breadth.get(at) ?? 0);
      }
      return [block, most];
    }),
  );
  const length = (block: Block): number => block.last - block.first;
  return [
    ["largest first", (a, b) => b.bytes - a.bytes || a.first - b.first],
    ["execution order", (a, b) => a.first - b.first || b.bytes - a.bytes],
    ["reverse execution order", (a, b) => b.last - a.last || b.bytes - a.bytes],
    ["longest lived first", (a, b) => length(b) - length(a) || b.bytes - a.bytes],
    ["largest area first", (a, b) => b.bytes * (length(b) + 1) - a.bytes * (length(a) + 1)],
    [
      "fullest operator first",
      (a, b) => (widest.get(b) ?? 0) - (widest.get(a) ?? 0) || b.bytes - a.bytes || a.first - b.first,
    ],
  ];
}

/** Places blocks in the given order, each at the lowest offset that is free during its whole life. */
function placeGreedily<B extends Block>(
  blocks: readonly B[],
  overlaps: readonly Overlap<B>[],
  compare: Compare,
): { offsets: Map<B, number>; size: number } {
  const offsets = new Map<B, number>();
  const order = blocks
    .map((block, index) => ({ block, index }))
    .sort((a, b) => compare(a.block, b.block) || a.index - b.index);
  let size = 0;
  for (const { block } of order) {
    const taken = [...offsets]
      .filter(([other]) => aliveTogether(block, other))
      .map(([other, offset]) => ({
        above: offset - separation(block, other, overlaps),
        below: offset + separation(other, block, overlaps),
      }))
      .sort((a, b) => a.above - b.above);
    let offset = 0;
    for (const { above, below } of taken) {
      if (above < offset && offset < below) {
        offset = below;
      }
    }
    offsets.set(block, offset);
    size = Math.max(size, offset + align(block.bytes));
  }
  return { offsets, size };
}

/** How far after the start of `before` the start of `after` is at least, when it is to count as lying after it. */
function separation(before: Block, after: Block, overlaps: readonly Overlap[]): number {
  const whole = align(before.bytes);
  const allowed = overlaps.find(({ input, output }) => before === output && after === input);
  return allowed === undefined ? whole : Math.min(whole, allowed.distance);
}

/* ---- exact search ----------------------------------------------------------------------------------------- */

interface Pair {
  readonly a: number;
  readonly b: number;
  /** Least offset of b minus that of a when a lies before; may be negative. */
  readonly ab: number;
  readonly ba: number;
}

class Search {
  found: Int32Array | undefined;
  size = Infinity;
  private readonly pairs: readonly Pair[];
  private readonly bytes: readonly number[];
  /** Numbers of the blocks alive at an operator where some pair first meets. */
  private readonly groups: readonly (readonly number[])[];
  private readonly savings: readonly number[];
  private nodes = 0;
  private enough = 0;

  constructor(blocks: readonly Block[], overlaps: readonly Overlap[]) {
    this.bytes = blocks.map((block) => align(block.bytes));
    const pairs: Pair[] = [];
    blocks.forEach((a, i) => {
      for (let j = i + 1; j < blocks.length; j++) {
        const b = blocks[j];
        if (b !== undefined && aliveTogether(a, b)) {
          pairs.push({ a: i, b: j, ab: separation(a, b, overlaps), ba: separation(b, a, overlaps) });
        }
      }
    });
    // Pairs of large blocks decide most: they come first.
    const weight = ({ a, b }: Pair): number => Math.min(this.bytes[a] ?? 0, this.bytes[b] ?? 0);
    this.pairs = pairs.sort((p, q) => weight(q) - weight(p) || p.a - q.a || p.b - q.b);
    const times = [...new Set(blocks.map(({ first }) => first))];
    this.groups = times.map((at) =>
      blocks.flatMap((block, i) => (block.first <= at && at <= block.last ? [i] : [])),
    );
    this.savings = times.map((at) =>
      overlaps
        .filter((overlap) => overlap.at === at)
        .reduce((sum, { input, output, distance }) => {
          const both = align(input.bytes) + align(output.bytes);
          const together = Math.max(align(input.bytes) + Math.max(0, distance), align(output.bytes));
          return sum + both - Math.min(both, together);
        }, 0),
    );
  }

  /** Looks for a placement smaller than `limit`; true when it saw everything or found one that is good enough. */
  run(limit: number, enough: number): boolean {
    this.size = limit;
    this.enough = enough;
    this.nodes = 0;
    const complete = this.visit(new Int32Array(this.bytes.length), new Int8Array(this.pairs.length));
    return complete && this.size > enough;
  }

  /** False when the search ended before everything below this node was seen. */
  private visit(offsets: Int32Array, decided: Int8Array): boolean {
    if (++this.nodes > MAX_NODES) {
      return false;
    }
    if (this.bound(offsets) >= this.size) {
      return true;
    }
    const conflict = this.pairs.findIndex(
      ({ a, b, ab, ba }, i) =>
        decided[i] === 0 &&
        (offsets[b] ?? 0) < (offsets[a] ?? 0) + ab &&
        (offsets[a] ?? 0) < (offsets[b] ?? 0) + ba,
    );
    if (conflict < 0) {
      this.found = offsets;
      this.size = this.top(offsets);
      return true;
    }
    const tries = [1, -1]
      .map((way) => {
        const next = offsets.slice();
        const choice = decided.slice();
        choice[conflict] = way;
        return { next, choice, fits: this.raise(next, choice) };
      })
      .filter(({ fits }) => fits)
      .sort((x, y) => this.bound(x.next) - this.bound(y.next) || this.sum(x.next) - this.sum(y.next));
    for (const { next, choice } of tries) {
      if (!this.visit(next, choice)) {
        return false;
      }
      if (this.size <= this.enough) {
        return true;
      }
    }
    return true;
  }

  /** Raises offsets until every decided pair is apart; false when that needs `size` or more. */
  private raise(offsets: Int32Array, decided: Int8Array): boolean {
    for (let round = 0; round <= this.bytes.length; round++) {
      let changed = false;
      for (const [i, { a, b, ab, ba }] of this.pairs.entries()) {
        const way = decided[i];
        if (way === 0) {
          continue;
        }
        const [low, high, distance] = way === 1 ? [a, b, ab] : [b, a, ba];
        const least = (offsets[low] ?? 0) + distance;
        if ((offsets[high] ?? 0) < least) {
          if (least + (this.bytes[high] ?? 0) >= this.size) {
            return false;
          }
          offsets[high] = least;
          changed = true;
        }
      }
      if (!changed) {
        return true;
      }
    }
    return false; // a circle: the decisions contradict each other
  }

  /** No completion of these offsets is smaller: at each operator, what starts at or above some offset is stacked. */
  private bound(offsets: Int32Array): number {
    let most = this.top(offsets);
    this.groups.forEach((group, g) => {
      const sorted = [...group].sort((x, y) => (offsets[y] ?? 0) - (offsets[x] ?? 0));
      let stacked = -(this.savings[g] ?? 0);
      for (const i of sorted) {
        stacked += this.bytes[i] ?? 0;
        most = Math.max(most, (offsets[i] ?? 0) + stacked);
      }
    });
    return most;
  }

  private top(offsets: Int32Array): number {
    return this.bytes.reduce((most, bytes, i) => Math.max(most, (offsets[i] ?? 0) + bytes), 0);
  }

  private sum(offsets: Int32Array): number {
    return offsets.reduce((sum, offset) => sum + offset, 0);
  }
}

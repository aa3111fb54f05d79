/**
 * The static memory plan: an offset in one arena for every activation tensor, so that tensors that are alive at the
 * same time do not overlap. The output of a Reshape or an Add takes the place of an input that dies
 * there; such a Reshape costs nothing. A kernel that works in order lets its output overlap its input as far as
 * `kernels/overlap.ts` proves. The emitter declares the arena with exactly `arenaBytes`.
 *
 * Several greedy orders are tried and the best kept; when the result meets the lower bound it is an optimum.
 */
import { UserError } from "../diagnostics/user-error.js";
import { elementCount, tensorAt, type Graph } from "./graph.js";
import type { KernelChoice } from "./kernels/choose.js";
import { layerInputs, replaceableInputs, type Layer } from "./layers.js";

/** Where a tensor lives: [offset, offset + bytes) of the arena, from operator `first` to operator `last` inclusive. */
export interface Placement {
  readonly offset: number;
  readonly bytes: number;
  /** -1 for inputs of the model: written before the first operator. */
  readonly first: number;
  /** The number of operators for outputs of the model: read after the last one. */
  readonly last: number;
}

export interface MemoryPlan {
  /** By tensor number; tensors without an entry are constants or unused. */
  readonly placements: ReadonlyMap<number, Placement>;
  /** Scratch memory by operator number, for kernels that need some. */
  readonly scratch: ReadonlyMap<number, { readonly offset: number; readonly bytes: number }>;
  readonly arenaBytes: number;
  /** Most bytes needed at once, scratch included; no plan for these kernels can need less. */
  readonly lowerBound: number;
  /** The operator at which that many are alive; -1 before the first. */
  readonly peakOperator: number;
  /** Name of the greedy order that won. */
  readonly heuristic: string;
}

/** Tensors that share one place (a chain of in-place operators), or the scratch memory of an operator. */
interface Block {
  readonly tensors: number[];
  bytes: number;
  first: number;
  last: number;
}

/** `output` may overlap `input` when it starts at least `distance` bytes (a multiple of ALIGNMENT) before it. */
interface Overlap {
  readonly at: number;
  readonly input: Block;
  readonly output: Block;
  readonly distance: number;
}

/** Offsets are multiples of this, so that kernels may read words. */
export const ALIGNMENT = 4;

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Far above the RAM of any target. */
const MAX_ARENA_BYTES = 256 * 1024 * 1024;

/**
 * The plan for `layers` = lower(graph), computed by `kernels` (by position; without, by kernels that need no scratch and
 * no overlap). Deterministic.
 * @throws UserError TMC3003 above 256 MiB.
 */
export function planMemory(
  graph: Graph,
  layers: readonly Layer[],
  kernels: readonly KernelChoice[] = [],
): MemoryPlan {
  const lifetimes = findLifetimes(graph, layers);
  const blockOf = mergeInPlace(lifetimes, layers);
  const scratch = new Map<number, Block>();
  const overlaps: Overlap[] = [];
  kernels.forEach((kernel, at) => {
    const layer = layers[at];
    if (layer === undefined) {
      return;
    }
    if (kernel.scratchBytes > 0) {
      scratch.set(layer.operator, { tensors: [], bytes: kernel.scratchBytes, first: at, last: at });
    }
    const input = blockOf.get(layerInputs(layer)[0] ?? -1);
    const output = blockOf.get(layer.output);
    if (input === undefined || output === undefined) {
      return;
    }
    if (kernel.readsBeyond > 0) {
      const bytes = (lifetimes.get(layerInputs(layer)[0] ?? -1)?.bytes ?? 0) + kernel.readsBeyond;
      input.bytes = Math.max(input.bytes, bytes);
    }
    if (kernel.overlap !== undefined && input !== output && input.last === at && output.first === at) {
      overlaps.push({ at, input, output, distance: align(Math.max(kernel.overlap, -MAX_ARENA_BYTES)) });
    }
  });
  const blocks = [...new Set(blockOf.values()), ...scratch.values()];
  const { lowerBound, peakOperator } = peak(blocks, overlaps, layers.length);
  let best: { offsets: ReadonlyMap<Block, number>; size: number; heuristic: string } | undefined;
  for (const [heuristic, compare] of heuristics) {
    const { offsets, size } = placeGreedily(blocks, overlaps, compare);
    if (best === undefined || size < best.size) {
      best = { offsets, size, heuristic };
    }
  }
  if (best !== undefined && best.size > MAX_ARENA_BYTES) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: its activations need ${best.size} bytes; at most ${MAX_ARENA_BYTES} are accepted`,
      "Reduce the input or the width of the model.",
    );
  }
  const offsetOf = (block: Block | undefined): number =>
    block === undefined ? 0 : (best?.offsets.get(block) ?? 0);
  return {
    placements: new Map(
      [...lifetimes].map(([tensor, life]) => [tensor, { ...life, offset: offsetOf(blockOf.get(tensor)) }]),
    ),
    scratch: new Map(
      [...scratch].map(([operator, block]) => [operator, { offset: offsetOf(block), bytes: block.bytes }]),
    ),
    arenaBytes: best?.size ?? 0,
    lowerBound,
    peakOperator,
    heuristic: best?.heuristic ?? "none",
  };
}

interface Lifetime {
  readonly bytes: number;
  first: number;
  last: number;
}

function findLifetimes(graph: Graph, layers: readonly Layer[]): Map<number, Lifetime> {
  const lifetimes = new Map<number, Lifetime>();
  const start = (tensor: number, first: number): void => {
    lifetimes.set(tensor, {
      bytes: elementCount(tensorAt(graph, tensor).shape),
      first,
      last: Math.max(first, 0),
    });
  };
  const use = (tensor: number, at: number): void => {
    const lifetime = lifetimes.get(tensor);
    if (lifetime !== undefined) {
      lifetime.last = Math.max(lifetime.last, at);
    }
  };
  graph.inputs.forEach((tensor) => start(tensor, -1));
  layers.forEach((layer, at) => {
    layerInputs(layer).forEach((tensor) => use(tensor, at));
    start(layer.output, at);
  });
  graph.outputs.forEach((tensor) => use(tensor, layers.length));
  return lifetimes;
}

/** One block per tensor, then in-place outputs join the block of the input they replace. */
function mergeInPlace(
  lifetimes: ReadonlyMap<number, Lifetime>,
  layers: readonly Layer[],
): Map<number, Block> {
  const blockOf = new Map<number, Block>();
  for (const [tensor, { bytes, first, last }] of lifetimes) {
    blockOf.set(tensor, { tensors: [tensor], bytes, first, last });
  }
  layers.forEach((layer, at) => {
    const output = blockOf.get(layer.output);
    const donor = replaceableInputs(layer)
      .map((tensor) => blockOf.get(tensor))
      .find((block) => block !== undefined && block !== output && block.last === at);
    if (output === undefined || donor === undefined || output.first !== at) {
      return; // the input is a constant or is still needed: the layer copies
    }
    donor.tensors.push(...output.tensors);
    donor.bytes = Math.max(donor.bytes, output.bytes);
    donor.last = output.last;
    output.tensors.forEach((tensor) => blockOf.set(tensor, donor));
  });
  return blockOf;
}

function aliveTogether(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function peak(
  blocks: readonly Block[],
  overlaps: readonly Overlap[],
  operators: number,
): { lowerBound: number; peakOperator: number } {
  let lowerBound = 0;
  let peakOperator = -1;
  for (let at = -1; at <= operators; at++) {
    let alive = blocks
      .filter((block) => block.first <= at && at <= block.last)
      .reduce((sum, block) => sum + align(block.bytes), 0);
    for (const { input, output, distance } of overlaps.filter((overlap) => overlap.at === at)) {
      const both = align(input.bytes) + align(output.bytes);
      const together = Math.max(align(input.bytes) + Math.max(0, distance), align(output.bytes));
      alive -= both - Math.min(both, together);
    }
    if (alive > lowerBound) {
      lowerBound = alive;
      peakOperator = at;
    }
  }
  return { lowerBound, peakOperator };
}

type Compare = (a: Block, b: Block) => number;

const heuristics: readonly (readonly [string, Compare])[] = [
  ["largest first", (a, b) => b.bytes - a.bytes || a.first - b.first],
  ["execution order", (a, b) => a.first - b.first || b.bytes - a.bytes],
  ["reverse execution order", (a, b) => b.last - a.last || b.bytes - a.bytes],
  ["longest lived first", (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes],
  ["largest area first", (a, b) => b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1)],
];

/** Places blocks in the given order, each at the lowest offset that is free during its whole life. */
function placeGreedily(
  blocks: readonly Block[],
  overlaps: readonly Overlap[],
  compare: Compare,
): { offsets: Map<Block, number>; size: number } {
  const offsets = new Map<Block, number>();
  const order = blocks
    .map((block, index) => ({ block, index }))
    .sort((a, b) => compare(a.block, b.block) || a.index - b.index);
  let size = 0;
  for (const { block } of order) {
    const taken = [...offsets]
      .filter(([other]) => aliveTogether(block, other))
      .map(([other, offset]) => takenBy(block, other, offset, overlaps))
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

/** The offsets strictly between `above` and `below` are not possible for `block`, because of `other` at `offset`. */
function takenBy(
  block: Block,
  other: Block,
  offset: number,
  overlaps: readonly Overlap[],
): { above: number; below: number } {
  const above = offset - align(block.bytes);
  const below = offset + align(other.bytes);
  for (const { input, output, distance } of overlaps) {
    if (block === output && other === input) {
      return { above: Math.max(above, offset - distance), below };
    }
    if (block === input && other === output) {
      return { above, below: Math.min(below, offset + distance) };
    }
  }
  return { above, below };
}

/**
 * The static memory plan: an offset in one arena for every activation tensor, so that tensors that are alive at the
 * same time do not overlap. The output of a Reshape or an Add takes the place of an input that dies
 * there; such a Reshape costs nothing. The emitter declares the arena with exactly `arenaBytes`.
 *
 * Several greedy orders are tried and the best kept; when the result meets the lower bound it is an optimum.
 */
import { UserError } from "../diagnostics/user-error.js";
import { elementCount, tensorAt, type Graph } from "./graph.js";
import { layerInputs, type Layer } from "./layers.js";

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
  readonly arenaBytes: number;
  /** Most bytes alive at once; no plan without recomputation can need less. */
  readonly lowerBound: number;
  /** The operator at which that many are alive; -1 before the first. */
  readonly peakOperator: number;
  /** Name of the greedy order that won. */
  readonly heuristic: string;
}

/** Tensors that share one place: a chain of in-place operators. */
interface Block {
  readonly tensors: number[];
  bytes: number;
  first: number;
  last: number;
}

/** Offsets are multiples of this, so that kernels may read words. */
export const ALIGNMENT = 4;

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Far above the RAM of any target. */
const MAX_ARENA_BYTES = 256 * 1024 * 1024;

/** The plan for `layers` = lower(graph). Deterministic. @throws UserError TMC3003 above 256 MiB. */
export function planMemory(graph: Graph, layers: readonly Layer[]): MemoryPlan {
  const lifetimes = findLifetimes(graph, layers);
  const blocks = mergeInPlace(lifetimes, layers);
  const { lowerBound, peakOperator } = peak(blocks, layers.length);
  let best: { offsets: readonly number[]; size: number; heuristic: string } | undefined;
  for (const [heuristic, compare] of heuristics) {
    const { offsets, size } = placeGreedily(blocks, compare);
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
  const placements = new Map<number, Placement>();
  blocks.forEach((block, i) => {
    for (const tensor of block.tensors) {
      const lifetime = lifetimes.get(tensor);
      if (lifetime !== undefined) {
        placements.set(tensor, { ...lifetime, offset: best?.offsets[i] ?? 0 });
      }
    }
  });
  return {
    placements,
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
function mergeInPlace(lifetimes: ReadonlyMap<number, Lifetime>, layers: readonly Layer[]): Block[] {
  const blockOf = new Map<number, Block>();
  for (const [tensor, { bytes, first, last }] of lifetimes) {
    blockOf.set(tensor, { tensors: [tensor], bytes, first, last });
  }
  layers.forEach((layer, at) => {
    if (layer.kind !== "Reshape" && layer.kind !== "Add") {
      return;
    }
    const output = blockOf.get(layer.output);
    const donor = layerInputs(layer)
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
  return [...new Set(blockOf.values())];
}

function overlaps(a: Block, b: Block): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function peak(blocks: readonly Block[], operators: number): { lowerBound: number; peakOperator: number } {
  let lowerBound = 0;
  let peakOperator = -1;
  for (let at = -1; at <= operators; at++) {
    const alive = blocks
      .filter((block) => block.first <= at && at <= block.last)
      .reduce((sum, block) => sum + align(block.bytes), 0);
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
function placeGreedily(blocks: readonly Block[], compare: Compare): { offsets: number[]; size: number } {
  const offsets = new Array<number>(blocks.length).fill(0);
  const order = blocks
    .map((block, index) => ({ block, index }))
    .sort((a, b) => compare(a.block, b.block) || a.index - b.index);
  const placed: { block: Block; offset: number }[] = []; // by offset
  let size = 0;
  for (const { block, index } of order) {
    let offset = 0;
    for (const other of placed) {
      if (overlaps(block, other.block)) {
        if (offset + align(block.bytes) <= other.offset) {
          break;
        }
        offset = Math.max(offset, other.offset + align(other.block.bytes));
      }
    }
    offsets[index] = offset;
    const position = placed.findIndex((other) => other.offset > offset);
    placed.splice(position < 0 ? placed.length : position, 0, { block, offset });
    size = Math.max(size, offset + align(block.bytes));
  }
  return { offsets, size };
}

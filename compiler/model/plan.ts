/**
 * The static memory plan: an offset in one arena for every activation tensor, so that tensors that are alive at the
 * same time do not overlap. The output of a Reshape or an Add takes the place of an input that dies
 * there; such a Reshape costs nothing. A kernel that works in order lets its output overlap its input as far as
 * `kernels/overlap.ts` proves. The emitter declares the arena with exactly `arenaBytes`. Offsets are `place.ts`'s.
 */
import { UserError } from "../diagnostics/user-error.js";
import { tensorAt, tensorBytes, type Graph } from "./graph.js";
import type { KernelChoice } from "./kernels/choose.js";
import { layerInputs, replaceableInputs, type Layer } from "./layers.js";
import { align, placeBlocks, type Block as PlacedBlock, type Overlap as PlacedOverlap } from "./place.js";

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
  /** Name of the greedy order that won, or "exact search". */
  readonly heuristic: string;
  /** Proved: no plan for these kernels in this order of operators is smaller. */
  readonly optimal: boolean;
}

/** Tensors that share one place (a chain of in-place operators), or the scratch memory of an operator. */
interface Block extends PlacedBlock {
  readonly tensors: number[];
  bytes: number;
  first: number;
  last: number;
}

type Overlap = PlacedOverlap<Block>;

/** Far above the RAM of any target. */
const MAX_ARENA_BYTES = 256 * 1024 * 1024;

/**
 * The plan for `layers` = lower(graph), computed by `kernels` (by position; without, by kernels that need no scratch and
 * no overlap). With `limit` the question is only whether at most so many bytes can do. Deterministic.
 * @throws UserError TMC3003 above 256 MiB.
 */
export function planMemory(
  graph: Graph,
  layers: readonly Layer[],
  kernels: readonly KernelChoice[] = [],
  limit?: number,
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
  const best = placeBlocks(blocks, overlaps, { lowerBound, limit });
  if (best.size > MAX_ARENA_BYTES) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: its activations need ${best.size} bytes; at most ${MAX_ARENA_BYTES} are accepted`,
      "Reduce the input or the width of the model.",
    );
  }
  const offsetOf = (block: Block | undefined): number =>
    block === undefined ? 0 : (best.offsets.get(block) ?? 0);
  return {
    placements: new Map(
      [...lifetimes].map(([tensor, life]) => [tensor, { ...life, offset: offsetOf(blockOf.get(tensor)) }]),
    ),
    scratch: new Map(
      [...scratch].map(([operator, block]) => [operator, { offset: offsetOf(block), bytes: block.bytes }]),
    ),
    arenaBytes: best.size,
    lowerBound,
    peakOperator,
    heuristic: best.heuristic,
    optimal: best.optimal,
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
      bytes: tensorBytes(tensorAt(graph, tensor)),
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

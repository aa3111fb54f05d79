/**
 * The passes that make a model's layers fewer without changing a bit of what it computes, in their order. Removing
 * constant channels comes after them (`remove-constant-channels.ts`).
 */
import { tensorAt, type Graph } from "../graph.js";
import { layerInputs, type Layer } from "../layers.js";
import { fuseActivations, joinTables } from "./fuse-activations.js";
import { mergePadding } from "./merge-padding.js";
import { Program, type PassChange } from "./program.js";
import {
  foldConstants,
  removeCopies,
  removeTranspositions,
  removeTwins,
  removeUnused,
} from "./remove-copies.js";

export interface SimplifiedModel {
  /** The given graph with constants that were folded, and outputs that are other tensors with the same bytes. */
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  /** By tensor that no layer writes any more: the tensor that holds its bytes. */
  readonly standIns: ReadonlyMap<number, number>;
  readonly changes: readonly PassChange[];
}

const passes: readonly ((program: Program) => void)[] = [
  removeUnused,
  removeCopies,
  foldConstants,
  removeTwins,
  removeTranspositions,
  mergePadding,
  fuseActivations,
  joinTables,
];

/** One pass can make room for another; this many rounds are more than models need. */
const MAX_ROUNDS = 8;

/** Models with int16 activations stay as they are. */
export function simplify(graph: Graph, layers: readonly Layer[]): SimplifiedModel {
  // The passes know the bytes of int8 tensors.
  const tensors = layers.flatMap((layer) => [...layerInputs(layer), layer.output]);
  if (tensors.some((tensor) => tensorAt(graph, tensor).type !== "int8")) {
    return { graph, layers, standIns: new Map(), changes: [] };
  }
  const program = new Program(graph, layers);
  for (let round = 0, before = -1; round < MAX_ROUNDS && before !== program.changes.length; round++) {
    before = program.changes.length;
    passes.forEach((pass) => pass(program));
  }
  return {
    graph: { ...graph, tensors: program.tensors, outputs: program.outputs },
    layers: program.layers,
    standIns: program.standIns(),
    changes: program.changes,
  };
}

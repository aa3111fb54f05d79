/**
 * From a graph to what is emitted: the layers that the passes leave, the kernel of each, and the memory plan for them.
 * Emits nothing and runs nothing; the executor on Node.js does not use it: it stays with the graph as it is.
 */
import type { Graph } from "./graph.js";
import { chooseKernel, triplesToTry, type KernelChoice } from "./kernels/choose.js";
import { layFlat } from "./kernels/lay-flat.js";
import type { Layer } from "./layers.js";
import { lower } from "./lower.js";
import { removeConstantChannels, type NarrowTensor } from "./passes/remove-constant-channels.js";
import { findBands } from "./least-memory.js";
import type { RowBands } from "./passes/row-bands.js";
import type { PassChange } from "./passes/program.js";
import { simplify } from "./passes/simplify.js";
import { planMemory, type MemoryPlan } from "./plan.js";

export interface CompiledModel {
  /** With the shapes of the tensors as they are stored. */
  readonly graph: Graph;
  /** Tensors that are stored without their constant channels. */
  readonly narrow: ReadonlyMap<number, NarrowTensor>;
  /** By tensor that is not computed: the tensor that holds its bytes. */
  readonly standIns: ReadonlyMap<number, number>;
  /** What the passes before the removal of constant channels did. */
  readonly changes: readonly PassChange[];
  readonly layers: readonly Layer[];
  /** By position in `layers`. */
  readonly kernels: readonly KernelChoice[];
  readonly plan: MemoryPlan;
  /** The chain of layers that one layer stands for, at position `bands.first`; undefined when there is none. */
  readonly bands: RowBands | undefined;
}

/**
 * What scratch memory for speed may add to the least plan: one part in so many, at most so many bytes (enough for the
 * 64-channel convolutions of ResNet-8 to read their weights from flash once for 24 positions).
 */
const SCRATCH_SHARE = 4;
const MAX_SCRATCH = 8448;

/**
 * balanced: scratch memory where it makes a layer faster. least: only what costs no memory, and the chain of layers at
 * the peak in bands of rows where that lowers it, which computes some rows twice.
 */
export type MemoryGoal = "balanced" | "least";

/**
 * `accepts`: whether a faster kernel may be taken in a layer's place (packages do not have all).
 * @throws UserError TMC30xx when the graph is not an int8 model that can be executed exactly.
 */
export function compileModel(
  original: Graph,
  goal: MemoryGoal = "balanced",
  accepts: (kernel: KernelChoice) => boolean = () => true,
): CompiledModel {
  const simplified = simplify(original, lower(original));
  const { graph, narrow, ...removed } = removeConstantChannels(simplified.graph, simplified.layers);
  let layers: readonly Layer[] = removed.layers.map(layFlat);
  let kernels: readonly KernelChoice[] = layers.map((layer) => chooseKernel(layer));
  let plan: MemoryPlan | undefined = planMemory(graph, layers, kernels);
  const banded = goal === "least" ? findBands(graph, layers, kernels, plan) : undefined;
  if (banded !== undefined) {
    ({ layers, kernels, plan } = banded);
  }
  const share = goal === "least" ? 0 : Math.min(MAX_SCRATCH, Math.floor(plan.arenaBytes / SCRATCH_SHARE));
  const limit = plan.arenaBytes + share;
  layers.forEach((layer, at) => {
    if (kernels[at]?.triples !== 1) {
      return;
    }
    for (const triples of triplesToTry(layer)) {
      const choice = chooseKernel(layer, triples);
      if (!accepts(choice)) {
        continue;
      }
      const wider = kernels.with(at, choice);
      if (planMemory(graph, layers, wider, limit).arenaBytes <= limit) {
        kernels = wider;
        plan = undefined;
        return;
      }
    }
  });
  plan ??= planMemory(graph, layers, kernels);
  const { standIns, changes } = simplified;
  return { graph, layers, narrow, standIns, changes, kernels, plan, bands: banded?.bands };
}

/**
 * From a graph to what is emitted: layers, the kernel of each, and the memory plan for them. Emits nothing and runs
 * nothing; the executor on Node.js does not use it: it stays with the graph as it is.
 */
import type { Graph } from "./graph.js";
import { chooseKernel, type KernelChoice } from "./kernels/choose.js";
import type { Layer } from "./layers.js";
import { lower } from "./lower.js";
import { planMemory, type MemoryPlan } from "./plan.js";

export interface CompiledModel {
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  /** By position in `layers`. */
  readonly kernels: readonly KernelChoice[];
  readonly plan: MemoryPlan;
}

/** @throws UserError TMC30xx when the graph is not an int8 model that can be executed exactly. */
export function compileModel(graph: Graph): CompiledModel {
  const layers = lower(graph);
  const kernels = layers.map(chooseKernel);
  return { graph, layers, kernels, plan: planMemory(graph, layers, kernels) };
}

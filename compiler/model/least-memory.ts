/**
 * Looks for the chain of layers that, computed in bands of rows, lowers the peak of the memory plan most. It decides by
 * the plan alone: kernels with the least scratch memory, the greedy orders of `place.ts`, no running time.
 */
import type { Graph } from "./graph.js";
import type { KernelChoice } from "./kernels/choose.js";
import { layerMacs, type Layer } from "./layers.js";
import {
  cutIntoBands,
  isChain,
  rememberKernels,
  type RowBands,
  type WindowLayer,
} from "./passes/row-bands.js";
import { planMemory, type MemoryPlan } from "./plan.js";

/** Layers and kernels where a chain is one layer. */
export interface BandedModel {
  readonly bands: RowBands;
  readonly layers: readonly Layer[];
  readonly kernels: readonly KernelChoice[];
  readonly plan: MemoryPlan;
}

const MAX_CHAIN = 8;
const COUNTS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48];
/** Of the multiplications of the whole model: what may be computed again. */
const MAX_EXTRA = 0.25;
/** Plans this near to the least are as good: then fewer multiplications count. One part in so many. */
const NEAR = 64;

/** `layers` with the chain of `bands` as one, which stands at the chain's first position and is called by its last. */
export function withBands(
  layers: readonly Layer[],
  kernels: readonly KernelChoice[],
  bands: RowBands,
): Pick<BandedModel, "layers" | "kernels"> {
  const { first, last, kernel } = bands;
  const from = layers[first] as WindowLayer;
  const one = { ...(layers[last] as WindowLayer), input: from.input };
  return {
    layers: [...layers.slice(0, first), one, ...layers.slice(last + 1)],
    kernels: [...kernels.slice(0, first), kernel, ...kernels.slice(last + 1)],
  };
}

/** Undefined when no chain lowers the peak of `plan`, the plan of `layers` and `kernels`. */
export function findBands(
  graph: Graph,
  layers: readonly Layer[],
  kernels: readonly KernelChoice[],
  plan: MemoryPlan,
): BandedModel | undefined {
  const peak = Math.min(Math.max(plan.peakOperator, 0), layers.length - 1);
  const macs = layers.reduce((sum, layer) => sum + layerMacs(layer), 0);
  const choose = rememberKernels();
  let found: BandedModel[] = [];
  let least = plan.arenaBytes - plan.arenaBytes / NEAR;
  for (let first = Math.max(0, peak - MAX_CHAIN + 1); first <= peak; first++) {
    for (let last = Math.max(peak, first + 1); last < Math.min(layers.length, first + MAX_CHAIN); last++) {
      if (!isChain(graph, layers, first, last)) {
        continue;
      }
      for (const count of COUNTS) {
        const limit = Math.floor(least + least / NEAR);
        const bands = cutIntoBands(layers, first, last, count, [], choose);
        if (bands === undefined || bands.extraMacs > MAX_EXTRA * macs || bands.kernel.scratchBytes > limit) {
          continue;
        }
        const model = withBands(layers, kernels, bands);
        const banded = planMemory(graph, model.layers, model.kernels, limit);
        if (banded.arenaBytes <= limit && banded.arenaBytes < plan.arenaBytes) {
          found.push({ bands, ...model, plan: banded });
          least = Math.min(least, banded.arenaBytes);
        }
      }
    }
  }
  found = found.filter((one) => one.plan.arenaBytes <= least + least / NEAR);
  found.sort(
    (a, b) =>
      a.bands.extraMacs - b.bands.extraMacs ||
      a.bands.bands.length - b.bands.bands.length ||
      a.plan.arenaBytes - b.plan.arenaBytes,
  );
  return found[0];
}

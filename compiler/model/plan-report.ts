/**
 * The memory plan as a reader wants it: who lives where and when, what the peak is made of. Data only; the text is the
 * command's, the picture is `plan-svg.ts`'s.
 */
import type { CompiledModel } from "./compile.js";
import { tensorAt } from "./graph.js";

/** A step of execution: one layer. */
export interface PlanStep {
  /** Number of the operator in the model; of a chain in bands the last. */
  readonly operator: number;
  /** All operators that it computes: more than one for a chain in bands. */
  readonly operators: readonly number[];
  /** "Conv2D"; "Bands 2-4" for a chain. */
  readonly kind: string;
  /** Name of the tensor it writes. */
  readonly name: string;
  /** Bytes of the arena that hold something, scratch included. */
  readonly aliveBytes: number;
}

/** Something that occupies the arena. In-place and overlapping tensors share addresses. */
export interface PlanHolder {
  readonly what: "input" | "output" | "tensor" | "scratch";
  /** Tensor number, or for scratch memory the operator. */
  readonly number: number;
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Positions in `steps`: from `first` to `last` inclusive; -1 is before the first step, `steps.length` after the last. */
  readonly first: number;
  readonly last: number;
}

export interface PlanReport {
  readonly model: string;
  readonly arenaBytes: number;
  /** Most bytes needed at once; no plan for these kernels and this order of operators is smaller. */
  readonly lowerBound: number;
  /** Proved that no such plan is smaller. */
  readonly optimal: boolean;
  /** How the placement was found. */
  readonly heuristic: string;
  /** The step that needs most, and what is alive there, largest first. */
  readonly peak: {
    /** Position in `steps`; -1: the inputs alone; `steps.length`: the outputs alone. */
    readonly step: number;
    readonly bytes: number;
    readonly holders: readonly PlanHolder[];
  };
  readonly steps: readonly PlanStep[];
  readonly holders: readonly PlanHolder[];
  /** The chain that is computed in bands of rows; null when there is none. */
  readonly bands: BandsReport | null;
}

export interface BandsReport {
  readonly operators: readonly number[];
  /** How many bands. */
  readonly count: number;
  /** Multiplications that are done twice. */
  readonly extraMacs: number;
}

export function planReport({
  graph,
  layers,
  plan,
  bands,
}: Pick<CompiledModel, "graph" | "layers" | "plan" | "bands">): PlanReport {
  const chain = bands?.bands[0]?.map(({ layer }) => layer.operator) ?? [];
  const positions = new Map(layers.map((layer, at) => [layer.operator, at]));
  const nameOf = (tensor: number): string => {
    // Exporters join the names of everything that was fused: the first says which layer it is.
    const [name = ""] = tensorAt(graph, tensor).name.split(";");
    return name === "" ? `tensor ${tensor}` : name;
  };
  const tensors = [...plan.placements].map(([tensor, place]): PlanHolder => {
    const what = graph.inputs.includes(tensor)
      ? "input"
      : graph.outputs.includes(tensor)
        ? "output"
        : "tensor";
    return { what, number: tensor, name: nameOf(tensor), ...place };
  });
  const scratch = [...plan.scratch].map(([operator, { offset, bytes }]): PlanHolder => {
    const at = positions.get(operator) ?? 0;
    const name = `scratch of operator ${operator}`;
    return { what: "scratch", number: operator, name, offset, bytes, first: at, last: at };
  });
  const holders = [...tensors, ...scratch].sort((a, b) => a.first - b.first || a.offset - b.offset);
  const aliveAt = (at: number): PlanHolder[] =>
    holders
      .filter(({ first, last }) => first <= at && at <= last)
      .sort((a, b) => b.bytes - a.bytes || a.offset - b.offset);
  const used = (at: number): number => unionBytes(aliveAt(at));
  return {
    model: graph.name,
    arenaBytes: plan.arenaBytes,
    lowerBound: plan.lowerBound,
    optimal: plan.optimal,
    heuristic: plan.heuristic,
    peak: { step: plan.peakOperator, bytes: plan.lowerBound, holders: aliveAt(plan.peakOperator) },
    steps: layers.map((layer, at) => ({
      operator: layer.operator,
      operators: at === bands?.first ? chain : [layer.operator],
      kind:
        at === bands?.first
          ? `Bands ${chain[0]}-${chain.at(-1)}`
          : (graph.operators[layer.operator]?.kind ?? layer.kind),
      name: nameOf(layer.output),
      aliveBytes: used(at),
    })),
    holders,
    bands:
      bands === undefined
        ? null
        : { operators: chain, count: bands.bands.length, extraMacs: bands.extraMacs },
  };
}

/** Bytes that at least one of them occupies. */
function unionBytes(holders: readonly PlanHolder[]): number {
  let bytes = 0;
  let end = 0;
  for (const holder of [...holders].sort((a, b) => a.offset - b.offset)) {
    const stop = holder.offset + holder.bytes;
    bytes += Math.max(0, stop - Math.max(end, holder.offset));
    end = Math.max(end, stop);
  }
  return bytes;
}

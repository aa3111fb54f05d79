/**
 * Operators of the model graph that move data or reduce it along axes. Axes, positions and sizes that .tflite files keep
 * in constant tensors are attributes here, resolved: not negative, in range, without masks.
 */
import type { Operator, OperatorCommon } from "./graph.js";

/** Inputs of equal shapes but for dimension `axis`, one after the other along it. */
export interface Concatenation extends OperatorCommon {
  readonly kind: "Concatenation";
  /** At least one; a tensor may occur more than once. */
  readonly inputs: readonly number[];
  readonly axis: number;
}

/** before[d] elements of `value` before, and after[d] behind dimension d. */
export interface Pad extends OperatorCommon {
  readonly kind: "Pad";
  readonly input: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** As stored in the tensor (a quantised value in quantised graphs); undefined stands for the real number 0. */
  readonly value: number | undefined;
}

/**
 * sizes[d] elements of dimension d: begin[d], begin[d] + strides[d], ... The output has the shape `sizes`, or that
 * without some dimensions of size 1.
 */
export interface Slice extends OperatorCommon {
  readonly kind: "Slice";
  readonly input: number;
  readonly begin: readonly number[];
  readonly sizes: readonly number[];
  /** Not 0; may be negative. */
  readonly strides: readonly number[];
}

/** Dimension d of the output is dimension permutation[d] of the input. */
export interface Transpose extends OperatorCommon {
  readonly kind: "Transpose";
  readonly input: number;
  readonly permutation: readonly number[];
}

/** [N,H,W,C] → [N,OH,OW,C]. */
export interface ResizeNearestNeighbor extends OperatorCommon {
  readonly kind: "ResizeNearestNeighbor";
  readonly input: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Over all elements along `axes`; the output keeps those dimensions with size 1, or leaves them out. */
export interface Reduction extends OperatorCommon {
  readonly kind: "Mean" | "Sum" | "ReduceMax" | "ReduceMin";
  readonly input: number;
  /** At least one, ascending, each once. */
  readonly axes: readonly number[];
}

/** What copies elements without arithmetic: the output has the quantisation of its inputs. */
export type Movement = Concatenation | Pad | Slice | Transpose | ResizeNearestNeighbor;

const kinds: ReadonlySet<Operator["kind"]> = new Set<(Movement | Reduction)["kind"]>([
  "Concatenation",
  "Pad",
  "Slice",
  "Transpose",
  "ResizeNearestNeighbor",
  "Mean",
  "Sum",
  "ReduceMax",
  "ReduceMin",
]);

export function movesOrReduces(operator: Operator): operator is Movement | Reduction {
  return kinds.has(operator.kind);
}

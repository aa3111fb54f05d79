/**
 * Layers that copy or reduce elements along axes: steps and counts in elements of an int8 tensor, worked out by
 * `lower-movement.ts`. What an operator of the graph was called does not matter any more here.
 */
import type { LayerCommon } from "./layers.js";
import type { Movement } from "./graph-movement.js";

/** `count` times; from one time to the next the position in the input moves by `from`, that in the output by `to`. */
export interface Loop {
  readonly count: number;
  /** May be 0 or negative. */
  readonly from: number;
  readonly to: number;
}

/** Copies `run` neighbouring elements in every iteration of the nested loops. */
export interface Move {
  /** Position in `inputs`. */
  readonly input: number;
  /** Where the first run is read and written. */
  readonly from: number;
  readonly to: number;
  readonly run: number;
  /** Outermost first; none can be merged with its neighbour or with the run. At most MAX_LOOPS. */
  readonly loops: readonly Loop[];
}

/** Without the run (TMC_MOVE_LOOPS of tmc/kernels.h, and the innermost). */
export const MAX_LOOPS = 5;

export interface MoveLayer extends LayerCommon {
  readonly kind: "Move";
  readonly what: Movement["kind"];
  readonly inputs: readonly number[];
  readonly moves: readonly Move[];
  /** What the output holds where no move writes; undefined when moves write every element. */
  readonly fill: number | undefined;
  /** Elements of the output. */
  readonly count: number;
}

/** Runs of neighbouring elements from a table of rows and columns: a resizing that no loops describe. */
export interface ResizeLayer extends LayerCommon {
  readonly kind: "Resize";
  readonly input: number;
  /** By output row and output column: the offset in the input; a run starts at their sum. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly run: number;
}

/** One axis of a reduction. */
export interface Axis {
  readonly count: number;
  readonly step: number;
}

/** Axes that are merged with their neighbours: of 6 dimensions at most this many of each kind remain. */
export const MAX_REDUCE_AXES = 3;

/**
 * Outputs in the order of `kept`, outermost first. The sum of the inputs of an output, plus `total`, is scaled by
 * multiplier * 2^(shift - 31); maximum and minimum are not scaled.
 */
export interface ReduceLayer extends LayerCommon {
  readonly kind: "Reduce";
  readonly reduce: "sum" | "max" | "min";
  readonly input: number;
  readonly kept: readonly Axis[];
  readonly reduced: readonly Axis[];
  /** Minus the input's zero point times the number of inputs of an output. */
  readonly total: number;
  /** Not negative; not normalised for means. */
  readonly multiplier: number;
  /** -31..30; positive is to the left. */
  readonly shift: number;
  readonly outputOffset: number;
}

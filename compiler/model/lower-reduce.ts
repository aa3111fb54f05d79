/** Lowers reductions along axes: mean, sum, maximum, minimum. */
import { UserError } from "../diagnostics/user-error.js";
import { elementCount, tensorAt, type Graph } from "./graph.js";
import type { Reduction } from "./graph-movement.js";
import { MAX_REDUCE_AXES, type Axis, type ReduceLayer } from "./layers-movement.js";
import { perTensor, shapeError, text } from "./lower-common.js";
import { checkSameParameters, stepsOf } from "./lower-movement.js";
import { quantizeMultiplier } from "./reference/arithmetic.js";

/** The sum of so many differences to a zero point stays within 32 bits. */
const MAX_REDUCED = 2 ** 23;
/** The reference shifts an int32 left by at most this much. */
const MAX_LEFT_SHIFT = 30;

/** @throws UserError TMC3012, TMC3013, TMC3021, TMC3022. */
export function lowerReduction(graph: Graph, operator: Reduction, index: number, where: string): ReduceLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  const { kind, axes } = operator;
  const isReduced = (d: number): boolean => axes.includes(d);
  const expected = (keep: boolean): string =>
    text(input.shape.flatMap((size, d) => (isReduced(d) ? (keep ? [1] : []) : [size])));
  if (
    axes.some((axis) => axis >= input.shape.length) ||
    (text(output.shape) !== expected(true) && text(output.shape) !== expected(false))
  ) {
    throw shapeError(where, `reduces ${text(input.shape)} along ${text(axes)} to ${text(output.shape)}`);
  }
  const count = elementCount(input.shape.filter((_, d) => isReduced(d)));
  if (count > MAX_REDUCED) {
    throw new UserError(
      "TMC3012",
      `${where}: ${count} inputs for one output are not supported; supported: at most ${MAX_REDUCED}`,
      "Reduce the input of the operator.",
    );
  }
  const i = perTensor(input, where);
  const o = perTensor(output, where);
  const sums = kind === "Mean" || kind === "Sum";
  if (!sums) {
    checkSameParameters(input, output, where);
  }
  const { multiplier, shift } = sums
    ? multiplierOf(i.scale / o.scale, kind === "Mean" ? count : 1, where)
    : { multiplier: 0, shift: 0 };
  return {
    kind: "Reduce",
    operator: index,
    reduce: sums ? "sum" : kind === "ReduceMax" ? "max" : "min",
    input: operator.input,
    output: operator.output,
    ...mergedAxes(input.shape, isReduced),
    total: 0 - i.zeroPoint * count,
    multiplier,
    shift,
    outputOffset: o.zeroPoint,
  };
}

/** The reference divides the multiplier by the count, with as many more bits as the count has. */
function multiplierOf(real: number, count: number, where: string): { multiplier: number; shift: number } {
  const fixed = quantizeMultiplier(real);
  if (!Number.isFinite(real) || fixed.shift > MAX_LEFT_SHIFT) {
    throw new UserError(
      "TMC3022",
      `${where}: input scale over output scale is ${real}; at most 2^${MAX_LEFT_SHIFT} can be expressed`,
      "Calibrate the model with more representative data: the scales of its tensors are too far apart.",
    );
  }
  const bits = Math.min(31 - Math.clz32(count), 31 + fixed.shift);
  return {
    multiplier: Number((BigInt(fixed.multiplier) << BigInt(bits)) / BigInt(count)),
    shift: fixed.shift - bits,
  };
}

/** Neighbouring dimensions of one kind become one axis. */
export function mergedAxes(
  shape: readonly number[],
  isReduced: (dimension: number) => boolean,
): Pick<ReduceLayer, "kept" | "reduced"> {
  const steps = stepsOf(shape);
  const axes: { reduced: boolean; count: number; step: number }[] = [];
  shape.forEach((count, d) => {
    const last = axes.at(-1);
    const step = steps[d] ?? 1;
    if (count > 1 && last?.reduced === isReduced(d)) {
      axes[axes.length - 1] = { ...last, count: last.count * count, step };
    } else if (count > 1) {
      axes.push({ reduced: isReduced(d), count, step });
    }
  });
  const of = (reduced: boolean): readonly Axis[] => {
    const own = axes.filter((axis) => axis.reduced === reduced).map(({ count, step }) => ({ count, step }));
    if (own.length > MAX_REDUCE_AXES) {
      throw new Error(`${own.length} axes`); // 6 dimensions alternate at most 3 times
    }
    return own;
  };
  return { kept: of(false), reduced: of(true) };
}

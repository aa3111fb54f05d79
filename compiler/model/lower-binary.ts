/**
 * Lowers the operators of two operands: broadcasting is checked and turned into steps, scales into multipliers. An operand
 * that is one constant value makes the layer a table.
 */
import { UserError } from "../diagnostics/user-error.js";
import { elementCount, tensorAt, type Binary, type Graph, type Tensor } from "./graph.js";
import type { AddLayer, Clamp, ElementwiseLayer, Factor, Four, LookupLayer } from "./layers.js";
import {
  activationClamp,
  fixedMultiplier,
  isWide,
  perTensor,
  shapeError,
  text,
  type PerTensor,
} from "./lower-common.js";
import { quantizeMultiplier, type FixedMultiplier } from "./reference/arithmetic.js";
import { elementwiseFunction } from "./reference/elementwise.js";

export type BinaryLayer = AddLayer | ElementwiseLayer | LookupLayer;

export function lowerBinary(graph: Graph, operator: Binary, index: number, where: string): BinaryLayer {
  const left = tensorAt(graph, operator.left);
  const right = tensorAt(graph, operator.right);
  const output = tensorAt(graph, operator.output);
  if (operator.kind === "PRelu" && text(left.shape) !== text(output.shape)) {
    throw shapeError(where, `maps ${text(left.shape)} to ${text(output.shape)}`);
  }
  const layer: ElementwiseLayer = {
    kind: "Elementwise",
    operation: operator.kind,
    wide: isWide(output),
    operator: index,
    left: operator.left,
    right: operator.right,
    output: operator.output,
    ...broadcast(left, right, output, where),
    ...parameters(operator, [left, right, output], where),
  };
  if (layer.wide) {
    return layer;
  }
  return (
    asLookup(layer, graph) ??
    (operator.kind === "Add" && text(left.shape) === text(right.shape) ? asAdd(layer, output) : layer)
  );
}

type Three<T> = readonly [T, T, T];

interface Parameters {
  readonly leftShift: number;
  readonly factors: ElementwiseLayer["factors"];
  readonly clamp: Clamp;
}

const ONE: FixedMultiplier = { multiplier: 1 << 30, shift: 1 };

function parameters(operator: Binary, tensors: Three<Tensor>, where: string): Parameters {
  const [l, r, o] = [
    perTensor(tensors[0], where),
    perTensor(tensors[1], where),
    perTensor(tensors[2], where),
  ] as const;
  const whole: Clamp = { min: o.min, max: o.max };
  const leftShift = isWide(tensors[2]) ? 15 : 20;
  switch (operator.kind) {
    case "Add":
    case "Sub":
      return {
        leftShift,
        factors: sumFactors([l, r, o], operator.kind === "Sub", leftShift, where),
        clamp: activationClamp(operator.activation, o, where),
      };
    case "Mul": {
      const real = (l.scale * r.scale) / o.scale;
      const what = `input scale ${l.scale} times ${r.scale} over output scale ${o.scale}`;
      return {
        leftShift: 0,
        factors: factors([l, r, o], [ONE, ONE, fixedMultiplier(real, what, where)]),
        clamp: activationClamp(operator.activation, o, where),
      };
    }
    case "PRelu": {
      const ratio = `input scale ${l.scale} over output scale ${o.scale}`;
      const identity = fixedMultiplier(l.scale / o.scale, ratio, where);
      const product = fixedMultiplier((l.scale * r.scale) / o.scale, `${ratio} times slope scale`, where);
      return { leftShift: 0, factors: factors([l, r, o], [ONE, product, identity]), clamp: whole };
    }
    case "Minimum":
    case "Maximum":
      if ([l, r].some(({ scale, zeroPoint }) => scale !== o.scale || zeroPoint !== o.zeroPoint)) {
        throw new UserError(
          "TMC3021",
          `${where}: it does not rescale, but its inputs have scale ${l.scale}, zero point ${l.zeroPoint} and ${r.scale}, ${r.zeroPoint}, its output ${o.scale}, ${o.zeroPoint}`,
          "Quantise the model so that the operator's tensors have the same parameters.",
        );
      }
      return { leftShift: 0, factors: factors([l, r, o], [ONE, ONE, ONE]), clamp: whole };
  }
}

/** Operands get minus their zero point as offset, the output its zero point. */
function factors(
  [l, r, o]: Three<PerTensor>,
  [left, right, output]: Three<FixedMultiplier>,
): ElementwiseLayer["factors"] {
  const factor = (offset: number, { multiplier, shift }: FixedMultiplier): Factor => ({
    offset,
    multiplier,
    shift,
  });
  return {
    left: factor(-l.zeroPoint, left),
    right: factor(-r.zeroPoint, right),
    output: factor(o.zeroPoint, output),
  };
}

/** Of Add and Sub: the reference divides scales in double precision for the first, in single for the second. */
function sumFactors(
  ends: Three<PerTensor>,
  single: boolean,
  leftShift: number,
  where: string,
): ElementwiseLayer["factors"] {
  const [l, r, o] = ends;
  const rounded = single ? Math.fround : (x: number): number => x;
  const twice = 2 * Math.max(l.scale, r.scale);
  const inputs = "the ratio of input scales";
  return factors(ends, [
    smallerThanOne(rounded(l.scale / twice), inputs, where),
    smallerThanOne(rounded(r.scale / twice), inputs, where),
    smallerThanOne(
      rounded(twice / (2 ** leftShift * o.scale)),
      `the ratio of input to output scales / 2^${leftShift}`,
      where,
    ),
  ]);
}

/** A multiplier that the reference requires to be below 1. */
function smallerThanOne(real: number, what: string, where: string): FixedMultiplier {
  const fixed = quantizeMultiplier(real);
  if (!(real < 1) || fixed.shift > 0) {
    throw new UserError(
      "TMC3022",
      `${where}: ${what} is ${real}, which the integer arithmetic needs below 1`,
      "Calibrate the model with more representative data: the scales of its tensors are too far apart.",
    );
  }
  return fixed;
}

/** Most dimensions after those that behave alike are joined. */
const MAX_DIMENSIONS = 4;

/** The loops over the output, and how the operands move in them. Throws TMC3013 and TMC3012. */
export function broadcast(
  left: Tensor,
  right: Tensor,
  output: Tensor,
  where: string,
): Pick<ElementwiseLayer, "shape" | "leftSteps" | "rightSteps"> {
  const rank = Math.max(left.shape.length, right.shape.length, output.shape.length);
  const padded = (shape: readonly number[]): number[] => [
    ...Array.from({ length: rank - shape.length }, () => 1),
    ...shape,
  ];
  const [l, r, o] = [padded(left.shape), padded(right.shape), padded(output.shape)];
  const joined: { size: number; left: boolean; right: boolean }[] = [];
  o.forEach((size, i) => {
    const [a, b] = [l[i] ?? 1, r[i] ?? 1];
    if (Math.max(a, b) !== size || (a !== size && a !== 1) || (b !== size && b !== 1)) {
      throw shapeError(
        where,
        `combines ${text(left.shape)} and ${text(right.shape)} into ${text(output.shape)}`,
      );
    }
    const last = joined.at(-1);
    if (size > 1) {
      if (last !== undefined && last.left === a > 1 && last.right === b > 1) {
        last.size *= size;
      } else {
        joined.push({ size, left: a > 1, right: b > 1 });
      }
    }
  });
  if (joined.length > MAX_DIMENSIONS) {
    throw new UserError(
      "TMC3012",
      `${where}: broadcasting ${text(left.shape)} and ${text(right.shape)} needs ${joined.length} loops; supported: ${MAX_DIMENSIONS}`,
      "Reshape the operands to at most 4 dimensions.",
    );
  }
  const steps = (moves: readonly boolean[]): Four => {
    let next = 1;
    const reversed = joined.toReversed().map(({ size }, i) => {
      const step = moves[joined.length - 1 - i] === true ? next : 0;
      next *= step === 0 ? 1 : size;
      return step;
    });
    return four(reversed.toReversed(), 0);
  };
  return {
    shape: four(
      joined.map(({ size }) => size),
      1,
    ),
    leftSteps: steps(joined.map((dimension) => dimension.left)),
    rightSteps: steps(joined.map((dimension) => dimension.right)),
  };
}

/** `values` at the end of four, `filler` before them. */
function four(values: readonly number[], filler: number): Four {
  const at = (i: number): number => values[values.length - MAX_DIMENSIONS + i] ?? filler;
  return [at(0), at(1), at(2), at(3)];
}

/** The layer as a function of one operand, when the other is one constant value or the same tensor. */
function asLookup(layer: ElementwiseLayer, graph: Graph): LookupLayer | undefined {
  const { operator, output } = layer;
  const compute = elementwiseFunction(layer);
  const count = elementCount(tensorAt(graph, output).shape);
  const only = (tensor: number): number | undefined => {
    const { data } = tensorAt(graph, tensor);
    return data instanceof Int8Array && data.length === 1 ? data[0] : undefined;
  };
  const table = (input: number, result: (value: number) => number): LookupLayer | undefined =>
    elementCount(tensorAt(graph, input).shape) === count
      ? { kind: "Lookup", operator, input, output, count, table: lookupTable(result) }
      : undefined;
  const [left, right] = [only(layer.left), only(layer.right)];
  if (layer.left === layer.right) {
    return table(layer.left, (value) => compute(value, value));
  }
  if (right !== undefined) {
    return table(layer.left, (value) => compute(value, right));
  }
  return left === undefined ? undefined : table(layer.right, (value) => compute(left, value));
}

/** The results for every int8 value, in the order of `LookupLayer.table`. */
export function lookupTable(result: (value: number) => number): Int8Array {
  return Int8Array.from({ length: 256 }, (_, bits) => result((bits << 24) >> 24));
}

/** The layer of two whole operands, for which there are fast kernels. */
function asAdd({ factors: { left, right, output }, ...layer }: ElementwiseLayer, tensor: Tensor): AddLayer {
  return {
    kind: "Add",
    operator: layer.operator,
    left: layer.left,
    right: layer.right,
    output: layer.output,
    count: elementCount(tensor.shape),
    leftOffset: left.offset,
    leftMultiplier: left.multiplier,
    leftShift: left.shift,
    rightOffset: right.offset,
    rightMultiplier: right.multiplier,
    rightShift: right.shift,
    outputOffset: output.offset,
    outputMultiplier: output.multiplier,
    outputShift: output.shift,
    clamp: layer.clamp,
  };
}

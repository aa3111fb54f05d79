/** Elementwise operators in float, for `float-executor.ts`: two operands with broadcasting, and functions of one. */
import type { Binary, LeakyRelu, Tensor, Unary } from "../graph.js";

/** Of the operators without their fused activation. */
const combine: Readonly<Record<Binary["kind"], (left: number, right: number) => number>> = {
  Add: (left, right) => left + right,
  Maximum: Math.max,
  Minimum: Math.min,
  Mul: (left, right) => left * right,
  PRelu: (left, right) => (left >= 0 ? left : left * right),
  Sub: (left, right) => left - right,
};

/** A tensor and what it holds. */
export interface FloatOperand {
  readonly tensor: Tensor;
  readonly data: Float32Array;
}

/** Elements of `shape` from one index of each dimension of `output` to the next; 0 where it is broadcast. */
function steps(shape: readonly number[], output: readonly number[]): number[] {
  let next = 1;
  return output
    .toReversed()
    .map((_, i) => {
      const size = shape[shape.length - 1 - i] ?? 1;
      const step = size === 1 ? 0 : next;
      next *= size;
      return step;
    })
    .toReversed();
}

export function floatBinary(
  kind: Binary["kind"],
  left: FloatOperand,
  right: FloatOperand,
  output: FloatOperand,
): void {
  const compute = combine[kind];
  const shape = output.tensor.shape;
  const leftSteps = steps(left.tensor.shape, shape);
  const rightSteps = steps(right.tensor.shape, shape);
  for (let i = 0; i < output.data.length; i++) {
    let rest = i;
    let l = 0;
    let r = 0;
    for (let d = shape.length - 1; d >= 0; d--) {
      const size = shape[d] ?? 1;
      const index = rest % size;
      rest = (rest - index) / size;
      l += index * (leftSteps[d] ?? 0);
      r += index * (rightSteps[d] ?? 0);
    }
    output.data[i] = compute(left.data[l] ?? 0, right.data[r] ?? 0);
  }
}

export function floatUnary(operator: LeakyRelu | Unary, input: Float32Array, output: Float32Array): void {
  const compute = functionOf(operator);
  input.forEach((value, i) => (output[i] = compute(value)));
}

function functionOf(operator: LeakyRelu | Unary): (x: number) => number {
  const between = (low: number, high: number) => (x: number) => Math.min(high, Math.max(low, x));
  switch (operator.kind) {
    case "HardSwish":
      return (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6;
    case "LeakyRelu":
      return (x) => (x >= 0 ? x : x * operator.alpha);
    case "Logistic":
      return (x) => 1 / (1 + Math.exp(-x));
    case "Quantize":
      return (x) => x;
    case "Relu":
      return between(0, Infinity);
    case "Relu6":
      return between(0, 6);
    case "ReluN1To1":
      return between(-1, 1);
    case "Tanh":
      return Math.tanh;
  }
}

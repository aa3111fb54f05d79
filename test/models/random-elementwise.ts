/** Random elementwise operators for graphs of tests: every kind, with broadcasting, constants and extreme scales. */
import type { Binary, LeakyRelu, Unary } from "../../compiler/model/graph.js";
import type { GraphBuilder } from "./random-graphs.js";

const binaryKinds = ["Add", "Sub", "Mul", "Minimum", "Maximum", "PRelu"] as const;
const unaryKinds = [
  "HardSwish",
  "LeakyRelu",
  "Logistic",
  "Quantize",
  "Relu",
  "Relu6",
  "ReluN1To1",
  "Tanh",
] as const;

const one = (scale: number, zeroPoint: number) => ({ scales: [scale], zeroPoints: [zeroPoint], axis: 0 });

/** Two shapes that broadcast, and the result's. */
function shapes(b: GraphBuilder): { left: number[]; right: number[]; output: number[] } {
  const { random } = b;
  const output = Array.from({ length: random.int(0, 3) }, () => random.int(1, 5));
  output.unshift(...(output.length === 3 ? [1] : []), ...(random.chance(0.1) ? [1] : []));
  const repeats = random.pick([0, 0, 0.4]);
  const operand = (): number[] => {
    const shape = output.map((size) => (random.chance(repeats) ? 1 : size));
    return random.chance(0.3) ? shape.slice(random.int(0, shape.length)) : shape;
  };
  const [left, right] = [operand(), operand()];
  const sized = output.map((_, i) => {
    const at = (shape: number[]): number => shape[shape.length - output.length + i] ?? 1;
    return Math.max(at(left), at(right));
  });
  return { left, right, output: sized };
}

/** A random operator of two operands; returns its output. */
export function randomBinary(b: GraphBuilder, kind: Binary["kind"] = b.random.pick(binaryKinds)): number {
  const { random } = b;
  const shape = shapes(b);
  const same = one(b.scale(), b.zeroPoint());
  const extremum = kind === "Minimum" || kind === "Maximum";
  const operand = (dimensions: readonly number[], constant: boolean): number => {
    const quantization = extremum ? same : one(b.scale(), b.zeroPoint());
    const size = dimensions.reduce((p, d) => p * d, 1);
    if (constant) {
      return b.tensor(dimensions, quantization, random.int8s(size));
    }
    const tensor = b.tensor(dimensions, quantization);
    b.inputs.push(tensor);
    return tensor;
  };
  const constant = random.pick(["none", "none", "left", "right", "same"]);
  // PRelu keeps the shape of its input.
  const left = operand(kind === "PRelu" ? shape.output : shape.left, constant === "left");
  const twice = constant === "same" && kind !== "PRelu";
  const right = twice ? left : operand(shape.right, constant === "right" || kind === "PRelu");
  const [l, r] = [b.scaleOf(left), b.scaleOf(right)];
  const middle = kind === "Mul" || kind === "PRelu" ? l * r : Math.max(l, r);
  // The factor of sums stays below 1; that of products may be to the left.
  const exponent =
    kind === "Mul" || kind === "PRelu"
      ? random.pick([random.int(-2, 12), random.int(kind === "Mul" ? -25 : -18, 31)])
      : random.int(-17, 5);
  const scale = Math.fround(middle * 2 ** exponent * (1 + random.unit()));
  const outputShape = twice ? shape.left : shape.output;
  const output = b.tensor(outputShape, extremum ? same : one(scale, b.zeroPoint()));
  const activation = b.fused(b.scaleOf(output));
  b.operators.push(
    kind === "Add" || kind === "Sub" || kind === "Mul"
      ? { kind, left, right, output, activation }
      : { kind, left, right, output },
  );
  return output;
}

/** A random function of `input`; returns its output. */
export function randomUnary(
  b: GraphBuilder,
  input: number,
  kind: (LeakyRelu | Unary)["kind"] = b.random.pick(unaryKinds),
): number {
  const { random } = b;
  const scale = b.scaleOf(input);
  const exponents = kind === "HardSwish" ? random.int(-6, 8) : random.pick([0, random.int(-25, 25)]);
  const anywhere = one(Math.fround(scale * 2 ** exponents * (1 + random.unit())), b.zeroPoint());
  const quantization =
    kind === "Logistic" ? one(1 / 256, -128) : kind === "Tanh" ? one(1 / 128, 0) : anywhere;
  const output = b.tensor(b.shapeOf(input), quantization);
  const alpha = Math.fround(random.pick([0, 0.01, 0.3, 1.5, -0.5]) * (1 + random.unit()));
  b.operators.push(kind === "LeakyRelu" ? { kind, input, output, alpha } : { kind, input, output });
  return output;
}

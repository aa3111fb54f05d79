/** Elementwise operators: what broadcasting and scales become, known values of the tables, what is refused. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, Random } from "../../test/models/random-graphs.js";
import { UserError } from "../diagnostics/user-error.js";
import type { Graph, Operator, Quantization } from "./graph.js";
import type { LookupLayer } from "./layers.js";
import { lower } from "./lower.js";
import { ModelRuntime } from "./runtime.js";

const q = (scale: number, zeroPoint = 0): Quantization => ({
  scales: [scale],
  zeroPoints: [zeroPoint],
  axis: 0,
});

/** [shape, quantisation, value if it is a constant]. */
type End = readonly [readonly number[], Quantization, Int8Array?];

type BinaryKind = "Add" | "Sub" | "Mul" | "Minimum" | "Maximum" | "PRelu";

function binary(kind: BinaryKind, left: End, right: End, output: End): Graph {
  const b = new GraphBuilder(new Random(1));
  const [l, r, o] = [left, right, output].map(([shape, quantization, data]) =>
    b.tensor(shape, quantization, data),
  ) as [number, number, number];
  b.inputs.push(...[l, r].filter((tensor) => b.tensors[tensor]?.data === undefined));
  b.outputs.push(o);
  b.operators.push({ kind, left: l, right: r, output: o, activation: "none" } as Operator);
  return b.graph("test");
}

type UnaryKind = "HardSwish" | "Logistic" | "Quantize" | "Relu" | "Relu6" | "Tanh";

function unary(kind: UnaryKind, input: Quantization, output: Quantization, size = 256): Graph {
  const b = new GraphBuilder(new Random(1));
  const x = b.tensor([1, size], input);
  const y = b.tensor([1, 256], output);
  b.inputs.push(x);
  b.outputs.push(y);
  b.operators.push({ kind, input: x, output: y });
  return b.graph("test");
}

/** The function that the only layer, a table, computes. */
function tableOf(graph: Graph): (value: number) => number | undefined {
  const [layer] = lower(graph) as [LookupLayer];
  expect(layer.kind).toBe("Lookup");
  return (value) => layer.table[value & 255];
}

function refusal(graph: Graph): string {
  try {
    lower(graph);
  } catch (error) {
    if (error instanceof UserError) {
      return `${error.code} ${error.message}`;
    }
    throw error;
  }
  return "accepted";
}

describe("broadcasting", () => {
  const layerOf = (l: readonly number[], r: readonly number[], o: readonly number[]) =>
    lower(binary("Mul", [l, q(0.5)], [r, q(0.5)], [o, q(0.5)]))[0];
  it("joins dimensions that behave alike", () => {
    expect(layerOf([1, 4, 5, 6], [6], [1, 4, 5, 6])).toMatchObject({
      shape: [1, 1, 20, 6],
      leftSteps: [0, 0, 6, 1],
      rightSteps: [0, 0, 0, 1],
    });
    expect(layerOf([1, 4, 5, 6], [1, 4, 5, 6], [1, 4, 5, 6])).toMatchObject({
      shape: [1, 1, 1, 120],
      leftSteps: [0, 0, 0, 1],
      rightSteps: [0, 0, 0, 1],
    });
    expect(layerOf([1, 4, 1, 6], [1, 1, 5, 6], [1, 4, 5, 6])).toMatchObject({
      shape: [1, 4, 5, 6],
      leftSteps: [0, 6, 0, 1],
      rightSteps: [0, 0, 6, 1],
    });
  });
  it("is refused when shapes do not fit or need more than four loops", () => {
    const refused = (l: readonly number[], r: readonly number[], o: readonly number[]): string =>
      refusal(binary("Sub", [l, q(1)], [r, q(1)], [o, q(1)]));
    expect(refused([1, 3], [1, 2], [1, 3])).toMatch(/^TMC3013 .*\[1, 3\] and \[1, 2\] into \[1, 3\]/);
    expect(refused([1, 1], [1, 1], [1, 3])).toMatch(/^TMC3013/);
    expect(refused([1, 2, 1, 2, 1, 2], [1, 1, 2, 1, 2, 1], [1, 2, 2, 2, 2, 2])).toMatch(
      /^TMC3012 .*needs 5 loops; supported: 4/,
    );
    expect(refusal(binary("PRelu", [[1, 1], q(1)], [[1, 3], q(1)], [[1, 3], q(1)]))).toMatch(/^TMC3013/);
  });
  it("computes every pair", () => {
    const runtime = new ModelRuntime(
      binary("Sub", [[3, 1], q(1)], [[2], q(1, 1), Int8Array.of(11, 21)], [[3, 2], q(1)]),
    );
    runtime.input(0).set([1, 2, 3]);
    runtime.invoke();
    expect([...runtime.output(0)]).toEqual([-9, -19, -8, -18, -7, -17]);
  });
});

describe("one constant value", () => {
  it("makes the layer a table", () => {
    const half: End = [[], q(0.5), Int8Array.of(1)];
    const x: End = [[1, 8], q(0.25, 4)];
    const times = tableOf(binary("Mul", x, half, [[1, 8], q(0.125)]));
    expect([4, 5, 0, 127].map(times)).toEqual([0, 1, -4, 123]);
    const minus = tableOf(binary("Sub", half, x, [[1, 8], q(0.25)]));
    expect([4, 5, -128, 127].map(minus)).toEqual([2, 1, 127, -121]);
  });
  it("is not one when the other operand is broadcast to it", () => {
    const [layer] = lower(binary("Mul", [[1, 1], q(1)], [[1, 8], q(1), new Int8Array(8)], [[1, 8], q(1)]));
    expect(layer?.kind).toBe("Elementwise");
  });
});

describe("scales", () => {
  const x: End = [[1, 8], q(0.5)];
  it("are the same for minimum and maximum", () => {
    expect(refusal(binary("Minimum", x, x, x))).toBe("accepted");
    expect(refusal(binary("Maximum", x, [[1, 8], q(0.5, 1)], x))).toMatch(/^TMC3021 .*does not rescale/);
  });
  it("are fixed for logistic and tanh", () => {
    expect(refusal(unary("Logistic", q(0.1), q(1 / 256, -128)))).toBe("accepted");
    expect(refusal(unary("Logistic", q(0.1), q(1 / 256, 0)))).toMatch(/^TMC3021 .*scale 1\/256/);
    expect(refusal(unary("Tanh", q(0.1), q(1 / 256)))).toMatch(/^TMC3021 .*scale 1\/128/);
  });
  it("stay in the range of the arithmetic", () => {
    expect(refusal(binary("Mul", x, x, [[1, 8], q(2 ** -33)]))).toMatch(/^TMC3022/);
    expect(refusal(binary("Sub", x, x, [[1, 8], q(2 ** -20)]))).toMatch(/^TMC3022/);
    expect(refusal(binary("PRelu", [[1, 8], q(1)], x, [[1, 8], q(2 ** -31)]))).toMatch(/^TMC3022/);
    expect(refusal(unary("Quantize", q(1), q(2 ** -31)))).toMatch(/^TMC3022/);
    expect(refusal(unary("Tanh", q(2 ** -29), q(1 / 128)))).toMatch(/^TMC3022/);
    expect(refusal(unary("HardSwish", q(1), q(1 / 256)))).toMatch(/^TMC3022/);
    expect(refusal(unary("HardSwish", q(2 ** -25), q(1)))).toMatch(/^TMC3022/);
    expect(refusal(unary("HardSwish", q(2 ** 30), q(2 ** 30)))).toMatch(/^TMC3022/);
  });
});

describe("tables", () => {
  it("hold the functions' values", () => {
    const values = [-128, -64, -1, 0, 1, 64, 127];
    const near = (graph: Graph, f: (x: number) => number, input: Quantization, output: Quantization) => {
      const table = tableOf(graph);
      for (const value of values) {
        const real = f((input.scales[0] ?? 0) * (value - (input.zeroPoints[0] ?? 0)));
        const steps = real / (output.scales[0] ?? 0) + (output.zeroPoints[0] ?? 0);
        expect(Math.abs((table(value) ?? 999) - Math.max(-128, Math.min(127, steps)))).toBeLessThanOrEqual(1);
      }
    };
    const input = q(0.05, -10);
    const [sigmoid, symmetric, plain] = [q(1 / 256, -128), q(1 / 128), q(0.03, -100)];
    near(unary("Logistic", input, sigmoid), (x) => 1 / (1 + Math.exp(-x)), input, sigmoid);
    near(unary("Tanh", input, symmetric), Math.tanh, input, symmetric);
    near(unary("Relu", input, plain), (x) => Math.max(0, x), input, plain);
    near(unary("Relu6", input, plain), (x) => Math.min(6, Math.max(0, x)), input, plain);
    near(unary("Quantize", input, plain), (x) => x, input, plain);
    near(unary("HardSwish", input, plain), (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6, input, plain);
  });
  it("are for tensors of one shape", () => {
    expect(refusal(unary("Relu", q(1), q(1), 255))).toMatch(/^TMC3013/);
  });
});

describe("float edges", () => {
  it("are refused with the way out", () => {
    const graph = unary("Quantize", q(1), q(1));
    const tensors = graph.tensors.map((tensor, i) =>
      i === 0 ? { ...tensor, type: "float32" as const } : tensor,
    );
    try {
      lower({ ...graph, tensors });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "TMC3020",
        fix: expect.stringContaining("inference_input_type") as string,
      });
    }
  });
});

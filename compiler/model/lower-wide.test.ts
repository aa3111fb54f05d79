/** Models of int16 activations that are refused, and the constants of those that are not. */
import { describe, expect, it } from "vitest";
import { UserError } from "../diagnostics/user-error.js";
import type { Graph, Operator, Tensor, TensorData } from "./graph.js";
import { lower } from "./lower.js";

function tensor(
  type: Tensor["type"],
  shape: readonly number[],
  scale: number,
  data?: TensorData,
  zeroPoint = 0,
): Tensor {
  const quantization = { scales: [scale], zeroPoints: [zeroPoint], axis: 0 };
  return { name: "", type, shape, quantization, ...(data === undefined ? {} : { data }) };
}

/** Tensor 0 is the input, the last the output. */
function graphOf(operator: Operator, tensors: readonly Tensor[]): Graph {
  return { name: "test", tensors, operators: [operator], inputs: [0], outputs: [tensors.length - 1] };
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

const x = tensor("int16", [1, 4], 0.001);
const y = tensor("int16", [1, 2], 0.001);

function dense(bias: Tensor, input = x, output = y): Graph {
  const filter = tensor("int8", [2, 4], 0.01, Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const operator: Operator = {
    ...{ kind: "FullyConnected", input: 0, filter: 1, bias: 2, output: 3 },
    ...{ keepNumDims: false, activation: "none" },
  };
  return graphOf(operator, [input, filter, bias, output]);
}

const unit = tensor("int16", [1, 4], 1 / 32768);
const unary = (kind: "Logistic" | "Quantize" | "Tanh", input: Tensor, output: Tensor): Graph =>
  graphOf({ kind, input: 0, output: 1 }, [input, output]);

describe("int16 activations", () => {
  const scale = 0.001 * 0.01;
  const bias = (...values: bigint[]): Tensor => tensor("int64", [2], scale, BigInt64Array.from(values));
  it("have int64 biases of at most 2^46", () => {
    expect(refusal(dense(bias(1n, -(2n ** 46n))))).toBe("accepted");
    expect(refusal(dense(bias(1n, 2n ** 46n + 1n)))).toMatch(/^TMC3022 .*beyond 2\^46/);
    const int32 = tensor("int32", [2], scale, Int32Array.of(1, 2));
    expect(refusal(dense(int32))).toMatch(/^TMC3020 .*bias has the type int32.*int64/);
    expect(refusal(dense(tensor("int64", [3], scale, new BigInt64Array(3))))).toMatch(/^TMC3013/);
    expect(refusal(dense(tensor("int64", [2], scale)))).toMatch(/^TMC3012 .*computed at run time/);
  });
  it("are those of a whole model", () => {
    const narrow = (shape: readonly number[]): Tensor => tensor("int8", shape, 0.001);
    expect(refusal(dense(bias(0n, 0n), narrow([1, 4])))).toMatch(/^TMC3020 .*reads int8 and writes int16/);
    expect(refusal(dense(bias(0n, 0n), x, narrow([1, 2])))).toMatch(/^TMC3020 .*reads int16 and writes int8/);
    expect(refusal(unary("Quantize", unit, unit))).toMatch(/^TMC3020 .*int16 is supported .*CONV_2D/);
  });
  it("have zero points of 0", () => {
    const moved = tensor("int16", [1, 4], 0.001, undefined, 1);
    expect(refusal(dense(bias(0n, 0n), moved))).toMatch(/^TMC3021 .*zero point 1; int16 allows 0/);
  });
  it("are rescaled by at most 2^7", () => {
    const fine = (output: number): Graph => dense(bias(0n, 0n), x, tensor("int16", [1, 2], output));
    expect(refusal(fine(scale / 100))).toBe("accepted");
    expect(refusal(fine(scale / 130))).toMatch(/^TMC3022 .*at most 2\^7/);
  });
  it("put out 1/32768 after logistic, tanh and softmax", () => {
    const other = tensor("int16", [1, 4], 1 / 16384);
    expect(refusal(unary("Logistic", x, unit))).toBe("accepted");
    expect(refusal(unary("Tanh", x, other))).toMatch(/^TMC3021 .*1\/32768/);
    const softmax = (input: Tensor, output: Tensor): Graph =>
      graphOf({ kind: "Softmax", input: 0, output: 1, beta: 1 }, [input, output]);
    expect(refusal(softmax(x, unit))).toBe("accepted");
    expect(refusal(softmax(x, other))).toMatch(/^TMC3021/);
    expect(refusal(softmax(tensor("int16", [1, 4], 8), unit))).toMatch(/^TMC3022/);
    expect(refusal(unary("Tanh", tensor("int16", [1, 4], 3), unit))).toMatch(/^TMC3022/);
  });
  it("take powers of two through the tables as they are", () => {
    const layers = (kind: "Logistic" | "Tanh", input: number) =>
      lower(unary(kind, tensor("int16", [1, 4], input), unit));
    expect(layers("Logistic", 2 ** -12)).toMatchObject([{ kind: "WideLogistic", multiplier: 3, shift: 0 }]);
    expect(layers("Tanh", 2 ** -11)).toMatchObject([{ kind: "WideTanh", multiplier: 6, shift: 0 }]);
    expect(layers("Logistic", 2 ** -11)).toMatchObject([{ multiplier: 24576, shift: 12 }]);
  });
});

/** Float graphs of elementwise operators through the quantiser: close to float, constants stored, operators that do not rescale. */
import { describe, expect, it } from "vitest";
import { Random } from "../../../test/models/random-graphs.js";
import type { Graph, Operator, Tensor } from "../graph.js";
import { ModelRuntime } from "../runtime.js";
import { readTflite } from "../tflite/read.js";
import { writeTflite } from "../tflite/write.js";
import { parametersOf, quantizeInput } from "./accuracy.js";
import { FloatExecutor } from "./float-executor.js";
import { quantizeAfterTraining } from "./post-training.js";
import type { Samples } from "./samples.js";

const SHAPE = [1, 3, 4, 5];

/** A chain of operators on tensors of `SHAPE`; `make` gets the numbers of the input and of a new output. */
type Step = (input: number, output: number, constant: (data: readonly number[]) => number) => Operator;

function chain(steps: readonly Step[]): Graph {
  const tensors: Tensor[] = [{ name: "input", type: "float32", shape: SHAPE }];
  const operators: Operator[] = [];
  let last = 0;
  for (const step of steps) {
    const output = tensors.push({ name: `t${tensors.length}`, type: "float32", shape: SHAPE }) - 1;
    const constant = (data: readonly number[]): number =>
      tensors.push({
        name: "constant",
        type: "float32",
        shape: data.length === 1 ? [] : [data.length],
        data: Float32Array.from(data),
      }) - 1;
    operators.push(step(last, output, constant));
    last = output;
  }
  return { name: "chain", tensors, operators, inputs: [0], outputs: [last] };
}

const random = new Random(7);
const samples: Samples = {
  shape: SHAPE,
  inputs: Array.from({ length: 20 }, () => Float32Array.from({ length: 60 }, () => 8 * random.unit() - 4)),
  unit: "",
  labels: [],
  classes: new Uint8Array(0),
  targets: [],
};

/** The largest error over the range of the float output, after a round trip through a file. */
function error(graph: Graph): { worst: number; quantized: Graph } {
  const { float, quantized } = quantizeAfterTraining(graph, samples, { method: "minmax", percentile: 100 });
  const runtime = new ModelRuntime(readTflite(writeTflite(quantized), "chain"));
  const executor = new FloatExecutor(graph);
  const { scale, zeroPoint } = parametersOf(quantized, quantized.outputs[0] ?? -1);
  expect(float.operators.map(({ kind }) => kind)).toEqual(quantized.operators.map(({ kind }) => kind));
  let worst = 0;
  let reach = 0;
  for (const input of samples.inputs) {
    runtime.input(0).set(quantizeInput(quantized, input));
    runtime.invoke();
    const truth = executor.run(input);
    runtime.output(0).forEach((q, i) => {
      worst = Math.max(worst, Math.abs(scale * (q - zeroPoint) - (truth[i] ?? 0)));
      reach = Math.max(reach, Math.abs(truth[i] ?? 0));
    });
  }
  return { worst: worst / reach, quantized };
}

const vector = [0.5, -1, 2, 1.5, 0];
const one: Readonly<Record<string, Step>> = {
  Add: (left, output, constant) => ({
    kind: "Add",
    left,
    right: constant(vector),
    output,
    activation: "relu6",
  }),
  HardSwish: (input, output) => ({ kind: "HardSwish", input, output }),
  LeakyRelu: (input, output) => ({ kind: "LeakyRelu", input, output, alpha: Math.fround(0.2) }),
  Logistic: (input, output) => ({ kind: "Logistic", input, output }),
  Maximum: (left, output, constant) => ({ kind: "Maximum", left, right: constant(vector), output }),
  Minimum: (left, output, constant) => ({ kind: "Minimum", left, right: constant([1.25]), output }),
  Mul: (left, output, constant) => ({
    kind: "Mul",
    left,
    right: constant(vector),
    output,
    activation: "none",
  }),
  PRelu: (left, output, constant) => ({ kind: "PRelu", left, right: constant(vector), output }),
  Relu: (input, output) => ({ kind: "Relu", input, output }),
  Relu6: (input, output) => ({ kind: "Relu6", input, output }),
  ReluN1To1: (input, output) => ({ kind: "ReluN1To1", input, output }),
  Sub: (right, output, constant) => ({
    kind: "Sub",
    left: constant([0.75]),
    right,
    output,
    activation: "relu_n1_to_1",
  }),
  Tanh: (input, output) => ({ kind: "Tanh", input, output }),
};

describe("elementwise operators after quantisation", () => {
  it.each(Object.keys(one))("%s is close to float", (kind) => {
    expect(error(chain([one[kind]!])).worst).toBeLessThan(0.025);
  });
  it("follow one another", () => {
    const all = [one["Mul"]!, one["HardSwish"]!, one["Add"]!, one["Sub"]!, one["Tanh"]!];
    expect(error(chain(all)).worst).toBeLessThan(0.1);
  });
});

describe("operators that do not rescale", () => {
  it("have one range with their inputs", () => {
    const { worst, quantized } = error(chain([one["Mul"]!, one["Maximum"]!]));
    expect(worst).toBeLessThan(0.02);
    expect(quantized.operators.map(({ kind }) => kind)).toEqual(["Mul", "Maximum"]);
  });
  it("get a Quantize before inputs whose parameters are fixed", () => {
    const graph = chain([
      one["Mul"]!,
      one["Tanh"]!,
      (left, output) => ({ kind: "Maximum", left, right: 1, output }),
    ]);
    const { worst, quantized } = error(graph);
    expect(worst).toBeLessThan(0.02);
    expect(quantized.operators.map(({ kind }) => kind)).toEqual(["Mul", "Tanh", "Quantize", "Maximum"]);
  });
});

/** The writer: our reader gets back the graph it was given, the bytes are the same every time and laid out as the schema asks. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Activation, Graph, Operator, Padding, Tensor } from "../graph.js";
import { readTflite } from "./read.js";
import { operatorSchemas, type ReadKind } from "./schema.js";
import { writeTflite } from "./write.js";

const activation = fc.constantFrom<Activation>("none", "relu", "relu6", "relu_n1_to_1");
const padding = fc.constantFrom<Padding>("same", "valid");
const small = fc.integer({ min: 1, max: 9 });
const text = fc.string({ maxLength: 12, unit: "grapheme" });

const attributes = fc.record({
  padding,
  activation,
  strideHeight: small,
  strideWidth: small,
  dilationHeight: small,
  dilationWidth: small,
  filterHeight: small,
  filterWidth: small,
  depthMultiplier: small,
  keepNumDims: fc.boolean(),
  beta: fc.constantFrom(1, 0.5, 2),
  biased: fc.boolean(),
});
type Attributes = typeof attributes extends fc.Arbitrary<infer T> ? T : never;

/** Those have attributes in constants, and a test of their own (movement.test.ts). */
const moving = [
  ...([
    "Concatenation",
    "Pad",
    "PadV2",
    "Slice",
    "StridedSlice",
    "Split",
    "SplitV",
    "Pack",
    "Unpack",
  ] as const),
  ...(["Transpose", "ResizeNearestNeighbor", "Squeeze", "ExpandDims"] as const),
  ...(["Mean", "Sum", "ReduceMax", "ReduceMin"] as const),
];
type OwnKind = Exclude<ReadKind, (typeof moving)[number]>;

const kinds = [...operatorSchemas.values()]
  .map(({ kind }) => kind)
  .filter((kind): kind is OwnKind => !(moving as readonly ReadKind[]).includes(kind));

/** An operator of `kind` from tensor `input` to `output`, its weights at 1 and 2; shapes are not consistent. */
function operator(kind: OwnKind, input: number, output: number, a: Attributes): Operator {
  const window = { padding: a.padding, strideHeight: a.strideHeight, strideWidth: a.strideWidth };
  const dilation = { dilationHeight: a.dilationHeight, dilationWidth: a.dilationWidth };
  const weights = { input, output, filter: 1, bias: a.biased ? 2 : undefined, activation: a.activation };
  const size = { filterHeight: a.filterHeight, filterWidth: a.filterWidth };
  switch (kind) {
    case "Conv2D":
      return { kind, ...weights, ...window, ...dilation };
    case "DepthwiseConv2D":
      return { kind, ...weights, ...window, ...dilation, depthMultiplier: a.depthMultiplier };
    case "FullyConnected":
      return { kind, ...weights, keepNumDims: a.keepNumDims };
    case "Add":
    case "Mul":
    case "Sub":
      return { kind, left: input, right: 0, output, activation: a.activation };
    case "Maximum":
    case "Minimum":
    case "PRelu":
      return { kind, left: input, right: 0, output };
    case "HardSwish":
    case "Logistic":
    case "Quantize":
    case "Relu":
    case "Relu6":
    case "ReluN1To1":
    case "Tanh":
      return { kind, input, output };
    case "LeakyRelu":
      return { kind, input, output, alpha: a.beta };
    case "MaxPool2D":
    case "AveragePool2D":
      return { kind, input, output, ...window, ...size, activation: a.activation };
    case "Reshape":
      return { kind, input, output };
    case "Softmax":
      return { kind, input, output, beta: a.beta };
  }
}

const graphs: fc.Arbitrary<Graph> = fc
  .record({
    operators: fc.array(fc.tuple(fc.constantFrom(...kinds), attributes), { minLength: 1, maxLength: 6 }),
    names: fc.array(text, { minLength: 12, maxLength: 12 }),
    shape: fc.array(small, { minLength: 1, maxLength: 4 }),
    quantized: fc.boolean(),
    weights: fc.int8Array({ minLength: 8, maxLength: 8 }),
    scale: fc.float({ min: Math.fround(1e-6), max: 1e6, noNaN: true }),
    zeroPoint: fc.integer({ min: -128, max: 127 }),
  })
  .map(({ operators, names, shape, quantized, weights, scale, zeroPoint }) => {
    const name = (i: number): string => names[i] ?? "";
    const quantization = { scales: [scale], zeroPoints: [zeroPoint], axis: 0 };
    const perChannel = { scales: [scale, 0.5, 1, 2], zeroPoints: [0, 0, 0, 0], axis: 1 };
    const activationTensor = (i: number): Tensor =>
      quantized
        ? { name: name(i), type: "int8", shape, quantization }
        : { name: name(i), type: "float32", shape };
    const filter: Tensor = quantized
      ? { name: name(1), type: "int8", shape: [2, 4], data: weights, quantization: perChannel }
      : { name: name(1), type: "float32", shape: [2, 4], data: Float32Array.from(weights) };
    const bias: Tensor = quantized
      ? { name: name(2), type: "int32", shape: [2], data: Int32Array.of(1 << 30, -7) }
      : { name: name(2), type: "float32", shape: [2], data: Float32Array.of(0.5, -7) };
    return {
      name: "generated",
      tensors: [activationTensor(0), filter, bias, ...operators.map((_, i) => activationTensor(i + 3))],
      operators: operators.map(([kind, a], i) => operator(kind, i === 0 ? 0 : i + 2, i + 3, a)),
      inputs: [0],
      outputs: [operators.length + 2],
    };
  });

describe(".tflite writer", () => {
  it("writes what the reader reads, the same bytes each time", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const bytes = writeTflite(graph);
        expect(readTflite(bytes, "generated")).toEqual(graph);
        expect(Buffer.compare(writeTflite(graph), bytes)).toBe(0);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("aligns weights to 16 bytes and marks the file", () => {
    const data = Int8Array.from({ length: 37 }, (_, i) => i + 60);
    const graph: Graph = {
      name: "aligned",
      tensors: [
        { name: "in", type: "int8", shape: [1, 37] },
        { name: "w", type: "int8", shape: [1, 37], data },
        { name: "out", type: "int8", shape: [1, 1] },
      ],
      operators: [
        {
          kind: "FullyConnected",
          input: 0,
          filter: 1,
          bias: undefined,
          output: 2,
          keepNumDims: false,
          activation: "none",
        },
      ],
      inputs: [0],
      outputs: [2],
    };
    const bytes = Buffer.from(writeTflite(graph));
    expect(bytes.toString("latin1", 4, 8)).toBe("TFL3");
    expect(bytes.indexOf(Buffer.from(data)) % 16).toBe(0);
  });
});

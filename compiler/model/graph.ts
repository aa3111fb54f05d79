/**
 * The model graph: what importers produce, the quantiser rewrites, and the executor, planner and C emitter read.
 *
 * It mirrors the .tflite schema (NHWC, filters as TFLite stores them) so that tensor and operator numbers are the
 * ones other tools show. It holds no arithmetic and checks nothing: `tflite/read.ts` checks files, and
 * `lower.ts` decides whether a graph is one that the int8 compiler can execute exactly.
 */

import type { Movement, Reduction } from "./graph-movement.js";

/** Element types that a graph can name. Executable graphs use int8 activations and weights and int32 biases. */
export type ElementType = "float32" | "int8" | "uint8" | "int16" | "int32" | "int64" | "bool";

/** Constant data, one element per array item, row-major; the array class follows from the element type. */
export type TensorData = Float32Array | Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array;

/**
 * real = scale * (q - zeroPoint). One scale and zero point for the tensor, or one per index of dimension `axis`
 * (then all zero points are 0). Scales are float32 values held in numbers: positive and finite.
 */
export interface Quantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Meaningful only with more than one scale; 0 otherwise. */
  readonly axis: number;
}

export interface Tensor {
  /** As in the file; used in messages, never as a key. May be empty. */
  readonly name: string;
  readonly type: ElementType;
  /** Every dimension at least 1; the batch dimension of executable graphs is 1. A scalar has shape []. */
  readonly shape: readonly number[];
  readonly quantization?: Quantization;
  /** Present exactly for constants. */
  readonly data?: TensorData;
}

export type Padding = "same" | "valid";

/** Activation fused into an operator: clamps the output. */
export type Activation = "none" | "relu" | "relu6" | "relu_n1_to_1";

/** What every operator has. Numbers are indices into `Graph.tensors`. */
export interface OperatorCommon {
  /** The tensor this operator writes. Every tensor is written at most once. */
  readonly output: number;
}

/** Attributes of anything that slides a window over [1, H, W, C]. Pairs are height first. */
interface Window {
  readonly padding: Padding;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

/** input [N,H,W,C], filter [O,KH,KW,C], bias [O] or absent → [N,OH,OW,O]. */
export interface Conv2D extends OperatorCommon, Window {
  readonly kind: "Conv2D";
  readonly input: number;
  readonly filter: number;
  readonly bias: number | undefined;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly activation: Activation;
}

/** input [N,H,W,C], filter [1,KH,KW,C*M], bias [C*M] or absent → [N,OH,OW,C*M]; output channel c*M+m reads input c. */
export interface DepthwiseConv2D extends OperatorCommon, Window {
  readonly kind: "DepthwiseConv2D";
  readonly input: number;
  readonly filter: number;
  readonly bias: number | undefined;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  /** M above; at least 1. */
  readonly depthMultiplier: number;
  readonly activation: Activation;
}

/** input of any shape with K elements per row, filter [O,K], bias [O] or absent → [rows,O]. */
export interface FullyConnected extends OperatorCommon {
  readonly kind: "FullyConnected";
  readonly input: number;
  readonly filter: number;
  readonly bias: number | undefined;
  /** True: the output keeps the leading dimensions of the input. */
  readonly keepNumDims: boolean;
  readonly activation: Activation;
}

/**
 * Elementwise with broadcasting as in NumPy: shapes are aligned at the last dimension, dimensions of 1 repeat. Either
 * operand may be a constant.
 */
export interface Arithmetic extends OperatorCommon {
  readonly kind: "Add" | "Sub" | "Mul";
  readonly left: number;
  readonly right: number;
  readonly activation: Activation;
}

/** Elementwise with broadcasting; all three tensors have the same scale and zero point. */
export interface Extremum extends OperatorCommon {
  readonly kind: "Minimum" | "Maximum";
  readonly left: number;
  readonly right: number;
}

/** left where left >= 0, else left * right; right (the slopes) is broadcast, usually one per channel. */
export interface PRelu extends OperatorCommon {
  readonly kind: "PRelu";
  readonly left: number;
  readonly right: number;
}

/** Elementwise functions of one tensor, input and output of one shape. Quantize changes scale and zero point only. */
export interface Unary extends OperatorCommon {
  readonly kind: "Relu" | "Relu6" | "ReluN1To1" | "Logistic" | "Tanh" | "HardSwish" | "Quantize";
  readonly input: number;
}

/** input where input >= 0, else input * alpha. */
export interface LeakyRelu extends OperatorCommon {
  readonly kind: "LeakyRelu";
  readonly input: number;
  /** Finite; a float32 value. */
  readonly alpha: number;
}

/** input [N,H,W,C] → [N,OH,OW,C]. */
export interface MaxPool2D extends OperatorCommon, Window {
  readonly kind: "MaxPool2D";
  readonly input: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly activation: Activation;
}

/** input [N,H,W,C] → [N,OH,OW,C]; padding positions do not count. */
export interface AveragePool2D extends OperatorCommon, Window {
  readonly kind: "AveragePool2D";
  readonly input: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly activation: Activation;
}

/** Same elements, other shape: the shape of the output tensor, already resolved. */
export interface Reshape extends OperatorCommon {
  readonly kind: "Reshape";
  readonly input: number;
}

/** Over the last dimension. */
export interface Softmax extends OperatorCommon {
  readonly kind: "Softmax";
  readonly input: number;
  readonly beta: number;
}

export type Operator =
  | Arithmetic
  | AveragePool2D
  | Conv2D
  | DepthwiseConv2D
  | Extremum
  | FullyConnected
  | LeakyRelu
  | MaxPool2D
  | Movement
  | PRelu
  | Reduction
  | Reshape
  | Softmax
  | Unary;

export type OperatorKind = Operator["kind"];

/** Two operands with broadcasting. */
export type Binary = Arithmetic | Extremum | PRelu;

/** Operators that compute each output element from one element of each operand. */
export type ElementwiseKind = (Binary | LeakyRelu | Unary)["kind"];

/** Operators in execution order; a tensor is written before it is read. */
export interface Graph {
  /** For messages and reports: the file's name without directory, or what the importer knows. */
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly Operator[];
  /** Tensor indices. Never constants. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Bytes of one element. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  float32: 4,
  int8: 1,
  uint8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Bytes of the whole tensor. */
export function tensorBytes(tensor: Tensor): number {
  return elementCount(tensor.shape) * elementBytes[tensor.type];
}

/** The tensor at `index`; throws when a graph names one that does not exist (importers never make such a graph). */
export function tensorAt(graph: Pick<Graph, "name" | "tensors">, index: number): Tensor {
  const tensor = graph.tensors[index];
  if (tensor === undefined) {
    throw new Error(`model "${graph.name}" has no tensor ${index}`);
  }
  return tensor;
}

/** The tensors an operator computes from, in .tflite order, without filter and bias. Constants can be among them. */
export function activationInputs(operator: Operator): readonly number[] {
  if ("inputs" in operator) {
    return operator.inputs;
  }
  return "left" in operator ? [operator.left, operator.right] : [operator.input];
}

/** Every tensor an operator reads, in .tflite order: inputs, filter, bias. */
export function operatorInputs(operator: Operator): readonly number[] {
  const inputs = activationInputs(operator);
  if (!("filter" in operator)) {
    return inputs;
  }
  return operator.bias === undefined
    ? [...inputs, operator.filter]
    : [...inputs, operator.filter, operator.bias];
}

/** `operator` with every tensor number replaced: `place` is asked for the inputs in .tflite order, then for the output. */
export function renumberOperator(operator: Operator, place: (tensor: number) => number): Operator {
  if ("inputs" in operator) {
    return { ...operator, inputs: operator.inputs.map(place), output: place(operator.output) };
  }
  if ("left" in operator) {
    return {
      ...operator,
      left: place(operator.left),
      right: place(operator.right),
      output: place(operator.output),
    };
  }
  if ("filter" in operator) {
    return {
      ...operator,
      input: place(operator.input),
      filter: place(operator.filter),
      bias: operator.bias === undefined ? undefined : place(operator.bias),
      output: place(operator.output),
    };
  }
  return { ...operator, input: place(operator.input), output: place(operator.output) };
}

/** "operator 3 (Conv2D)": how messages name a layer. */
export function describeOperator(graph: Graph, index: number): string {
  const operator = graph.operators[index];
  return operator === undefined ? `operator ${index}` : `operator ${index} (${operator.kind})`;
}

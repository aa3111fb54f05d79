/**
 * The float graph: what importers produce and the quantiser starts from. It is the model graph of `graph.ts` plus the
 * two layers that training frameworks keep apart and an int8 model does not have: batch normalisation and stand-alone
 * activations (`fold.ts` removes both).
 *
 * All tensors are float32, the batch dimension is 1, and the output tensor of an operator bears the name of the layer
 * it came from. It holds no arithmetic: `float-executor.ts` runs it.
 */
import { activationInputs, type Activation, type Graph, type Operator, type Tensor } from "../graph.js";

/** y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, per index of the last dimension. All arrays have its length. */
export interface BatchNormalization {
  readonly kind: "BatchNormalization";
  readonly input: number;
  readonly output: number;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** Elementwise clamp; same shape. */
export interface ActivationLayer {
  readonly kind: "Activation";
  readonly input: number;
  readonly output: number;
  readonly activation: Exclude<Activation, "none">;
}

export type FloatOperator = Operator | BatchNormalization | ActivationLayer;

/** As `Graph`, with the two additional kinds. Operators are in execution order. */
export interface FloatGraph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly FloatOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The tensors an operator computes from, without filter and bias. */
export function floatInputs(operator: FloatOperator): readonly number[] {
  return operator.kind === "BatchNormalization" || operator.kind === "Activation"
    ? [operator.input]
    : activationInputs(operator);
}

/** Tensor `index` of `graph`; throws on an index that does not exist (a bug of ours). */
export function floatTensor(graph: FloatGraph | Graph, index: number): Tensor {
  const tensor = graph.tensors[index];
  if (tensor === undefined) {
    throw new Error(`model "${graph.name}" has no tensor ${index}`);
  }
  return tensor;
}

/** The data of the float constant `index`; throws when it is not one (a bug of ours). */
export function floatConstant(graph: FloatGraph | Graph, index: number): Float32Array {
  const { data } = floatTensor(graph, index);
  if (!(data instanceof Float32Array)) {
    throw new Error(`tensor ${index} of model "${graph.name}" is not a float constant`);
  }
  return data;
}

/** Output elements and zeros before the first input element of a window sliding over one dimension, as TFLite has it. */
export function windowGeometry(
  input: number,
  filter: number,
  stride: number,
  dilation: number,
  padding: "same" | "valid",
): { output: number; before: number } {
  const effective = (filter - 1) * dilation + 1;
  if (padding === "valid") {
    return { output: Math.ceil((input - effective + 1) / stride), before: 0 };
  }
  const output = Math.ceil(input / stride);
  return { output, before: Math.floor(Math.max(0, (output - 1) * stride + effective - input) / 2) };
}

/** What the readers of single operators share: the operator being read, its checked attributes, and the errors that name it. */
import { UserError } from "../../diagnostics/user-error.js";
import type { Activation, Padding, Tensor } from "../graph.js";
import { MAX_ATTRIBUTE, supportedValues } from "../operator-support.js";
import type { FlatTable } from "./flatbuffer.js";
import { activationName, activations, type OperatorSchema } from "./schema.js";

/** The operator being read: what messages say of it, and its parts. */
export interface Context {
  readonly where: string;
  readonly schema: OperatorSchema;
  readonly options: FlatTable | undefined;
  readonly tensors: readonly Tensor[];
  readonly inputs: readonly number[];
  /** The first of `outputs`. */
  readonly output: number;
  readonly outputs: readonly number[];
  /** A new tensor of the graph, after those of the file. */
  readonly addTensor: (tensor: Tensor) => number;
}

export function operands(context: Context, least: number, most: number): readonly number[] {
  if (context.inputs.length < least || context.inputs.length > most) {
    const expected = least === most ? String(least) : `${least} to ${most}`;
    throw damaged(`${context.where} has ${context.inputs.length} inputs instead of ${expected}`);
  }
  return context.inputs;
}

export function present(context: Context, tensor: number | undefined, name: string): number {
  if (tensor === undefined || tensor < 0) {
    throw damaged(`${context.where} has no ${name}`);
  }
  return tensor;
}

export function required(context: Context): FlatTable {
  if (context.options === undefined) {
    throw damaged(`${context.where} has no ${context.schema.optionsName}`);
  }
  return context.options;
}

export function padding(context: Context, options: FlatTable, field: number): Padding {
  const code = options.int8(field, "padding", 0);
  if (code !== 0 && code !== 1) {
    throw attribute(context, "padding", String(code));
  }
  return code === 0 ? "same" : "valid";
}

export function positive(
  context: Context,
  options: FlatTable,
  field: number,
  name: string,
  absent: number,
): number {
  const value = options.int32(field, name, absent);
  if (value < 1 || value > MAX_ATTRIBUTE) {
    throw attribute(context, name, String(value));
  }
  return value;
}

export function activation(context: Context, options: FlatTable, field: number): Activation {
  const code = options.int8(field, "fused_activation_function", 0);
  const known = activations.get(code);
  if (known === undefined) {
    throw attribute(context, "fused_activation_function", activationName(code));
  }
  return known;
}

/** Redundant in the file, and 0 in those of newer exporters: then it follows from the channels. */
export function depthMultiplier(context: Context, options: FlatTable, field: number): number {
  if (options.int32(field, "depth_multiplier", 0) !== 0) {
    return positive(context, options, field, "depth_multiplier", 0);
  }
  const channels = (tensor: number | undefined): number => context.tensors[tensor ?? -1]?.shape[3] ?? 1;
  return Math.max(1, Math.floor(channels(context.output) / channels(context.inputs[0])));
}

/** 0 = not set, 2 = INT32, 4 = INT64. Without a bias it chooses the accumulator of int16 activations. */
export function checkBiasType(context: Context, options: FlatTable, field: number): void {
  const type = options.int8(field, "quantized_bias_type", 0);
  const narrowSums =
    type === 2 && (context.inputs[2] ?? -1) < 0 && context.tensors[context.inputs[0] ?? -1]?.type === "int16";
  if ((type !== 0 && type !== 2 && type !== 4) || narrowSums) {
    throw attribute(context, "quantized_bias_type", String(type));
  }
}

export function attribute(context: Context, name: string, value: string): UserError {
  return new UserError(
    "TMC3012",
    `${context.where}: ${name} = ${value} is not supported; supported: ${supportedValues(context.schema.name, name)}`,
    "Change the layer in the model and export it again.",
  );
}

export function damaged(what: string): UserError {
  return new UserError("TMC3002", `the model file is damaged: ${what}`, "Export the model again.");
}

/** The numbers of operand `position`, which must be a constant. */
export function constantIntegers(context: Context, position: number, name: string): readonly number[] {
  const data = context.tensors[present(context, context.inputs[position], name)]?.data;
  if (data === undefined) {
    throw attribute(context, name, "computed at run time");
  }
  if (!(data instanceof Int32Array) && !(data instanceof BigInt64Array)) {
    throw damaged(`${context.where} has a ${name} that is not of integers`);
  }
  return Array.from(data, Number);
}

/** Reads operator codes and operators of a .tflite file; one function per operator. Used by `read.ts` only. */
import { UserError } from "../../diagnostics/user-error.js";
import type { Operator, Tensor } from "../graph.js";
import { supportedOperators } from "../operator-support.js";
import type { FlatTable } from "./flatbuffer.js";
import {
  conv2DFields,
  CUSTOM_OPERATOR,
  depthwiseConv2DFields,
  fullyConnectedFields,
  modelFields,
  operatorCodeFields,
  operatorFields,
  operatorName,
  operatorSchemas,
  pool2DFields,
  softmaxFields,
  subgraphFields,
  type ReadKind,
} from "./schema.js";
import { elementwiseReaders } from "./read-elementwise.js";
import {
  activation,
  attribute,
  checkBiasType,
  damaged,
  depthMultiplier,
  operands,
  padding,
  positive,
  present,
  required,
  type Context,
} from "./read-context.js";
import {
  readConcatenation,
  readPack,
  readPad,
  readReduction,
  readReshapeLike,
  readResizeNearest,
  readSlice,
  readSplit,
  readSplitV,
  readStridedSlice,
  readTranspose,
  readUnpack,
} from "./read-movement.js";

/** Longest list of tensors of an operator; every supported one has at most three. */
const MAX_OPERANDS = 64;

/** Code of the operator by which float outputs of int8 models are made. */
const DEQUANTIZE = 6;

interface OperatorCode {
  readonly builtin: number;
  readonly custom: string;
  readonly version: number;
}

/**
 * All operators of the subgraph, in file order. An operator that stands for several adds the tensors between them to
 * `tensors`.
 */
export function readOperators(
  model: FlatTable,
  subgraph: FlatTable,
  tensors: Tensor[],
  limit: number,
): Operator[] {
  const codes = model.tables(modelFields.operatorCodes, "operator_codes", limit).map(readCode);
  const operators = subgraph
    .tables(subgraphFields.operators, "operators", limit)
    .flatMap((table, index) => readOperator(table, index, codes, tensors));
  if (operators.length > limit) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: its operators stand for ${operators.length} layers; at most ${limit} are accepted`,
      "Reduce the number of layers.",
    );
  }
  return operators;
}

function readCode(table: FlatTable): OperatorCode {
  // Codes below 127 stand in the old byte field, in both, or (files of some exporters) only in the new one.
  const old = table.int8(operatorCodeFields.deprecatedBuiltinCode, "deprecated_builtin_code", 0);
  const extended = table.int32(operatorCodeFields.builtinCode, "builtin_code", 0);
  return {
    builtin: Math.max(old, extended),
    custom: table.string(operatorCodeFields.customCode, "custom_code", 256),
    version: table.int32(operatorCodeFields.version, "version", 1),
  };
}

function readOperator(
  table: FlatTable,
  index: number,
  codes: readonly OperatorCode[],
  tensors: Tensor[],
): Operator | readonly Operator[] {
  const codeIndex = table.uint32(operatorFields.opcodeIndex, "opcode_index", 0);
  const code = codes[codeIndex];
  if (code === undefined) {
    throw damaged(`operator ${index} names operator code ${codeIndex} of ${codes.length}`);
  }
  const inputs = table.int32s(operatorFields.inputs, "inputs", MAX_OPERANDS);
  const outputs = table.int32s(operatorFields.outputs, "outputs", MAX_OPERANDS);
  const layer = tensors[outputs[0] ?? -1]?.name;
  const schema = operatorSchemas.get(code.builtin);
  const name =
    code.builtin === CUSTOM_OPERATOR ? `custom operator "${code.custom}"` : operatorName(code.builtin);
  const where = `operator ${index} (${name}${layer === undefined || layer === "" ? "" : `, layer "${layer}"`})`;
  if (schema === undefined) {
    throw new UserError(
      "TMC3010",
      `${where} is not supported; supported are ${supportedOperators}`,
      code.builtin === DEQUANTIZE
        ? "Convert the model with int8 inputs and outputs (inference_output_type = tf.int8 of the TFLite converter)."
        : "Replace the layer in the model, or fold it into a supported one when exporting.",
    );
  }
  if (code.version < 1 || code.version > schema.maxVersion) {
    throw new UserError(
      "TMC3011",
      `${where} has version ${code.version}; versions 1 to ${schema.maxVersion} are supported`,
      "Export the model with an older converter, or quantise it with `tmc model quantize`.",
    );
  }
  for (const tensor of [...inputs, ...outputs]) {
    if (tensor !== -1 && tensors[tensor] === undefined) {
      throw damaged(`${where} names tensor ${tensor} of ${tensors.length}`);
    }
  }
  const [output] = outputs;
  const several = severalOutputs.has(schema.kind);
  if (output === undefined || outputs.some((tensor) => tensor < 0) || (outputs.length !== 1 && !several)) {
    throw damaged(`${where} has ${outputs.length} outputs instead of ${several ? "some" : "one"}`);
  }
  const optionsType = table.uint8(operatorFields.optionsType, "builtin_options_type", 0);
  if (optionsType !== 0 && optionsType !== schema.optionsType) {
    throw damaged(`${where} carries the options of another operator (union member ${optionsType})`);
  }
  const options = optionsType === 0 ? undefined : table.table(operatorFields.options, "builtin_options");
  const addTensor = (tensor: Tensor): number => tensors.push(tensor) - 1;
  return readers[schema.kind]({ where, schema, options, tensors, inputs, output, outputs, addTensor });
}

const severalOutputs: ReadonlySet<ReadKind> = new Set<ReadKind>(["Split", "SplitV", "Unpack"]);

const readers: Readonly<Record<ReadKind, (context: Context) => Operator | readonly Operator[]>> = {
  ...elementwiseReaders,
  Conv2D(context) {
    const options = required(context);
    const f = conv2DFields;
    checkBiasType(context, options, f.quantizedBiasType);
    return {
      kind: "Conv2D",
      ...weighted(context),
      padding: padding(context, options, f.padding),
      strideHeight: positive(context, options, f.strideHeight, "stride_h", 0),
      strideWidth: positive(context, options, f.strideWidth, "stride_w", 0),
      dilationHeight: positive(context, options, f.dilationHeight, "dilation_h_factor", 1),
      dilationWidth: positive(context, options, f.dilationWidth, "dilation_w_factor", 1),
      activation: activation(context, options, f.activation),
    };
  },
  DepthwiseConv2D(context) {
    const options = required(context);
    const f = depthwiseConv2DFields;
    return {
      kind: "DepthwiseConv2D",
      ...weighted(context),
      padding: padding(context, options, f.padding),
      strideHeight: positive(context, options, f.strideHeight, "stride_h", 0),
      strideWidth: positive(context, options, f.strideWidth, "stride_w", 0),
      dilationHeight: positive(context, options, f.dilationHeight, "dilation_h_factor", 1),
      dilationWidth: positive(context, options, f.dilationWidth, "dilation_w_factor", 1),
      depthMultiplier: depthMultiplier(context, options, f.depthMultiplier),
      activation: activation(context, options, f.activation),
    };
  },
  FullyConnected(context) {
    const options = required(context);
    const f = fullyConnectedFields;
    checkBiasType(context, options, f.quantizedBiasType);
    const format = options.int8(f.weightsFormat, "weights_format", 0);
    if (format !== 0) {
      throw attribute(context, "weights_format", String(format));
    }
    return {
      kind: "FullyConnected",
      ...weighted(context),
      keepNumDims: options.bool(f.keepNumDims, "keep_num_dims"),
      activation: activation(context, options, f.activation),
    };
  },
  MaxPool2D: (context) => ({ kind: "MaxPool2D", ...pool(context) }),
  AveragePool2D: (context) => ({ kind: "AveragePool2D", ...pool(context) }),
  Reshape(context) {
    // The new shape stands in a constant second input or in the options; the output tensor already has it.
    const [input] = operands(context, 1, 2);
    return { kind: "Reshape", input: present(context, input, "input 0"), output: context.output };
  },
  Softmax(context) {
    const [input] = operands(context, 1, 1);
    const beta = required(context).float32(softmaxFields.beta, "beta", 0);
    if (!(beta > 0 && Number.isFinite(beta))) {
      throw attribute(context, "beta", String(beta));
    }
    return { kind: "Softmax", input: present(context, input, "input 0"), output: context.output, beta };
  },
  Concatenation: readConcatenation,
  Pad: readPad,
  PadV2: readPad,
  Mean: readReduction,
  Sum: readReduction,
  ReduceMax: readReduction,
  ReduceMin: readReduction,
  Slice: readSlice,
  StridedSlice: readStridedSlice,
  Split: readSplit,
  SplitV: readSplitV,
  Pack: readPack,
  Unpack: readUnpack,
  Transpose: readTranspose,
  ResizeNearestNeighbor: readResizeNearest,
  Squeeze: readReshapeLike,
  ExpandDims: readReshapeLike,
};

function pool(context: Context) {
  const options = required(context);
  const f = pool2DFields;
  const [input] = operands(context, 1, 1);
  return {
    input: present(context, input, "input 0"),
    output: context.output,
    padding: padding(context, options, f.padding),
    strideHeight: positive(context, options, f.strideHeight, "stride_h", 0),
    strideWidth: positive(context, options, f.strideWidth, "stride_w", 0),
    filterHeight: positive(context, options, f.filterHeight, "filter_height", 0),
    filterWidth: positive(context, options, f.filterWidth, "filter_width", 0),
    activation: activation(context, options, f.activation),
  };
}

/** Input, filter and optional bias. */
function weighted(context: Context) {
  const [input, filter, bias] = operands(context, 2, 3);
  return {
    input: present(context, input, "input"),
    filter: present(context, filter, "filter"),
    bias: bias === undefined || bias === -1 ? undefined : bias,
    output: context.output,
  };
}

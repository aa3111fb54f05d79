/**
 * Writes a graph as a .tflite file (schema version 3, identifier "TFL3"): int8 models for other tools and devices, and
 * float models. Tensor and operator numbers in the file are those of the graph, so layers keep their numbers everywhere.
 *
 * The bytes depend on the graph alone. The file has what interpreters need and no metadata beyond a description.
 */
import { Builder } from "flatbuffers";
import type { Activation, Graph, Operator, Padding, Tensor, TensorData, OperatorKind } from "../graph.js";
import { operatorInputs } from "../graph.js";
import { movesOrReduces } from "../graph-movement.js";
import {
  activations,
  arithmeticFields,
  bufferFields,
  concatenationFields,
  conv2DFields,
  depthwiseConv2DFields,
  elementTypes,
  fullyConnectedFields,
  leakyReluFields,
  modelFields,
  operatorCodeFields,
  operatorFields,
  operatorSchemas,
  pool2DFields,
  quantizationFields,
  reducerFields,
  resizeNearestFields,
  softmaxFields,
  stridedSliceFields,
  subgraphFields,
  tensorFields,
  type ReadKind,
} from "./schema.js";
import {
  endMask,
  fileKind,
  movementOperands,
  movementVersion,
  shrinkMask,
  type FileOperand,
} from "./write-movement.js";

/** Alignment of weights in the file, as the schema asks for. */
const BUFFER_ALIGNMENT = 16;

/** One field of a table: how to store it. Offsets are created before the table is begun. */
type Field =
  | { readonly type: "int8" | "int32" | "uint32" | "float32"; readonly id: number; readonly value: number }
  | { readonly type: "bool"; readonly id: number; readonly value: boolean }
  | { readonly type: "offset"; readonly id: number; readonly value: number };

/** Writes tables and vectors; defaults are left out as flatbuffers do, but only zeros and false count as defaults here. */
class Writer {
  readonly builder = new Builder(65536);

  /** `defaults` names fields whose default is not zero: they are written even when they are zero, and left out when equal. */
  table(fields: readonly Field[], defaults: Readonly<Record<number, number | boolean>> = {}): number {
    const { builder } = this;
    builder.startObject(Math.max(0, ...fields.map((field) => field.id)) + 1);
    for (const field of fields) {
      const otherwise = Number(defaults[field.id] ?? 0);
      switch (field.type) {
        case "int8":
          builder.addFieldInt8(field.id, field.value, otherwise);
          break;
        case "bool":
          builder.addFieldInt8(field.id, field.value ? 1 : 0, otherwise);
          break;
        case "int32":
        case "uint32":
          builder.addFieldInt32(field.id, field.value, otherwise);
          break;
        case "float32":
          builder.addFieldFloat32(field.id, field.value, otherwise);
          break;
        case "offset":
          builder.addFieldOffset(field.id, field.value, 0);
          break;
      }
    }
    return builder.endObject();
  }

  offsets(values: readonly number[]): number {
    this.builder.startVector(4, values.length, 4);
    values.toReversed().forEach((value) => this.builder.addOffset(value));
    return this.builder.endVector();
  }

  int32s(values: readonly number[]): number {
    this.builder.startVector(4, values.length, 4);
    values.toReversed().forEach((value) => this.builder.addInt32(value));
    return this.builder.endVector();
  }

  int64s(values: readonly number[]): number {
    this.builder.startVector(8, values.length, 8);
    values.toReversed().forEach((value) => this.builder.addInt64(BigInt(value)));
    return this.builder.endVector();
  }

  float32s(values: readonly number[]): number {
    this.builder.startVector(4, values.length, 4);
    values.toReversed().forEach((value) => this.builder.addFloat32(value));
    return this.builder.endVector();
  }

  bytes(values: Uint8Array, alignment: number): number {
    this.builder.startVector(1, values.length, alignment);
    values.toReversed().forEach((value) => this.builder.addInt8(value));
    return this.builder.endVector();
  }

  string(text: string): number {
    return this.builder.createString(text);
  }
}

const offset = (id: number, value: number): Field => ({ type: "offset", id, value });
const int8 = (id: number, value: number): Field => ({ type: "int8", id, value });
const int32 = (id: number, value: number): Field => ({ type: "int32", id, value });

function codeOf<T>(table: ReadonlyMap<number, T>, wanted: T): number {
  for (const [code, value] of table) {
    if (value === wanted) {
      return code;
    }
  }
  throw new Error(`the .tflite schema has no code for ${String(wanted)}`);
}

function builtinCode(kind: ReadKind): number {
  for (const [code, schema] of operatorSchemas) {
    if (schema.kind === kind) {
      return code;
    }
  }
  throw new Error(`the .tflite schema has no operator ${kind}`);
}

/**
 * The version in which an operator took int8 (tensorflow/lite/tools/versioning/op_version.cc); float models need only
 * version 1, dilated depthwise convolutions 2.
 */
function operatorVersion(graph: Graph, operator: Operator): number {
  const quantized = graph.tensors[operator.output]?.type === "int8";
  if (graph.tensors[operator.output]?.type === "int16") {
    return wideVersions[operator.kind] ?? 1;
  }
  switch (operator.kind) {
    case "Conv2D":
      return quantized ? 3 : 1;
    case "DepthwiseConv2D":
      return quantized ? 3 : operator.dilationHeight > 1 || operator.dilationWidth > 1 ? 2 : 1;
    case "FullyConnected":
      return operator.keepNumDims ? 5 : quantized ? 4 : 1;
    case "Add":
    case "AveragePool2D":
    case "LeakyRelu":
    case "Logistic":
    case "MaxPool2D":
    case "Maximum":
    case "Minimum":
    case "Mul":
    case "Relu":
    case "Relu6":
    case "Softmax":
    case "Sub":
    case "Tanh":
      return quantized ? 2 : 1;
    case "HardSwish":
    case "PRelu":
    case "Quantize":
    case "ReluN1To1":
    case "Reshape":
      return 1;
    default:
      return movementVersion(graph, operator);
  }
}

/** The versions in which operators took int16; of the others the first. */
const wideVersions: Readonly<Partial<Record<OperatorKind, number>>> = {
  Add: 3,
  AveragePool2D: 3,
  Conv2D: 4,
  DepthwiseConv2D: 5,
  FullyConnected: 7,
  Logistic: 3,
  MaxPool2D: 3,
  Maximum: 4,
  Minimum: 4,
  Mul: 4,
  Softmax: 3,
  Sub: 5,
  Tanh: 3,
};

const activationCode = (activation: Activation): number => codeOf(activations, activation);
const paddingCode = (padding: Padding): number => (padding === "same" ? 0 : 1);

function writeOptions(writer: Writer, graph: Graph, operator: Operator): number {
  switch (operator.kind) {
    case "Conv2D": {
      const f = conv2DFields;
      return writer.table(
        [
          int8(f.padding, paddingCode(operator.padding)),
          int32(f.strideWidth, operator.strideWidth),
          int32(f.strideHeight, operator.strideHeight),
          int8(f.activation, activationCode(operator.activation)),
          int32(f.dilationWidth, operator.dilationWidth),
          int32(f.dilationHeight, operator.dilationHeight),
        ],
        { [f.dilationWidth]: 1, [f.dilationHeight]: 1 },
      );
    }
    case "DepthwiseConv2D": {
      const f = depthwiseConv2DFields;
      return writer.table(
        [
          int8(f.padding, paddingCode(operator.padding)),
          int32(f.strideWidth, operator.strideWidth),
          int32(f.strideHeight, operator.strideHeight),
          int32(f.depthMultiplier, operator.depthMultiplier),
          int8(f.activation, activationCode(operator.activation)),
          int32(f.dilationWidth, operator.dilationWidth),
          int32(f.dilationHeight, operator.dilationHeight),
        ],
        { [f.dilationWidth]: 1, [f.dilationHeight]: 1 },
      );
    }
    case "MaxPool2D":
    case "AveragePool2D": {
      const f = pool2DFields;
      return writer.table([
        int8(f.padding, paddingCode(operator.padding)),
        int32(f.strideWidth, operator.strideWidth),
        int32(f.strideHeight, operator.strideHeight),
        int32(f.filterWidth, operator.filterWidth),
        int32(f.filterHeight, operator.filterHeight),
        int8(f.activation, activationCode(operator.activation)),
      ]);
    }
    case "FullyConnected":
      return writer.table([
        int8(fullyConnectedFields.activation, activationCode(operator.activation)),
        { type: "bool", id: fullyConnectedFields.keepNumDims, value: operator.keepNumDims },
      ]);
    case "Softmax":
      return writer.table([{ type: "float32", id: softmaxFields.beta, value: operator.beta }]);
    case "Add":
    case "Sub": {
      // pot_scale_int16 is true by default and concerns int16 only; it is stated so that no reader has to guess.
      const f = arithmeticFields;
      return writer.table(
        [
          int8(f.activation, activationCode(operator.activation)),
          { type: "bool", id: f.potScaleInt16, value: false },
        ],
        { [f.potScaleInt16]: true },
      );
    }
    case "Mul":
      return writer.table([int8(arithmeticFields.activation, activationCode(operator.activation))]);
    case "LeakyRelu":
      return writer.table([{ type: "float32", id: leakyReluFields.alpha, value: operator.alpha }]);
    case "HardSwish":
    case "Maximum":
    case "Minimum":
    case "Quantize":
      return writer.table([]);
    case "Logistic":
    case "PRelu":
    case "Relu":
    case "Relu6":
    case "ReluN1To1":
    case "Tanh":
      return 0;
    case "Reshape": {
      const shape = writer.int32s(graph.tensors[operator.output]?.shape ?? []);
      return writer.table([offset(0, shape)]);
    }
    case "Concatenation":
      return writer.table([int32(concatenationFields.axis, operator.axis)]);
    case "Mean":
    case "Sum":
    case "ReduceMax":
    case "ReduceMin": {
      const [from, to] = [operator.input, operator.output].map(
        (tensor) => graph.tensors[tensor]?.shape.length,
      );
      return writer.table([{ type: "bool", id: reducerFields.keepDims, value: from === to }]);
    }
    case "ResizeNearestNeighbor":
      return writer.table([
        { type: "bool", id: resizeNearestFields.alignCorners, value: operator.alignCorners },
        { type: "bool", id: resizeNearestFields.halfPixelCenters, value: operator.halfPixelCenters },
      ]);
    case "Slice":
      return fileKind(graph, operator) === "Slice"
        ? writer.table([])
        : writer.table([
            int32(stridedSliceFields.endMask, endMask(operator)),
            int32(stridedSliceFields.shrinkAxisMask, shrinkMask(graph, operator)),
          ]);
    case "Pad":
    case "Transpose":
      return writer.table([]);
  }
}

function dataBytes(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function writeTensor(writer: Writer, tensor: Tensor, buffer: number): number {
  const { quantization } = tensor;
  let parameters = 0;
  if (quantization !== undefined) {
    const scale = writer.float32s(quantization.scales);
    const zeroPoint = writer.int64s(quantization.zeroPoints);
    parameters = writer.table([
      offset(quantizationFields.scale, scale),
      offset(quantizationFields.zeroPoint, zeroPoint),
      int32(quantizationFields.quantizedDimension, quantization.axis),
    ]);
  }
  const name = writer.string(tensor.name);
  const shape = writer.int32s(tensor.shape);
  return writer.table([
    offset(tensorFields.shape, shape),
    int8(tensorFields.type, codeOf(elementTypes, tensor.type)),
    { type: "uint32", id: tensorFields.buffer, value: buffer },
    offset(tensorFields.name, name),
    offset(tensorFields.quantization, parameters),
  ]);
}

/** The .tflite file of `graph`. The same graph gives the same bytes. */
export function writeTflite(graph: Graph): Uint8Array {
  const writer = new Writer();
  // Buffer 0 is empty by convention: tensors that are not constants name it.
  const buffers: number[] = [writer.table([])];
  const tensors: number[] = [];
  const writeAnyTensor = (tensor: Tensor): number => {
    if (tensor.data === undefined) {
      return tensors.push(writeTensor(writer, tensor, 0)) - 1;
    }
    const data = writer.bytes(dataBytes(tensor.data), BUFFER_ALIGNMENT);
    buffers.push(writer.table([offset(bufferFields.data, data)]));
    return tensors.push(writeTensor(writer, tensor, buffers.length - 1)) - 1;
  };
  graph.tensors.forEach(writeAnyTensor);

  /** Constants that are attributes in the graph stand after its tensors, equal ones once. */
  const added = new Map<string, number>();
  const place = (operand: FileOperand): number => {
    if (typeof operand === "number") {
      return operand;
    }
    const key = JSON.stringify([
      operand.type,
      operand.shape,
      operand.quantization,
      [...(operand.data ?? [])],
    ]);
    const known = added.get(key) ?? writeAnyTensor(operand);
    added.set(key, known);
    return known;
  };

  const codes: { kind: ReadKind; version: number }[] = [];
  const operators = graph.operators.map((operator) => {
    const version = operatorVersion(graph, operator);
    const kind = fileKind(graph, operator);
    let code = codes.findIndex((entry) => entry.kind === kind && entry.version === version);
    if (code < 0) {
      code = codes.push({ kind, version }) - 1;
    }
    const options = writeOptions(writer, graph, operator);
    const operands = movesOrReduces(operator) ? movementOperands(graph, operator) : operatorInputs(operator);
    const inputs = writer.int32s(operands.map(place));
    const outputs = writer.int32s([operator.output]);
    const { optionsType } = operatorSchemas.get(builtinCode(kind)) ?? { optionsType: 0 };
    return writer.table([
      { type: "uint32", id: operatorFields.opcodeIndex, value: code },
      offset(operatorFields.inputs, inputs),
      offset(operatorFields.outputs, outputs),
      int8(operatorFields.optionsType, optionsType),
      offset(operatorFields.options, options),
    ]);
  });
  const operatorCodes = codes.map(({ kind, version }) =>
    writer.table(
      [
        int8(operatorCodeFields.deprecatedBuiltinCode, builtinCode(kind)),
        int32(operatorCodeFields.version, version),
        int32(operatorCodeFields.builtinCode, builtinCode(kind)),
      ],
      { [operatorCodeFields.version]: 1 },
    ),
  );

  const parts = {
    tensors: writer.offsets(tensors),
    inputs: writer.int32s(graph.inputs),
    outputs: writer.int32s(graph.outputs),
    operators: writer.offsets(operators),
    name: writer.string("main"),
  };
  const subgraph = writer.table([
    offset(subgraphFields.tensors, parts.tensors),
    offset(subgraphFields.inputs, parts.inputs),
    offset(subgraphFields.outputs, parts.outputs),
    offset(subgraphFields.operators, parts.operators),
    offset(4, parts.name),
  ]);
  const codesVector = writer.offsets(operatorCodes);
  const subgraphs = writer.offsets([subgraph]);
  const description = writer.string(graph.name);
  const buffersVector = writer.offsets(buffers);
  const model = writer.table([
    { type: "uint32", id: modelFields.version, value: 3 },
    offset(modelFields.operatorCodes, codesVector),
    offset(modelFields.subgraphs, subgraphs),
    offset(3, description),
    offset(modelFields.buffers, buffersVector),
  ]);
  writer.builder.finish(model, "TFL3");
  return writer.builder.asUint8Array().slice();
}

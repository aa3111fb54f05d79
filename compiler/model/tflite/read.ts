/**
 * Reads a .tflite file into a graph. Structure only: offsets, counts, types, operators and their attributes, the
 * order of tensors. Float models pass; whether a graph is an int8 model that can be executed is `lower.ts`'s question.
 *
 * Trusts nothing in the file: a file that is cut, altered or made to harm ends in a UserError (TMC30xx) after work
 * proportional to its size.
 */
import { UserError } from "../../diagnostics/user-error.js";
import {
  elementBytes,
  elementCount,
  operatorInputs,
  type ElementType,
  type Graph,
  type Operator,
  type Quantization,
  type Tensor,
  type TensorData,
} from "../graph.js";
import { FlatBuffer, type FlatTable } from "./flatbuffer.js";
import { readOperators } from "./read-operators.js";
import {
  bufferFields,
  elementTypes,
  modelFields,
  quantizationFields,
  subgraphFields,
  tensorFields,
  tensorTypeName,
} from "./schema.js";

/** Most tensors, operators, operator codes or buffers of a model. */
export const MAX_ENTRIES = 4096;
/** Most bytes of one tensor. */
export const MAX_TENSOR_BYTES = 64 * 1024 * 1024;
const MAX_RANK = 6;
const MAX_NAME_BYTES = 4096;

/**
 * The graph in `bytes`, a whole .tflite file. `name` is the model's name in messages.
 * Throws UserError TMC3001..TMC3020.
 */
export function readTflite(bytes: Uint8Array, name: string): Graph {
  if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(4, 8)) !== "TFL3") {
    throw new UserError(
      "TMC3001",
      `${name} is not a .tflite model: the identifier "TFL3" at byte 4 is missing`,
      "Export the model again; a file of another format keeps the ending of its format.",
    );
  }
  const model = new FlatBuffer(bytes).root("model");
  const version = model.uint32(modelFields.version, "version", 0);
  if (version !== 3) {
    throw new UserError(
      "TMC3001",
      `${name} has schema version ${version}; version 3 is supported`,
      "Export the model with TensorFlow Lite 1.x or later.",
    );
  }
  const subgraphs = model.tables(modelFields.subgraphs, "subgraphs", MAX_ENTRIES);
  const subgraph = subgraphs[0];
  if (subgraph === undefined || subgraphs.length !== 1) {
    throw structure(`it has ${subgraphs.length} subgraphs; exactly one is supported`);
  }
  const buffers = new Buffers(model.tables(modelFields.buffers, "buffers", 2 * MAX_ENTRIES));
  const tensors = subgraph
    .tables(subgraphFields.tensors, "tensors", MAX_ENTRIES)
    .map((table, index) => readTensor(table, index, buffers));
  const operators = readOperators(model, subgraph, tensors, MAX_ENTRIES);
  const graph: Graph = {
    name,
    tensors,
    operators,
    inputs: readEnds(subgraph, subgraphFields.inputs, "inputs", tensors),
    outputs: readEnds(subgraph, subgraphFields.outputs, "outputs", tensors),
  };
  checkOrder(graph);
  return graph;
}

function structure(reason: string): UserError {
  return new UserError(
    "TMC3004",
    `the model's structure is not supported: ${reason}`,
    "Export a plain inference model with a fixed batch size of 1.",
  );
}

/** The data of tensors, decoded once for each buffer and type however many tensors share it. */
class Buffers {
  private readonly decoded = new Map<string, TensorData>();

  constructor(private readonly tables: readonly FlatTable[]) {}

  /** undefined for a tensor that is not a constant. */
  read(index: number, type: ElementType, count: number, path: string): TensorData | undefined {
    const table = this.tables[index];
    if (table === undefined) {
      if (index === 0) {
        return undefined;
      }
      throw new UserError(
        "TMC3002",
        `the model file is damaged: ${path} names buffer ${index} of ${this.tables.length}`,
        "Export the model again.",
      );
    }
    if (![0, 1].includes(table.int64(bufferFields.offset, "offset", 0))) {
      throw structure(`${path} keeps its data outside the flatbuffer, as models above 2 GB do`);
    }
    const bytes = table.bytes(bufferFields.data, "data");
    if (bytes.length === 0) {
      return undefined;
    }
    const expected = count * elementBytes[type];
    if (bytes.length !== expected) {
      throw new UserError(
        "TMC3002",
        `the model file is damaged: ${path} needs ${expected} bytes of data, its buffer has ${bytes.length}`,
        "Export the model again.",
      );
    }
    const key = `${index} ${type}`;
    const known = this.decoded.get(key);
    if (known !== undefined) {
      return known;
    }
    const data = decode(bytes, type);
    this.decoded.set(key, data);
    return data;
  }
}

/** A typed copy (buffers of a file need not be aligned). .tflite data is little-endian, as is every host we run on. */
function decode(bytes: Uint8Array, type: ElementType): TensorData {
  const copy = new Uint8Array(bytes).buffer;
  switch (type) {
    case "float32":
      return new Float32Array(copy);
    case "int8":
      return new Int8Array(copy);
    case "uint8":
    case "bool":
      return new Uint8Array(copy);
    case "int16":
      return new Int16Array(copy);
    case "int32":
      return new Int32Array(copy);
    case "int64":
      return new BigInt64Array(copy);
  }
}

function readTensor(table: FlatTable, index: number, buffers: Buffers): Tensor {
  const name = table.string(tensorFields.name, "name", MAX_NAME_BYTES);
  const path = `tensor ${index}${name === "" ? "" : ` "${name}"`}`;
  const typeCode = table.int8(tensorFields.type, "type", 0);
  const type = elementTypes.get(typeCode);
  if (type === undefined) {
    throw new UserError(
      "TMC3020",
      `${path} has the type ${tensorTypeName(typeCode)}; supported are int8 activations and weights and int32 biases`,
      "Quantise the model to full int8.",
    );
  }
  const shape = table.int32s(tensorFields.shape, "shape", MAX_RANK);
  const signature = table.int32s(tensorFields.shapeSignature, "shape_signature", MAX_RANK);
  // An unknown batch size is recorded as -1 in the signature; the shape then holds 1, which is what we compile for.
  const unknown = signature.findIndex((dimension, i) => dimension < 0 && !(i === 0 && shape[0] === 1));
  if (unknown >= 0) {
    throw structure(`dimension ${unknown} of ${path} is unknown`);
  }
  if (shape.some((dimension) => dimension < 1)) {
    throw structure(`${path} has the shape [${shape.join(", ")}]; every dimension must be at least 1`);
  }
  const count = elementCount(shape);
  if (count * elementBytes[type] > MAX_TENSOR_BYTES) {
    throw new UserError(
      "TMC3003",
      `the model exceeds a limit of the compiler: ${path} of shape [${shape.join(", ")}] has more than ${MAX_TENSOR_BYTES} bytes`,
      "Reduce the input or the width of the model.",
    );
  }
  if (table.bool(tensorFields.isVariable, "is_variable")) {
    throw structure(`${path} is a variable that keeps its value between inferences`);
  }
  if (table.has(tensorFields.sparsity, "sparsity")) {
    throw structure(`${path} is stored as a sparse tensor`);
  }
  if (table.uint32(tensorFields.externalBuffer, "external_buffer", 0) !== 0) {
    throw structure(`${path} keeps its data in another file`);
  }
  const data = buffers.read(table.uint32(tensorFields.buffer, "buffer", 0), type, count, path);
  const quantization = readQuantization(table, shape, path);
  return {
    name,
    type,
    shape,
    ...(quantization === undefined ? {} : { quantization }),
    ...(data === undefined ? {} : { data }),
  };
}

function readQuantization(
  tensor: FlatTable,
  shape: readonly number[],
  path: string,
): Quantization | undefined {
  const table = tensor.table(tensorFields.quantization, "quantization");
  if (table === undefined) {
    return undefined;
  }
  const malformed = (reason: string): UserError =>
    new UserError("TMC3021", `${path}: ${reason}`, "Export or quantise the model again.");
  if (table.uint8(quantizationFields.detailsType, "details_type", 0) !== 0) {
    throw malformed("custom, blockwise and multi-axis quantisation are not supported");
  }
  const maxScales = Math.max(1, ...shape);
  const scales = table.float32s(quantizationFields.scale, "scale", maxScales);
  if (scales.length === 0) {
    return undefined; // only min/max from training
  }
  const zeroPoints = table.int64s(quantizationFields.zeroPoint, "zero_point", maxScales);
  if (zeroPoints.length === 0) {
    zeroPoints.push(...scales.map(() => 0));
  }
  const axis = table.int32(quantizationFields.quantizedDimension, "quantized_dimension", 0);
  if (zeroPoints.length !== scales.length) {
    throw malformed(`${scales.length} scales but ${zeroPoints.length} zero points`);
  }
  if (scales.length > 1 && shape[axis] !== scales.length) {
    throw malformed(`${scales.length} scales along dimension ${axis} of the shape [${shape.join(", ")}]`);
  }
  const bad = scales.find((scale) => !(scale > 0 && Number.isFinite(scale)));
  if (bad !== undefined) {
    throw malformed(`the scale ${bad} is not a positive finite number`);
  }
  const badZero = zeroPoints.find((zeroPoint) => zeroPoint < -2147483648 || zeroPoint > 2147483647);
  if (badZero !== undefined) {
    throw malformed(`the zero point ${badZero} is out of range`);
  }
  return { scales, zeroPoints, axis: scales.length > 1 ? axis : 0 };
}

function readEnds(subgraph: FlatTable, field: number, name: string, tensors: readonly Tensor[]): number[] {
  const indices = subgraph.int32s(field, name, MAX_ENTRIES);
  if (indices.length === 0) {
    throw structure(`it has no ${name}`);
  }
  for (const index of indices) {
    const tensor = tensors[index];
    if (tensor === undefined) {
      throw new UserError(
        "TMC3002",
        `the model file is damaged: ${name} names tensor ${index} of ${tensors.length}`,
        "Export the model again.",
      );
    }
    if (tensor.data !== undefined) {
      throw structure(`tensor ${index} is a constant among the model's ${name}`);
    }
  }
  if (name === "inputs" && new Set(indices).size !== indices.length) {
    throw structure("a tensor is named twice among the inputs");
  }
  return indices;
}

/** Every tensor is a constant, an input, or written once before it is read; every output is written. */
function checkOrder(graph: Graph): void {
  const impossible = (reason: string): UserError =>
    new UserError("TMC3014", `tensors are used in an impossible order: ${reason}`, "Export the model again.");
  const written = new Set(graph.inputs);
  const available = (index: number): boolean =>
    written.has(index) || graph.tensors[index]?.data !== undefined;
  graph.operators.forEach((operator: Operator, position) => {
    const here = `operator ${position} (${operator.kind})`;
    for (const index of operatorInputs(operator)) {
      if (!available(index)) {
        throw impossible(`${here} reads tensor ${index} before any operator writes it`);
      }
    }
    if (available(operator.output)) {
      throw impossible(`${here} writes tensor ${operator.output}, which already has a value`);
    }
    written.add(operator.output);
  });
  for (const index of graph.outputs) {
    if (!written.has(index)) {
      throw impossible(`no operator writes the output tensor ${index}`);
    }
  }
}

/**
 * Reads the protobuf of an ONNX file into plain objects: the fields of onnx.proto (ONNX, Apache-2.0) that an inference graph
 * needs, by their numbers; all others are skipped. The wire format is @bufbuild/protobuf's, which checks every length.
 *
 * Contents of tensors stay where they are (views of the file) until `constants.ts` decodes those that are used.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { UserError } from "../../../diagnostics/user-error.js";
import { MAX_NODES, tooLarge } from "../limits.js";

/** Most elements of a list of numbers that is not the content of a tensor, and bytes of a name. */
const MAX_LIST = 65536;
/** Most numbers of a tensor that are stored one by one instead of as raw bytes. */
const MAX_NUMBERS = 4 * 1024 * 1024;

export interface TensorProto {
  name: string;
  dims: number[];
  /** TensorProto.DataType */
  type: number;
  raw: Uint8Array | undefined;
  /** From float_data, int32_data, int64_data, double_data, uint64_data: whichever is used. */
  numbers: number[];
  /** Keys location, offset, length, when the content is in another file. */
  external: Map<string, string>;
  isExternal: boolean;
}

export interface AttributeProto {
  name: string;
  float: number | undefined;
  int: number | undefined;
  text: string | undefined;
  tensor: TensorProto | undefined;
  floats: number[];
  ints: number[];
  /** It has graphs, sparse tensors or the like. */
  other: boolean;
}

export interface NodeProto {
  name: string;
  type: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, AttributeProto>;
}

export interface ValueInfo {
  name: string;
  /** TensorProto.DataType; 0 when it is not a tensor. */
  type: number;
  /** -1: unknown. Undefined: not even the rank is known. */
  shape: number[] | undefined;
}

export interface OnnxModel {
  producer: string;
  /** By domain; "" is ONNX's own. */
  opsets: Map<string, number>;
  nodes: NodeProto[];
  initializers: TensorProto[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
}

type Visit = (field: number, wire: WireType, reader: BinaryReader) => boolean;

/** Calls `visit` for each field of a message; a field that it does not read (false) is skipped. */
function message(bytes: Uint8Array, visit: Visit): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (!visit(field, wire, reader)) {
      reader.skip(wire, field);
    }
  }
}

function text(wire: WireType, reader: BinaryReader): string {
  const bytes = block(wire, reader);
  if (bytes.length > MAX_LIST) {
    throw tooLarge(`a name has ${bytes.length} bytes`);
  }
  return new TextDecoder().decode(bytes);
}

function block(wire: WireType, reader: BinaryReader): Uint8Array {
  if (wire !== WireType.LengthDelimited) {
    throw new Error(`wire type ${wire} where bytes are expected`);
  }
  return reader.bytes();
}

function integer(wire: WireType, reader: BinaryReader): number {
  if (wire !== WireType.Varint) {
    throw new Error(`wire type ${wire} where an integer is expected`);
  }
  return Number(reader.int64());
}

type Read = (reader: BinaryReader) => number;
const readVarint: Read = (reader) => Number(reader.int64());
const readUnsigned: Read = (reader) => Number(reader.uint64());
const readFloat: Read = (reader) => reader.float();
const readDouble: Read = (reader) => reader.double();

/** Appends the numbers of a repeated field, packed or not. */
function numbers(to: number[], wire: WireType, reader: BinaryReader, read: Read, limit: number): void {
  const packed = wire === WireType.LengthDelimited ? new BinaryReader(reader.bytes()) : undefined;
  do {
    if (packed !== undefined && packed.pos >= packed.len) {
      return;
    }
    if (to.length >= limit) {
      throw tooLarge(`a list has more than ${limit} numbers`);
    }
    to.push(read(packed ?? reader));
  } while (packed !== undefined);
}

function push<T>(to: T[], item: T, what: string, limit = MAX_NODES): void {
  if (to.length >= limit) {
    throw tooLarge(`it has more than ${limit} ${what}`);
  }
  to.push(item);
}

function readTensor(bytes: Uint8Array): TensorProto {
  const tensor: TensorProto = {
    name: "",
    dims: [],
    type: 0,
    raw: undefined,
    numbers: [],
    external: new Map(),
    isExternal: false,
  };
  const data: Readonly<Partial<Record<number, Read>>> = {
    4: readFloat,
    5: readVarint,
    7: readVarint,
    10: readDouble,
    11: readUnsigned,
  };
  message(bytes, (field, wire, reader) => {
    const read = data[field];
    if (read !== undefined) {
      numbers(tensor.numbers, wire, reader, read, MAX_NUMBERS);
      return true;
    }
    switch (field) {
      case 1:
        numbers(tensor.dims, wire, reader, readVarint, MAX_LIST);
        return true;
      case 2:
        tensor.type = integer(wire, reader);
        return true;
      case 8:
        tensor.name = text(wire, reader);
        return true;
      case 9:
        tensor.raw = block(wire, reader);
        return true;
      case 13: {
        const [key, value] = readEntry(block(wire, reader));
        tensor.external.set(key, value);
        return true;
      }
      case 14:
        tensor.isExternal = integer(wire, reader) === 1;
        return true;
      default:
        return false;
    }
  });
  return tensor;
}

function readEntry(bytes: Uint8Array): [string, string] {
  const entry: [string, string] = ["", ""];
  message(bytes, (field, wire, reader) => {
    if (field !== 1 && field !== 2) {
      return false;
    }
    entry[field - 1] = text(wire, reader);
    return true;
  });
  return entry;
}

function readAttribute(bytes: Uint8Array): AttributeProto {
  const attribute: AttributeProto = {
    name: "",
    float: undefined,
    int: undefined,
    text: undefined,
    tensor: undefined,
    floats: [],
    ints: [],
    other: false,
  };
  message(bytes, (field, wire, reader) => {
    switch (field) {
      case 1:
        attribute.name = text(wire, reader);
        return true;
      case 2:
        if (wire !== WireType.Bit32) {
          throw new Error(`wire type ${wire} where a float is expected`);
        }
        attribute.float = reader.float();
        return true;
      case 3:
        attribute.int = integer(wire, reader);
        return true;
      case 4:
        attribute.text = text(wire, reader);
        return true;
      case 5:
        attribute.tensor = readTensor(block(wire, reader));
        return true;
      case 7:
        numbers(attribute.floats, wire, reader, readFloat, MAX_LIST);
        return true;
      case 8:
        numbers(attribute.ints, wire, reader, readVarint, MAX_LIST);
        return true;
      case 13: // doc_string
      case 20: // type
        return false;
      default:
        attribute.other = true;
        return false;
    }
  });
  return attribute;
}

function readNode(bytes: Uint8Array): NodeProto {
  const node: NodeProto = { name: "", type: "", domain: "", inputs: [], outputs: [], attributes: new Map() };
  message(bytes, (field, wire, reader) => {
    switch (field) {
      case 1:
        push(node.inputs, text(wire, reader), "inputs of a node");
        return true;
      case 2:
        push(node.outputs, text(wire, reader), "outputs of a node");
        return true;
      case 3:
        node.name = text(wire, reader);
        return true;
      case 4:
        node.type = text(wire, reader);
        return true;
      case 5: {
        const attribute = readAttribute(block(wire, reader));
        node.attributes.set(attribute.name, attribute);
        return true;
      }
      case 7:
        node.domain = text(wire, reader);
        return true;
      default:
        return false;
    }
  });
  return node;
}

function readValueInfo(bytes: Uint8Array): ValueInfo {
  const info: ValueInfo = { name: "", type: 0, shape: undefined };
  const dimension: Visit = (field, wire, reader) => {
    if (field !== 1 || info.shape === undefined) {
      return false;
    }
    let size = -1; // a symbol, or nothing at all
    message(block(wire, reader), (inner, innerWire, innerReader) => {
      if (inner !== 1) {
        return false;
      }
      size = integer(innerWire, innerReader);
      return true;
    });
    push(info.shape, size, "dimensions");
    return true;
  };
  const tensorType: Visit = (field, wire, reader) => {
    if (field === 1) {
      info.type = integer(wire, reader);
      return true;
    }
    if (field === 2) {
      info.shape = [];
      message(block(wire, reader), dimension);
      return true;
    }
    return false;
  };
  message(bytes, (field, wire, reader) => {
    if (field === 1) {
      info.name = text(wire, reader);
      return true;
    }
    if (field === 2) {
      message(block(wire, reader), (inner, innerWire, innerReader) => {
        if (inner !== 1) {
          return false;
        }
        message(block(innerWire, innerReader), tensorType);
        return true;
      });
      return true;
    }
    return false;
  });
  return info;
}

function readGraph(model: OnnxModel, bytes: Uint8Array): void {
  message(bytes, (field, wire, reader) => {
    switch (field) {
      case 1:
        push(model.nodes, readNode(block(wire, reader)), "nodes");
        return true;
      case 5:
        push(model.initializers, readTensor(block(wire, reader)), "initializers", 4 * MAX_NODES);
        return true;
      case 11:
        push(model.inputs, readValueInfo(block(wire, reader)), "inputs", 4 * MAX_NODES);
        return true;
      case 12:
        push(model.outputs, readValueInfo(block(wire, reader)), "outputs");
        return true;
      default:
        return false;
    }
  });
}

/** @throws UserError TMC3209 when the bytes are not the protobuf of an ONNX model, TMC3210 when a list is too long. */
export function readOnnx(bytes: Uint8Array, fileName: string): OnnxModel {
  const model: OnnxModel = {
    producer: "",
    opsets: new Map(),
    nodes: [],
    initializers: [],
    inputs: [],
    outputs: [],
  };
  const damaged = (reason: string): UserError =>
    new UserError(
      "TMC3209",
      `${fileName} is damaged, or not an ONNX model: ${reason}`,
      "Export the model again, or compare the file's size and digest with the original.",
    );
  let graphs = 0;
  try {
    message(bytes, (field, wire, reader) => {
      switch (field) {
        case 2:
          model.producer = text(wire, reader);
          return true;
        case 7:
          graphs++;
          readGraph(model, block(wire, reader));
          return true;
        case 8: {
          let domain = "";
          let version = 0;
          message(block(wire, reader), (inner, innerWire, innerReader) => {
            if (inner === 1) {
              domain = text(innerWire, innerReader);
            } else if (inner === 2) {
              version = integer(innerWire, innerReader);
            } else {
              return false;
            }
            return true;
          });
          model.opsets.set(domain === "ai.onnx" ? "" : domain, version);
          return true;
        }
        default:
          return false;
      }
    });
  } catch (error) {
    if (error instanceof UserError) {
      throw error;
    }
    throw damaged(error instanceof Error ? error.message : String(error));
  }
  if (graphs !== 1 || model.opsets.size === 0) {
    throw damaged(`it has ${graphs} graphs and ${model.opsets.size} operator sets`);
  }
  return model;
}

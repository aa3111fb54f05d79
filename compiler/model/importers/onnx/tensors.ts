/** Decodes the contents of ONNX tensors: initializers and values of attributes, stored in the file or in one beside it. */
import { UserError } from "../../../diagnostics/user-error.js";
import { elementCount } from "../../graph.js";
import type { Constant } from "../constants.js";
import { float16 } from "../float16.js";
import { checkWeightCount, MAX_RANK, tooLarge } from "../limits.js";
import type { ModelSource } from "../model-source.js";
import type { TensorProto } from "./proto.js";

/** TensorProto.DataType, as far as inference graphs use it. */
export const dataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
} as const;

interface Decoder {
  readonly type: Constant["type"];
  readonly bytes: number;
  make(count: number): Constant["data"];
  /** From raw bytes, little-endian. */
  read(data: DataView, offset: number): number | bigint;
  /** From the numbers of float_data, int32_data, … */
  convert?(value: number): number;
}

const decoders: Readonly<Partial<Record<number, Decoder>>> = {
  [dataType.float]: {
    type: "float32",
    bytes: 4,
    make: (n) => new Float32Array(n),
    read: (d, at) => d.getFloat32(at, true),
  },
  [dataType.double]: {
    type: "float32",
    bytes: 8,
    make: (n) => new Float32Array(n),
    read: (d, at) => d.getFloat64(at, true),
  },
  [dataType.float16]: {
    type: "float32",
    bytes: 2,
    make: (n) => new Float32Array(n),
    read: (d, at) => float16(d.getUint16(at, true)),
    convert: float16,
  },
  [dataType.uint8]: {
    type: "uint8",
    bytes: 1,
    make: (n) => new Uint8Array(n),
    read: (d, at) => d.getUint8(at),
  },
  [dataType.bool]: {
    type: "bool",
    bytes: 1,
    make: (n) => new Uint8Array(n),
    read: (d, at) => d.getUint8(at),
  },
  [dataType.int8]: { type: "int8", bytes: 1, make: (n) => new Int8Array(n), read: (d, at) => d.getInt8(at) },
  [dataType.int16]: {
    type: "int16",
    bytes: 2,
    make: (n) => new Int16Array(n),
    read: (d, at) => d.getInt16(at, true),
  },
  [dataType.int32]: {
    type: "int32",
    bytes: 4,
    make: (n) => new Int32Array(n),
    read: (d, at) => d.getInt32(at, true),
  },
  [dataType.int64]: {
    type: "int64",
    bytes: 8,
    make: (n) => new BigInt64Array(n),
    read: (d, at) => d.getBigInt64(at, true),
  },
};

export function typeName(code: number): string {
  return Object.entries(dataType).find(([, value]) => value === code)?.[0] ?? `type ${code}`;
}

/** Decodes tensors of one model, and counts their elements together. */
export class TensorDecoder {
  private total = 0;

  constructor(private readonly source: ModelSource) {}

  /** `tensor` as a constant. @throws UserError TMC3200, TMC3202, TMC3210, TMC3211 */
  decode(tensor: TensorProto, what: string): Constant {
    const wrong = (problem: string): UserError =>
      new UserError("TMC3202", `${what} ${problem}`, "Export the model again, with float32 or int8 weights.");
    const decoder = decoders[tensor.type];
    if (decoder === undefined) {
      throw wrong(`is stored as ${typeName(tensor.type)}, which is not supported`);
    }
    const { dims } = tensor;
    if (dims.length > MAX_RANK) {
      throw tooLarge(`${what} has ${dims.length} dimensions, at most ${MAX_RANK} are read`);
    }
    if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw wrong(`has the shape [${dims.join(", ")}]`);
    }
    const count = elementCount(dims);
    const raw = tensor.isExternal ? this.external(tensor, what) : tensor.raw;
    const stored = raw === undefined ? tensor.numbers.length : raw.length / decoder.bytes;
    if (stored !== count) {
      throw wrong(`has the shape [${dims.join(", ")}], but ${stored} elements are stored`);
    }
    this.total = checkWeightCount(this.total + count);
    const data = decoder.make(count);
    const view = raw === undefined ? undefined : new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    const convert = decoder.convert ?? ((value: number): number => value);
    for (let i = 0; i < count; i++) {
      const value =
        view === undefined ? convert(tensor.numbers[i] ?? 0) : decoder.read(view, i * decoder.bytes);
      if (data instanceof BigInt64Array) {
        data[i] = typeof value === "bigint" ? value : BigInt(Math.trunc(value));
      } else {
        data[i] = Number(value);
      }
    }
    if (data instanceof Float32Array && !data.every(Number.isFinite)) {
      throw wrong("has values that are not finite");
    }
    return { type: decoder.type, shape: dims, data };
  }

  private external(tensor: TensorProto, what: string): Uint8Array {
    const { external } = tensor;
    const bytes = this.source.sibling(external.get("location") ?? "", `the data of ${what}`);
    const offset = Number(external.get("offset") ?? 0);
    const length = Number(external.get("length") ?? bytes.length - offset);
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
      throw new UserError(
        "TMC3202",
        `${what} is said to be at bytes ${offset}..${offset + length} of ${external.get("location") ?? ""}, which has ${bytes.length}`,
        "Export the model again and copy its external data together with it.",
      );
    }
    return bytes.subarray(offset, offset + length);
  }
}

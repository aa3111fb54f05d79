/**
 * Builds .tflite files for tests from plain descriptions, also wrong ones: any operator code, version, option, type. Not a
 * writer of models (that is `compiler/model/tflite/write.ts`): it checks nothing and knows only field numbers.
 */
import { Builder } from "flatbuffers";

/** Table fields by number: int8, int32, float32 or bool scalars. */
export interface Fields {
  readonly [field: number]: { readonly type: "int8" | "int32" | "float32"; readonly value: number };
}

export interface TensorDescription {
  readonly shape?: readonly number[];
  /** Schema code; default INT8 (9). */
  readonly type?: number;
  readonly buffer?: number;
  readonly name?: string;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly bigint[];
  readonly axis?: number;
  readonly signature?: readonly number[];
  readonly variable?: boolean;
  readonly externalBuffer?: number;
}

export interface OperatorDescription {
  readonly code: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly optionsType?: number;
  readonly options?: Fields;
}

export interface FileDescription {
  readonly schemaVersion?: number;
  readonly codes: readonly {
    readonly builtin: number;
    readonly version?: number;
    readonly custom?: string;
  }[];
  readonly tensors: readonly TensorDescription[];
  readonly operators: readonly OperatorDescription[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Buffer 0 is empty by convention. */
  readonly buffers?: readonly Uint8Array[];
  readonly subgraphs?: number;
}

export const int8 = (value: number) => ({ type: "int8", value }) as const;
export const int32 = (value: number) => ({ type: "int32", value }) as const;
export const float32 = (value: number) => ({ type: "float32", value }) as const;

export function buildFile(file: FileDescription): Uint8Array {
  const b = new Builder(1024);
  const tables = (offsets: readonly number[]): number => {
    b.startVector(4, offsets.length, 4);
    [...offsets].reverse().forEach((offset) => b.addOffset(offset));
    return b.endVector();
  };
  const int32s = (values: readonly number[]): number => {
    b.startVector(4, values.length, 4);
    [...values].reverse().forEach((value) => b.addInt32(value));
    return b.endVector();
  };
  const codes = file.codes.map(({ builtin, version, custom }) => {
    const name = custom === undefined ? 0 : b.createString(custom);
    b.startObject(4);
    b.addFieldInt8(0, Math.min(builtin, 127), 0);
    b.addFieldOffset(1, name, 0);
    b.addFieldInt32(2, version ?? 1, 1);
    b.addFieldInt32(3, builtin, 0);
    return b.endObject();
  });
  const tensors = file.tensors.map((tensor) => buildTensor(b, tensor, int32s));
  const operators = file.operators.map((operator) => {
    const inputs = int32s(operator.inputs);
    const outputs = int32s(operator.outputs);
    const options = operator.options === undefined ? 0 : buildFields(b, operator.options);
    b.startObject(9);
    b.addFieldInt32(0, operator.code, 0);
    b.addFieldOffset(1, inputs, 0);
    b.addFieldOffset(2, outputs, 0);
    b.addFieldInt8(3, operator.optionsType ?? 0, 0);
    b.addFieldOffset(4, options, 0);
    return b.endObject();
  });
  const parts = [tables(tensors), int32s(file.inputs), int32s(file.outputs), tables(operators)];
  b.startObject(5);
  parts.forEach((part, field) => b.addFieldOffset(field, part, 0));
  const subgraph = b.endObject();
  const buffers = [new Uint8Array(0), ...(file.buffers ?? [])].map((data) => {
    const vector = b.createByteVector(data);
    b.startObject(3);
    b.addFieldOffset(0, vector, 0);
    return b.endObject();
  });
  const model = [
    tables(codes),
    tables(Array.from({ length: file.subgraphs ?? 1 }, () => subgraph)),
    tables(buffers),
  ];
  b.startObject(5);
  b.addFieldInt32(0, file.schemaVersion ?? 3, 0);
  b.addFieldOffset(1, model[0] ?? 0, 0);
  b.addFieldOffset(2, model[1] ?? 0, 0);
  b.addFieldOffset(4, model[2] ?? 0, 0);
  b.finish(b.endObject(), "TFL3");
  return b.asUint8Array().slice();
}

function buildTensor(
  b: Builder,
  tensor: TensorDescription,
  int32s: (values: readonly number[]) => number,
): number {
  const shape = int32s(tensor.shape ?? [1, 4]);
  const name = b.createString(tensor.name ?? "");
  const signature = tensor.signature === undefined ? 0 : int32s(tensor.signature);
  const scales = tensor.scales ?? [0.5];
  b.startVector(4, scales.length, 4);
  [...scales].reverse().forEach((scale) => b.addFloat32(scale));
  const scaleVector = b.endVector();
  const zeroPoints = tensor.zeroPoints ?? scales.map(() => 0n);
  b.startVector(8, zeroPoints.length, 8);
  [...zeroPoints].reverse().forEach((zeroPoint) => b.addInt64(zeroPoint));
  const zeroVector = b.endVector();
  b.startObject(7);
  b.addFieldOffset(2, scaleVector, 0);
  b.addFieldOffset(3, zeroVector, 0);
  b.addFieldInt32(6, tensor.axis ?? 0, 0);
  const quantization = b.endObject();
  b.startObject(11);
  b.addFieldOffset(0, shape, 0);
  b.addFieldInt8(1, tensor.type ?? 9, 0);
  b.addFieldInt32(2, tensor.buffer ?? 0, 0);
  b.addFieldOffset(3, name, 0);
  b.addFieldOffset(4, quantization, 0);
  b.addFieldInt8(5, tensor.variable === true ? 1 : 0, 0);
  b.addFieldOffset(7, signature, 0);
  b.addFieldInt32(10, tensor.externalBuffer ?? 0, 0);
  return b.endObject();
}

function buildFields(b: Builder, fields: Fields): number {
  const numbers = Object.keys(fields).map(Number);
  b.startObject(Math.max(0, ...numbers.map((field) => field + 1)));
  for (const field of numbers) {
    const { type, value } = fields[field] ?? int8(0);
    // A default that no value has: every field is written.
    if (type === "int8") {
      b.addFieldInt8(field, value, -128);
    } else if (type === "int32") {
      b.addFieldInt32(field, value, -2147483648);
    } else {
      b.addFieldFloat32(field, value, -1e30);
    }
  }
  return b.endObject();
}

/** A whole small model: CONV_2D 3x3 with bias, RELU, then SOFTMAX-ready FULLY_CONNECTED. */
export function smallFile(): FileDescription {
  const filter = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => (i * 37) & 0xff);
  const bias = new Uint8Array(Int32Array.from([100, -100]).buffer);
  const dense = Uint8Array.from({ length: 3 * 32 }, (_, i) => (i * 53) & 0xff);
  return {
    codes: [
      { builtin: 3, version: 3 },
      { builtin: 22 },
      { builtin: 9, version: 4 },
      { builtin: 25, version: 2 },
    ],
    buffers: [filter, bias, dense],
    tensors: [
      { name: "input", shape: [1, 4, 4, 1], scales: [0.02], zeroPoints: [-3n], signature: [-1, 4, 4, 1] },
      { name: "filter", shape: [2, 3, 3, 1], buffer: 1, scales: [0.01, 0.02], zeroPoints: [0n, 0n] },
      { name: "bias", shape: [2], type: 2, buffer: 2, scales: [0.0002, 0.0004], zeroPoints: [0n, 0n] },
      { name: "conv", shape: [1, 4, 4, 2], scales: [0.05], zeroPoints: [-128n] },
      { name: "flat", shape: [1, 32], scales: [0.05], zeroPoints: [-128n] },
      { name: "dense/weights", shape: [3, 32], buffer: 3, scales: [0.01] },
      { name: "dense", shape: [1, 3], scales: [0.1], zeroPoints: [5n] },
      { name: "softmax", shape: [1, 3], scales: [1 / 256], zeroPoints: [-128n] },
    ],
    operators: [
      { code: 0, inputs: [0, 1, 2], outputs: [3], optionsType: 1, options: convOptions() },
      { code: 1, inputs: [3], outputs: [4] },
      { code: 2, inputs: [4, 5, -1], outputs: [6], optionsType: 8, options: { 0: int8(0) } },
      { code: 3, inputs: [6], outputs: [7], optionsType: 9, options: { 0: float32(1) } },
    ],
    inputs: [0],
    outputs: [7],
  };
}

export function convOptions(): Fields {
  return { 0: int8(0), 1: int32(1), 2: int32(1), 3: int8(1), 4: int32(1), 5: int32(1) };
}

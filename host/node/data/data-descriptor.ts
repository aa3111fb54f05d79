/**
 * Descriptors of data on a complete node: sizes, shapes, numbers of raw bytes. Whether data fits is decided by `fits` of
 * firmware/core alone, which comes in as a DescriptorMatch.
 */
import type { Descriptor } from "../../bus/protocol.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import { OperationFailure } from "../operations/operation.js";

export type DataDescriptor = Partial<Descriptor>;

/** The first field of `offer` that does not fit `need`, as firmware/core/fits.ts names it; "" when all do. */
export type DescriptorMatch = (offer: DataDescriptor, need: DataDescriptor) => string;

export const formats = { raw: 0, cbor: 1, senml: 2, csv: 3, wav: 4 } as const;

/** By number, as descriptors hold it. */
export const usageNames = ["training", "test", "validation", "calibration", "inference"] as const;
export type Usage = (typeof usageNames)[number];

type ElementName = keyof typeof elementTypes;
const elementNames = Object.keys(elementTypes) as ElementName[];
const elementSizes: Readonly<Record<ElementName, number>> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  f64: 8,
  text: 1,
};

/** "f32" for 6; undefined for what is no element type. */
export function elementName(type: number | undefined): ElementName | undefined {
  return elementNames.find((name) => elementTypes[name] === type);
}

/** "f32" → 6. */
export function elementNumber(name: string): number | undefined {
  return Object.hasOwn(elementTypes, name) ? elementTypes[name as ElementName] : undefined;
}

export function elementSize(type: number): number {
  const name = elementName(type);
  return name === undefined ? 1 : elementSizes[name];
}

/** Elements of a shape without -1; undefined when that is no safe integer. */
export function elementsOf(shape: readonly number[]): number | undefined {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** What all items of a data set share, of a descriptor: no digest, count, usage, labels. */
export const sharedFields = [
  "elementType",
  "shape",
  "format",
  "rate",
  "unit",
  "scale",
  "zeroPoint",
  "features",
] as const;

export function sharedOf(descriptor: DataDescriptor): DataDescriptor {
  return Object.fromEntries(
    sharedFields.flatMap((name) => (descriptor[name] === undefined ? [] : [[name, descriptor[name]]])),
  );
}

/**
 * The shape of one item of `bytes` bytes: the stated one with its -1 replaced by what the bytes give.
 * @throws OperationFailure descriptor-mismatch, naming the field
 */
export function shapeOfBytes(descriptor: DataDescriptor, bytes: number): number[] {
  const { elementType, shape } = descriptor;
  if (elementType === undefined) {
    throw new OperationFailure("descriptor-mismatch", "raw data has an element type", "input.element");
  }
  if (shape === undefined || shape.length === 0) {
    throw new OperationFailure("descriptor-mismatch", "raw data has a shape", "input.shape");
  }
  const size = elementSize(elementType);
  const open = shape.indexOf(-1);
  const known = elementsOf(shape.map((dimension) => (dimension === -1 ? 1 : dimension)));
  if (known === undefined || known === 0 || shape.indexOf(-1, open + 1) > open) {
    throw new OperationFailure("descriptor-mismatch", "at most one open dimension, none of 0", "input.shape");
  }
  const rest = bytes / (known * size);
  if (open < 0 ? rest !== 1 : !Number.isInteger(rest) || rest < 1) {
    throw new OperationFailure(
      "descriptor-mismatch",
      `${bytes} bytes are not ${elementName(elementType) ?? ""} [${shape.join(", ")}]`,
      "input.shape",
    );
  }
  return shape.map((dimension) => (dimension === -1 ? rest : dimension));
}

/** The numbers of raw bytes, as stored: no scale. Text gives its bytes. */
export function numbersOf(bytes: Uint8Array, elementType: number): Float64Array {
  const size = elementSize(elementType);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[elementName(elementType) ?? "u8"];
  return Float64Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(view, i * size));
}

const readers: Readonly<Record<ElementName, (view: DataView, at: number) => number>> = {
  i8: (view, at) => view.getInt8(at),
  u8: (view, at) => view.getUint8(at),
  i16: (view, at) => view.getInt16(at, true),
  u16: (view, at) => view.getUint16(at, true),
  i32: (view, at) => view.getInt32(at, true),
  u32: (view, at) => view.getUint32(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  f64: (view, at) => view.getFloat64(at, true),
  text: (view, at) => view.getUint8(at),
};

/** The numbers in their unit: with scale and zero point, where the descriptor has them. */
export function valuesOf(bytes: Uint8Array, descriptor: DataDescriptor): Float64Array {
  const numbers = numbersOf(bytes, descriptor.elementType ?? elementTypes.u8);
  const { scale, zeroPoint = 0 } = descriptor;
  return scale === undefined ? numbers : numbers.map((q) => scale * (q - zeroPoint));
}

/** Little-endian f32. */
export function bytesOfFloats(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(i * 4, values[i] ?? 0, true);
  return bytes;
}

/** Frames of an item and values in each: the last dimension is the channels, all before it are frames. */
export function framesOf(shape: readonly number[]): { frames: number; channels: number } {
  const channels = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
  return { frames: (elementsOf(shape) ?? 0) / channels, channels };
}

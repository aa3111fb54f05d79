/**
 * A function image: what `runtime-c/include/tmc/function.h` says of its bytes. Writes one, and reads one as people look at
 * it; whether a node can load it is the node's to check (runtime-c/function/check.c).
 */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { sha256 } from "./bundle.js";
import type { FunctionData } from "./manifest.js";

export const imageSuffix = ".tmci";
export const imageHeaderBytes = 160;

const magic = 0x49434d54;
const format = 1;
export const imageAbi = 1;

/** By number, from 1: what code was compiled for. */
export const imageMachines = ["cortex-m4f", "cortex-m3"] as const;
/** By number: what images of ABI 1 may call. */
export const imageImports = ["log"] as const;

const at = {
  magic: 0,
  format: 4,
  abi: 8,
  machine: 12,
  bytes: 16,
  code: 20,
  codeBytes: 24,
  entry: 28,
  data: 32,
  dataBytes: 36,
  ramBytes: 40,
  relocations: 44,
  relocationCount: 48,
  stack: 52,
  time: 56,
  imports: 60,
  input: 64,
  output: 68,
  types: 72,
  typesBytes: 76,
  golden: 80,
  goldenInput: 84,
  goldenOutput: 88,
  name: 96,
  version: 128,
} as const;

/** A word of the data that holds an address: of RAM, else of the code. */
export interface Relocation {
  readonly offset: number;
  readonly intoRam: boolean;
}

/** Position independent machine code and the RAM it starts with. */
export interface MachineCode {
  readonly code: Uint8Array;
  /** Offset in the code. */
  readonly entry: number;
  readonly data: Uint8Array;
  /** Bytes of RAM: the data, then zeros. A multiple of 8. */
  readonly ram: number;
  /** Ascending by offset. */
  readonly relocations: readonly Relocation[];
  readonly imports: readonly (typeof imageImports)[number][];
}

export interface FunctionImage extends MachineCode {
  readonly machine: (typeof imageMachines)[number];
  readonly name: string;
  readonly version: string;
  readonly input: FunctionData;
  readonly output: FunctionData;
  /** Bytes of the deepest call, without what imports take. */
  readonly stack: number;
  readonly timeUs: number | undefined;
  /** One input and the output that it gives. */
  readonly golden: { readonly input: Uint8Array; readonly output: Uint8Array };
}

/** A descriptor of the protocol. */
function descriptor(data: FunctionData): Map<number, unknown> {
  const map = new Map<number, unknown>([
    [0, data.elementType],
    [1, data.shape],
  ]);
  if (data.rate !== undefined) map.set(3, data.rate);
  if (data.unit !== undefined) map.set(4, data.unit);
  if (data.scale !== undefined) map.set(5, data.scale).set(6, data.zeroPoint ?? 0);
  return map;
}

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const up = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/** The bytes; equal images give equal bytes. */
export function encodeImage(image: FunctionImage): Uint8Array {
  const types = encode([descriptor(image.input), descriptor(image.output)], rfc8949EncodeOptions);
  const code = imageHeaderBytes;
  const data = up(code + image.code.length, 8);
  const relocations = up(data + image.data.length, 4);
  const typesAt = relocations + 4 * image.relocations.length;
  const golden = typesAt + types.length;
  const bytes = up(golden + image.golden.input.length + image.golden.output.length, 8);
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  const words: readonly (readonly [number, number])[] = [
    [at.magic, magic],
    [at.format, format],
    [at.abi, imageAbi],
    [at.machine, imageMachines.indexOf(image.machine) + 1],
    [at.bytes, bytes],
    [at.code, code],
    [at.codeBytes, image.code.length],
    [at.entry, image.entry],
    [at.data, data],
    [at.dataBytes, image.data.length],
    [at.ramBytes, image.ram],
    [at.relocations, relocations],
    [at.relocationCount, image.relocations.length],
    [at.stack, image.stack],
    [at.time, image.timeUs ?? 0],
    [at.imports, image.imports.reduce((mask, name) => mask | (1 << imageImports.indexOf(name)), 0)],
    [at.input, image.input.bytes],
    [at.output, image.output.bytes],
    [at.types, typesAt],
    [at.typesBytes, types.length],
    [at.golden, golden],
    [at.goldenInput, image.golden.input.length],
    [at.goldenOutput, image.golden.output.length],
  ];
  for (const [offset, value] of words) view.setUint32(offset, value, true);
  out.set(ascii(image.name), at.name);
  out.set(ascii(image.version), at.version);
  out.set(image.code, code);
  out.set(image.data, data);
  image.relocations.forEach((r, i) =>
    view.setUint32(relocations + 4 * i, r.offset + (r.intoRam ? 1 : 0), true),
  );
  out.set(types, typesAt);
  out.set(image.golden.input, golden);
  out.set(image.golden.output, golden + image.golden.input.length);
  return out;
}

/** What an image says of itself. */
export interface ImageSummary {
  readonly name: string;
  readonly version: string;
  readonly abi: number;
  readonly machine: string;
  readonly bytes: number;
  readonly code: number;
  readonly ram: number;
  readonly stack: number;
  readonly timeUs: number | undefined;
  readonly imports: readonly string[];
  readonly relocations: number;
  readonly input: FunctionData;
  readonly output: FunctionData;
  readonly golden: { readonly input: Uint8Array; readonly output: Uint8Array };
  /** SHA-256 of the image, hexadecimal: what a signed artifact's header has. */
  readonly digest: string;
}

export const isImage = (bytes: Uint8Array): boolean =>
  bytes.length >= imageHeaderBytes &&
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at.magic, true) === magic;

/** @throws Error that says what is wrong. */
export function readImage(bytes: Uint8Array): ImageSummary {
  if (!isImage(bytes)) throw new Error("it is no function image");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (offset: number): number => view.getUint32(offset, true);
  if (word(at.format) !== format) throw new Error(`its format is ${word(at.format)}, not ${format}`);
  if (word(at.bytes) !== bytes.length) {
    throw new Error(`it has ${bytes.length} bytes, its header says ${word(at.bytes)}`);
  }
  const part = (offset: number, size: number): Uint8Array => {
    if (offset < imageHeaderBytes || offset + size > bytes.length) throw new Error("a part is outside it");
    return bytes.slice(offset, offset + size);
  };
  const text = (offset: number): string =>
    Buffer.from(bytes.subarray(offset, offset + 32))
      .toString("latin1")
      .replace(/\0+$/, "");
  const types: unknown = decode(part(word(at.types), word(at.typesBytes)), { useMaps: true, strict: true });
  const [input, output] = Array.isArray(types) ? (types as unknown[]) : [];
  const machine = imageMachines[word(at.machine) - 1] ?? `machine ${word(at.machine)}`;
  const mask = word(at.imports);
  return {
    name: text(at.name),
    version: text(at.version),
    abi: word(at.abi),
    machine,
    bytes: bytes.length,
    code: word(at.codeBytes),
    ram: word(at.ramBytes),
    stack: word(at.stack),
    timeUs: word(at.time) === 0 ? undefined : word(at.time),
    imports: Array.from({ length: 32 }, (_, i) => i)
      .filter((i) => ((mask >>> i) & 1) === 1)
      .map((i) => imageImports[i] ?? `import ${i}`),
    relocations: word(at.relocationCount),
    input: dataOf(input, word(at.input)),
    output: dataOf(output, word(at.output)),
    golden: {
      input: part(word(at.golden), word(at.goldenInput)),
      output: part(word(at.golden) + word(at.goldenInput), word(at.goldenOutput)),
    },
    digest: sha256(bytes),
  };
}

function dataOf(map: unknown, bytes: number): FunctionData {
  const shape: unknown = map instanceof Map ? map.get(1) : undefined;
  if (!(map instanceof Map) || !Array.isArray(shape)) throw new Error("its types are not readable");
  const field = (key: number): unknown => map.get(key);
  const [first = 1, ...rest] = shape.map(Number);
  const number = (key: number): number | undefined =>
    typeof field(key) === "number" ? Number(field(key)) : undefined;
  const unit = field(4);
  const rate = number(3);
  const scale = number(5);
  return {
    elementType: number(0) ?? 0,
    shape: [first, ...rest],
    ...(rate === undefined ? {} : { rate }),
    ...(typeof unit === "string" ? { unit } : {}),
    ...(scale === undefined ? {} : { scale, zeroPoint: number(6) ?? 0 }),
    bytes,
  };
}

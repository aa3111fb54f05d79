/**
 * What a WebAssembly module asks of its host, read from its bytes: imports, memories, tables, exports. It decides
 * nothing, and does not validate code: the engine does.
 */

export interface WasmLimits {
  readonly min: number;
  readonly max: number | undefined;
}

export interface WasmInterface {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: ExternKind }[];
  /** Defined and imported ones. Units: pages of 64 KiB. */
  readonly memories: readonly WasmLimits[];
  /** Defined and imported ones. Units: elements. */
  readonly tables: readonly WasmLimits[];
  readonly exports: readonly { readonly name: string; readonly kind: ExternKind }[];
  /** The module runs code when it is instantiated. */
  readonly hasStart: boolean;
}

export type ExternKind = "function" | "table" | "memory" | "global" | "tag";
const kinds: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];

/** Not a module, or one that uses what this reader does not know. */
export class WasmFormatError extends Error {
  override readonly name = "WasmFormatError";
}

export const wasmPage = 65_536;

/** Reads the binary format; every read is inside the bytes. */
export class WasmReader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    const value = this.at < this.end ? this.bytes[this.at] : undefined;
    if (value === undefined) throw new WasmFormatError("the module is cut short");
    this.at++;
    return value;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffffffff) break;
        return value;
      }
    }
    throw new WasmFormatError("a number is too large");
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new WasmFormatError("the module is cut short");
    this.at += count;
  }

  /** Past a LEB128 of at most `most` bytes. */
  skipLeb(most: number): void {
    for (let i = 0; i < most; i++) if (this.byte() < 0x80) return;
    throw new WasmFormatError("a number is too long");
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.at));
  }

  limits(): WasmLimits {
    const flags = this.byte();
    // 0: minimum alone; 1: with a maximum. Shared and 64-bit memories have other bits.
    if (flags > 1) throw new WasmFormatError("shared and 64-bit memories are not supported");
    const min = this.u32();
    return { min, max: flags === 1 ? this.u32() : undefined };
  }

  private kind(): ExternKind {
    const kind = kinds[this.byte()];
    if (kind === undefined) throw new WasmFormatError("an import or export of an unknown kind");
    return kind;
  }

  externKind(): ExternKind {
    return this.kind();
  }
}

export interface WasmSection {
  readonly id: number;
  /** Of the content, behind id and size. */
  readonly start: number;
  readonly end: number;
}

/** @throws WasmFormatError */
export function wasmSections(bytes: Uint8Array): WasmSection[] {
  const reader = new WasmReader(bytes);
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (magic.some((byte) => reader.byte() !== byte)) throw new WasmFormatError("not a WebAssembly module");
  const sections: WasmSection[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const size = reader.u32();
    const start = reader.at;
    reader.skip(size);
    sections.push({ id, start, end: reader.at });
  }
  return sections;
}

/** @throws WasmFormatError */
export function readWasmInterface(bytes: Uint8Array): WasmInterface {
  const imports: { module: string; name: string; kind: ExternKind }[] = [];
  const memories: WasmLimits[] = [];
  const tables: WasmLimits[] = [];
  const exports: { name: string; kind: ExternKind }[] = [];
  let hasStart = false;
  for (const { id, start, end } of wasmSections(bytes)) {
    const reader = new WasmReader(bytes, start, end);
    if (id === 2) {
      for (let left = reader.u32(); left > 0; left--) {
        const module = reader.name();
        const name = reader.name();
        const kind = reader.externKind();
        imports.push({ module, name, kind });
        if (kind === "function") reader.u32();
        else if (kind === "memory") memories.push(reader.limits());
        else if (kind === "global") reader.skip(2);
        else if (kind === "table") {
          reader.skip(1);
          tables.push(reader.limits());
        } else {
          reader.skip(1);
          reader.u32();
        }
      }
    } else if (id === 4) {
      for (let left = reader.u32(); left > 0; left--) {
        const type = reader.byte();
        if (type !== 0x70 && type !== 0x6f) throw new WasmFormatError("a table of an unknown type");
        tables.push(reader.limits());
      }
    } else if (id === 5) {
      for (let left = reader.u32(); left > 0; left--) memories.push(reader.limits());
    } else if (id === 7) {
      for (let left = reader.u32(); left > 0; left--) {
        const name = reader.name();
        exports.push({ name, kind: reader.externKind() });
        reader.u32();
      }
    } else if (id === 8) {
      hasStart = true;
    }
  }
  return { imports, memories, tables, exports, hasStart };
}

/** Reads sections and symbols of little-endian ELF files, 32 and 64 bits: linked images and objects. It changes nothing. */
import { readFileSync } from "node:fs";

export interface ElfSection {
  readonly name: string;
  readonly address: number;
  /** Bytes in memory. */
  readonly size: number;
  /** Part of the running image. */
  readonly allocated: boolean;
  readonly writable: boolean;
  /** Has bytes in the file: false for .bss and the like. */
  readonly loaded: boolean;
}

export interface ElfSymbol {
  readonly name: string;
  /** Without the Thumb bit. */
  readonly address: number;
  readonly size: number;
  readonly isFunction: boolean;
}

export interface ElfFile {
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
}

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const STT_FUNC = 2;
const EM_ARM = 40;

interface RawSection {
  readonly nameOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Field reader that hides the two classes; 64-bit values above 2^53 do not occur in what we read. */
class View {
  constructor(
    private readonly bytes: Buffer,
    readonly wide: boolean,
  ) {}
  u16(at: number): number {
    return this.bytes.readUInt16LE(at);
  }
  u32(at: number): number {
    return this.bytes.readUInt32LE(at);
  }
  /** A field of address size. */
  word(at: number): number {
    return this.wide ? Number(this.bytes.readBigUInt64LE(at)) : this.bytes.readUInt32LE(at);
  }
  text(at: number): string {
    return this.bytes.toString("latin1", at, this.bytes.indexOf(0, at));
  }
}

function rawSections(view: View): RawSection[] {
  const table = view.word(view.wide ? 40 : 32);
  const entrySize = view.u16(view.wide ? 58 : 46);
  const count = view.u16(view.wide ? 60 : 48);
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * entrySize;
    const step = view.wide ? 8 : 4;
    const fields = at + 8;
    return {
      nameOffset: view.u32(at),
      type: view.u32(at + 4),
      flags: view.word(fields),
      address: view.word(fields + step),
      offset: view.word(fields + 2 * step),
      size: view.word(fields + 3 * step),
      link: view.u32(fields + 4 * step),
    };
  });
}

function readSymbols(view: View, table: RawSection, strings: RawSection, isArm: boolean): ElfSymbol[] {
  const entrySize = view.wide ? 24 : 16;
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at < table.offset + table.size; at += entrySize) {
    const name = view.text(strings.offset + view.u32(at));
    if (name === "") {
      continue;
    }
    const isFunction = (view.u16(at + (view.wide ? 4 : 12)) & 0xf) === STT_FUNC;
    const value = view.word(at + (view.wide ? 8 : 4));
    symbols.push({
      name,
      address: isArm && isFunction ? value - (value % 2) : value,
      size: view.word(at + (view.wide ? 16 : 8)),
      isFunction,
    });
  }
  return symbols;
}

interface OpenElf {
  readonly view: View;
  readonly bytes: Buffer;
  readonly raw: readonly RawSection[];
  readonly nameOf: (section: RawSection) => string;
}

function open(file: string): OpenElf {
  const bytes = readFileSync(file);
  if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[5] !== 1) {
    throw new Error(`${file} is not a little-endian ELF file`);
  }
  const view = new View(bytes, bytes[4] === 2);
  const raw = rawSections(view);
  const names = raw[view.u16(view.wide ? 62 : 50)];
  const nameOf = (section: RawSection): string =>
    names === undefined ? "" : view.text(names.offset + section.nameOffset);
  return { view, bytes, raw, nameOf };
}

/** The bytes of a section; none when there is no such section. @throws Error as readElf. */
export function readSection(file: string, name: string): Buffer {
  const { bytes, raw, nameOf } = open(file);
  const found = raw.find((section) => section.type !== SHT_NOBITS && nameOf(section) === name);
  return found === undefined ? Buffer.alloc(0) : bytes.subarray(found.offset, found.offset + found.size);
}

/** @throws Error when the file is no little-endian ELF file. */
export function readElf(file: string): ElfFile {
  const { view, raw, nameOf } = open(file);
  const sections = raw.map((section): ElfSection => ({
    name: nameOf(section),
    address: section.address,
    size: section.size,
    allocated: (section.flags & SHF_ALLOC) !== 0,
    writable: (section.flags & SHF_WRITE) !== 0,
    loaded: section.type !== SHT_NOBITS,
  }));
  const isArm = view.u16(18) === EM_ARM;
  const symbols = raw
    .filter((section) => section.type === SHT_SYMTAB)
    .flatMap((table) => {
      const strings = raw[table.link];
      return strings === undefined ? [] : readSymbols(view, table, strings, isArm);
    });
  return { sections, symbols };
}

/**
 * Puts a meter into a WebAssembly module: a global `tmc_fuel` that every function and every turn of a loop pays from,
 * and `unreachable` when it is empty. Code that is metered ends, whatever it does, so that short calls need no worker.
 *
 * What a body of straight code costs is paid before it runs: each instruction once for each time that its function or
 * innermost loop is entered, which is the most it can run. The module must have been accepted by the engine before:
 * after the change an index that meant nothing would mean the meter.
 */
import { WasmFormatError, WasmReader, wasmSections } from "../../../compiler/function/wasm-limits.js";

/** What an instruction costs beside 1: those that may take many cycles. */
const importCost = 200;
const slowCost = 8;
const slow = new Set([0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82, 0x91, 0x95, 0x9f, 0xa3, 0x10, 0x11]);

export const fuelExport = "tmc_fuel";

/** The module with a meter; undefined when it has something that could take long at once (memory.copy, SIMD, …). */
export function metered(code: Uint8Array): Uint8Array | undefined {
  const sections = wasmSections(code);
  const contents = new Map(
    sections.filter((s) => s.id !== 0).map((s) => [s.id, code.subarray(s.start, s.end)]),
  );
  const imports = contents.get(2);
  const functions = imports === undefined ? 0 : importedFunctions(imports);
  if (functions === undefined) return undefined;
  const globals = new WasmReader(contents.get(6) ?? Uint8Array.of(0)).u32();
  const out = new Output();
  out.bytes(code.subarray(0, 8));
  let globalsDone = false;
  let exportsDone = false;
  for (const { id, start, end } of sections) {
    if (id === 0) continue; // names and the like
    if (!globalsDone && (id === 6 || id >= 7) && id !== 13) {
      // Of type i32, may change, starts at 0.
      appendItem(out, 6, contents.get(6), [0x7f, 1, 0x41, 0, 0x0b]);
      globalsDone = true;
      if (id === 6) continue;
    }
    if (!exportsDone && id >= 7 && id !== 13) {
      const name = Buffer.from(fuelExport);
      appendItem(out, 7, contents.get(7), [name.length, ...name, 3, ...leb(globals)]);
      exportsDone = true;
      if (id === 7) continue;
    }
    const content = code.subarray(start, end);
    const written = id === 10 ? meteredCode(content, globals, functions) : content;
    if (written === undefined) return undefined;
    out.section(id, written);
  }
  return out.take();
}

/** Imports that are no functions are refused elsewhere: then nothing is metered. */
function importedFunctions(content: Uint8Array): number | undefined {
  const reader = new WasmReader(content);
  const count = reader.u32();
  for (let i = 0; i < count; i++) {
    reader.name();
    reader.name();
    if (reader.externKind() !== "function") return undefined;
    reader.u32();
  }
  return count;
}

function appendItem(out: Output, id: number, content: Uint8Array | undefined, item: readonly number[]): void {
  const reader = new WasmReader(content ?? Uint8Array.of(0));
  const count = reader.u32();
  const rest = reader.bytes.subarray(reader.at);
  out.section(id, Uint8Array.from([...leb(count + 1), ...rest, ...item]));
}

function meteredCode(content: Uint8Array, fuel: number, imports: number): Uint8Array | undefined {
  const reader = new WasmReader(content);
  const count = reader.u32();
  const out = new Output();
  out.bytes(leb(count));
  for (let i = 0; i < count; i++) {
    const size = reader.u32();
    const body = new WasmReader(content, reader.at, reader.at + size);
    reader.skip(size);
    const written = meteredBody(body, fuel, imports);
    if (written === undefined) return undefined;
    out.bytes(leb(written.length));
    out.bytes(written);
  }
  return out.take();
}

/** A piece of code that is paid at once. */
interface Toll {
  cost: number;
  /** Where its price stands in the output, five bytes. */
  readonly at: number;
}

function meteredBody(body: WasmReader, fuel: number, imports: number): Uint8Array | undefined {
  const out = new Output();
  const begin = body.at;
  for (let left = body.u32(); left > 0; left--) {
    body.u32();
    body.skip(1);
  }
  out.bytes(body.bytes.subarray(begin, body.at));
  const tolls: Toll[] = [];
  const open = (): Toll => {
    const toll = { cost: 0, at: payFrom(out, fuel) };
    tolls.push(toll);
    return toll;
  };
  /** The toll of each open block. */
  const blocks: Toll[] = [open()];
  while (!body.done) {
    const start = body.at;
    const opcode = body.byte();
    const toll = blocks.at(-1);
    if (toll === undefined) throw new WasmFormatError("code after the end of a function");
    toll.cost += 1 + (slow.has(opcode) ? slowCost : 0);
    if (opcode === 0x10 && new WasmReader(body.bytes, body.at, body.end).u32() < imports)
      toll.cost += importCost;
    if (!skipImmediates(body, opcode)) return undefined;
    out.bytes(body.bytes.subarray(start, body.at));
    if (opcode === 0x03) blocks.push(open());
    else if (opcode === 0x02 || opcode === 0x04 || opcode === 0x06) blocks.push(toll);
    else if (opcode === 0x0b || opcode === 0x18) blocks.pop();
  }
  for (const { cost, at } of tolls) out.patch(at, fixedLeb(cost));
  return out.take();
}

/** fuel -= price; if (fuel < 0) unreachable. Gives where the price stands. */
function payFrom(out: Output, fuel: number): number {
  const global = leb(fuel);
  out.bytes([0x23, ...global, 0x41]);
  const at = out.length;
  out.bytes([...fixedLeb(0), 0x6b, 0x24, ...global, 0x23, ...global, 0x41, 0, 0x48, 0x04, 0x40, 0x00, 0x0b]);
  return at;
}

/** Past what follows an opcode; false for an instruction that is not metered. */
function skipImmediates(reader: WasmReader, opcode: number): boolean {
  if (opcode >= 0x45 && opcode <= 0xc4) return true;
  if (opcode >= 0x28 && opcode <= 0x3e) {
    reader.skipLeb(5);
    reader.skipLeb(5);
    return true;
  }
  switch (opcode) {
    case 0x00: // unreachable, nop, else, end, return, catch_all, drop, select
    case 0x01:
    case 0x05:
    case 0x0b:
    case 0x0f:
    case 0x19:
    case 0x1a:
    case 0x1b:
      return true;
    case 0x02: // block, loop, if, try
    case 0x03:
    case 0x04:
    case 0x06:
    case 0x07: // catch, throw, rethrow, br, br_if, call, delegate
    case 0x08:
    case 0x09:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x18:
    case 0x20: // local.get, set, tee, global.get, set
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x3f: // memory.size
    case 0x41: // i32.const
      reader.skipLeb(5);
      return true;
    case 0x0e: // br_table
      for (let left = reader.u32() + 1; left > 0; left--) reader.skipLeb(5);
      return true;
    case 0x11: // call_indirect
      reader.skipLeb(5);
      reader.skipLeb(5);
      return true;
    case 0x42: // i64.const
      reader.skipLeb(10);
      return true;
    case 0x43:
      reader.skip(4);
      return true;
    case 0x44:
      reader.skip(8);
      return true;
    case 0xfc: // saturating conversions; the others copy and fill memory
      return reader.u32() <= 7;
    default: // memory.grow, tables, tail calls, SIMD, atomics, what comes later
      return false;
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
    if (rest === 0) return bytes;
  }
}

/** Signed LEB128 of 0 to 2^28 - 1, always five bytes. */
function fixedLeb(value: number): number[] {
  const v = Math.min(value, 0x0fffffff);
  return [0, 7, 14, 21].map((shift) => ((v >>> shift) & 0x7f) | 0x80).concat((v >>> 28) & 0x7f);
}

class Output {
  private buffer = new Uint8Array(4096);
  length = 0;

  bytes(more: ArrayLike<number>): void {
    if (this.length + more.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + more.length));
      larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(more, this.length);
    this.length += more.length;
  }

  patch(at: number, bytes: readonly number[]): void {
    this.buffer.set(bytes, at);
  }

  section(id: number, content: Uint8Array): void {
    this.bytes([id, ...leb(content.length)]);
    this.bytes(content);
  }

  take(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

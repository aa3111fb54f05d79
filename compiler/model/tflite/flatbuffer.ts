/**
 * Reads flatbuffers that nobody vouches for: every offset, count and size is checked against the file before use.
 *
 * References in a flatbuffer are unsigned and forward, so a walk along a schema of fixed depth always ends; the
 * callers bound how many elements of a vector they visit. Knows nothing of the .tflite schema.
 */
import { UserError } from "../../diagnostics/user-error.js";

function damaged(what: string): UserError {
  return new UserError(
    "TMC3002",
    `the model file is damaged: ${what}`,
    "Export the model again, or compare the file's size and digest with the original.",
  );
}

/** A whole file. */
export class FlatBuffer {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  /**
   * Vector elements that may still be decoded. Honest files decode each byte about once; a hostile one can point many
   * tables at one large vector and ask for more work than its size.
   */
  private budget: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.budget = 65536 + bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws TMC3002 unless [offset, offset + size) lies in the file. `path` names the part in messages. */
  check(offset: number, size: number, path: string): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.bytes.length)) {
      throw damaged(
        `${path} lies outside the file (bytes ${offset}..${offset + size} of ${this.bytes.length})`,
      );
    }
  }

  uint8(offset: number, path: string): number {
    this.check(offset, 1, path);
    return this.view.getUint8(offset);
  }
  uint16(offset: number, path: string): number {
    this.check(offset, 2, path);
    return this.view.getUint16(offset, true);
  }
  int32(offset: number, path: string): number {
    this.check(offset, 4, path);
    return this.view.getInt32(offset, true);
  }
  uint32(offset: number, path: string): number {
    this.check(offset, 4, path);
    return this.view.getUint32(offset, true);
  }
  /** Exact up to 2^53, rounded beyond. */
  int64(offset: number, path: string): number {
    this.check(offset, 8, path);
    return this.view.getInt32(offset + 4, true) * 4294967296 + this.view.getUint32(offset, true);
  }
  float32(offset: number, path: string): number {
    this.check(offset, 4, path);
    return this.view.getFloat32(offset, true);
  }

  /** Accounts for `count` elements of a vector that holds at most `limit`. */
  spend(count: number, limit: number, path: string): void {
    this.budget -= count;
    if (count > limit || this.budget < 0) {
      throw new UserError(
        "TMC3003",
        `the model exceeds a limit of the compiler: ${path} has ${count} elements${count > limit ? `, at most ${limit} are accepted` : ""}`,
        "Run `tmc explain TMC3003` for the limits.",
      );
    }
  }

  /** Where the reference stored at `offset` points. */
  follow(offset: number, path: string): number {
    const target = offset + this.uint32(offset, path);
    this.check(target, 4, path);
    return target;
  }

  /** The table that the file starts with. */
  root(path: string): FlatTable {
    return new FlatTable(this, this.follow(0, path), path);
  }
}

/** A table; fields are named by their number in the schema and absent fields read as their default. */
export class FlatTable {
  readonly path: string;
  private readonly buffer: FlatBuffer;
  private readonly position: number;
  private readonly vtable: number;
  private readonly vtableSize: number;
  private readonly tableSize: number;

  constructor(buffer: FlatBuffer, position: number, path: string) {
    this.buffer = buffer;
    this.position = position;
    this.path = path;
    this.vtable = position - buffer.int32(position, path);
    this.vtableSize = buffer.uint16(this.vtable, `${path} (vtable)`);
    if (this.vtableSize < 4 || this.vtableSize % 2 !== 0) {
      throw damaged(`${path} has a vtable of ${this.vtableSize} bytes`);
    }
    buffer.check(this.vtable, this.vtableSize, `${path} (vtable)`);
    this.tableSize = buffer.uint16(this.vtable + 2, `${path} (vtable)`);
    buffer.check(position, this.tableSize, path);
  }

  /** Where the field's bytes are; 0 when it is absent. */
  private offsetOf(field: number, size: number, name: string): number {
    const entry = 4 + field * 2;
    if (entry + 2 > this.vtableSize) {
      return 0;
    }
    const offset = this.buffer.uint16(this.vtable + entry, this.path);
    if (offset === 0) {
      return 0;
    }
    if (offset + size > this.tableSize) {
      throw damaged(`${this.path}.${name} lies outside its table`);
    }
    return this.position + offset;
  }

  has(field: number, name: string): boolean {
    return this.offsetOf(field, 0, name) !== 0;
  }
  int8(field: number, name: string, absent: number): number {
    return (this.uint8(field, name, absent & 0xff) << 24) >> 24;
  }
  uint8(field: number, name: string, absent: number): number {
    const offset = this.offsetOf(field, 1, name);
    return offset === 0 ? absent : this.buffer.uint8(offset, `${this.path}.${name}`);
  }
  bool(field: number, name: string): boolean {
    return this.uint8(field, name, 0) !== 0;
  }
  int32(field: number, name: string, absent: number): number {
    const offset = this.offsetOf(field, 4, name);
    return offset === 0 ? absent : this.buffer.int32(offset, `${this.path}.${name}`);
  }
  uint32(field: number, name: string, absent: number): number {
    const offset = this.offsetOf(field, 4, name);
    return offset === 0 ? absent : this.buffer.uint32(offset, `${this.path}.${name}`);
  }
  float32(field: number, name: string, absent: number): number {
    const offset = this.offsetOf(field, 4, name);
    return offset === 0 ? absent : this.buffer.float32(offset, `${this.path}.${name}`);
  }
  int64(field: number, name: string, absent: number): number {
    const offset = this.offsetOf(field, 8, name);
    return offset === 0 ? absent : this.buffer.int64(offset, `${this.path}.${name}`);
  }

  table(field: number, name: string): FlatTable | undefined {
    const offset = this.offsetOf(field, 4, name);
    const path = `${this.path}.${name}`;
    return offset === 0 ? undefined : new FlatTable(this.buffer, this.buffer.follow(offset, path), path);
  }

  /** A vector of `elementBytes` each: where it starts and how many; the whole of it lies in the file. */
  private vector(
    field: number,
    name: string,
    elementBytes: number,
    limit: number,
  ): { start: number; count: number } {
    const offset = this.offsetOf(field, 4, name);
    if (offset === 0) {
      return { start: 0, count: 0 };
    }
    const path = `${this.path}.${name}`;
    const target = this.buffer.follow(offset, path);
    const count = this.buffer.uint32(target, path);
    this.buffer.check(target + 4, count * elementBytes, path);
    this.buffer.spend(count, limit, path);
    return { start: target + 4, count };
  }

  /** Vectors: [] when absent; TMC3003 when longer than `limit`. */
  tables(field: number, name: string, limit: number): FlatTable[] {
    const { start, count } = this.vector(field, name, 4, limit);
    return Array.from({ length: count }, (_, i) => {
      const path = `${this.path}.${name}[${i}]`;
      return new FlatTable(this.buffer, this.buffer.follow(start + 4 * i, path), path);
    });
  }
  int32s(field: number, name: string, limit: number): number[] {
    const { start, count } = this.vector(field, name, 4, limit);
    return Array.from({ length: count }, (_, i) => this.buffer.int32(start + 4 * i, this.path));
  }
  int64s(field: number, name: string, limit: number): number[] {
    const { start, count } = this.vector(field, name, 8, limit);
    return Array.from({ length: count }, (_, i) => this.buffer.int64(start + 8 * i, this.path));
  }
  float32s(field: number, name: string, limit: number): number[] {
    const { start, count } = this.vector(field, name, 4, limit);
    return Array.from({ length: count }, (_, i) => this.buffer.float32(start + 4 * i, this.path));
  }
  string(field: number, name: string, limit: number): string {
    const { start, count } = this.vector(field, name, 1, limit);
    return new TextDecoder().decode(this.buffer.bytes.subarray(start, start + count));
  }

  /** The bytes of a vector, as a view of the file. */
  bytes(field: number, name: string): Uint8Array {
    const offset = this.offsetOf(field, 4, name);
    if (offset === 0) {
      return new Uint8Array(0);
    }
    const path = `${this.path}.${name}`;
    const target = this.buffer.follow(offset, path);
    const count = this.buffer.uint32(target, path);
    this.buffer.check(target + 4, count, path);
    return this.buffer.bytes.subarray(target + 4, target + 4 + count);
  }
}

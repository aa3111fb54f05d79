/**
 * Data of one element type in static memory, and its way from and to raw bytes (little-endian): what a NodeFunction
 * takes and gives. One class an element type. It knows no function.
 */
import { DataDescriptor } from "./data-descriptor.js";
import { ElementType } from "./protocol.js";

export interface ValuesOptions {
  /** UCUM-like: "g", "Cel"; default none. */
  readonly unit?: string;
  /** Of the rows (steps along the first dimension), Hz; default none. */
  readonly rate?: f32;
  /** real = scale * (q - zeroPoint); default: not quantised. */
  readonly scale?: f32;
  readonly zeroPoint?: i32;
  /** The most rows, where the first dimension is -1. */
  readonly most?: i32;
}

/** Data without its element type. */
export abstract class AnyValues {
  /** As others see it. */
  readonly descriptor: DataDescriptor = new DataDescriptor();
  /** Elements of a row, and the most elements. */
  readonly rowSize: i32;
  readonly capacity: i32;

  /**
   * `width`: bytes of an element. `shape`: 1 to 6 dimensions; the first may be -1: as many rows as come, up to `most`.
   * @setup
   */
  constructor(
    element: ElementType,
    readonly width: i32,
    shape: i32[],
    options: ValuesOptions | null,
  ) {
    if (shape.length === 0) throw new Error("data of a function has at least one dimension");
    const most = options?.most ?? 0;
    let rowSize = 1;
    this.descriptor.setElement(element);
    for (let i = 0; i < shape.length; i++) {
      const size = shape[i];
      if (i === 0 && size === -1) {
        if (most < 1) throw new Error("a first dimension of -1 needs `most`: how many rows at most");
      } else if (size < 1) throw new Error("only the first dimension may be -1, and none may be 0");
      if (!this.descriptor.addDimension(size)) throw new Error("data has at most 6 dimensions");
      if (i > 0) rowSize *= size;
    }
    this.rowSize = rowSize;
    this.capacity = rowSize * (shape[0] === -1 ? most : shape[0]);
    this.descriptor.setRate(options?.rate ?? f32(0));
    if (!this.descriptor.setUnit(options?.unit ?? "")) throw new Error("a unit has at most 15 characters");
    const scale = options?.scale ?? f32(0);
    if (scale > 0) this.descriptor.setQuantisation(scale, options?.zeroPoint ?? 0);
  }

  /** Does the number of rows come with the data? */
  isOpen(): boolean {
    return this.descriptor.shape[0] === -1;
  }

  /** May there be so many elements? */
  allows(count: i32): boolean {
    return this.isOpen()
      ? count >= 0 && count <= this.capacity && count % this.rowSize === 0
      : count === this.capacity;
  }

  /** Takes the elements from bytes: as many as there are, which `allows` admitted. */
  abstract load(bytes: Uint8Array): void;
  /** All elements become 0. */
  abstract clear(): void;
  /** Puts elements `from`, `from + 1`, … into all of `bytes`. */
  abstract store(from: i32, bytes: Uint8Array): void;
}

/** Data whose elements are in an `A`. */
export abstract class Values<A> extends AnyValues {
  /** The first `count` elements, borrowed. */
  abstract first(count: i32): A;
}

export class F32Values extends Values<Float32Array> {
  private readonly all: Float32Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.F32, 4, shape, options);
    this.all = new Float32Array(this.capacity);
  }
  override first(count: i32): Float32Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) this.all[i] = f32FromBits(word(bytes, 4 * i));
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) putWord(bytes, 4 * i, f32Bits(this.all[from + i]));
  }
}

export class F64Values extends Values<Float64Array> {
  private readonly all: Float64Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.F64, 8, shape, options);
    this.all = new Float64Array(this.capacity);
  }
  override first(count: i32): Float64Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 3;
    for (let i = 0; i < count; i++) {
      const high = u64(word(bytes, 8 * i + 4));
      this.all[i] = f64FromBits((high << 32n) | u64(word(bytes, 8 * i)));
    }
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 3;
    for (let i = 0; i < count; i++) {
      const bits = f64Bits(this.all[from + i]);
      putWord(bytes, 8 * i, u32(bits & 0xffffffffn));
      putWord(bytes, 8 * i + 4, u32(bits >> 32n));
    }
  }
}

export class I8Values extends Values<Int8Array> {
  private readonly all: Int8Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.I8, 1, shape, options);
    this.all = new Int8Array(this.capacity);
  }
  override first(count: i32): Int8Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.all[i] = i8(bytes[i]);
  }
  override store(from: i32, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.all[from + i] & 0xff;
  }
}

export class U8Values extends Values<Uint8Array> {
  private readonly all: Uint8Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.U8, 1, shape, options);
    this.all = new Uint8Array(this.capacity);
  }
  override first(count: i32): Uint8Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    this.all.set(bytes);
  }
  override store(from: i32, bytes: Uint8Array): void {
    bytes.set(this.all.subarray(from, from + bytes.length));
  }
}

export class I16Values extends Values<Int16Array> {
  private readonly all: Int16Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.I16, 2, shape, options);
    this.all = new Int16Array(this.capacity);
  }
  override first(count: i32): Int16Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 1;
    for (let i = 0; i < count; i++) this.all[i] = i16(half(bytes, 2 * i));
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 1;
    for (let i = 0; i < count; i++) putHalf(bytes, 2 * i, this.all[from + i]);
  }
}

export class U16Values extends Values<Uint16Array> {
  private readonly all: Uint16Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.U16, 2, shape, options);
    this.all = new Uint16Array(this.capacity);
  }
  override first(count: i32): Uint16Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 1;
    for (let i = 0; i < count; i++) this.all[i] = u16(half(bytes, 2 * i));
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 1;
    for (let i = 0; i < count; i++) putHalf(bytes, 2 * i, this.all[from + i]);
  }
}

export class I32Values extends Values<Int32Array> {
  private readonly all: Int32Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.I32, 4, shape, options);
    this.all = new Int32Array(this.capacity);
  }
  override first(count: i32): Int32Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) this.all[i] = i32(word(bytes, 4 * i));
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) putWord(bytes, 4 * i, u32(this.all[from + i]));
  }
}

export class U32Values extends Values<Uint32Array> {
  private readonly all: Uint32Array;
  /** @setup */
  constructor(shape: i32[], options: ValuesOptions | null = null) {
    super(ElementType.U32, 4, shape, options);
    this.all = new Uint32Array(this.capacity);
  }
  override first(count: i32): Uint32Array {
    return this.all.subarray(0, count);
  }
  override clear(): void {
    this.all.fill(0);
  }
  override load(bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) this.all[i] = word(bytes, 4 * i);
  }
  override store(from: i32, bytes: Uint8Array): void {
    const count = bytes.length >> 2;
    for (let i = 0; i < count; i++) putWord(bytes, 4 * i, this.all[from + i]);
  }
}

function half(bytes: Uint8Array, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8);
}

function putHalf(bytes: Uint8Array, at: i32, value: i32): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >> 8) & 0xff;
}

function word(bytes: Uint8Array, at: i32): u32 {
  return u32(half(bytes, at)) | (u32(half(bytes, at + 2)) << 16);
}

function putWord(bytes: Uint8Array, at: i32, value: u32): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
}

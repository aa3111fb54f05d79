/**
 * Reads CBOR from a copy of a message. Every length is checked against the bytes that are there; whatever is
 * malformed, of another type than asked for, or of indefinite length sets `failed`, after which every read
 * gives zero or empty: a caller reads what it expects and looks at `failed` once. It never traps and never recurses.
 * `readUint` and `readInt` take 32 bits, `readU64` and `readI64` 64. Text is not checked to be UTF-8.
 */

/** What `peek` finds. */
export enum CborKind {
  Uint,
  NegativeInt,
  Bytes,
  Text,
  Array,
  Map,
  Tag,
  /** Booleans, null, floats and other simple values. */
  Simple,
  End,
}

export class CborReader {
  failed: boolean = false;
  /** Position of the next item and end of the message, in bytes. */
  at: i32 = 0;
  end: i32 = 0;
  private readonly buffer: Uint8Array;
  /** Of the item whose head was read last: major type, additional information, argument (high word of 64 bits). */
  private major: i32 = 0;
  private info: i32 = 0;
  private value: u32 = 0;
  private high: u32 = 0;

  constructor(readonly capacity: i32) {
    this.buffer = new Uint8Array(capacity);
  }

  /** Copies a message and starts at its first byte. What is over the capacity is cut off. */
  load(message: Uint8Array): void {
    this.end = Math.min(message.length, this.capacity);
    this.buffer.set(message.subarray(0, this.end));
    this.seek(0);
  }

  /** Goes on at an earlier `at`. */
  seek(at: i32): void {
    this.at = at;
    this.failed = false;
  }

  /** True when everything was read and nothing failed. */
  finished(): boolean {
    return !this.failed && this.at === this.end;
  }

  /** What comes next, without reading it. */
  peek(): CborKind {
    if (this.failed || this.at >= this.end) return CborKind.End;
    return this.buffer[this.at] >> 5;
  }

  /** Text from `start` to `end`, borrowed: valid until the next `load`. */
  textAt(start: i32, end: i32): string {
    return textView(this.buffer, start, end);
  }

  /** Bytes from `start` to `end`, borrowed likewise. */
  bytesAt(start: i32, end: i32): Uint8Array {
    return this.buffer.subarray(start, end);
  }

  readUint(): u32 {
    return this.head32(CborKind.Uint) ? this.value : 0;
  }

  readInt(): i32 {
    const negative = this.peek() === CborKind.NegativeInt;
    const ok = this.head32(negative ? CborKind.NegativeInt : CborKind.Uint);
    if (!ok || this.value > 0x7fffffff) {
      this.fail();
      return 0;
    }
    const value = i32(this.value);
    return negative ? ~value : value;
  }

  readU64(): u64 {
    return this.head(CborKind.Uint) ? this.argument() : 0n;
  }

  readI64(): i64 {
    const negative = this.peek() === CborKind.NegativeInt;
    const ok = this.head(negative ? CborKind.NegativeInt : CborKind.Uint);
    if (!ok || this.high > 0x7fffffff) {
      this.fail();
      return 0n;
    }
    const value = i64(this.argument());
    return negative ? ~value : value;
  }

  readBool(): boolean {
    if (!this.head(CborKind.Simple) || (this.info !== 20 && this.info !== 21)) this.fail();
    return !this.failed && this.info === 21;
  }

  /** Reads a null when there is one. */
  readNull(): boolean {
    if (this.peek() !== CborKind.Simple || this.buffer[this.at] !== 0xf6) return false;
    this.at++;
    return true;
  }

  /** Any float, rounded to single precision, or an integer of up to 32 bits. */
  readF32(): f32 {
    const kind = this.peek();
    if (kind === CborKind.Uint) return f32(this.readUint());
    if (kind === CborKind.NegativeInt) {
      if (!this.head32(kind)) return 0;
      // -1 - value, rounded once.
      return this.value === 0xffffffff ? f32(-4294967296) : -f32(this.value + 1);
    }
    if (!this.head(CborKind.Simple)) return 0;
    switch (this.info) {
      case 25:
        return f32FromBits(bitsOfHalf(this.value));
      case 26:
        return f32FromBits(this.value);
      case 27:
        return f32FromBits(bitsOfDouble(this.high, this.value));
      default:
        this.fail();
        return 0;
    }
  }

  /** Any float, or an integer of up to 32 bits. */
  readF64(): f64 {
    const kind = this.peek();
    if (kind === CborKind.Uint) return f64(this.readUint());
    if (kind === CborKind.NegativeInt) return this.head32(kind) ? -1 - f64(this.value) : 0;
    if (kind !== CborKind.Simple || this.buffer[this.at] !== 0xfb) return f64(this.readF32());
    if (!this.head(CborKind.Simple)) return 0;
    const exponent = i32((this.high >>> 20) & 0x7ff);
    let value = f64(this.high & 0xfffff) * 4294967296 + f64(this.value);
    if (exponent === 0x7ff) value = value === 0 ? Infinity : NaN;
    else if (exponent > 0) value += 4503599627370496;
    let power = Math.max(exponent, 1) - 1075;
    for (; power > 0; power--) value *= 2;
    for (; power < 0; power++) value *= 0.5;
    return this.high >>> 31 === 1 ? -value : value;
  }

  /** Borrowed: valid until the next `load`. */
  readText(): string {
    const start = this.content(CborKind.Text);
    return textView(this.buffer, start, this.at);
  }

  /** Borrowed likewise. */
  readBytes(): Uint8Array {
    const start = this.content(CborKind.Bytes);
    return this.buffer.subarray(start, this.at);
  }

  /** How many items follow. */
  readArray(): i32 {
    return this.count(CborKind.Array);
  }

  /** How many pairs follow. */
  readMap(): i32 {
    return this.count(CborKind.Map);
  }

  /** Skips one item with all that is in it. */
  skip(): void {
    // Items still to skip: each needs a byte, so a larger number than bytes left is malformed.
    let pending = 1;
    while (pending > 0 && !this.failed) {
      pending--;
      const kind = this.peek();
      if (!this.head(kind)) return;
      if (kind === CborKind.Bytes || kind === CborKind.Text) {
        this.advance();
      } else if (kind === CborKind.Array || kind === CborKind.Map) {
        if (this.high !== 0 || this.value > u32(this.end - this.at)) this.fail();
        else pending += kind === CborKind.Map ? 2 * i32(this.value) : i32(this.value);
      } else if (kind === CborKind.Tag) {
        pending++;
      }
      if (pending > this.end - this.at) this.fail();
    }
  }

  fail(): void {
    this.failed = true;
    this.at = this.end;
  }

  /** Reads the head of an item of this kind. */
  private head(kind: CborKind): boolean {
    if (this.peek() !== kind || kind === CborKind.End) {
      this.fail();
      return false;
    }
    const first = i32(this.buffer[this.at]);
    this.at++;
    this.major = first >> 5;
    this.info = first & 31;
    this.high = 0;
    if (this.info < 24) {
      this.value = u32(this.info);
      return true;
    }
    if (this.info === 27) this.high = this.word(4);
    if (this.info <= 27) this.value = this.word(this.info === 27 ? 4 : 1 << (this.info - 24));
    else this.fail();
    return !this.failed;
  }

  /** All 64 bits of the argument. */
  private argument(): u64 {
    return (u64(this.high) << 32n) | u64(this.value);
  }

  /** As `head`, for an argument of up to 32 bits. */
  private head32(kind: CborKind): boolean {
    if (this.head(kind) && this.high !== 0) this.fail();
    return !this.failed;
  }

  /** The head of a string; gives where its content starts and goes past it. Empty when it failed. */
  private content(kind: CborKind): i32 {
    this.head(kind);
    const start = this.at;
    this.advance();
    return this.failed ? this.end : start;
  }

  /** Past the content of the string whose head was read. */
  private advance(): void {
    if (this.failed) return;
    if (this.high !== 0 || this.value > u32(this.end - this.at)) this.fail();
    else this.at += i32(this.value);
  }

  private count(kind: CborKind): i32 {
    if (!this.head32(kind)) return 0;
    const most = kind === CborKind.Map ? (this.end - this.at) >> 1 : this.end - this.at;
    if (this.value > u32(most)) {
      this.fail();
      return 0;
    }
    return i32(this.value);
  }

  /** `size` bytes, most significant first. */
  private word(size: i32): u32 {
    if (size > this.end - this.at) {
      this.fail();
      return 0;
    }
    let value: u32 = 0;
    for (let i = 0; i < size; i++) value = (value << 8) | u32(this.buffer[this.at + i]);
    this.at += size;
    return value;
  }
}

/** Single-precision bits of a half. */
function bitsOfHalf(half: u32): u32 {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
  // Exact: a half's significand times 2^-24, or the half scaled by 2^(127 - 15) through its exponent.
  if (magnitude < 0x400) return sign | f32Bits(f32(magnitude) / 16777216);
  return sign | ((magnitude << 13) + 0x38000000);
}

/** Single-precision bits of a double, rounded to nearest, ties to even. */
function bitsOfDouble(high: u32, low: u32): u32 {
  const sign = high & 0x80000000;
  const exponent = i32((high >>> 20) & 0x7ff) - 1023;
  let fraction = ((high & 0xfffff) << 3) | (low >>> 29);
  // The bits below the fraction, with those that make no difference to rounding gathered in the last one.
  let rest = low << 3;
  if (exponent === 1024 && (fraction | rest) !== 0) return 0x7fc00000;
  if (exponent > 127) return sign | 0x7f800000;
  let biased = exponent + 127;
  if (biased <= 0) {
    const shift = 1 - biased;
    if (shift > 24) return sign;
    fraction = fraction | 0x800000;
    rest = (fraction << (32 - shift)) | u32(rest !== 0);
    fraction = fraction >>> shift;
    biased = 0;
  }
  const up = rest > 0x80000000 || (rest === 0x80000000 && (fraction & 1) === 1);
  return sign | (u32(biased << 23) + fraction + u32(up));
}

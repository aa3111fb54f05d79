/**
 * Writes CBOR in the core deterministic encoding of RFC 8949 section 4.2.1: definite lengths, shortest heads,
 * shortest floats. Two things remain the caller's: as many items as a head announced, and
 * ascending map keys. What does not fit sets `overflow` and writes nothing more; it never traps.
 */
export class CborWriter {
  /** Bytes written: read-only for users. */
  length: i32 = 0;
  /** Something did not fit; what was written is useless from there on. */
  overflow: boolean = false;
  private readonly buffer: Uint8Array;

  constructor(readonly capacity: i32) {
    this.buffer = new Uint8Array(capacity);
  }

  clear(): void {
    this.rewind(0);
  }

  /** Back to an earlier `length`. */
  rewind(length: i32): void {
    this.length = length;
    this.overflow = false;
  }

  /** Replaces one byte that was written. */
  patch(at: i32, byte: u8): void {
    this.buffer[at] = byte;
  }

  /** What was written from `start` to `end`, borrowed. */
  slice(start: i32, end: i32): Uint8Array {
    return this.buffer.subarray(start, end);
  }

  /** All that was written, borrowed. */
  written(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  writeUint(value: u32): void {
    this.head(0, value);
  }

  writeInt(value: i32): void {
    if (value >= 0) this.head(0, value >>> 0);
    else this.head(0x20, ~value >>> 0);
  }

  writeU64(value: u64): void {
    this.head64(0, value);
  }

  writeI64(value: i64): void {
    if (value >= 0n) this.head64(0, u64(value));
    else this.head64(0x20, u64(~value));
  }

  writeBool(value: boolean): void {
    this.put(value ? 0xf5 : 0xf4, 0, 0);
  }

  writeNull(): void {
    this.put(0xf6, 0, 0);
  }

  writeText(text: string): void {
    this.beginText(text.length);
    this.writeRawText(text);
  }

  /** The head of a text of `size` bytes, which `writeRawText` must then supply. */
  beginText(size: i32): void {
    this.head(0x60, size >>> 0);
  }

  writeBytes(bytes: Uint8Array): void {
    this.beginBytes(bytes.length);
    this.writeRaw(bytes);
  }

  /** The head of a byte string of `size` bytes, which `writeRaw`, `writeRawI8`, `writeRawF32` must then supply. */
  beginBytes(size: i32): void {
    this.head(0x40, size >>> 0);
  }

  beginArray(items: i32): void {
    this.head(0x80, items >>> 0);
  }

  beginMap(pairs: i32): void {
    this.head(0xa0, pairs >>> 0);
  }

  /** Encoded items, or the content of a byte string, as they are. */
  writeRaw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    if (at >= 0) this.buffer.set(bytes, at);
  }

  writeRawText(text: string): void {
    const at = this.reserve(text.length);
    if (at < 0) return;
    for (let i = 0; i < text.length; i++) this.buffer[at + i] = text.charCodeAt(i) & 0xff;
  }

  writeRawI8(values: Int8Array): void {
    const at = this.reserve(values.length);
    if (at < 0) return;
    for (let i = 0; i < values.length; i++) this.buffer[at + i] = values[i] & 0xff;
  }

  /** Four bytes, little-endian. */
  writeRawF32(value: f32): void {
    const at = this.reserve(4);
    if (at < 0) return;
    const bits = f32Bits(value);
    for (let i = 0; i < 4; i++) this.buffer[at + i] = (bits >>> (8 * i)) & 0xff;
  }

  /** As half precision where that loses nothing. */
  writeF32(value: f32): void {
    const bits = f32Bits(value);
    const half = halfOf(bits);
    if (half >= 0) this.put(0xf9, half >>> 0, 2);
    else this.put(0xfa, bits, 4);
  }

  /** As half or single precision where that loses nothing. */
  writeF64(value: f64): void {
    const single = f32(value);
    if (f64(single) === value || value !== value) {
      this.writeF32(single);
      return;
    }
    // value = significand * 2^exponent, 1 <= significand < 2 (less for subnormals)
    let significand = Math.abs(value);
    let exponent = 0;
    while (significand >= 2) {
      significand *= 0.5;
      exponent++;
    }
    while (significand < 1 && exponent > -1022) {
      significand *= 2;
      exponent--;
    }
    let sign: u32 = 0;
    if (value < 0) sign = 0x80000000;
    const biased = significand < 1 ? 0 : exponent + 1023;
    const fraction = (significand < 1 ? significand : significand - 1) * 1048576;
    const high = u32(fraction);
    this.put(0xfb, sign | ((biased << 20) >>> 0) | high, 4);
    const low = u32((fraction - f64(high)) * 4294967296);
    const at = this.reserve(4);
    if (at >= 0) this.store(at, low, 4);
  }

  private head(major: i32, value: u32): void {
    if (value < 24) this.put(major | i32(value), 0, 0);
    else if (value < 0x100) this.put(major | 24, value, 1);
    else if (value < 0x10000) this.put(major | 25, value, 2);
    else this.put(major | 26, value, 4);
  }

  private head64(major: i32, value: u64): void {
    if (value <= 0xffffffffn) {
      this.head(major, u32(value));
      return;
    }
    const at = this.reserve(9);
    if (at < 0) return;
    this.buffer[at] = (major | 27) & 0xff;
    this.store(at + 1, u32(value >> 32n), 4);
    this.store(at + 5, u32(value), 4);
  }

  /** One byte and `size` (0 to 4) bytes of `value`, most significant first. */
  private put(first: i32, value: u32, size: i32): void {
    const at = this.reserve(1 + size);
    if (at < 0) return;
    this.buffer[at] = first & 0xff;
    this.store(at + 1, value, size);
  }

  private store(at: i32, value: u32, size: i32): void {
    for (let i = 0; i < size; i++) this.buffer[at + i] = (value >>> (8 * (size - 1 - i))) & 0xff;
  }

  /** Where `size` more bytes begin; -1 when they do not fit. */
  private reserve(size: i32): i32 {
    const at = this.length;
    if (this.overflow || size > this.capacity - at) {
      this.overflow = true;
      return -1;
    }
    this.length = at + size;
    return at;
  }
}

/** The half-precision bits equal to a single's; -1 when there are none. */
function halfOf(bits: u32): i32 {
  const sign = i32((bits >>> 16) & 0x8000);
  const exponent = i32((bits >>> 23) & 0xff) - 127;
  const fraction = i32(bits & 0x7fffff);
  if (exponent === 128) return fraction === 0 ? sign | 0x7c00 : 0x7e00;
  if (exponent === -127 && fraction === 0) return sign;
  if (exponent >= -14) {
    return exponent <= 15 && (fraction & 0x1fff) === 0
      ? sign | ((exponent + 15) << 10) | (fraction >> 13)
      : -1;
  }
  if (exponent < -24) return -1;
  const significand = fraction | 0x800000;
  const shift = -1 - exponent;
  return (significand & ((1 << shift) - 1)) === 0 ? sign | (significand >> shift) : -1;
}

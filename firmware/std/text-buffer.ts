/**
 * Text that is built at run time, in a buffer of fixed capacity. Writing past the capacity traps (`capacity`) and
 * leaves the text as it was before that part. It does not check or convert character sets: text is bytes.
 */
import { trapCapacity } from "./platform.js";

/** Copies `text` to `at`; gives the end, -1 when it does not fit. @binding tmc_text_put_str */
declare function putText(out: Uint8Array, at: i32, text: string): i32;
/** Decimal digits in the same way. @binding tmc_text_put_i32 */
declare function putI32(out: Uint8Array, at: i32, value: i32): i32;
/** @binding tmc_text_put_u32 */
declare function putU32(out: Uint8Array, at: i32, value: u32): i32;
/** @binding tmc_text_put_i64 */
declare function putI64(out: Uint8Array, at: i32, value: i64): i32;
/** @binding tmc_text_put_u64 */
declare function putU64(out: Uint8Array, at: i32, value: u64): i32;
/** The shortest decimal that reads back the same. @binding tmc_text_put_f64 */
declare function putF64(out: Uint8Array, at: i32, value: f64): i32;

/** `write` takes text or a template literal, whose parts are written one after the other without a copy. */
export class TextBuffer {
  /** Bytes in use: read-only for users. */
  length: i32 = 0;
  private readonly bytes: Uint8Array;

  constructor(readonly capacity: i32) {
    this.bytes = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  write(text: string): void {
    this.advance(putText(this.bytes, this.length, text));
  }

  /** The parts of a template literal that are not text. */
  writeI32(value: i32): void {
    this.advance(putI32(this.bytes, this.length, value));
  }
  writeU32(value: u32): void {
    this.advance(putU32(this.bytes, this.length, value));
  }
  writeI64(value: i64): void {
    this.advance(putI64(this.bytes, this.length, value));
  }
  writeU64(value: u64): void {
    this.advance(putU64(this.bytes, this.length, value));
  }
  writeF64(value: f64): void {
    this.advance(putF64(this.bytes, this.length, value));
  }
  writeBool(value: boolean): void {
    this.write(value ? "true" : "false");
  }

  /** Replaces the text; false (and unchanged) when it does not fit. */
  assign(text: string): boolean {
    if (text.length > this.capacity) return false;
    this.length = 0;
    this.write(text);
    return true;
  }

  /** The text, borrowed: it changes with the buffer. */
  toString(): string {
    return textView(this.bytes, 0, this.length);
  }

  private advance(end: i32): void {
    if (end < 0) trapCapacity();
    this.length = end;
  }
}

/**
 * The answer being made. One message at a time: `begin`, then either `fail` or result and output in this order, then
 * `finish`. An answer that does not fit becomes the error too-large. It publishes nothing.
 */
import { CborWriter } from "../std/cbor-writer.js";
import { nodeId } from "../std/platform.js";
import type { DataDescriptor } from "./data-descriptor.js";
import type { Stage } from "./protocol.js";
import { ErrorCode, protocolVersion } from "./protocol.js";
import type { Ticket } from "./ticket.js";

const noLabels: RomArray<string> = [];
/** Room kept for the timing that `finish` appends. */
const timingSize = 12;

export class Answer {
  readonly writer: CborWriter;
  error: ErrorCode = ErrorCode.None;
  /** The identity of the request (keys 0 to 3) is in bytes 1 to `identityEnd`. */
  identityEnd: i32 = 0;
  private pairs: i32 = 0;
  private bodyAt: i32 = 0;
  private errorAt: i32 = 0;
  private errorPairs: i32 = 0;

  /** `capacity`: bytes of the largest message it makes. */
  constructor(capacity: i32) {
    this.writer = new CborWriter(capacity);
  }

  /** Starts a message; whatever was there is gone. */
  begin(ticket: Ticket, stage: Stage): void {
    const writer = this.writer;
    writer.clear();
    writer.beginMap(0); // patched by finish
    writer.writeInt(0);
    writer.writeInt(protocolVersion);
    writer.writeInt(1);
    writer.writeUint(ticket.id);
    writer.writeInt(2);
    writer.writeUint(ticket.boot);
    writer.writeInt(3);
    writer.writeText(ticket.sender.toString());
    this.identityEnd = writer.length;
    writer.writeInt(4);
    writer.writeInt(stage);
    writer.writeInt(5);
    writer.writeText(nodeId());
    this.bodyAt = writer.length;
    this.restart();
  }

  /** Drops what was written since `begin`. */
  restart(): void {
    this.writer.rewind(this.bodyAt);
    this.pairs = 6;
    this.error = ErrorCode.None;
  }

  /**
   * Makes it an error answer, whatever was written before. The caller writes nothing more, but may add details with
   * `failDetail`. `field` names what is wrong in the request ("input.shape"); "" leaves it out, as with `text`.
   */
  fail(error: ErrorCode, text: string, field: string = ""): void {
    this.beginFailure(error, text);
    if (field.length === 0) return;
    this.errorKey(2);
    this.writer.writeText(field);
  }

  /** As `fail`, for a part of a field whose name is known at run time: "input" and "shape" become "input.shape". */
  failWithin(error: ErrorCode, text: string, field: string, inner: string): void {
    const writer = this.writer;
    this.beginFailure(error, text);
    this.errorKey(2);
    writer.beginText(field.length + 1 + inner.length);
    writer.writeRawText(field);
    writer.writeRawText(".");
    writer.writeRawText(inner);
  }

  /** 3: retry after ms; 4: trap kind; 5: trap site. Ascending. */
  failDetail(key: i32, value: u32): void {
    this.errorKey(key);
    this.writer.writeUint(value);
  }

  /** The result map; its pairs follow. */
  beginResult(pairs: i32): CborWriter {
    const writer = this.openResult();
    writer.beginMap(pairs);
    return writer;
  }

  /** The result; one item, a map, follows. */
  openResult(): CborWriter {
    this.key(7);
    return this.writer;
  }

  /** The output as bytes: `size` of them follow, raw. */
  beginOutput(size: i32): CborWriter {
    this.key(8);
    this.writer.beginBytes(size);
    return this.writer;
  }

  outputDescriptor(descriptor: DataDescriptor): void {
    this.key(9);
    descriptor.write(this.writer, noLabels);
  }

  /** Bytes that result and output may still take. */
  room(): i32 {
    return this.writer.capacity - this.writer.length - timingSize;
  }

  /** Completes an answer of stage done: times in µs. */
  finish(queuedUs: u32, executedUs: u32): void {
    if (this.writer.overflow || this.room() < 0) this.fail(ErrorCode.TooLarge, "", "answer");
    this.key(10);
    this.writer.writeUint(queuedUs);
    this.key(11);
    this.writer.writeUint(executedUs);
    this.close();
  }

  /** Completes an answer of stage accepted. */
  close(): void {
    this.writer.patch(0, (0xa0 | this.pairs) & 0xff);
  }

  private beginFailure(error: ErrorCode, text: string): void {
    const writer = this.writer;
    this.restart();
    this.error = error;
    this.key(6);
    this.errorAt = writer.length;
    this.errorPairs = 1;
    writer.beginMap(1);
    writer.writeInt(0);
    writer.writeInt(error);
    if (text.length === 0) return;
    this.errorKey(1);
    writer.writeText(text);
  }

  private key(key: i32): void {
    this.pairs++;
    this.writer.writeInt(key);
  }

  private errorKey(key: i32): void {
    this.errorPairs++;
    this.writer.patch(this.errorAt, (0xa0 | this.errorPairs) & 0xff);
    this.writer.writeInt(key);
  }
}

/**
 * Pulls what is larger than a message from the node's server, on topic `c`: wishes for a few pieces at a time, takes only
 * the next bytes of what it asked for, and wishes again when nothing comes. One transfer at a time, for every kind of
 * update; what the bytes are, and whether they are right, is the taker's business. It keeps none of them.
 */
import type { CborReader } from "../std/cbor-reader.js";
import { CborKind } from "../std/cbor-reader.js";
import { CborWriter } from "../std/cbor-writer.js";
import { clockMs, nodeId } from "../std/platform.js";
import type { Link } from "./link.js";
import { ErrorCode, protocolVersion } from "./protocol.js";

export const digestSize = 32;
/** Pieces of one wish, and what each message has beside its piece. */
const piecesWished = 4;
const pieceOverhead = 128;
/** ms without anything new until it wishes again, at first and at most. */
const firstPauseMs: u32 = 2000;
const longestPauseMs: u32 = 8000;
const scheme = "chunk:";

/** Takes the bytes of a transfer. */
export interface Taker {
  /** The next bytes, borrowed, in the handler of their message. False: it wants no more. */
  take(offset: i32, bytes: Uint8Array): boolean;
}

export class Transfer {
  /** The bytes wanted came. */
  complete: boolean = false;
  /** Why no more bytes will come: the server's word, cancelled or not-found. */
  ended: ErrorCode = ErrorCode.None;
  private readonly digest: Uint8Array = new Uint8Array(digestSize);
  private readonly wish: CborWriter = new CborWriter(96);
  private taker: Taker | null = null;
  /** The next byte, the end of the last wish, the end of all that is wanted. */
  private next: i32 = 0;
  private wished: i32 = 0;
  private until: i32 = 0;
  /** Bytes of the whole; 0: not known yet. */
  private whole: i32 = 0;
  private askedAtMs: u32 = 0;
  private pauseMs: u32 = firstPauseMs;

  /** Bytes of one wish. */
  private readonly window: i32;

  /** `reader`: free between messages. `message`: bytes of the largest. */
  constructor(
    private readonly link: Link,
    private readonly reader: CborReader,
    message: i32,
  ) {
    this.window = piecesWished * (message - pieceOverhead);
  }

  /** For `chunk:<64 hexadecimal digits>`: what is meant; then `pull`. False: it is no such reference. */
  begin(reference: string, taker: Taker): boolean {
    this.stop();
    if (!reference.startsWith(scheme) || reference.length !== scheme.length + 2 * digestSize) return false;
    for (let i = 0; i < digestSize; i++) {
      const high = hexDigit(reference.charCodeAt(scheme.length + 2 * i));
      const low = hexDigit(reference.charCodeAt(scheme.length + 2 * i + 1));
      if (high < 0 || low < 0) return false;
      this.digest[i] = (high * 16 + low) & 0xff;
    }
    this.taker = taker;
    this.whole = 0;
    return true;
  }

  /** Asks for the bytes from `from` to `until`; `whole`: of all, 0: not known. */
  pull(from: i32, until: i32, whole: i32): void {
    this.next = from;
    this.until = until;
    this.whole = whole;
    this.complete = from >= until;
    this.pauseMs = firstPauseMs;
    this.ask();
  }

  /** Is one under way? */
  isPulling(): boolean {
    return this.taker !== null;
  }

  /** Nothing is wanted any more. */
  stop(): void {
    this.taker = null;
    this.complete = false;
    this.ended = ErrorCode.None;
    this.next = 0;
    this.until = 0;
  }

  /** A session began: what was asked in the one before may be lost. */
  onConnected(): void {
    this.pauseMs = firstPauseMs;
    this.ask();
  }

  /** Asks again when nothing came for too long. */
  tick(nowMs: u32): void {
    if (this.taker === null || this.next >= this.until) return;
    if ((nowMs - this.askedAtMs) >>> 0 < this.pauseMs) return;
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
    this.ask();
  }

  /** A message on `c`. Hostile until proved: what is not the next piece of what was asked for is dropped. */
  receive(message: Uint8Array): void {
    const taker = this.taker;
    if (taker === null || this.next >= this.until) return;
    const reader = this.reader;
    if (message.length > reader.capacity) return;
    reader.load(message);
    let seen = 0;
    let last = -1;
    let start = 0;
    let end = 0;
    let whole = 0;
    let why: u32 = 0;
    let isNext = false;
    let isOwn = false;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const key = reader.readInt();
      if (key <= last) reader.fail();
      last = key;
      if (key < 5) seen = seen | (1 << key);
      switch (key) {
        case 0:
          if (reader.readUint() !== u32(protocolVersion)) reader.fail();
          break;
        case 1:
          if (!this.isAsked(reader.readBytes())) reader.fail();
          break;
        case 2:
          isNext = reader.readUint() === u32(this.next);
          break;
        case 3:
          whole = i32(Math.min(reader.readUint(), 0x7fffffff));
          break;
        case 4:
          if (reader.peek() !== CborKind.Bytes) reader.fail();
          else {
            const size = reader.readBytes().length;
            end = reader.at;
            start = end - size;
          }
          break;
        case 5:
          isOwn = reader.readText() === nodeId();
          break;
        case 7:
          why = reader.readUint();
          break;
        default:
          reader.skip();
          break;
      }
    }
    if (!reader.finished() || isOwn) return;
    if (seen === 0x0f) {
      this.end(why);
      return;
    }
    const isPiece = seen === 0x1f && isNext;
    const fits = end > start && end - start <= this.wished - this.next;
    if (!isPiece || !fits || whole < this.wished || (this.whole > 0 && whole !== this.whole)) return;
    this.whole = whole;
    const at = this.next;
    this.next += end - start;
    this.pauseMs = firstPauseMs;
    this.askedAtMs = clockMs();
    if (!taker.take(at, reader.bytesAt(start, end))) this.stop();
    else if (this.next >= this.until) this.complete = true;
    else if (this.next >= this.wished) this.ask();
  }

  /** The server offers no more of it: nothing is asked for until whoever pulls has seen it. */
  private end(why: u32): void {
    if (why === u32(ErrorCode.Cancelled)) this.ended = ErrorCode.Cancelled;
    else if (why === u32(ErrorCode.NotFound)) this.ended = ErrorCode.NotFound;
    else return;
    this.until = this.next;
  }

  private isAsked(bytes: Uint8Array): boolean {
    if (bytes.length !== digestSize) return false;
    for (let i = 0; i < digestSize; i++) {
      if (bytes[i] !== this.digest[i]) return false;
    }
    return true;
  }

  private ask(): void {
    if (this.taker === null || this.next >= this.until) return;
    this.wished = Math.min(this.next + this.window, this.until);
    this.askedAtMs = clockMs();
    const writer = this.wish;
    writer.clear();
    writer.beginMap(6);
    writer.writeInt(0);
    writer.writeInt(protocolVersion);
    writer.writeInt(1);
    writer.writeBytes(this.digest);
    writer.writeInt(2);
    writer.writeInt(this.next);
    writer.writeInt(3);
    writer.writeInt(0);
    writer.writeInt(5);
    writer.writeText(nodeId());
    writer.writeInt(6);
    writer.writeInt(this.wished - this.next);
    // One that cannot be sent is asked again.
    this.link.publish("c", writer.written(), false);
  }
}

/** -1 for what is none; lower case only. */
function hexDigit(c: i32): i32 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  return c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
}

/**
 * A request, decoded from a copy of its message. `parse` checks the whole envelope; arguments are read by key, when
 * the operation wants them. Nothing here outlives the next `parse`, except what is copied out.
 */
import { CborKind, CborReader } from "../std/cbor-reader.js";
import { DataDescriptor } from "./data-descriptor.js";
import { ErrorCode, protocolVersion } from "./protocol.js";
import { Ticket, isNodeId } from "./ticket.js";

/** A place in the message; absent: start < 0. */
class Span {
  start: i32 = -1;
  end: i32 = -1;

  clear(): void {
    this.start = -1;
  }

  /** The text or bytes that `reader` has just read. */
  mark(reader: CborReader, length: i32): void {
    this.start = reader.at - length;
    this.end = reader.at;
  }
}

export class Request {
  readonly reader: CborReader;
  readonly ticket: Ticket = new Ticket();
  /** There is somebody to answer to. */
  identified: boolean = false;
  /** What is wrong with the envelope, and the key of the field; -1 = none in particular. */
  error: ErrorCode = ErrorCode.None;
  errorKey: i32 = -1;
  /** Larger than this node takes: only the beginning was read. */
  tooLarge: boolean = false;
  /** Input bytes or input reference are there. */
  hasBytes: boolean = false;
  hasReference: boolean = false;
  /** What the input is said to be; empty when nothing is said. */
  readonly offered: DataDescriptor = new DataDescriptor();
  /** What output the sender can use; empty: any. */
  readonly accepted: DataDescriptor = new DataDescriptor();
  /** Milliseconds left; -1 = not stated. */
  deadlineMs: i32 = -1;
  priority: i32 = 100;
  /** The sender can do without `accepted` when the work ends at once. */
  brief: boolean = false;
  private version: u32 = 0;
  private readonly name: Span = new Span();
  private readonly selectedName: Span = new Span();
  private readonly selectedTask: Span = new Span();
  private readonly selectedNode: Span = new Span();
  private readonly input: Span = new Span();
  private labelsAt: i32 = -1;
  private argumentsAt: i32 = -1;

  /** `capacity`: bytes of the largest message it reads whole. */
  constructor(capacity: i32) {
    this.reader = new CborReader(capacity);
  }

  /** The views below are borrowed; "" or empty when absent. */
  operation(): string {
    return this.text(this.name);
  }
  /** "name" or "name@version". */
  selector(): string {
    return this.text(this.selectedName);
  }
  task(): string {
    return this.text(this.selectedTask);
  }
  selectorNode(): string {
    return this.text(this.selectedNode);
  }
  reference(): string {
    return this.hasReference ? this.text(this.input) : "";
  }
  bytes(): Uint8Array {
    return this.hasBytes ? this.reader.bytesAt(this.input.start, this.input.end) : this.reader.bytesAt(0, 0);
  }

  /** The whole message, borrowed. */
  message(): Uint8Array {
    return this.reader.bytesAt(0, this.reader.end);
  }

  /** Positions the reader at the labels the selector asks for; gives how many. */
  openLabels(): i32 {
    if (this.labelsAt < 0) return 0;
    this.reader.seek(this.labelsAt);
    return this.reader.readArray();
  }

  /** Positions the reader at an argument's value; false when there is none. */
  openArgument(key: i32): boolean {
    const reader = this.reader;
    if (this.argumentsAt < 0 || this.errorKey >= 0) return false;
    reader.seek(this.argumentsAt);
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      if (reader.peek() > CborKind.NegativeInt) reader.skip();
      else if (reader.readInt() === key) return true;
      reader.skip();
    }
    reader.failed = false;
    return false;
  }

  /** An argument, or the fallback. One of another type makes `argumentsOk` false. */
  uintArgument(key: i32, fallback: u32): u32 {
    if (!this.openArgument(key)) return fallback;
    const value = this.reader.readUint();
    this.checkArgument();
    return value;
  }
  f32Argument(key: i32, fallback: f32): f32 {
    if (!this.openArgument(key)) return fallback;
    const value = this.reader.readF32();
    this.checkArgument();
    return value;
  }
  /** Borrowed. */
  textArgument(key: i32, fallback: string): string {
    if (!this.openArgument(key)) return fallback;
    const value = this.reader.readText();
    this.checkArgument();
    return value;
  }

  /** False when an argument read so far had another type than asked for. */
  argumentsOk(): boolean {
    return this.errorKey < 0;
  }

  /** The name of the field that is wrong; "" when none in particular. */
  errorField(): string {
    return fieldName(this.errorKey);
  }

  /** Decodes a message. Afterwards look at `identified`, then at `error`. */
  parse(message: Uint8Array): void {
    const reader = this.reader;
    this.clear();
    reader.load(message);
    this.tooLarge = message.length > reader.capacity;
    const pairs = reader.readMap();
    let last = -1;
    let seen = 0;
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const key = reader.readInt();
      if (key >= 0 && key <= last) reader.fail();
      if (key >= 0) last = key;
      if (!reader.failed) {
        this.readField(key);
        if (!reader.failed && key >= 0 && key < 32) seen = seen | (1 << key);
        if (reader.failed) this.errorKey = key;
      }
    }
    // Version, id, boot counter and sender.
    this.identified = (seen & 0xf) === 0xf;
    if (this.identified && this.version !== protocolVersion) this.reject(ErrorCode.Version, 0);
    else if (this.tooLarge) this.reject(ErrorCode.TooLarge, -1);
    else if (!reader.finished()) this.reject(ErrorCode.BadRequest, this.errorKey);
    else if (this.name.start < 0) this.reject(ErrorCode.BadRequest, 4);
  }

  private clear(): void {
    this.identified = false;
    this.error = ErrorCode.None;
    this.errorKey = -1;
    this.hasBytes = false;
    this.hasReference = false;
    this.offered.clear();
    this.accepted.clear();
    this.deadlineMs = -1;
    this.priority = 100;
    this.brief = false;
    this.version = 0;
    this.name.clear();
    this.selectedName.clear();
    this.selectedTask.clear();
    this.selectedNode.clear();
    this.input.clear();
    this.labelsAt = -1;
    this.argumentsAt = -1;
  }

  private reject(error: ErrorCode, key: i32): void {
    this.error = error;
    this.errorKey = key;
  }

  private readField(key: i32): void {
    const reader = this.reader;
    switch (key) {
      case 0:
        this.version = reader.readUint();
        break;
      case 1:
        this.ticket.id = reader.readUint();
        break;
      case 2:
        this.ticket.boot = reader.readUint();
        break;
      case 3: {
        const sender = reader.readText();
        if (!isNodeId(sender)) reader.fail();
        else this.ticket.sender.assign(sender);
        break;
      }
      case 4:
        this.readText(this.name);
        break;
      case 5:
        this.readSelector();
        break;
      case 6:
        if (reader.peek() !== CborKind.Map) reader.fail();
        this.argumentsAt = reader.at;
        reader.skip();
        break;
      case 7:
        this.readInput();
        break;
      case 8:
        this.offered.read(reader);
        break;
      case 9:
        this.accepted.read(reader);
        break;
      case 10:
        this.deadlineMs = i32(Math.min(reader.readUint(), 0x7fffffff));
        break;
      case 11:
        this.priority = i32(reader.readUint() & 0xff);
        break;
      case 14:
        this.brief = reader.readBool();
        break;
      default:
        reader.skip();
        break;
    }
  }

  private readInput(): void {
    const reader = this.reader;
    if (reader.peek() === CborKind.Bytes) {
      this.input.mark(reader, reader.readBytes().length);
      this.hasBytes = !reader.failed;
    } else {
      this.readText(this.input);
      this.hasReference = !reader.failed;
    }
  }

  private readSelector(): void {
    const reader = this.reader;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      switch (reader.readInt()) {
        case 0:
          this.readText(this.selectedName);
          break;
        case 1:
          this.readText(this.selectedTask);
          break;
        case 2:
          this.readText(this.selectedNode);
          break;
        case 3:
          if (reader.peek() !== CborKind.Array) reader.fail();
          this.labelsAt = reader.at;
          reader.skip();
          break;
        default:
          reader.skip();
          break;
      }
    }
  }

  private readText(into: Span): void {
    const length = this.reader.readText().length;
    into.mark(this.reader, length);
  }

  private text(span: Span): string {
    return span.start < 0 ? "" : this.reader.textAt(span.start, span.end);
  }

  private checkArgument(): void {
    if (this.reader.failed) this.errorKey = 6;
  }
}

/** The name of a request's key in error answers. */
function fieldName(key: i32): string {
  switch (key) {
    case 0:
      return "version";
    case 4:
      return "operation";
    case 5:
      return "selector";
    case 6:
      return "arguments";
    case 7:
      return "input";
    case 8:
      return "input.descriptor";
    case 9:
      return "accept";
    case 10:
      return "deadline";
    case 11:
      return "priority";
    case 14:
      return "brief";
    default:
      return "";
  }
}

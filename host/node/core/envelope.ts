/**
 * Envelopes as the Core Service handles them: a request is parsed by the firmware's own `Request` and passed on with only
 * those keys rewritten that must change; an answer is read no further than its head. One message at a time.
 */
import { requestKeys } from "../../bus/protocol-keys.js";
import { subset, type SubsetReader, type SubsetRequest, type SubsetWriter } from "./subset.js";

/** Keys of a request that servers touch. */
const key = {
  version: requestKeys.version,
  id: requestKeys.id,
  boot: requestKeys.boot,
  sender: requestKeys.sender,
  selector: requestKeys.selector.key,
  input: requestKeys.input,
  descriptor: requestKeys.inputDescriptor.key,
  deadline: requestKeys.deadlineMs,
  hops: requestKeys.hopsLeft,
  path: requestKeys.path,
  brief: requestKeys.brief,
};
/** Those that servers write, ascending. */
const rewritable = [
  "sender",
  "selector",
  "input",
  "descriptor",
  "deadline",
  "hops",
  "path",
  "brief",
] as const;
const noted = 15;
const maxPath = 32;
/** CborKind.Text */
const textKind = 3;

/** What servers write into a request; absent: as it was. */
export interface Rewrite {
  sender?: string;
  /** ms left. */
  deadline?: number;
  hops?: number;
  path?: readonly string[];
  /** Whole CBOR items. */
  brief?: Uint8Array;
  selector?: Uint8Array;
  input?: Uint8Array;
  descriptor?: Uint8Array;
}

export class RequestEnvelope {
  /** Parsed by the firmware; valid until the next `read`. */
  readonly request: SubsetRequest;
  /** Version, id and boot counter are there, and well-formed. */
  identified = false;
  version = 0;
  id = 0;
  boot = 0;
  /** "" when the request names none. */
  sender = "";
  /** -1 when absent. */
  hops = -1;
  /** Empty when absent. */
  path: readonly string[] = [];
  /** The path is no list of node ids. */
  pathOk = true;
  private payload: Uint8Array = new Uint8Array(0);
  private pairs = 0;
  /** Where the first key is, and of keys 0 to 14: where the key begins and where its value ends; -1 absent. */
  private first = 0;
  private readonly keyAt = new Int32Array(noted);
  private readonly endAt = new Int32Array(noted);
  private readonly writer: SubsetWriter;

  /** `capacity`: bytes of the largest message. */
  constructor(capacity: number) {
    this.request = new subset.Request(capacity);
    this.writer = new subset.CborWriter(capacity + 1024);
  }

  /** Reads the envelope; afterwards look at `identified`, then at `request.error`. */
  read(payload: Uint8Array): void {
    this.payload = payload;
    this.request.parse(payload);
    this.scan(this.request.reader);
  }

  /** The bytes of key and value, "" when absent: for comparing. */
  itemText(at: number): string {
    const start = this.keyAt[at] as number;
    if (start < 0) return "";
    const { buffer, byteOffset, length } = this.payload;
    return Buffer.from(buffer, byteOffset, length).toString("latin1", start, this.endAt[at]);
  }

  /** Bytes of key and value; 0 when absent. */
  itemBytes(at: number): number {
    const start = this.keyAt[at] as number;
    return start < 0 ? 0 : (this.endAt[at] as number) - start;
  }

  /** The message with the changes. Undefined when it became too large. */
  rewritten(changes: Rewrite): Uint8Array | undefined {
    const writer = this.writer;
    const { payload } = this;
    let pairs = this.pairs;
    for (const name of rewritable) {
      if (changes[name] !== undefined && !this.has(key[name])) pairs++;
    }
    writer.clear();
    writer.beginMap(pairs);
    let from = this.first;
    for (const name of rewritable) {
      const value = changes[name];
      if (value === undefined) continue;
      const k = key[name];
      const at = this.insertionAt(k);
      writer.writeRaw(payload.subarray(from, at));
      writer.writeInt(k);
      if (typeof value === "number") writer.writeUint(value);
      else if (typeof value === "string") writer.writeText(value);
      else if (value instanceof Uint8Array) writer.writeRaw(value);
      else {
        writer.beginArray(value.length);
        for (const node of value) writer.writeText(node);
      }
      from = this.has(k) ? (this.endAt[k] as number) : at;
    }
    writer.writeRaw(payload.subarray(from));
    return writer.overflow ? undefined : Uint8Array.prototype.slice.call(writer.written());
  }

  private has(k: number): boolean {
    return (this.keyAt[k] as number) >= 0;
  }

  /** Where key `k` is, or would be: keys ascend. */
  private insertionAt(k: number): number {
    for (let i = k; i < noted; i++) if ((this.keyAt[i] as number) >= 0) return this.keyAt[i] as number;
    return this.above;
  }

  /** Where keys above 14 begin, or the end. */
  private above = 0;

  private scan(reader: SubsetReader): void {
    this.keyAt.fill(-1);
    this.identified = false;
    this.sender = "";
    this.hops = -1;
    this.path = [];
    this.pathOk = true;
    reader.seek(0);
    this.pairs = reader.readMap();
    this.first = reader.at;
    this.above = reader.end;
    let last = -1;
    for (let i = 0; i < this.pairs && !reader.failed; i++) {
      const start = reader.at;
      const k = reader.readInt();
      // Negative keys are nobody's; they would come behind.
      if (k < 0 || k >= noted) {
        if (this.above === reader.end && !reader.failed) this.above = start;
        reader.skip();
        continue;
      }
      if (k <= last) return;
      last = k;
      this.readValue(reader, k);
      if (reader.failed) break;
      this.keyAt[k] = start;
      this.endAt[k] = reader.at;
    }
    this.identified = this.has(key.version) && this.has(key.id) && this.has(key.boot);
  }

  private readValue(reader: SubsetReader, k: number): void {
    switch (k) {
      case key.version:
        this.version = reader.readUint();
        break;
      case key.id:
        this.id = reader.readUint();
        break;
      case key.boot:
        this.boot = reader.readUint();
        break;
      case key.sender:
        this.sender = reader.readText();
        break;
      case key.hops:
        this.hops = Math.min(reader.readUint(), 255);
        break;
      case key.path:
        this.readPath(reader);
        break;
      default:
        reader.skip();
        break;
    }
  }

  private readPath(reader: SubsetReader): void {
    const count = reader.readArray();
    if (reader.failed || count > maxPath) {
      this.pathOk = false;
      for (let i = 0; i < count && !reader.failed; i++) reader.skip();
      return;
    }
    const path: string[] = [];
    for (let i = 0; i < count; i++) path.push(reader.readText());
    this.pathOk = !reader.failed && path.every((node) => subset.isNodeId(node));
    this.path = path;
  }
}

/** What routing needs of an answer. */
export interface AnswerHead {
  readonly id: number;
  readonly boot: number;
  readonly sender: string;
  readonly stage: number;
  readonly node: string;
  /** 0 = success. */
  readonly error: number;
  readonly retryAfterMs: number;
  readonly queueUs: number;
  readonly executionUs: number;
  /** The output is `chunk:` of something. */
  readonly inChunks: boolean;
}

/** Reads heads of answers. Undefined for what is no well-formed answer with a sender. */
export class AnswerReader {
  private readonly reader: SubsetReader;

  constructor(private readonly capacity: number) {
    this.reader = new subset.CborReader(capacity);
  }

  read(payload: Uint8Array): AnswerHead | undefined {
    if (payload.length > this.capacity) return undefined;
    const reader = this.reader;
    reader.load(payload);
    const head = {
      id: 0,
      boot: 0,
      sender: "",
      stage: 0,
      node: "",
      error: 0,
      retryAfterMs: 0,
      queueUs: 0,
      executionUs: 0,
      inChunks: false,
    };
    let version = -1;
    let seen = 0;
    let last = -1;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const k = reader.readInt();
      if (k >= 0 && k <= last) return undefined;
      if (k >= 0) last = k;
      if (k >= 0 && k < 12) seen |= 1 << k;
      switch (k) {
        case 0:
          version = reader.readUint();
          break;
        case 1:
          head.id = reader.readUint();
          break;
        case 2:
          head.boot = reader.readUint();
          break;
        case 3:
          head.sender = reader.readText();
          break;
        case 4:
          head.stage = reader.readUint();
          break;
        case 5:
          head.node = reader.readText();
          break;
        case 6:
          this.readError(head);
          break;
        case 8:
          if (reader.peek() === textKind) head.inChunks = reader.readText().startsWith("chunk:");
          else reader.skip();
          break;
        case 10:
          head.queueUs = reader.readUint();
          break;
        case 11:
          head.executionUs = reader.readUint();
          break;
        default:
          reader.skip();
          break;
      }
    }
    // Version, id, boot, sender, stage, node.
    const whole = reader.finished() && (seen & 0x3f) === 0x3f && version === 1;
    const sane =
      (head.stage === 1 || head.stage === 2) && subset.isNodeId(head.node) && subset.isNodeId(head.sender);
    return whole && sane ? head : undefined;
  }

  private readError(head: { error: number; retryAfterMs: number }): void {
    const reader = this.reader;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const k = reader.readInt();
      if (k === 0) head.error = reader.readUint();
      else if (k === 3) head.retryAfterMs = reader.readUint();
      else reader.skip();
    }
    // An error without a code of the set is still an error.
    if (head.error < 1 || head.error > 16) head.error = 16;
  }
}

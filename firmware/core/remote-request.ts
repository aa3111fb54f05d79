/**
 * Requests that a node makes: published on the server's topic `q`, answered on the node's own topic `r`. One object for
 * each request that may be under way at a time, made in setup; a task fills in the arguments, sends it and waits. Every
 * `send` ends by its deadline. It serves nothing: requests to this node are the dispatcher's.
 */
import { CborReader } from "../std/cbor-reader.js";
import { CborWriter } from "../std/cbor-writer.js";
import { bootCounter, busPublish, nodeId, serverId } from "../std/platform.js";
import { Waitable, taskTimeMs, waitUntilWoken } from "../std/task.js";
import { TextBuffer } from "../std/text-buffer.js";
import type { Link } from "./link.js";
import { ErrorCode, Stage, protocolVersion } from "./protocol.js";

/** How a request ended. */
export enum Outcome {
  /** The operation ran: `openResult` and `openOutput` have what it gave. */
  Done = 0,
  /** It was refused or failed: `error` says how. */
  Failed = 1,
  /** No terminal answer came in time. */
  TimedOut = 2,
  /** It did not go out: not connected, no room, or arguments and request do not fit. */
  Unsent = 3,
  /** This object's earlier request is still under way. */
  Busy = 4,
}

/** Bytes of a request beside its arguments. */
const envelopeSize = 96;

export class RemoteRequest extends Waitable {
  /** The argument map of the next request (key 6 of the protocol); nothing written: no arguments. */
  readonly arguments: CborWriter;
  /** The node that must run it; empty: whichever the server chooses. */
  readonly node: TextBuffer = new TextBuffer(23);
  /** Of the last answer. */
  error: ErrorCode = ErrorCode.None;
  /** The executing node took it (the first acknowledgement came). */
  accepted: boolean = false;
  /** While nothing comes back the request is sent again after so many ms, then after twice that; 0: never. */
  resendMs: u32 = 2000;
  /** Of the request under way; meaningless when there is none. */
  private id: u32 = 0;
  private waiting: boolean = false;
  private finished: boolean = false;
  private readonly message: CborWriter;
  private readonly answer: CborReader;
  private errorAt: i32 = -1;
  private resultAt: i32 = -1;
  private outputAt: i32 = -1;
  private descriptorAt: i32 = -1;

  constructor(
    private readonly owner: RemoteRequests,
    argumentBytes: i32,
  ) {
    super();
    this.arguments = new CborWriter(argumentBytes);
    this.message = new CborWriter(argumentBytes + envelopeSize);
    this.answer = new CborReader(owner.messageBytes);
  }

  /**
   * Sends the request and waits at most `deadlineMs` (1 to 3,600,000) for its terminal answer. `operation` is its name,
   * at most 32 characters. Without any answer it is sent again. A late answer is dropped and counted. Arguments stay as they are for a repetition.
   */
  async send(operation: string, deadlineMs: i32): Promise<Outcome> {
    if (this.waiting) return Outcome.Busy;
    if (!this.publish(operation, deadlineMs)) return Outcome.Unsent;
    const until = (taskTimeMs() + u32(deadlineMs)) >>> 0;
    let pause = this.resendMs;
    let again = (taskTimeMs() + pause) >>> 0;
    this.waiting = true;
    this.finished = false;
    while (!this.finished && ((taskTimeMs() - until) | 0) < 0) {
      // Under its number: whoever got it before recognises it.
      const mayResend = pause > 0 && !this.accepted && ((again - until) | 0) < 0;
      await waitUntilWoken(this, mayResend ? again : until);
      if (!mayResend || this.finished || this.accepted || ((taskTimeMs() - again) | 0) < 0) continue;
      pause = (pause * 2) >>> 0;
      again = (taskTimeMs() + pause) >>> 0;
      this.owner.publish(this.message.written());
    }
    this.waiting = false;
    if (!this.finished) return Outcome.TimedOut;
    return this.error === ErrorCode.None ? Outcome.Done : Outcome.Failed;
  }

  /** The reader at the result's map; null when the answer has none. Valid until the next `send`. */
  openResult(): CborReader | null {
    return this.open(this.resultAt);
  }

  /** The reader at the output: bytes, or a reference as text. */
  openOutput(): CborReader | null {
    return this.open(this.outputAt);
  }

  /** The reader at the output's descriptor. */
  openDescriptor(): CborReader | null {
    return this.open(this.descriptorAt);
  }

  /** The reader at the error's map: 0 code, 1 text, 2 field, 3 retry after ms. */
  openError(): CborReader | null {
    return this.open(this.errorAt);
  }

  /** For `RemoteRequests`: is this the request that an answer with this number belongs to? */
  isWaitingFor(id: u32): boolean {
    return this.waiting && !this.finished && this.id === id;
  }

  /** For `RemoteRequests`: takes over an answer; false when it is malformed. */
  take(message: Uint8Array): boolean {
    const reader = this.answer;
    reader.load(message);
    this.errorAt = -1;
    this.resultAt = -1;
    this.outputAt = -1;
    this.descriptorAt = -1;
    let stage: i32 = 0;
    let code: i32 = 0;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const key = reader.readInt();
      if (key === 4) {
        stage = reader.readInt();
        continue;
      }
      if (key === 6) {
        this.errorAt = reader.at;
        code = errorCode(reader);
        reader.seek(this.errorAt);
      } else if (key === 7) this.resultAt = reader.at;
      else if (key === 8) this.outputAt = reader.at;
      else if (key === 9) this.descriptorAt = reader.at;
      reader.skip();
    }
    if (!reader.finished()) return false;
    if (stage === Stage.Accepted) {
      this.accepted = true;
      return true;
    }
    if (stage !== Stage.Done) return false;
    this.error = code;
    this.finished = true;
    this.wake();
    return true;
  }

  private publish(operation: string, deadlineMs: i32): boolean {
    const writer = this.message;
    const hasNode = this.node.length > 0;
    const hasArguments = this.arguments.length > 0;
    this.id = this.owner.nextId();
    this.error = ErrorCode.None;
    this.accepted = false;
    if (deadlineMs < 1 || this.arguments.overflow) return false;
    writer.clear();
    writer.beginMap(6 + (hasNode ? 1 : 0) + (hasArguments ? 1 : 0));
    writer.writeInt(0);
    writer.writeInt(protocolVersion);
    writer.writeInt(1);
    writer.writeUint(this.id);
    writer.writeInt(2);
    writer.writeUint(bootCounter());
    writer.writeInt(3);
    writer.writeText(nodeId());
    writer.writeInt(4);
    writer.writeText(operation);
    if (hasNode) {
      writer.writeInt(5);
      writer.beginMap(1);
      writer.writeInt(2);
      writer.writeText(this.node.toString());
    }
    if (hasArguments) {
      writer.writeInt(6);
      writer.writeRaw(this.arguments.written());
    }
    writer.writeInt(10);
    writer.writeUint(u32(deadlineMs));
    if (writer.overflow || writer.length > this.answer.capacity) return false;
    return this.owner.publish(writer.written());
  }

  private open(at: i32): CborReader | null {
    if (at < 0) return null;
    this.answer.seek(at);
    return this.answer;
  }
}

/** Key 0 of the error map the reader stands at; `Internal` when it is not there or not one of the closed set. */
function errorCode(reader: CborReader): i32 {
  const pairs = reader.readMap();
  let code: i32 = ErrorCode.Internal;
  for (let i = 0; i < pairs && !reader.failed; i++) {
    if (reader.readInt() === 0) {
      const read = reader.readInt();
      if (read >= ErrorCode.BadRequest && read <= ErrorCode.Internal) code = read;
    } else reader.skip();
  }
  return code;
}

/** All requests of a node: gives numbers, finds whose an answer is. */
export class RemoteRequests {
  private readonly list: RemoteRequest[] = [];
  private readonly reader: CborReader;
  private readonly topic: TextBuffer = new TextBuffer(56);
  private last: u32 = 0;
  /** Answers that nobody waits for any more, or that are malformed. */
  dropped: u32 = 0;

  /** `messageBytes`: of the largest message in either direction. */
  constructor(readonly messageBytes: i32) {
    this.reader = new CborReader(messageBytes);
  }

  /** A request of at most `argumentBytes` of arguments. @setup */
  make(argumentBytes: i32): RemoteRequest {
    const made = new RemoteRequest(this, argumentBytes);
    this.list.push(made);
    return made;
  }

  /** On every connection: answers come on the node's own topic. */
  subscribe(link: Link): void {
    link.subscribe("r");
  }

  nextId(): u32 {
    this.last = (this.last + 1) >>> 0;
    return this.last;
  }

  publish(message: Uint8Array): boolean {
    this.topic.clear();
    this.topic.write(`t1/${serverId()}/q/${nodeId()}`);
    return busPublish(this.topic.toString(), message, 1, false);
  }

  /** A message on `r`. Hostile until proved: what is not an answer to a waiting request is dropped. */
  receive(message: Uint8Array): void {
    if (message.length > this.messageBytes || !this.deliver(message)) this.dropped = (this.dropped + 1) >>> 0;
  }

  private deliver(message: Uint8Array): boolean {
    const reader = this.reader;
    reader.load(message);
    let version: u32 = 0;
    let id: u32 = 0;
    let boot: u32 = 0;
    let identified = 0;
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && i < 3 && !reader.failed; i++) {
      const key = reader.readInt();
      if (key !== i) return false;
      identified++;
      if (key === 0) version = reader.readUint();
      else if (key === 1) id = reader.readUint();
      else boot = reader.readUint();
    }
    if (reader.failed || identified < 3 || version !== protocolVersion || boot !== bootCounter())
      return false;
    for (const request of this.list) {
      if (request.isWaitingFor(id)) return request.take(message);
    }
    return false;
  }
}

/**
 * Takes an update into a slot: pulls its head, decides, pulls the rest where an earlier try stopped, and lets what came run
 * on trial. What may come in, and whether it runs well, the kind's own operation says. It never runs what is not signed by
 * the node's owner: that is the port's check.
 */
import { slotBegin, slotFinish, slotRoom, slotTry, slotWrite } from "../std/platform.js";
import {
  SlotError,
  type SlotKind,
  headerContentSize,
  headerName,
  headerVersion,
  slotHeaderSize,
} from "../std/slot.js";
import { TextBuffer } from "../std/text-buffer.js";
import type { Answer } from "./answer.js";
import { Operation } from "./operation.js";
import { ErrorCode } from "./protocol.js";
import type { Request } from "./request.js";
import type { Taker, Transfer } from "./transfer.js";

/** Content that one transfer handles. */
const largestContent: u32 = 0x7fffff00;

enum Phase {
  Idle,
  Head,
  Content,
}

export abstract class SlotDeploy extends Operation implements Taker {
  /** Header, and as much of the content as the decision needs. */
  private readonly head: Uint8Array;
  private readonly wantedName: TextBuffer = new TextBuffer(64);
  private phase: Phase = Phase.Idle;
  private size: i32 = 0;
  private problem: i32 = 0;

  /** `headSize`: bytes of content that `admit` looks at, which every content has. @setup */
  constructor(
    name: string,
    private readonly kind: SlotKind,
    private readonly transfer: Transfer,
    private readonly headSize: i32,
  ) {
    super(name);
    this.head = new Uint8Array(slotHeaderSize + headSize);
  }

  /**
   * May it come in, as far as its first bytes tell? Before anything is erased. False: it has written why not to the answer.
   */
  protected abstract admit(header: Uint8Array, content: Uint8Array, answer: Answer): boolean;

  /**
   * The version is complete and on trial from the next `slotBoot` on: makes it run, or the one before again. False: it has
   * written why not to the answer.
   */
  protected abstract activate(answer: Answer): boolean;

  /** The result, of the version that runs now. */
  protected abstract tell(answer: Answer): void;

  /** One update at a time, of any kind. */
  override isBusy(): boolean {
    return this.transfer.isPulling();
  }

  override inBackground(_request: Request): boolean {
    return true;
  }

  override run(request: Request, answer: Answer): boolean {
    this.phase = Phase.Idle;
    const name = request.textArgument(0, "");
    if (!request.argumentsOk() || name.length > this.wantedName.capacity) {
      answer.fail(ErrorCode.BadRequest, "", "arguments");
      return true;
    }
    this.wantedName.assign(name);
    if (slotRoom(this.kind) < 0) {
      answer.fail(ErrorCode.NoSpace, "this node has no slot for it");
      return true;
    }
    if (request.hasBytes) return this.takeWhole(request.bytes(), answer);
    if (!this.transfer.begin(request.reference(), this)) {
      answer.fail(ErrorCode.BadRequest, "bytes, or chunk: and a SHA-256", "input");
      return true;
    }
    this.phase = Phase.Head;
    this.transfer.pull(0, this.head.length, 0);
    return false;
  }

  override poll(answer: Answer): boolean {
    const ended = this.transfer.ended;
    if (ended !== ErrorCode.None) {
      // What came stays in the slot: the next try goes on there.
      this.abort();
      answer.fail(ended, "the server offers it no longer");
      return true;
    }
    if (this.phase === Phase.Head && this.transfer.complete) return this.decide(answer);
    if (this.phase !== Phase.Content) return false;
    if (this.problem < 0) return this.fail(this.problem, answer);
    return this.transfer.complete && this.end(answer);
  }

  override abort(): void {
    this.transfer.stop();
    this.phase = Phase.Idle;
  }

  override remainingMs(): u32 {
    return 1000;
  }

  take(offset: i32, bytes: Uint8Array): boolean {
    if (this.phase === Phase.Head) {
      this.head.set(bytes, offset);
      return true;
    }
    this.problem = slotWrite(this.kind, offset - slotHeaderSize, bytes);
    return this.problem >= 0;
  }

  /** Header and head are there: what is to be done with the rest. */
  private decide(answer: Answer): boolean {
    const header = this.head.subarray(0, slotHeaderSize);
    const from = this.begin(header, this.head.subarray(slotHeaderSize, this.head.length), answer);
    if (from < 0) {
      this.abort();
      return true;
    }
    this.phase = Phase.Content;
    this.problem = 0;
    this.transfer.pull(slotHeaderSize + from, slotHeaderSize + this.size, slotHeaderSize + this.size);
    return this.transfer.complete && this.end(answer);
  }

  /** A small artifact, in the request itself. */
  private takeWhole(bytes: Uint8Array, answer: Answer): boolean {
    if (bytes.length < this.head.length) {
      answer.fail(ErrorCode.BadRequest, "shorter than its header", "input");
      return true;
    }
    const header = bytes.subarray(0, slotHeaderSize);
    const content = bytes.subarray(slotHeaderSize, bytes.length);
    const from = this.begin(header, content.subarray(0, this.headSize), answer);
    if (from < 0) return true;
    if (content.length !== this.size) {
      answer.fail(ErrorCode.BadRequest, "not as long as its header says", "input");
      return true;
    }
    const problem = slotWrite(this.kind, from, content.subarray(from, content.length));
    return problem < 0 ? this.fail(problem, answer) : this.end(answer);
  }

  /** Where to go on in the content; less than 0: the answer is complete. */
  private begin(header: Uint8Array, content: Uint8Array, answer: Answer): i32 {
    const size = headerContentSize(header);
    if (!this.isWanted(header, this.wantedName.toString())) {
      answer.fail(ErrorCode.BadRequest, "the input is another one", "arguments");
      return -1;
    }
    if (size < u32(this.headSize) || size > largestContent) {
      answer.fail(ErrorCode.BadRequest, "not a size", "input");
      return -1;
    }
    if (!this.admit(header, content, answer)) return -1;
    const from = slotBegin(this.kind, header);
    if (from === -SlotError.There) {
      this.tell(answer);
    } else if (from < 0) {
      this.fail(from, answer);
    }
    this.size = i32(size);
    return from;
  }

  /** All came. */
  private end(answer: Answer): boolean {
    this.abort();
    let problem = slotFinish(this.kind);
    if (problem === 0) problem = slotTry(this.kind);
    if (problem < 0) return this.fail(problem, answer);
    if (this.activate(answer)) this.tell(answer);
    return true;
  }

  /** Is it what the argument says: "" (nothing), "name" or "name@version"? */
  protected isWanted(header: Uint8Array, wanted: string): boolean {
    const name = headerName(header);
    if (wanted.length === 0 || wanted === name) return true;
    const version = headerVersion(header);
    return (
      wanted.length === name.length + 1 + version.length &&
      wanted.startsWith(name) &&
      wanted.charCodeAt(name.length) === 0x40 &&
      wanted.endsWith(version)
    );
  }

  private fail(problem: i32, answer: Answer): boolean {
    this.abort();
    failSlot(problem, answer);
    return true;
  }
}

/** An error of a slot (less than 0) as an answer. */
export function failSlot(problem: i32, answer: Answer): void {
  switch (-problem) {
    case SlotError.BadHeader:
      answer.fail(ErrorCode.BadRequest, "not an update of this kind", "input");
      break;
    case SlotError.NoSpace:
      answer.fail(ErrorCode.NoSpace, "larger than the slot");
      break;
    case SlotError.Rollback:
      answer.fail(ErrorCode.Forbidden, "older than what was confirmed");
      break;
    case SlotError.BadSignature:
      answer.fail(ErrorCode.Forbidden, "not signed by the owner of this node");
      break;
    case SlotError.NoKey:
      answer.fail(ErrorCode.Forbidden, "this node has no update key");
      break;
    case SlotError.BadDigest:
      answer.fail(ErrorCode.Corrupt, "not what was signed");
      break;
    case SlotError.Lapsed:
      answer.fail(ErrorCode.Corrupt, "it was tried and did not stay");
      break;
    case SlotError.WrongState:
      answer.fail(ErrorCode.Busy, "a version is on trial");
      break;
    case SlotError.Absent:
      answer.fail(ErrorCode.NoSpace, "this node has no slot for it");
      break;
    default:
      answer.fail(ErrorCode.NoSpace, "the flash failed");
      break;
  }
}

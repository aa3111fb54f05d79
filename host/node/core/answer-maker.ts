/** Answers that the server makes itself, by the firmware's `Answer`: acknowledgements and errors. It sends nothing. */
import { errorCodes, stages, type ErrorName } from "../../bus/protocol-keys.js";
import { byteString, speakAs, subset } from "./subset.js";

/** Who is answered. */
export interface Identity {
  readonly id: number;
  readonly boot: number;
  readonly sender: string;
}

export interface Failure {
  readonly code: ErrorName;
  readonly text: string;
  readonly field?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly trap?: number | undefined;
  readonly site?: number | undefined;
}

const mostText = 64;
/** An acknowledgement, or an error with its texts. */
const mostBytes = 1024;

export class AnswerMaker {
  private readonly answer = new subset.Answer(mostBytes);
  private readonly ticket = new subset.Ticket();

  /** `node`: id of this server. */
  constructor(private readonly node: string) {}

  accepted(to: Identity): Uint8Array {
    this.begin(to, stages.accepted);
    this.answer.close();
    return this.bytes();
  }

  /** Times in µs. */
  failure(to: Identity, failure: Failure, queueUs = 0, executionUs = 0): Uint8Array {
    this.begin(to, stages.done);
    this.answer.fail(errorCodes[failure.code], shortened(failure.text), shortened(failure.field ?? ""));
    if (failure.retryAfterMs !== undefined) this.answer.failDetail(3, whole(failure.retryAfterMs));
    if (failure.trap !== undefined) this.answer.failDetail(4, whole(failure.trap));
    if (failure.site !== undefined) this.answer.failDetail(5, whole(failure.site));
    this.answer.finish(whole(queueUs), whole(executionUs));
    return this.bytes();
  }

  private begin(to: Identity, stage: number): void {
    speakAs(this.node);
    this.ticket.id = to.id;
    this.ticket.boot = to.boot;
    this.ticket.sender.assign(to.sender);
    this.answer.begin(this.ticket, stage);
  }

  private bytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.answer.writer.written());
  }
}

const whole = (value: number): number => Math.min(0xffffffff, Math.max(0, Math.round(value)));

const ellipsis = byteString("…");

/** At most 64 bytes of UTF-8, whole characters; what was cut ends with an ellipsis. */
function shortened(text: string): string {
  const bytes = byteString(text);
  if (bytes.length <= mostText) return bytes;
  let end = mostText - ellipsis.length;
  // Not within a character: continuation bytes are 10xxxxxx.
  while (end > 0 && (bytes.charCodeAt(end) & 0xc0) === 0x80) end--;
  return bytes.slice(0, end) + ellipsis;
}

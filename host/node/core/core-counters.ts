/** What the Core Service counts since it started; for metrics and the state record. */
import type { Counters } from "../../bus/protocol.js";

export class CoreCounters {
  /** Requests with an identity, repetitions included; from the bus and from inside. */
  received = 0;
  /** Terminal answers made or passed on. */
  answered = 0;
  malformed = 0;
  oversized = 0;
  duplicates = 0;
  /** Another attempt after the chosen node died. */
  retries = 0;
  /** Dispatches sent again to the same node, for want of an answer. */
  resent = 0;
  /** Answers to nothing that waits: after the deadline, or a second one. */
  late = 0;
  /** Answers by a node that was not asked. */
  foreignAnswers = 0;
  /** Payloads of nodes that break the protocol. */
  violations = 0;
  /** Requests under another node's name. */
  spoofed = 0;
  /** Requests of an earlier life of their sender. */
  replayed = 0;
  forbidden = 0;
  unsent = 0;
  readonly decisions = { local: 0, dispatch: 0, forward: 0, refuse: 0 };
  /** Error answers by code. */
  readonly errors = new Map<number, number>();

  countError(code: number): void {
    if (code !== 0) this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** As the state record tells them. */
  asRecord(): Counters {
    return {
      received: this.received,
      answered: this.answered,
      malformed: this.malformed,
      tooLarge: this.oversized,
      duplicates: this.duplicates,
      traps: 0,
      reconnects: 0,
      unsent: this.unsent,
      errors: new Map(this.errors),
    };
  }
}

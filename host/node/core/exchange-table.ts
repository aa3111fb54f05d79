/**
 * Requests that have no terminal answer yet. Whatever happens to a request, here it ends exactly once: by an answer, by
 * its deadline, or by being cancelled. Repetitions find what is kept.
 */
import { stages } from "../../bus/protocol-keys.js";
import type { AnswerMaker, Failure } from "./answer-maker.js";
import type { DuplicateCache } from "./duplicate-cache.js";
import type { AnswerHead } from "./envelope.js";
import type { Exchange } from "./exchange.js";
import { IndexedHeap } from "./indexed-heap.js";
import { codeOf } from "./router.js";

/** How a request ended. */
export interface Ending {
  readonly node: string;
  /** Code of the error; 0 = success. */
  readonly error: number;
  readonly queueUs: number;
  readonly executionUs: number;
}

export interface TableHandlers {
  /** Lets go of whoever works on it. */
  release(exchange: Exchange): void;
  /** To whoever asked. */
  send(exchange: Exchange, answer: Uint8Array, stage: number, refusal: boolean): void;
  ended(exchange: Exchange, ending: Ending): void;
}

const heldMs = 1;
const deadlineCode = codeOf("deadline");

export class ExchangeTable {
  private readonly byKey = new Map<string, Exchange>();
  private readonly due = new IndexedHeap<"dueAt", Exchange>("dueAt", (a, b) => a.deadlineAt < b.deadlineAt);
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  /** Acknowledgements that wait for company. */
  private readonly held: Exchange[] = [];
  private holding: NodeJS.Timeout | undefined;

  constructor(
    private readonly own: string,
    private readonly maker: AnswerMaker,
    private readonly duplicates: DuplicateCache,
    private readonly handlers: TableHandlers,
  ) {}

  get size(): number {
    return this.byKey.size;
  }

  get(key: string): Exchange | undefined {
    return this.byKey.get(key);
  }

  values(): Iterable<Exchange> {
    return this.byKey.values();
  }

  all(): Exchange[] {
    return [...this.byKey.values()];
  }

  add(exchange: Exchange): void {
    this.byKey.set(exchange.key, exchange);
    this.due.push(exchange);
    this.schedule();
  }

  /**
   * Stage accepted, once, whoever says so: `bytes`, or this server. It waits up to a millisecond for the terminal answer,
   * to leave in one packet with it: a quick operation then costs whoever asked one message less to wake up for.
   */
  accept(exchange: Exchange, bytes?: Uint8Array): void {
    if (exchange.accepted || exchange.state === "done") return;
    exchange.accepted = true;
    exchange.heldAccepted = bytes ?? this.maker.accepted(exchange);
    this.held.push(exchange);
    this.holding ??= setTimeout(() => this.letGo(), heldMs);
  }

  /** The terminal answer as it came. */
  answer(exchange: Exchange, bytes: Uint8Array, head: AnswerHead): void {
    const { node, error, queueUs, executionUs } = head;
    this.end(exchange, bytes, { node, error, queueUs, executionUs });
  }

  fail(exchange: Exchange, failure: Failure, code: number, executionUs = 0): void {
    const bytes = this.maker.failure(exchange, failure, 0, executionUs);
    this.end(exchange, bytes, { node: this.own, error: code, queueUs: 0, executionUs });
  }

  end(exchange: Exchange, bytes: Uint8Array, ending: Ending): void {
    if (exchange.state === "done") return;
    this.handlers.release(exchange);
    exchange.state = "done";
    this.byKey.delete(exchange.key);
    this.due.remove(exchange);
    const refusal = isRefusal(exchange, ending);
    if (!refusal && exchange.callers.length === 0)
      this.duplicates.put(exchange.key, bytes, performance.now());
    if (exchange.brief && ending.error === 0) exchange.heldAccepted = undefined;
    this.sendAccepted(exchange);
    this.handlers.send(exchange, bytes, stages.done, refusal);
    this.handlers.ended(exchange, ending);
  }

  stop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.holding);
    this.letGo();
    this.timer = undefined;
    this.timerAt = Infinity;
  }

  private letGo(): void {
    this.holding = undefined;
    for (const exchange of this.held.splice(0)) this.sendAccepted(exchange);
  }

  private sendAccepted(exchange: Exchange): void {
    const bytes = exchange.heldAccepted;
    if (bytes === undefined) return;
    exchange.heldAccepted = undefined;
    this.handlers.send(exchange, bytes, stages.accepted, false);
  }

  /** One timer, for the earliest deadline. */
  private schedule(): void {
    const first = this.due.peek();
    if (first === undefined || first.deadlineAt >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = first.deadlineAt;
    const ms = Math.max(0, Math.ceil(first.deadlineAt - performance.now()));
    this.timer = setTimeout(() => this.expire(), ms);
    this.timer.unref();
  }

  private expire(): void {
    this.timerAt = Infinity;
    const now = performance.now();
    for (
      let first = this.due.peek();
      first !== undefined && first.deadlineAt <= now;
      first = this.due.peek()
    ) {
      this.due.remove(first);
      this.fail(first, { code: "deadline", text: "" }, deadlineCode);
    }
    this.schedule();
  }
}

/**
 * Nobody has it or had it: it may be repeated under its number, since the next try may succeed. Whoever was sent it and is
 * silent may have executed it; and a time that is over stays over.
 */
function isRefusal(exchange: Exchange, ending: Ending): boolean {
  return !exchange.accepted && exchange.given === 0 && ending.error !== 0 && ending.error !== deadlineCode;
}

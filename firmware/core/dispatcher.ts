/**
 * From message to answers: decodes, refuses, acknowledges, executes, answers, remembers.
 *
 * Every identified request gets either one refusal, or "accepted" and then exactly one terminal answer by its deadline.
 * Quick operations run while the message is handled; background ones wait in a bounded queue and run one at a time, by
 * `tick`. A repeated request gets the same bytes again. A trap in an operation becomes function-failed.
 */
import { atWork, clockMs, clockUs } from "../std/platform.js";
import { AnswerCache } from "./answer-cache.js";
import { Answer } from "./answer.js";
import type { Counters } from "./counters.js";
import { Counter } from "./counters.js";
import { Job } from "./job.js";
import type { Link } from "./link.js";
import type { Operation } from "./operation.js";
import { ErrorCode, Stage } from "./protocol.js";
import { Request } from "./request.js";
import type { Selection } from "./selection.js";
import type { Ticket } from "./ticket.js";

/** The longest deadline, in ms, so that differences of the µs clock never wrap. */
const maxDeadlineMs = 3600000;

export class Dispatcher {
  readonly request: Request;
  readonly answer: Answer;
  private readonly cache: AnswerCache;
  private readonly jobs: Job[] = [];
  private active: Job | null = null;
  private arrivals: u32 = 0;
  private most: i32 = 0;

  constructor(
    private readonly operations: RomArray<Operation>,
    private readonly selection: Selection,
    private readonly counters: Counters,
    private readonly link: Link,
    readonly jobCapacity: i32,
    private readonly defaultDeadlineMs: i32,
    messageBytes: i32,
    answerBytes: i32,
  ) {
    this.request = new Request(messageBytes);
    this.answer = new Answer(messageBytes);
    this.cache = new AnswerCache(answerBytes, counters);
    for (let i = 0; i < jobCapacity; i++) this.jobs.push(new Job(messageBytes));
  }

  /** Background requests, waiting and running. */
  pending(): i32 {
    let n = 0;
    for (const job of this.jobs) {
      if (job.operation !== null) n++;
    }
    return n;
  }

  /** The most background requests, and the most answers that could not be sent, at once since boot. */
  mostPending(): i32 {
    return this.most;
  }
  mostUnsent(): i32 {
    return this.cache.mostWaiting;
  }

  /** A message arrived on the node's topic for requests. */
  receive(message: Uint8Array): void {
    const request = this.request;
    const arrivedUs = clockUs();
    request.parse(message);
    if (!request.identified) {
      this.counters.count(request.tooLarge ? Counter.Oversized : Counter.Malformed);
      return;
    }
    this.counters.count(Counter.Received);
    const ticket = request.ticket;
    ticket.arrivedUs = arrivedUs;
    ticket.startedUs = arrivedUs;
    if (this.repeat(ticket)) {
      this.counters.count(Counter.Duplicates);
      return;
    }
    this.answer.begin(ticket, Stage.Done);
    if (request.error !== ErrorCode.None) {
      this.refuse(request.error, "malformed request", request.errorField());
    } else if (!this.selection.accepts(request)) {
      this.refuse(ErrorCode.NoCapableNode, "not this node", "selector");
    } else {
      const operation = this.find(request.operation());
      if (operation === null) this.refuse(ErrorCode.UnknownOperation, "", "operation");
      else this.admit(operation);
    }
  }

  /** Goes on with background work; call it often. */
  tick(nowMs: u32): void {
    for (const job of this.jobs) {
      const operation = job.operation;
      if (operation !== null && job.ticket.leftMs(nowMs) <= 0) this.expire(job, operation);
    }
    if (this.active === null) this.startNext();
    else this.step(this.active);
  }

  /** Are there answers that could not be sent yet? */
  hasUnsent(): boolean {
    return this.cache.firstUnsent() >= 0;
  }

  /** Sends what could not be sent when it was made. */
  flush(): void {
    let entry = this.cache.firstUnsent();
    while (entry >= 0 && this.link.publish("y", this.cache.answer(entry), false)) {
      this.cache.markSent(entry);
      entry = this.cache.firstUnsent();
    }
  }

  private find(name: string): Operation | null {
    for (const operation of this.operations) {
      if (operation.name === name) return operation;
    }
    return null;
  }

  /** Answers again what was answered or accepted before; false when the request is new. */
  private repeat(ticket: Ticket): boolean {
    const answer = this.answer;
    answer.begin(ticket, Stage.Accepted);
    const entry = this.cache.find(answer.writer.slice(1, answer.identityEnd));
    if (entry >= 0) {
      if (this.link.publish("y", this.cache.answer(entry), false)) this.cache.markSent(entry);
      return true;
    }
    for (const job of this.jobs) {
      if (job.operation !== null && job.ticket.isSameRequest(ticket)) {
        this.accept(ticket);
        return true;
      }
    }
    return false;
  }

  /** The terminal answer to a request that was not accepted. Not remembered: the next try may succeed. */
  private refuse(error: ErrorCode, text: string, field: string): void {
    this.answer.fail(error, text, field);
    this.sendRefusal();
  }

  private sendRefusal(): void {
    this.finish(this.request.ticket);
    this.link.publishOnce("y", this.answer.writer.written(), false);
  }

  private accept(ticket: Ticket): void {
    this.answer.begin(ticket, Stage.Accepted);
    this.answer.close();
    this.link.publishOnce("y", this.answer.writer.written(), false);
  }

  private admit(operation: Operation): void {
    const request = this.request;
    const ticket = request.ticket;
    const now = clockMs();
    const left =
      request.deadlineMs < 0 ? this.defaultDeadlineMs : Math.min(request.deadlineMs, maxDeadlineMs);
    ticket.deadlineAtMs = (now + u32(left)) >>> 0;
    if (left === 0) {
      this.refuse(ErrorCode.Deadline, "no time left", "deadline");
    } else if (operation.isBusy()) {
      this.refuseBusy("another is under way");
    } else if (operation.inBackground(request)) {
      const job = this.freeJob();
      if (job === null) this.refuseBusy("queue is full");
      else this.enqueue(job, operation);
    } else {
      const isBrief = request.brief;
      if (!isBrief) this.accept(ticket);
      ticket.startedUs = clockUs();
      this.answer.begin(ticket, Stage.Done);
      if (!this.attemptRun(operation)) this.answer.fail(ErrorCode.Internal, "operation did not finish");
      this.complete(ticket, isBrief);
    }
  }

  private refuseBusy(text: string): void {
    this.answer.fail(ErrorCode.Busy, text);
    const active = this.active === null ? null : this.active.operation;
    this.answer.failDetail(3, active === null ? 100 : active.remainingMs());
    this.sendRefusal();
  }

  private enqueue(job: Job, operation: Operation): void {
    this.arrivals = (this.arrivals + 1) >>> 0;
    job.hold(this.request, operation, this.arrivals);
    this.most = Math.max(this.most, this.pending());
    this.accept(job.ticket);
    if (this.active === null) this.startNext();
  }

  private freeJob(): Job | null {
    for (const job of this.jobs) {
      if (job.operation === null) return job;
    }
    return null;
  }

  private startNext(): void {
    let next: Job | null = null;
    for (const job of this.jobs) {
      if (job.operation !== null && (next === null || job.isBefore(next))) next = job;
    }
    if (next === null) return;
    const operation = next.operation;
    if (operation === null) return;
    this.active = next;
    next.ticket.startedUs = clockUs();
    this.request.parse(next.message());
    this.request.ticket.copyFrom(next.ticket);
    this.answer.begin(next.ticket, Stage.Done);
    if (this.attemptRun(operation)) this.end(next);
  }

  private step(job: Job): void {
    const operation = job.operation;
    if (operation === null) return;
    this.answer.begin(job.ticket, Stage.Done);
    if (this.attemptPoll(operation)) this.end(job);
  }

  /** The deadline of a waiting or running job passed. */
  private expire(job: Job, operation: Operation): void {
    if (job === this.active) this.attemptAbort(operation);
    else job.ticket.startedUs = clockUs();
    this.answer.begin(job.ticket, Stage.Done);
    this.answer.fail(ErrorCode.Deadline, "");
    this.end(job);
  }

  /** Frees the job and sends the answer that was made. */
  private end(job: Job): void {
    job.operation = null;
    if (job === this.active) this.active = null;
    this.complete(job.ticket, false);
  }

  /**
   * The terminal answer to a request that was taken: sent, and kept until newer ones need the room. `isBrief`: it was not
   * acknowledged yet; success says so itself, an error would pass for a refusal.
   */
  private complete(ticket: Ticket, isBrief: boolean): void {
    if (this.answer.error === ErrorCode.None && ticket.leftMs(clockMs()) < 0) {
      this.answer.fail(ErrorCode.Deadline, "");
    }
    this.finish(ticket);
    const bytes = this.answer.writer.written();
    if (isBrief && this.answer.error !== ErrorCode.None) {
      this.cache.store(bytes, false);
      this.accept(ticket);
      this.flush();
    } else {
      this.cache.store(bytes, this.link.publish("y", bytes, false));
    }
  }

  private finish(ticket: Ticket): void {
    const queued = (ticket.startedUs - ticket.arrivedUs) >>> 0;
    this.answer.finish(queued, (clockUs() - ticket.startedUs) >>> 0);
    this.counters.count(Counter.Answered);
    this.counters.countError(this.answer.error);
  }

  // Each attempt is the boundary of one call into an operation. True: the answer is complete.

  private attemptRun(operation: Operation): boolean {
    atWork(operation.name);
    try {
      const done = operation.run(this.request, this.answer);
      atWork("");
      return done;
    } catch (trap) {
      this.trapped(trap.kind, trap.site, trap.message);
    }
    this.attemptAbort(operation);
    return true;
  }

  private attemptPoll(operation: Operation): boolean {
    atWork(operation.name);
    try {
      const done = operation.poll(this.answer);
      atWork("");
      return done;
    } catch (trap) {
      this.trapped(trap.kind, trap.site, trap.message);
    }
    this.attemptAbort(operation);
    return true;
  }

  private attemptAbort(operation: Operation): void {
    try {
      operation.abort();
      atWork("");
    } catch {
      this.counters.count(Counter.Traps);
    }
  }

  private trapped(kind: Trap["kind"], site: i32, message: string): void {
    const number = trapNumber(kind);
    this.counters.countTrap(i32(number), site >>> 0);
    this.answer.fail(ErrorCode.FunctionFailed, message);
    this.answer.failDetail(4, number);
    this.answer.failDetail(5, site >>> 0);
  }
}

/** The number of a trap kind, as `tmc_trap_kind`. */
function trapNumber(kind: Trap["kind"]): u32 {
  switch (kind) {
    case "index":
      return 1;
    case "null":
      return 2;
    case "division":
      return 3;
    case "overflow":
      return 4;
    case "capacity":
      return 5;
    case "throw":
      return 6;
    case "stack":
      return 7;
    case "assert":
      return 8;
  }
}

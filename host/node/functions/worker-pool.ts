/**
 * The warm pool: workers that wait for calls, and one more that is ready to replace any of them. A worker has one call
 * at a time; one that does not answer in time, or dies, is replaced at once and takes only its own call with it. Calls
 * wait in a bounded queue for a free worker.
 */
import { Worker } from "node:worker_threads";
import { OperationFailure } from "../operations/operation.js";
import type { CallEnd, InstanceLimits } from "./instance.js";
import { tinyModule } from "./warm-up.js";
import { workerSource, type WorkerAnswer, type WorkerOrder } from "./worker-source.js";

/** Of the function that every worker calls first, so that nobody waits for the engine's start. Functions have others. */
const warmKey = 0;

export interface PoolOptions {
  readonly workers: number;
  /** Calls that wait; more are answered `busy`. */
  readonly queue: number;
  /** MiB of JavaScript heap of a worker. */
  readonly heapMb: number;
  readonly onLog: (key: number, text: string) => void;
}

export interface PoolFunction {
  readonly key: number;
  /** Text: a trusted ES module. */
  readonly module: WebAssembly.Module | string;
  readonly limits: InstanceLimits;
}

export interface PoolCall {
  readonly of: PoolFunction;
  readonly input: Uint8Array;
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number;
  /** µs that the call may take once it runs; absent: until the deadline. */
  readonly timeUs: number | undefined;
}

export interface PoolResult {
  readonly result: CallEnd;
  readonly us: number;
}

interface Waiting extends PoolCall {
  /** While it waits. */
  onAbort?: () => void;
  readonly resolve: (result: PoolResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly loaded: Set<number>;
  /** The call it has. */
  current: Running | undefined;
  gone: boolean;
}

interface Running {
  readonly call: Waiting;
  readonly timer: NodeJS.Timeout;
  readonly onAbort: () => void;
}

export class WorkerPool {
  private readonly source = workerSource();
  private readonly members: Member[] = [];
  private spare: Member | undefined;
  private readonly queue: Waiting[] = [];
  private closed = false;
  /** Workers that were stopped or died. */
  replaced = 0;

  constructor(private readonly options: PoolOptions) {
    for (let i = 0; i < options.workers; i++) this.members.push(this.spawn());
    this.spare = this.spawn();
  }

  /** Calls that run or wait. */
  get load(): number {
    return this.queue.length + this.members.filter((m) => m.current !== undefined).length;
  }

  /** @throws OperationFailure busy, deadline, cancelled, function-failed (the worker died). */
  call(call: PoolCall): Promise<PoolResult> {
    if (this.closed) return Promise.reject(new OperationFailure("cancelled", "the node stops"));
    if (call.signal.aborted) return Promise.reject(aborted(call));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { ...call, resolve, reject };
      const free = this.members.find((m) => m.current === undefined);
      if (free !== undefined) {
        this.start(free, waiting);
      } else if (this.queue.length >= this.options.queue) {
        reject(new OperationFailure("busy", "all workers are busy", undefined, { retryAfterMs: 100 }));
      } else {
        this.queue.push(waiting);
        waiting.onAbort = () => this.dropWaiting(waiting);
        waiting.signal.addEventListener("abort", waiting.onAbort, { once: true });
      }
    });
  }

  /** The function is gone: workers forget it. */
  unload(key: number): void {
    for (const member of [...this.members, ...(this.spare === undefined ? [] : [this.spare])]) {
      if (member.loaded.delete(key)) this.send(member, { order: "unload", key });
    }
  }

  /** Every call that runs or waits is cancelled. */
  async close(): Promise<void> {
    this.closed = true;
    const stopped = new OperationFailure("cancelled", "the node stops");
    for (const waiting of this.queue.splice(0)) waiting.reject(stopped);
    const all = [...this.members, ...(this.spare === undefined ? [] : [this.spare])];
    this.spare = undefined;
    this.members.length = 0;
    for (const member of all) this.finish(member)?.reject(stopped);
    await Promise.all(
      all.map((member) => {
        member.gone = true;
        return member.worker.terminate();
      }),
    );
  }

  private spawn(): Member {
    const worker = new Worker(this.source, {
      eval: true,
      env: {},
      stdin: false,
      resourceLimits: {
        maxOldGenerationSizeMb: this.options.heapMb,
        maxYoungGenerationSizeMb: 8,
        stackSizeMb: 1,
      },
    });
    const member: Member = { worker, loaded: new Set(), current: undefined, gone: false };
    worker.unref();
    this.send(member, {
      order: "load",
      key: warmKey,
      module: tinyModule(),
      limits: { outputBytes: 1, logBytes: 0 },
    });
    this.send(member, { order: "call", key: warmKey, input: new Uint8Array(1) });
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.key === warmKey) return;
      const call = this.finish(member);
      if (call === undefined) return;
      if (answer.log !== "") this.options.onLog(call.of.key, answer.log);
      call.resolve(answer);
      this.next(member);
    });
    const born = performance.now();
    /** One that dies as soon as it is born would be made again and again. */
    const replaceSoon = (failure: OperationFailure): void => {
      if (member.current !== undefined || performance.now() - born > 1000) this.replace(member, failure);
      else setTimeout(() => this.replace(member, failure), 500).unref();
    };
    worker.on("error", (error) => {
      replaceSoon(new OperationFailure("function-failed", `the worker died: ${error.message}`.slice(0, 64)));
    });
    worker.on("exit", () => {
      replaceSoon(new OperationFailure("function-failed", "the worker ended"));
    });
    return member;
  }

  private send(member: Member, order: WorkerOrder): void {
    member.worker.postMessage(order);
  }

  private start(member: Member, call: Waiting): void {
    if (call.onAbort !== undefined) call.signal.removeEventListener("abort", call.onAbort);
    const left = call.deadlineAt - performance.now();
    if (left <= 0 || call.signal.aborted) {
      call.reject(aborted(call, " before a worker was free"));
      this.next(member);
      return;
    }
    const own = call.timeUs === undefined ? Infinity : call.timeUs / 1000;
    const timer = setTimeout(
      () => {
        const failure =
          own < left
            ? new OperationFailure("function-failed", "took longer than its bound")
            : new OperationFailure("deadline", "the time is over");
        this.replace(member, failure);
      },
      Math.max(Math.min(own, left), 1),
    );
    const onAbort = (): void => this.replace(member, aborted(call));
    call.signal.addEventListener("abort", onAbort, { once: true });
    member.current = { call, timer, onAbort };
    if (!member.loaded.has(call.of.key)) {
      member.loaded.add(call.of.key);
      this.send(member, { order: "load", key: call.of.key, module: call.of.module, limits: call.of.limits });
    }
    this.send(member, { order: "call", key: call.of.key, input: call.input });
  }

  /** The call that the member had; it has none now. */
  private finish(member: Member): Waiting | undefined {
    const running = member.current;
    if (running === undefined) return undefined;
    member.current = undefined;
    clearTimeout(running.timer);
    running.call.signal.removeEventListener("abort", running.onAbort);
    return running.call;
  }

  private next(member: Member): void {
    if (this.closed || member.gone || member.current !== undefined) return;
    const waiting = this.queue.shift();
    if (waiting !== undefined) this.start(member, waiting);
  }

  /** Ends the worker and its call; the spare takes its place. */
  private replace(member: Member, failure: OperationFailure): void {
    if (member.gone) return;
    member.gone = true;
    const call = this.finish(member);
    void member.worker.terminate();
    const at = this.members.indexOf(member);
    if (!this.closed) {
      this.replaced++;
      if (at >= 0) {
        const successor = this.spare ?? this.spawn();
        this.members[at] = successor;
        this.spare = this.spawn();
        this.next(successor);
      } else if (this.spare === member) {
        this.spare = this.spawn();
      }
    }
    call?.reject(failure);
  }

  private dropWaiting(waiting: Waiting): void {
    const at = this.queue.indexOf(waiting);
    if (at < 0) return;
    this.queue.splice(at, 1);
    waiting.reject(aborted(waiting, " before a worker was free"));
  }
}

/** The Core Service aborts at the deadline and when the request is cancelled. */
function aborted(call: PoolCall, when = ""): OperationFailure {
  return performance.now() >= call.deadlineAt
    ? new OperationFailure("deadline", `the time is over${when}`)
    : new OperationFailure("cancelled", "the request was cancelled");
}

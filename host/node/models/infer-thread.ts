/**
 * A thread for inferences that would keep the node from everything else. It is started when it is first needed, has one
 * order at a time, and the others wait in a bounded queue. Who no longer waits gets no inference; one that runs longer
 * than any may ends the thread, which costs the others a new start. Models are loaded when they are asked for, the least
 * recently used one goes when they are too many.
 */
import type { Worker } from "node:worker_threads";
import { OperationFailure } from "../operations/operation.js";
import type { InferAnswer, InferOrder } from "./infer-worker.js";
import type { Inferred } from "./infer-model.js";
import { startThread } from "./start-thread.js";

export interface ThreadModel {
  /** Equal for equal bytes. */
  readonly key: string;
  /** For messages. */
  readonly name: string;
  /** Asked when the thread has it not. */
  readonly bytes: () => Promise<Uint8Array>;
}

export interface InferThreadOptions {
  /** Inferences that wait; more are `busy`. Default 64. */
  readonly queue?: number;
  /** Of the files of the models that are loaded at a time; one is, however large. Default 256 MB. */
  readonly modelBytes?: number;
  /** MB of the thread's heap; weights and tensors are outside of it. Default 256. */
  readonly heapMb?: number;
  /** ms that one inference may run; default 60,000. */
  readonly longestMs?: number;
}

interface Order {
  readonly model: ThreadModel;
  /** Absent: it is loaded only. */
  readonly input: { readonly bytes: Uint8Array; readonly elementType: number } | undefined;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (inferred: Inferred | undefined) => void;
  readonly reject: (error: OperationFailure) => void;
  readonly onAbort: () => void;
}

export class InferThread {
  private readonly options: Required<InferThreadOptions>;
  private worker: Worker | undefined;
  /** Bytes of the models that the thread has, the least recently used first. */
  private readonly loaded = new Map<string, number>();
  private readonly waiting: Order[] = [];
  private busy = false;
  private closed = false;
  /** Gets the answer of the thread, or its end. */
  private answered: ((answer: InferAnswer | OperationFailure) => void) | undefined;

  constructor(options: InferThreadOptions = {}) {
    this.options = { queue: 64, modelBytes: 256 * 1024 ** 2, heapMb: 256, longestMs: 60_000, ...options };
  }

  /** Resolves when the thread has it. @throws OperationFailure corrupt when it cannot be executed, and as `infer` */
  async load(model: ThreadModel): Promise<void> {
    await this.order(model, undefined, undefined);
  }

  /** @throws OperationFailure busy, cancelled (the signal, or the node stops), deadline, no-space, what reading it throws */
  async infer(
    model: ThreadModel,
    bytes: Uint8Array,
    elementType: number,
    signal?: AbortSignal,
  ): Promise<Inferred> {
    const inferred = await this.order(model, { bytes, elementType }, signal);
    if (inferred === undefined) throw new OperationFailure("internal", "the thread gave no result");
    return inferred;
  }

  async close(): Promise<void> {
    this.closed = true;
    const stopped = new OperationFailure("cancelled", "the node stops");
    for (const order of this.waiting.splice(0)) this.settle(order, stopped);
    await this.end(stopped);
  }

  private order(
    model: ThreadModel,
    input: Order["input"],
    signal: AbortSignal | undefined,
  ): Promise<Inferred | undefined> {
    return new Promise((resolve, reject) => {
      const cancelled = new OperationFailure("cancelled", "nobody waits for it any more");
      if (this.closed || signal?.aborted === true) {
        reject(cancelled);
        return;
      }
      if (this.waiting.length >= this.options.queue) {
        reject(new OperationFailure("busy", "many inferences wait", undefined, { retryAfterMs: 200 }));
        return;
      }
      const onAbort = (): void => {
        const at = this.waiting.indexOf(order);
        if (at >= 0) this.waiting.splice(at, 1);
        // One that runs goes on: an inference ends soon, and the thread keeps its models.
        this.settle(order, cancelled);
      };
      const order: Order = { model, input, signal, resolve, reject, onAbort };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.waiting.push(order);
      void this.pump();
    });
  }

  private settle(order: Order, outcome: Inferred | undefined | OperationFailure): void {
    order.signal?.removeEventListener("abort", order.onAbort);
    if (outcome instanceof OperationFailure) order.reject(outcome);
    else order.resolve(outcome);
  }

  private async pump(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let order = this.waiting.shift(); order !== undefined; order = this.waiting.shift()) {
      try {
        this.settle(order, await this.run(order));
      } catch (error) {
        const internal = new OperationFailure("internal", error instanceof Error ? error.message : "");
        this.settle(order, error instanceof OperationFailure ? error : internal);
      }
    }
    this.busy = false;
  }

  private async run({ model, input }: Order): Promise<Inferred | undefined> {
    const { key, name } = model;
    const size = this.loaded.get(key);
    if (size === undefined) {
      const bytes = await model.bytes();
      this.makeRoom(bytes.length);
      const answer = await this.tell({ order: "load", key, name, bytes });
      if (answer.error !== undefined) throw new OperationFailure("corrupt", answer.error);
      this.loaded.set(key, bytes.length);
    } else {
      this.loaded.delete(key);
      this.loaded.set(key, size);
    }
    if (input === undefined) return undefined;
    const { bytes, elementType } = input;
    const answer = await this.tell({ order: "infer", key, input: bytes, elementType });
    if (answer.error !== undefined) throw new OperationFailure("internal", answer.error);
    return answer.inferred;
  }

  private makeRoom(more: number): void {
    let bytes = more;
    for (const size of this.loaded.values()) bytes += size;
    for (const [key, size] of this.loaded) {
      if (bytes <= this.options.modelBytes) return;
      this.loaded.delete(key);
      this.worker?.postMessage({ order: "forget", key } satisfies InferOrder);
      bytes -= size;
    }
  }

  /** @throws OperationFailure when the thread ends before it answers */
  private async tell(order: InferOrder): Promise<InferAnswer> {
    if (this.closed) throw new OperationFailure("cancelled", "the node stops");
    const worker = (this.worker ??= this.start());
    const answer = await new Promise<InferAnswer | OperationFailure>((resolve) => {
      const timer = setTimeout(() => {
        void this.end(new OperationFailure("deadline", `longer than ${this.options.longestMs} ms`));
      }, this.options.longestMs);
      this.answered = (given) => {
        clearTimeout(timer);
        this.answered = undefined;
        resolve(given);
      };
      worker.postMessage(order);
    });
    if (answer instanceof OperationFailure) throw answer;
    return answer;
  }

  private start(): Worker {
    const { heapMb } = this.options;
    const worker = startThread(import.meta.url, "infer-worker", {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    worker.unref();
    worker.on("message", (answer: InferAnswer) => this.answered?.(answer));
    worker.on("error", (error: Error & { code?: string }) => {
      const memory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      const text = memory ? `above ${heapMb} MB` : error.message;
      if (this.worker === worker) void this.end(new OperationFailure(memory ? "no-space" : "internal", text));
    });
    worker.on("exit", (code) => {
      if (this.worker === worker)
        void this.end(new OperationFailure("internal", `the thread ended with ${code}`));
    });
    return worker;
  }

  /** The thread is ended; the next order starts another. */
  private async end(why: OperationFailure): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    this.loaded.clear();
    this.answered?.(why);
    await worker?.terminate();
  }
}

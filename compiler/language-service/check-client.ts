/**
 * The plugin's side of the worker: asks, waits for a bounded time, and takes late answers as they come. A worker that hangs
 * (a loop in the user's setup) is replaced.
 */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from "node:worker_threads";
import type { CheckReply, CheckRequest, EditorDiagnostic } from "./messages.js";
import type { WorkerStart } from "./worker.js";

export interface ClientOptions {
  /** The module worker.ts, compiled. */
  readonly worker: URL;
  /** Gets answers that came after `ask` had given up waiting: the file they are about. */
  readonly onLate: (file: string) => void;
  readonly log: (text: string) => void;
}

interface Running {
  readonly thread: Worker;
  readonly port: MessagePort;
  readonly replies: Int32Array;
}

interface Pending {
  readonly request: CheckRequest;
  readonly version: string;
  readonly since: number;
}

interface Known {
  readonly version: string;
  readonly diagnostics: readonly EditorDiagnostic[];
}

/** The first answer has TypeScript and the library to load. */
const firstWaitMs = 15_000;
const hangsAfterMs = 10_000;

export class CheckClient {
  readonly #known = new Map<string, Known>();
  #worker: Running | undefined;
  #pending: Pending | undefined;
  #next = 1;
  #answered = false;

  constructor(private readonly options: ClientOptions) {}

  /** Starts the worker; `ask` does too. Loading takes a second, which may as well pass before the first question. */
  start(): void {
    this.#start();
  }

  /**
   * The findings in `file`: those of `version` when they are there within `waitMs`, else the last known ones; the right
   * ones follow with `onLate`.
   * @param version anything that differs when any text of the project does.
   */
  ask(
    file: string,
    version: string,
    overlay: () => CheckRequest["overlay"],
    waitMs: number,
  ): readonly EditorDiagnostic[] {
    this.#collect();
    if (this.#pending !== undefined && performance.now() - this.#pending.since > hangsAfterMs) this.stop();
    const deadline = performance.now() + (this.#answered ? waitMs : Math.max(waitMs, firstWaitMs));
    for (;;) {
      const known = this.#known.get(file);
      if (known?.version === version) return known.diagnostics;
      // One question at a time: a newer one would only queue behind it.
      if (this.#pending === undefined) this.#send(file, version, overlay());
      const left = deadline - performance.now();
      if (left <= 0 || !this.#wait(left)) return known?.diagnostics ?? [];
    }
  }

  stop(): void {
    this.#worker?.port.close();
    void this.#worker?.thread.terminate();
    this.#worker = undefined;
    this.#pending = undefined;
  }

  #start(): Running {
    if (this.#worker === undefined) {
      const { port1, port2 } = new MessageChannel();
      const replies = new Int32Array(new SharedArrayBuffer(4));
      const start: WorkerStart = { port: port2, replies };
      const thread = new Worker(this.options.worker, {
        workerData: start,
        transferList: [port2],
        // stdout is the editor's protocol.
        stdout: true,
        stderr: true,
      });
      thread.on("error", (error) => {
        this.options.log(`tmc: the checker ended: ${error.message}`);
        this.stop();
      });
      thread.unref();
      port1.on("message", (reply: CheckReply) => this.#take(reply, true));
      port1.unref();
      this.#worker = { thread, port: port1, replies };
    }
    return this.#worker;
  }

  #send(file: string, version: string, overlay: CheckRequest["overlay"]): void {
    const request: CheckRequest = { id: this.#next++, file, overlay };
    this.#pending = { request, version, since: performance.now() };
    this.#start().port.postMessage(request);
  }

  /** False when nothing came in time. */
  #wait(ms: number): boolean {
    const { replies } = this.#start();
    const before = Atomics.load(replies, 0);
    if (this.#collect()) return true;
    Atomics.wait(replies, 0, before, ms);
    return this.#collect();
  }

  /** Takes an answer that has arrived. */
  #collect(): boolean {
    const message = this.#worker === undefined ? undefined : receiveMessageOnPort(this.#worker.port);
    if (message === undefined) return false;
    this.#take(message.message as CheckReply, false);
    return true;
  }

  #take(reply: CheckReply, late: boolean): void {
    const pending = this.#pending;
    if (pending?.request.id !== reply.id) return;
    this.#pending = undefined;
    this.#answered = true;
    if (reply.failure !== undefined) this.options.log(`tmc: internal error: ${reply.failure}`);
    this.#known.set(pending.request.file, { version: pending.version, diagnostics: reply.diagnostics });
    if (late) this.options.onLate(pending.request.file);
  }
}

/**
 * Runs a task of training in a thread of its own: with a cap on its memory, ended at once when the signal says so.
 * TensorFlow.js is loaded there only.
 */
import type { Worker } from "node:worker_threads";
import { errorCodes, type ErrorName } from "../../../bus/protocol-keys.js";
import { OperationFailure } from "../../operations/operation.js";
import { startThread } from "../start-thread.js";
import type { Report, ResultOf, WorkerMessage, WorkerTask } from "./tasks.js";

export interface RunTaskOptions {
  readonly signal: AbortSignal;
  readonly report?: Report;
  /** MB of the thread's heap; arrays of samples and weights are outside of it. Default 1024. */
  readonly memoryMb?: number;
}

/** How a task is run; tests may do it otherwise. */
export type RunTask = <K extends keyof ResultOf>(
  task: Extract<WorkerTask, { kind: K }>,
  options: RunTaskOptions,
) => Promise<ResultOf[K]>;

/** The thread of `task`. */
function startWorker(task: WorkerTask, memoryMb: number): Worker {
  return startThread(import.meta.url, "worker", {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
}

function isErrorName(code: string): code is ErrorName {
  return Object.hasOwn(errorCodes, code);
}

/**
 * The arrays of the task are copied to the thread.
 * @throws OperationFailure cancelled, no-space (memory), and what the task fails with
 */
export const runTask: RunTask = (task, { signal, report, memoryMb = 1024 }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new OperationFailure("cancelled", "before it began"));
      return;
    }
    const worker = startWorker(task, memoryMb);
    const end = (settle: () => void): void => {
      signal.removeEventListener("abort", abort);
      worker.removeAllListeners();
      // Late errors of a thread that is being ended.
      worker.on("error", () => undefined);
      // Settled when the thread has ended: nothing of it is left when the caller goes on.
      worker.terminate().then(settle, settle);
    };
    const fail = (failure: OperationFailure): void => end(() => reject(failure));
    const abort = (): void => fail(new OperationFailure("cancelled", "told to stop"));
    signal.addEventListener("abort", abort, { once: true });
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "progress") {
        report?.(message.fraction, message.text);
      } else if (message.kind === "done") {
        // The worker answers a task of kind K with a result of kind K.
        end(() => resolve(message.result as never));
      } else {
        const { code, text, field } = message;
        fail(new OperationFailure(isErrorName(code) ? code : "internal", text, field));
      }
    });
    worker.on("error", (error: Error & { code?: string }) => {
      const memory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      fail(
        new OperationFailure(
          memory ? "no-space" : "internal",
          memory ? `above ${memoryMb} MB` : error.message,
        ),
      );
    });
    worker.on("exit", (code) => fail(new OperationFailure("internal", `the thread ended with ${code}`)));
  });

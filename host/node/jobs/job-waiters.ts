/** Who waits for the ends of jobs. */
import { OperationFailure } from "../operations/operation.js";
import type { JobSummary } from "./jobs.js";

export class JobWaiters {
  readonly #waiting = new Map<string, Set<(job: JobSummary) => void>>();

  /** Resolves with the end; rejects when the signal is aborted. */
  wait(id: string, signal?: AbortSignal): Promise<JobSummary> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const abort = () => {
        waiting.delete(ended);
        reject(
          signal?.reason instanceof Error ? signal.reason : new OperationFailure("cancelled", "aborted"),
        );
      };
      const ended = (summary: JobSummary) => {
        signal?.removeEventListener("abort", abort);
        resolve(summary);
      };
      if (signal?.aborted === true) {
        abort();
        return;
      }
      signal?.addEventListener("abort", abort, { once: true });
      waiting.add(ended);
    });
  }

  ended(job: JobSummary): void {
    for (const resolve of this.#waiting.get(job.id) ?? []) resolve(job);
    this.#waiting.delete(job.id);
  }
}

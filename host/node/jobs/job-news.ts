/**
 * What a running job tells of itself: to listeners ten times a second at most, to storage once a second at most. The end
 * of a job is none of its business: that is kept before it is told (create-jobs.ts).
 */
import type { Log } from "../log.js";
import { errorText } from "./job-endings.js";
import type { JobStore } from "./job-store.js";
import type { JobEntry } from "./job-table.js";
import type { JobSummary } from "./jobs.js";

const tellMs = 100;

export class JobNews {
  readonly #listeners = new Set<(job: JobSummary) => void>();

  constructor(
    private readonly store: JobStore,
    /** How often progress is kept, at most, ms. */
    private readonly keepMs: number,
    private readonly log: Log | undefined,
  ) {}

  /** Gives the function that ends it. */
  listen(listener: (job: JobSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Now. What a listener throws is logged: it is no reason for a job to fail. */
  tell(entry: JobEntry): void {
    for (const listener of this.#listeners) {
      try {
        listener(entry.record.summary);
      } catch (error) {
        this.log?.error({ error: errorText(error) }, "a listener of jobs failed");
      }
    }
  }

  /** Progress: soon, and kept soon after. */
  progress(entry: JobEntry): void {
    entry.timers.tell ??= setTimeout(() => {
      delete entry.timers.tell;
      this.tell(entry);
    }, tellMs).unref();
    entry.timers.keep ??= setTimeout(() => {
      delete entry.timers.keep;
      this.store
        .commit([{ id: entry.record.summary.id, record: entry.record }])
        .catch((error: unknown) =>
          this.log?.warn({ error: errorText(error) }, "cannot keep the progress of a job"),
        );
    }, this.keepMs).unref();
  }

  /** Nothing more is told or kept of it by timers, and none of its other timers fires. */
  silence(entry: JobEntry): void {
    for (const timer of Object.values(entry.timers)) clearTimeout(timer);
    entry.timers = {};
  }
}

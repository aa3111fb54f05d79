/**
 * What a running job tells of itself: kept first, then shown and told, ten times a second at most. Only how far it is may
 * be told before: that is kept once a second at most. The end of a job is none of its business (create-jobs.ts).
 */
import type { Log } from "../log.js";
import { errorText, longestText } from "./job-endings.js";
import type { JobStore } from "./job-store.js";
import { summaryOf, type JobEntry } from "./job-table.js";
import type { JobStep, JobSummary } from "./jobs.js";

const tellMs = 100;
/** Until steps that changed are kept, unless a checkpoint comes before. */
const stepsMs = 50;

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
    const summary = summaryOf(entry);
    for (const listener of this.#listeners) {
      try {
        listener(summary);
      } catch (error) {
        this.log?.error({ error: errorText(error) }, "a listener of jobs failed");
      }
    }
  }

  /** Ten times a second at most. */
  tellSoon(entry: JobEntry): void {
    if (entry.ends) return;
    entry.timers.tell ??= setTimeout(() => {
      delete entry.timers.tell;
      this.tell(entry);
    }, tellMs).unref();
  }

  /** Keeps the job as it is now, and then shows it so. @throws StorageError, OperationFailure too-large */
  async keep(entry: JobEntry, checkpoint?: { readonly state: unknown }): Promise<void> {
    const { record } = entry;
    const { summary } = record;
    const change = { id: summary.id, record, ...(checkpoint === undefined ? {} : { checkpoint }) };
    await this.store.commit([change]);
    // Commits are acknowledged in the order of the calls: what is shown never goes back.
    if (entry.record === record) entry.shown = summary;
  }

  /** How far it is: shown now, kept later. */
  progress(entry: JobEntry, fraction: number, text: string): void {
    entry.live = progressOf(fraction, text);
    entry.record.summary = { ...entry.record.summary, ...entry.live };
    this.tellSoon(entry);
    this.#keepSoon(entry, this.keepMs);
  }

  /** Steps, and how far it is with them: soon kept, then shown. */
  steps(entry: JobEntry, steps: readonly JobStep[], fraction: number | undefined, text = ""): void {
    const { record } = entry;
    record.summary = { ...record.summary, steps: steps.map((step) => ({ ...step })) };
    if (fraction !== undefined) {
      delete entry.live;
      record.summary = { ...record.summary, ...progressOf(fraction, text) };
    }
    this.#keepSoon(entry, stepsMs);
  }

  /** Keeps within so many ms, then tells. What comes until then is kept with it. */
  #keepSoon(entry: JobEntry, ms: number): void {
    const due = performance.now() + ms;
    if (entry.timers.keep !== undefined && (entry.keepAt ?? 0) <= due) return;
    clearTimeout(entry.timers.keep);
    entry.keepAt = due;
    entry.timers.keep = setTimeout(() => {
      delete entry.timers.keep;
      this.keep(entry).then(
        () => this.tellSoon(entry),
        (error: unknown) => this.log?.warn({ error: errorText(error) }, "cannot keep the progress of a job"),
      );
    }, ms).unref();
  }

  /** Nothing more is told or kept of it by timers, and none of its other timers fires. */
  silence(entry: JobEntry): void {
    for (const timer of Object.values(entry.timers)) clearTimeout(timer);
    entry.timers = {};
  }
}

function progressOf(fraction: number, text: string): Pick<JobSummary, "progress" | "text"> {
  const progress = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
  return { progress, text: text.slice(0, longestText) };
}

/**
 * The jobs that a node knows now, ended or not, and which of them stand in the way of which. It keeps nothing and starts
 * nothing: that is the engine's (create-jobs.ts).
 */
import { hasEnded } from "./job-endings.js";
import type { JobRecord } from "./job-record.js";
import type { JobState, JobSummary } from "./jobs.js";

export interface JobEntry {
  /** As it is to be. What is shown of it is `shown`. */
  record: JobRecord;
  /** As the storage has it: nothing else is shown, so that nobody sees what a restart takes back. */
  shown?: JobSummary;
  /** How far it is now, which alone is shown before it is kept. */
  live?: Pick<JobSummary, "progress" | "text">;
  /** Resolves when it is kept for the first time. */
  kept: Promise<void>;
  /** Present while it runs. */
  run?: { readonly controller: AbortController; settled: Promise<void>; abandoned: boolean };
  /** Its terminal state is being kept. */
  ends: boolean;
  timers: Partial<Record<"deadline" | "grace" | "keep" | "tell", NodeJS.Timeout>>;
  /** When the timer `keep` is due, on the clock of performance.now(). */
  keepAt?: number;
}

/** A job as it is shown, once it was kept. */
export const summaryOf = ({ record, shown, live }: JobEntry): JobSummary => ({
  ...(shown ?? record.summary),
  ...live,
});

export class JobTable {
  /** In order of making. */
  readonly #entries = new Map<string, JobEntry>();
  readonly #byIdentity = new Map<string, string>();
  /** Not ended, in order of making. */
  readonly #open = new Set<JobEntry>();

  get openCount(): number {
    return this.#open.size;
  }

  add(record: JobRecord): JobEntry {
    const entry: JobEntry = { record, kept: Promise.resolve(), ends: false, timers: {} };
    const { summary, identity } = record;
    this.#entries.set(summary.id, entry);
    if (identity !== undefined) this.#byIdentity.set(identity, summary.id);
    if (!hasEnded(summary)) this.#open.add(entry);
    return entry;
  }

  remove(entry: JobEntry): void {
    const { summary, identity } = entry.record;
    this.#entries.delete(summary.id);
    this.#open.delete(entry);
    if (identity !== undefined) this.#byIdentity.delete(identity);
  }

  /** It has ended: nothing waits for it any more, and it stands in nobody's way. */
  close(entry: JobEntry): void {
    this.#open.delete(entry);
  }

  /** These become the newest, in this order. */
  moveToEnd(ids: Iterable<string>): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      this.#entries.delete(id);
      this.#entries.set(id, entry);
    }
  }

  get(id: string): JobEntry | undefined {
    return this.#entries.get(id);
  }

  /** The job that a request with this identity made before. */
  made(identity: string): JobEntry | undefined {
    return this.#entries.get(this.#byIdentity.get(identity) ?? "");
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  all(): JobEntry[] {
    return [...this.#entries.values()];
  }

  /** Not ended. A copy: ending one changes the table. */
  open(): JobEntry[] {
    return [...this.#open];
  }

  isOpen(entry: JobEntry): boolean {
    return this.#open.has(entry);
  }

  /** Open jobs that want the same (operation, subject) and were made before it, or after it. */
  rivals(entry: JobEntry, made: "before" | "after"): JobEntry[] {
    const { id, operation, subject } = entry.record.summary;
    return this.open().filter(
      ({ record: { summary } }) =>
        summary.operation === operation &&
        summary.subject === subject &&
        (made === "before" ? summary.id < id : summary.id > id),
    );
  }

  /** Undefined when there is none, or it is not kept yet. */
  shown(id: string): JobSummary | undefined {
    const entry = this.#entries.get(id);
    return entry?.shown === undefined ? undefined : summaryOf(entry);
  }

  /** The newest first, as they are shown. */
  list({ state, limit }: { readonly state?: JobState; readonly limit?: number }): JobSummary[] {
    const kept = this.all().filter((entry) => entry.shown !== undefined);
    const all = kept.map(summaryOf).reverse();
    const wanted = state === undefined ? all : all.filter((job) => job.state === state);
    return wanted.slice(0, limit ?? wanted.length);
  }

  /** Ended jobs beyond the newest `count`, or that ended before `oldest` (ms since 1970). */
  surplus(count: number, oldest: number): JobEntry[] {
    const ended = this.all().filter((entry) => hasEnded(entry.record.summary));
    return ended.filter(
      ({ record: { summary } }, i) =>
        i < ended.length - count || Date.parse(summary.endedAt ?? summary.createdAt) < oldest,
    );
  }
}

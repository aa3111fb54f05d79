/**
 * The jobs of a complete node, on its storage. Every job is kept before it is started and ends in exactly one terminal
 * state, which is told only when it is kept. It knows nothing of what the jobs do, and decides nothing about other nodes:
 * each keeps its own jobs, also in a shared storage. Jobs of other workers of the same node: worker-jobs.ts.
 */
import { setMaxListeners } from "node:events";
import { OperationFailure } from "../operations/operation.js";
import type { Storage } from "../storage/storage.js";
import { jobIdsContinueAfter, newJobId, type Ending, type JobRecord } from "./job-record.js";
import { asFailure, errorText, failed, hasEnded, nodeStops, superseded } from "./job-endings.js";
import { createJobStore, type JobStore } from "./job-store.js";
import { JobNews } from "./job-news.js";
import { startable } from "./job-room.js";
import { JobTable, summaryOf, type JobEntry } from "./job-table.js";
import { endOfLeft, keepEnd } from "./job-ends.js";
import { JobWaiters } from "./job-waiters.js";
import { JobTaken, SharedJobs } from "./shared-jobs.js";
import { WorkerJobs, type OwnJobs } from "./worker-jobs.js";
import type { JobsEngine, JobsOptions } from "./jobs-engine.js";
import type { JobContext, JobKind, JobOrder, JobState, JobSummary } from "./jobs.js";

const longestTimer = 2 ** 31 - 1;
export { hasEnded, isNodeStop } from "./job-endings.js";
export type { JobsEngine, JobsOptions } from "./jobs-engine.js";

export function createJobs(storage: Storage, options: JobsOptions): JobsEngine {
  const { owner, shared } = options;
  if (shared === undefined) return new Engine(createJobStore(storage, owner), options, () => false);
  const store = createJobStore(storage, owner, shared.worker);
  const engine: Engine = new Engine(store, options, (job) => jobs.isBusy(job));
  const jobs = new WorkerJobs(engine, new SharedJobs(storage, owner, shared), options.log);
  return jobs;
}

class Engine implements OwnJobs {
  readonly #store: JobStore;
  readonly #options: JobsOptions;
  readonly #kinds = new Map<string, JobKind>();
  readonly #table = new JobTable();
  readonly #news: JobNews;
  readonly #waiting = new JobWaiters();
  readonly #graceMs: number;
  #state: "new" | "started" | "stopped" = "new";
  #sweep: NodeJS.Timeout | undefined;

  constructor(
    store: JobStore,
    options: JobsOptions,
    /** Does a job of another worker stand in the way? */
    private readonly isBusyElsewhere: (job: JobSummary) => boolean,
  ) {
    this.#store = store;
    this.#options = options;
    this.#graceMs = options.graceMs ?? 10_000;
    this.#news = new JobNews(store, options.progressMs ?? 1000, options.log);
  }

  register(kind: JobKind): void {
    this.#kinds.set(kind.operation, kind);
  }

  async start(): Promise<void> {
    const before = new Set(this.#table.ids());
    for await (const record of this.#store.load((key, error) =>
      this.#options.log?.error({ key, error: String(error) }, "a job in the storage cannot be read"),
    )) {
      if (!before.has(record.summary.id)) this.#table.add(record).shown = record.summary;
      jobIdsContinueAfter(record.summary.id);
    }
    // Those that were made before the start come last: they are the newest.
    this.#table.moveToEnd(before);
    this.#state = "started";
    for (const entry of this.#table.open()) this.#takeUp(entry);
    this.#sweep = setInterval(() => void this.#retire(), 600_000).unref();
    void this.#retire();
    this.#pump();
  }

  /** Goes on with a job that a former life of the node left, or ends it. */
  #takeUp(entry: JobEntry): void {
    const { record } = entry;
    const isOld = this.#table.rivals(entry, "after").length > 0;
    const ending = endOfLeft(record, this.#kinds.get(record.summary.operation), isOld);
    if (ending !== undefined) {
      void this.#finish(entry, ending);
      return;
    }
    record.summary = { ...record.summary, state: "queued" };
    entry.shown = record.summary;
    this.#armDeadline(entry);
  }

  adopt(record: JobRecord): void {
    this.#store.taken(record);
    jobIdsContinueAfter(record.summary.id);
    const entry = this.#table.add(record);
    entry.shown = record.summary;
    if (!hasEnded(record.summary)) this.#takeUp(entry);
  }

  drop(id: string): void {
    const entry = this.#table.get(id);
    if (entry !== undefined) this.#drop(entry);
  }

  async end(id: string, ending: Ending): Promise<void> {
    const entry = this.#table.get(id);
    if (entry !== undefined) await this.#end(entry, ending);
  }

  pump(): void {
    this.#pump();
  }

  /** Another worker has it. What it started elsewhere goes on: the other finds it. */
  #drop(entry: JobEntry): void {
    this.#news.silence(entry);
    this.#table.remove(entry);
    if (entry.run === undefined) return;
    entry.run.abandoned = true;
    entry.run.controller.abort(nodeStops);
    this.#options.log?.warn({ job: entry.record.summary.id }, "another worker has taken the job over");
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    clearInterval(this.#sweep);
    const runs = this.#table.open().flatMap((entry) => entry.run ?? []);
    for (const run of runs) run.controller.abort(nodeStops);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#graceMs);
    });
    await Promise.race([Promise.all(runs.map((run) => run.settled)), grace]);
    clearTimeout(timer);
    for (const run of runs) run.abandoned = true;
    for (const entry of this.#table.all()) this.#news.silence(entry);
  }

  async enqueue(order: JobOrder): Promise<JobSummary> {
    if (this.#state === "stopped") {
      throw new OperationFailure("busy", "the node stops", undefined, { retryAfterMs: 5000 });
    }
    const { operation, subject, sender, input, deadlineMs, identity } = order;
    const known = identity === undefined ? undefined : this.#table.made(identity);
    if (known !== undefined) {
      await known.kept.catch((error: unknown) => {
        throw asFailure(error);
      });
      return summaryOf(known);
    }
    if (!this.#kinds.has(operation)) {
      throw new OperationFailure("unknown-operation", `no jobs of ${operation} here`);
    }
    if (this.#table.openCount >= (this.#options.limit ?? 1000)) {
      throw new OperationFailure("busy", "too many jobs wait", undefined, { retryAfterMs: 10_000 });
    }
    const now = Date.now();
    const record: JobRecord = {
      summary: {
        id: newJobId(now),
        operation,
        subject,
        state: "queued",
        progress: 0,
        text: "",
        sender,
        createdAt: new Date(now).toISOString(),
      },
      input: { ...input },
      starts: 0,
      ...(deadlineMs === undefined ? {} : { deadlineAt: now + deadlineMs }),
      ...(identity === undefined ? {} : { identity }),
    };
    const entry = this.#table.add(record);
    entry.kept = this.#news.keep(entry);
    try {
      await entry.kept;
    } catch (error) {
      this.#table.remove(entry);
      throw asFailure(error);
    }
    this.#news.tell(entry);
    for (const other of this.#table.rivals(entry, "before")) this.#endQuietly(other, superseded);
    // A newer one may have been kept at the same moment.
    if (this.#table.rivals(entry, "after").length > 0) this.#endQuietly(entry, superseded);
    this.#armDeadline(entry);
    this.#pump();
    return summaryOf(entry);
  }

  get(id: string): Promise<JobSummary | undefined> {
    return Promise.resolve(this.#table.shown(id));
  }

  list(options: { readonly state?: JobState; readonly limit?: number } = {}): Promise<JobSummary[]> {
    return Promise.resolve(this.#table.list(options));
  }

  wait(id: string, signal?: AbortSignal): Promise<JobSummary> {
    const job = this.#table.shown(id);
    if (job === undefined) return Promise.reject(new OperationFailure("not-found", `no job ${id}`));
    return hasEnded(job) ? Promise.resolve(job) : this.#waiting.wait(id, signal);
  }

  async cancel(id: string): Promise<JobSummary | undefined> {
    const entry = this.#table.get(id);
    if (entry?.shown === undefined) return undefined;
    await this.#end(entry, { state: "cancelled", text: "cancelled", error: { code: "cancelled" } });
    return summaryOf(entry);
  }

  onChange(listener: (job: JobSummary) => void): () => void {
    return this.#news.listen(listener);
  }

  // ---- starting ----------------------------------------------------------------------------------------------

  #pump(): void {
    if (this.#state !== "started") return;
    const { concurrency: work = 2, coordinators: coordination = 16 } = this.#options;
    const kindOf = ({ record }: JobEntry) => this.#kinds.get(record.summary.operation);
    for (const entry of startable(this.#table.open(), kindOf, { work, coordination }, this.isBusyElsewhere)) {
      const kind = kindOf(entry);
      if (kind === undefined) continue;
      const controller = new AbortController();
      // Each of a job's parallel requests listens.
      setMaxListeners(0, controller.signal);
      const run: NonNullable<JobEntry["run"]> = { controller, settled: Promise.resolve(), abandoned: false };
      entry.run = run;
      run.settled = this.#run(entry, kind, run);
    }
  }

  /** One run of a job. It never rejects. */
  async #run(entry: JobEntry, kind: JobKind, run: NonNullable<JobEntry["run"]>): Promise<void> {
    const { record } = entry;
    const id = record.summary.id;
    let resumedFrom: unknown;
    try {
      await entry.kept;
      record.starts += 1;
      record.summary = {
        ...record.summary,
        state: "running",
        startedAt: record.summary.startedAt ?? new Date().toISOString(),
      };
      await this.#news.keep(entry);
      resumedFrom = await this.#store.checkpoint(id);
    } catch (error) {
      if (error instanceof JobTaken) {
        this.#drop(entry);
        return;
      }
      // Not kept, so not started: again in a while.
      this.#options.log?.error({ job: id, error: String(error) }, "cannot start a job");
      delete entry.run;
      record.starts -= 1;
      record.summary = { ...record.summary, state: "queued" };
      if (this.#table.isOpen(entry)) setTimeout(() => this.#pump(), 1000).unref();
      return;
    }
    let outcome: JobSummary | Ending;
    try {
      if (record.ending !== undefined) throw new OperationFailure("cancelled", record.ending.text);
      if (run.controller.signal.aborted) throw new OperationFailure("cancelled", "the node stops");
      this.#news.tell(entry);
      const context = this.#context(entry, run, resumedFrom);
      const result = await kind.run(record.input ?? {}, context);
      outcome = { ...record.summary, state: "done", progress: 1, result };
    } catch (error) {
      if (!run.abandoned && this.#state === "stopped" && record.ending === undefined) {
        // It goes on at the next start; an orderly stop is no sign that the job ended the node.
        record.starts = 0;
        await this.#store.commit([{ id, record }]).catch(() => undefined);
        return;
      }
      const failure = asFailure(error);
      if (!(error instanceof OperationFailure) && record.ending === undefined) {
        this.#options.log?.error(
          { job: id, error: errorText(error) },
          `${kind.operation} failed unexpectedly`,
        );
      }
      outcome = failed(failure.code, failure.text, failure.field);
    }
    if (run.abandoned) return;
    await this.#finish(entry, record.ending ?? outcome);
  }

  #context(entry: JobEntry, run: NonNullable<JobEntry["run"]>, resumedFrom: unknown): JobContext {
    const { record } = entry;
    const id = record.summary.id;
    const alive = () => !run.abandoned && !entry.ends && entry.run === run;
    return {
      id,
      sender: record.summary.sender,
      signal: run.controller.signal,
      resumedFrom,
      progress: (fraction, text) => {
        if (alive()) this.#news.progress(entry, fraction, text);
      },
      setSteps: (steps, fraction, text) => {
        if (alive()) this.#news.steps(entry, steps, fraction, text);
      },
      checkpoint: async (state) => {
        if (!alive()) throw new OperationFailure("cancelled", "the job has ended");
        const starts = record.starts;
        record.starts = 0;
        try {
          await this.#news.keep(entry, { state });
        } catch (error) {
          record.starts = starts;
          throw asFailure(error);
        }
        this.#news.tellSoon(entry);
      },
    };
  }

  // ---- ending ------------------------------------------------------------------------------------------------

  /** Tells a job to end so. Resolves when the wish is kept. */
  async #end(entry: JobEntry, ending: Ending): Promise<void> {
    if (entry.ends || entry.record.ending !== undefined || hasEnded(entry.record.summary)) return;
    entry.record.ending = ending;
    const { run } = entry;
    if (run === undefined) {
      await this.#finish(entry, ending);
      return;
    }
    const kept = this.#news.keep(entry);
    run.controller.abort(new OperationFailure("cancelled", ending.text));
    entry.timers.grace = setTimeout(() => {
      if (entry.ends || run.abandoned) return;
      run.abandoned = true;
      this.#options.log?.warn({ job: entry.record.summary.id }, "a job does not stop; ended without it");
      void this.#finish(entry, ending);
    }, this.#graceMs).unref();
    await kept.catch((error: unknown) => {
      throw asFailure(error);
    });
  }

  /** For wishes that nobody waits for: they hold in this life of the node even when they cannot be kept. */
  #endQuietly(entry: JobEntry, ending: Ending): void {
    this.#end(entry, ending).catch((error: unknown) =>
      this.#options.log?.warn({ error: errorText(error) }, "cannot keep that a job is to end"),
    );
  }

  /** Keeps the terminal state, then tells it. Once. */
  async #finish(entry: JobEntry, outcome: JobSummary | Ending): Promise<void> {
    if (entry.ends) return;
    entry.ends = true;
    this.#news.silence(entry);
    const end = await keepEnd(
      this.#store,
      entry,
      outcome,
      () => this.#state === "stopped",
      this.#options.log,
    );
    if (end === "taken") this.#drop(entry);
    if (typeof end === "string") return;
    this.#table.close(entry);
    delete entry.run;
    this.#news.tell(entry);
    this.#waiting.ended(end);
    void this.#retire();
    this.#pump();
  }

  #armDeadline(entry: JobEntry): void {
    const { deadlineAt } = entry.record;
    if (deadlineAt === undefined || entry.ends) return;
    const left = deadlineAt - Date.now();
    if (left <= 0) {
      this.#endQuietly(entry, failed("deadline", "the time of the job is over"));
      return;
    }
    entry.timers.deadline = setTimeout(() => this.#armDeadline(entry), Math.min(left, longestTimer)).unref();
  }

  /** Removes ended jobs that are too many or too old. */
  async #retire(): Promise<void> {
    const { count = 1000, ageS = 30 * 86_400 } = this.#options.keep ?? {};
    const surplus = this.#table.surplus(count, Date.now() - ageS * 1000);
    if (surplus.length === 0) return;
    for (const entry of surplus) this.#table.remove(entry);
    await this.#store
      .commit(
        surplus.map(({ record }) => ({ id: record.summary.id, record: "remove", checkpoint: "remove" })),
      )
      .catch((error: unknown) =>
        this.#options.log?.warn({ error: errorText(error) }, "cannot remove old jobs"),
      );
  }
}

/**
 * The jobs of a complete node, on its storage. Every job is kept before it is started and ends in exactly one terminal
 * state, which is told only when it is kept. It knows nothing of what the jobs do, and decides nothing about other nodes:
 * each keeps its own jobs, also in a shared storage.
 */
import { setMaxListeners } from "node:events";
import { OperationFailure } from "../operations/operation.js";
import type { Storage } from "../storage/storage.js";
import { jobIdsContinueAfter, newJobId, type Ending, type JobRecord } from "./job-record.js";
import { asFailure, errorText, failed, hasEnded, longestText, nodeStops, superseded } from "./job-endings.js";
import { createJobStore, type JobStore } from "./job-store.js";
import { JobWaiters } from "./job-waiters.js";
import type { JobsEngine, JobsOptions } from "./jobs-engine.js";
import type { JobContext, JobKind, JobOrder, JobState, JobSummary } from "./jobs.js";

/** Starts without a checkpoint in between after which a job fails: it takes the node down each time. */
const mostStarts = 5;
const longestTimer = 2 ** 31 - 1;
export { hasEnded, isNodeStop } from "./job-endings.js";
export type { JobsEngine, JobsOptions } from "./jobs-engine.js";

interface Entry {
  record: JobRecord;
  /** Resolves when it is kept for the first time. */
  kept: Promise<void>;
  /** Present while it runs. */
  run?: { readonly controller: AbortController; settled: Promise<void>; abandoned: boolean };
  /** Its terminal state is being kept. */
  ends: boolean;
  timers: Partial<Record<"deadline" | "grace" | "keep" | "tell", NodeJS.Timeout>>;
}

export function createJobs(storage: Storage, options: JobsOptions): JobsEngine {
  return new Engine(createJobStore(storage, options.owner), options);
}

class Engine implements JobsEngine {
  readonly #store: JobStore;
  readonly #options: JobsOptions;
  readonly #kinds = new Map<string, JobKind>();
  /** In order of making. */
  readonly #entries = new Map<string, Entry>();
  readonly #byIdentity = new Map<string, string>();
  /** Not ended, in order of making. */
  readonly #open = new Set<Entry>();
  readonly #listeners = new Set<(job: JobSummary) => void>();
  readonly #waiting = new JobWaiters();
  readonly #graceMs: number;
  #state: "new" | "started" | "stopped" = "new";
  #sweep: NodeJS.Timeout | undefined;

  constructor(store: JobStore, options: JobsOptions) {
    this.#store = store;
    this.#options = options;
    this.#graceMs = options.graceMs ?? 10_000;
  }

  register(kind: JobKind): void {
    this.#kinds.set(kind.operation, kind);
  }

  async start(): Promise<void> {
    const before = new Set(this.#entries.keys());
    for await (const record of this.#store.load((key, error) =>
      this.#options.log?.error({ key, error: String(error) }, "a job in the storage cannot be read"),
    )) {
      if (!before.has(record.summary.id))
        this.#add({ record, kept: Promise.resolve(), ends: false, timers: {} });
      jobIdsContinueAfter(record.summary.id);
    }
    // Those that were made before the start come last: they are the newest.
    for (const id of before) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      this.#entries.delete(id);
      this.#entries.set(id, entry);
    }
    this.#state = "started";
    for (const entry of [...this.#open]) this.#takeUp(entry);
    this.#sweep = setInterval(() => void this.#retire(), 600_000).unref();
    void this.#retire();
    this.#pump();
  }

  /** Decides about a job that a former life of the node left. */
  #takeUp(entry: Entry): void {
    const { record } = entry;
    const { operation, subject, state } = record.summary;
    const kind = this.#kinds.get(operation);
    const newer = [...this.#open].some(
      (other) =>
        other.record.summary.id > record.summary.id &&
        other.record.summary.operation === operation &&
        other.record.summary.subject === subject,
    );
    if (record.ending !== undefined) void this.#finish(entry, record.ending);
    else if (newer) void this.#finish(entry, superseded);
    else if (kind === undefined) {
      void this.#finish(entry, failed("internal", `this node does not run ${operation} any more`));
    } else if (state === "running" && kind.resume === "fail") {
      void this.#finish(entry, failed("internal", "node restarted"));
    } else if (record.starts >= mostStarts) {
      void this.#finish(
        entry,
        failed("internal", `the node ended ${String(record.starts)} times while it ran`),
      );
    } else {
      record.summary = { ...record.summary, state: "queued" };
      this.#armDeadline(entry);
    }
  }

  async stop(): Promise<void> {
    this.#state = "stopped";
    clearInterval(this.#sweep);
    const runs = [...this.#open].flatMap((entry) => entry.run ?? []);
    for (const run of runs) run.controller.abort(nodeStops);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#graceMs);
    });
    await Promise.race([Promise.all(runs.map((run) => run.settled)), grace]);
    clearTimeout(timer);
    for (const run of runs) run.abandoned = true;
    for (const entry of this.#entries.values()) this.#clearTimers(entry);
  }

  async enqueue(order: JobOrder): Promise<JobSummary> {
    if (this.#state === "stopped") {
      throw new OperationFailure("busy", "the node stops", undefined, { retryAfterMs: 5000 });
    }
    const { operation, subject, sender, input, deadlineMs, identity } = order;
    const known =
      identity === undefined ? undefined : this.#entries.get(this.#byIdentity.get(identity) ?? "");
    if (known !== undefined) {
      await known.kept.catch((error: unknown) => {
        throw asFailure(error);
      });
      return known.record.summary;
    }
    if (!this.#kinds.has(operation)) {
      throw new OperationFailure("unknown-operation", `no jobs of ${operation} here`);
    }
    if (this.#open.size >= (this.#options.limit ?? 1000)) {
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
    const id = record.summary.id;
    const entry: Entry = { record, kept: this.#store.commit([{ id, record }]), ends: false, timers: {} };
    this.#add(entry);
    try {
      await entry.kept;
    } catch (error) {
      this.#remove(entry);
      throw asFailure(error);
    }
    this.#notify(entry);
    for (const other of [...this.#open]) {
      const { summary } = other.record;
      if (summary.id < id && summary.operation === operation && summary.subject === subject) {
        this.#endQuietly(other, superseded);
      }
    }
    // A newer one may have been kept at the same moment.
    const newer = [...this.#open].some(
      ({ record: { summary } }) =>
        summary.id > id && summary.operation === operation && summary.subject === subject,
    );
    if (newer) this.#endQuietly(entry, superseded);
    this.#armDeadline(entry);
    this.#pump();
    return entry.record.summary;
  }

  get(id: string): Promise<JobSummary | undefined> {
    return Promise.resolve(this.#entries.get(id)?.record.summary);
  }

  list(options: { readonly state?: JobState; readonly limit?: number } = {}): Promise<JobSummary[]> {
    const all = [...this.#entries.values()].map((entry) => entry.record.summary).reverse();
    const wanted = options.state === undefined ? all : all.filter((job) => job.state === options.state);
    return Promise.resolve(wanted.slice(0, options.limit ?? wanted.length));
  }

  wait(id: string, signal?: AbortSignal): Promise<JobSummary> {
    const job = this.#entries.get(id)?.record.summary;
    if (job === undefined) return Promise.reject(new OperationFailure("not-found", `no job ${id}`));
    return hasEnded(job) ? Promise.resolve(job) : this.#waiting.wait(id, signal);
  }

  async cancel(id: string): Promise<JobSummary | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    await this.#end(entry, { state: "cancelled", text: "cancelled", error: { code: "cancelled" } });
    return entry.record.summary;
  }

  onChange(listener: (job: JobSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- starting ----------------------------------------------------------------------------------------------

  #pump(): void {
    if (this.#state !== "started") return;
    const room = { work: this.#options.concurrency ?? 2, coordination: this.#options.coordinators ?? 16 };
    const lane = (entry: Entry) =>
      this.#kinds.get(entry.record.summary.operation)?.coordinates === true ? "coordination" : "work";
    const busy = new Set<string>();
    const subject = ({ record: { summary } }: Entry) => `${summary.operation} ${summary.subject}`;
    for (const entry of this.#open) {
      if (entry.run === undefined) continue;
      room[lane(entry)] -= 1;
      busy.add(subject(entry));
    }
    for (const entry of [...this.#open]) {
      const kind = this.#kinds.get(entry.record.summary.operation);
      if (kind === undefined || entry.run !== undefined || entry.ends) continue;
      if (entry.record.ending !== undefined || room[lane(entry)] <= 0 || busy.has(subject(entry))) continue;
      room[lane(entry)] -= 1;
      busy.add(subject(entry));
      const controller = new AbortController();
      // Each of a job's parallel requests listens.
      setMaxListeners(0, controller.signal);
      const run: NonNullable<Entry["run"]> = { controller, settled: Promise.resolve(), abandoned: false };
      entry.run = run;
      run.settled = this.#run(entry, kind, run);
    }
  }

  /** One run of a job. It never rejects. */
  async #run(entry: Entry, kind: JobKind, run: NonNullable<Entry["run"]>): Promise<void> {
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
      await this.#store.commit([{ id, record }]);
      resumedFrom = await this.#store.checkpoint(id);
    } catch (error) {
      // Not kept, so not started: again in a while.
      this.#options.log?.error({ job: id, error: String(error) }, "cannot start a job");
      delete entry.run;
      record.starts -= 1;
      record.summary = { ...record.summary, state: "queued" };
      if (this.#open.has(entry)) setTimeout(() => this.#pump(), 1000).unref();
      return;
    }
    let outcome: JobSummary | Ending;
    try {
      if (record.ending !== undefined) throw new OperationFailure("cancelled", record.ending.text);
      if (run.controller.signal.aborted) throw new OperationFailure("cancelled", "the node stops");
      this.#notify(entry);
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

  #context(entry: Entry, run: NonNullable<Entry["run"]>, resumedFrom: unknown): JobContext {
    const { record } = entry;
    const id = record.summary.id;
    const alive = () => !run.abandoned && !entry.ends && entry.run === run;
    return {
      id,
      sender: record.summary.sender,
      signal: run.controller.signal,
      resumedFrom,
      progress: (fraction, text) => {
        if (!alive()) return;
        const progress = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
        record.summary = { ...record.summary, progress, text: text.slice(0, longestText) };
        this.#keepSoon(entry);
      },
      setSteps: (steps) => {
        if (!alive()) return;
        record.summary = { ...record.summary, steps: steps.map((step) => ({ ...step })) };
        this.#keepSoon(entry);
      },
      checkpoint: async (state) => {
        if (!alive()) throw new OperationFailure("cancelled", "the job has ended");
        const starts = record.starts;
        record.starts = 0;
        try {
          await this.#store.commit([{ id, record, checkpoint: { state } }]);
        } catch (error) {
          record.starts = starts;
          throw asFailure(error);
        }
      },
    };
  }

  // ---- ending ------------------------------------------------------------------------------------------------

  /** Tells a job to end so. Resolves when the wish is kept. */
  async #end(entry: Entry, ending: Ending): Promise<void> {
    if (entry.ends || entry.record.ending !== undefined || hasEnded(entry.record.summary)) return;
    entry.record.ending = ending;
    const { run } = entry;
    if (run === undefined) {
      await this.#finish(entry, ending);
      return;
    }
    const kept = this.#store.commit([{ id: entry.record.summary.id, record: entry.record }]);
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
  #endQuietly(entry: Entry, ending: Ending): void {
    this.#end(entry, ending).catch((error: unknown) =>
      this.#options.log?.warn({ error: errorText(error) }, "cannot keep that a job is to end"),
    );
  }

  /** Keeps the terminal state, then tells it. Once. */
  async #finish(entry: Entry, outcome: JobSummary | Ending): Promise<void> {
    if (entry.ends) return;
    entry.ends = true;
    this.#clearTimers(entry);
    const { record } = entry;
    const { id } = record.summary;
    let end: JobSummary = {
      ...record.summary,
      ...outcome,
      text: outcome.state === "done" ? record.summary.text : outcome.text.slice(0, longestText),
      endedAt: new Date().toISOString(),
    };
    for (let pause = 50; ; pause = Math.min(5000, pause * 2)) {
      const kept: JobRecord = { summary: end, starts: 0 };
      if (record.identity !== undefined) kept.identity = record.identity;
      try {
        await this.#store.commit([{ id, record: kept, checkpoint: "remove" }]);
        entry.record = kept;
        break;
      } catch (error) {
        if (error instanceof OperationFailure) {
          // The result cannot be kept at all.
          const { result: _, ...rest } = end;
          const { state, text, error: why } = failed(error.code, `result: ${error.text}`);
          end = { ...rest, state, text, error: why };
          continue;
        }
        this.#options.log?.error({ job: id, error: errorText(error) }, "cannot keep the end of a job");
        // Another life of the node finds it not ended, and ends it.
        if (this.#state === "stopped") return;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
    this.#open.delete(entry);
    delete entry.run;
    this.#notify(entry);
    this.#waiting.ended(end);
    void this.#retire();
    this.#pump();
  }

  #armDeadline(entry: Entry): void {
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
    const ended = [...this.#entries.values()].filter((entry) => hasEnded(entry.record.summary));
    const oldest = Date.now() - ageS * 1000;
    const surplus = ended.filter(
      ({ record: { summary } }, i) =>
        i < ended.length - count || Date.parse(summary.endedAt ?? summary.createdAt) < oldest,
    );
    if (surplus.length === 0) return;
    for (const entry of surplus) this.#remove(entry);
    await this.#store
      .commit(
        surplus.map(({ record }) => ({ id: record.summary.id, record: "remove", checkpoint: "remove" })),
      )
      .catch((error: unknown) =>
        this.#options.log?.warn({ error: errorText(error) }, "cannot remove old jobs"),
      );
  }

  // ---- small ones --------------------------------------------------------------------------------------------

  #add(entry: Entry): void {
    const { summary, identity } = entry.record;
    this.#entries.set(summary.id, entry);
    if (identity !== undefined) this.#byIdentity.set(identity, summary.id);
    if (!hasEnded(summary)) this.#open.add(entry);
  }

  #remove(entry: Entry): void {
    const { summary, identity } = entry.record;
    this.#entries.delete(summary.id);
    this.#open.delete(entry);
    if (identity !== undefined) this.#byIdentity.delete(identity);
  }

  /** Progress: told ten times a second at most, kept once a second at most. */
  #keepSoon(entry: Entry): void {
    entry.timers.tell ??= setTimeout(() => {
      delete entry.timers.tell;
      this.#notify(entry);
    }, 100).unref();
    entry.timers.keep ??= setTimeout(() => {
      delete entry.timers.keep;
      this.#store
        .commit([{ id: entry.record.summary.id, record: entry.record }])
        .catch((error: unknown) =>
          this.#options.log?.warn({ error: errorText(error) }, "cannot keep the progress of a job"),
        );
    }, this.#options.progressMs ?? 1000).unref();
  }

  #clearTimers(entry: Entry): void {
    for (const timer of Object.values(entry.timers)) clearTimeout(timer);
    entry.timers = {};
  }

  #notify(entry: Entry): void {
    for (const listener of this.#listeners) {
      try {
        listener(entry.record.summary);
      } catch (error) {
        this.#options.log?.error({ error: errorText(error) }, "a listener of jobs failed");
      }
    }
  }
}

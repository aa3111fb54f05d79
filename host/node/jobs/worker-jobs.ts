/**
 * The jobs of one worker among several that share a storage, and with them the view of all: any worker tells of any job,
 * ends it, and finds the job that a request has made; the jobs of a worker that died are taken over. What is its own is
 * the engine's (create-jobs.ts).
 */
import { OperationFailure } from "../operations/operation.js";
import { asFailure, errorText, hasEnded, superseded } from "./job-endings.js";
import type { Ending, JobRecord } from "./job-record.js";
import { JobWaiters } from "./job-waiters.js";
import type { JobsEngine, JobsOptions } from "./jobs-engine.js";
import type { JobKind, JobOrder, JobState, JobSummary } from "./jobs.js";
import type { SharedJobs } from "./shared-jobs.js";

/** What the engine offers for it, beside the jobs of this worker. */
export interface OwnJobs extends JobsEngine {
  /** A job that is this worker's from now on. */
  adopt(record: JobRecord): void;
  /** A job that is another worker's from now on. */
  drop(id: string): void;
  end(id: string, ending: Ending): Promise<void>;
  /** Starts what may start: a subject that was busy elsewhere may be free. */
  pump(): void;
}

const subjectOf = ({ operation, subject }: JobSummary): string => `${operation} ${subject}`;

export class WorkerJobs implements JobsEngine {
  private readonly waiting = new JobWaiters();
  /** Jobs of other workers that somebody here waits for. */
  private readonly followed = new Set<string>();
  private busy: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly own: OwnJobs,
    private readonly shared: SharedJobs,
    private readonly log: JobsOptions["log"],
  ) {}

  /** Does a job of another worker stand in the way? As it was at the last look. */
  isBusy(job: JobSummary): boolean {
    return this.busy.has(subjectOf(job));
  }

  register(kind: JobKind): void {
    this.own.register(kind);
  }

  async start(): Promise<void> {
    await this.shared.beat();
    await this.look();
    await this.own.start();
    this.timer = setInterval(() => {
      this.beating ??= this.beat()
        .catch((error: unknown) =>
          this.log?.warn({ error: errorText(error) }, "cannot look after the jobs of the other workers"),
        )
        .finally(() => (this.beating = undefined));
    }, this.shared.beatMs).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.beating;
    await this.own.stop();
    await this.shared.leave().catch(() => undefined);
  }

  async enqueue(order: JobOrder): Promise<JobSummary> {
    let others: JobRecord[];
    try {
      others = await this.look();
    } catch (error) {
      throw asFailure(error);
    }
    const made = others.find(({ identity }) => identity !== undefined && identity === order.identity);
    if (made !== undefined) return made.summary;
    const job = await this.own.enqueue(order);
    for (const { summary } of others) {
      if (hasEnded(summary) || subjectOf(summary) !== subjectOf(job) || summary.id > job.id) continue;
      await this.shared.wish(summary.id, superseded);
    }
    return job;
  }

  async get(id: string): Promise<JobSummary | undefined> {
    return (await this.own.get(id)) ?? (await this.shared.read(id))?.summary;
  }

  async list({ state, limit }: { readonly state?: JobState; readonly limit?: number } = {}): Promise<
    JobSummary[]
  > {
    const [own, others] = await Promise.all([this.own.list(), this.shared.others()]);
    const known = new Set(own.map(({ id }) => id));
    const all = [...own, ...others.map(({ summary }) => summary).filter(({ id }) => !known.has(id))]
      .filter((job) => state === undefined || job.state === state)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return all.slice(0, limit ?? all.length);
  }

  async wait(id: string, signal?: AbortSignal): Promise<JobSummary> {
    const job = await this.get(id);
    if (job === undefined) throw new OperationFailure("not-found", `no job ${id}`);
    if (hasEnded(job)) return job;
    // It may become another worker's while it is waited for: then its end is read.
    this.followed.add(id);
    const ended = this.waiting.wait(id, signal);
    if ((await this.own.get(id)) !== undefined) {
      void this.own.wait(id, signal).then(
        (end) => this.waiting.ended(end),
        () => undefined,
      );
    }
    return await ended;
  }

  async cancel(id: string): Promise<JobSummary | undefined> {
    const mine = await this.own.cancel(id);
    if (mine !== undefined) return mine;
    const other = (await this.shared.read(id))?.summary;
    if (other !== undefined && !hasEnded(other)) {
      await this.shared.wish(id, { state: "cancelled", text: "cancelled", error: { code: "cancelled" } });
    }
    return other;
  }

  onChange(listener: (job: JobSummary) => void): () => void {
    return this.own.onChange(listener);
  }

  /** The jobs of the others, and which subjects they keep busy. */
  private async look(): Promise<JobRecord[]> {
    const others = await this.shared.others();
    this.remember(others);
    return others;
  }

  private remember(others: readonly JobRecord[]): void {
    this.busy = new Set(
      others.filter(({ summary }) => !hasEnded(summary)).map((one) => subjectOf(one.summary)),
    );
  }

  /** Of two for one subject the newer one stays, also when they were made at the same moment by two workers. */
  private async settle(others: readonly JobSummary[]): Promise<void> {
    for (const job of await this.own.list()) {
      if (hasEnded(job)) continue;
      for (const other of others.filter((one) => subjectOf(one) === subjectOf(job))) {
        if (other.id > job.id) await this.own.end(job.id, superseded);
        else await this.shared.wish(other.id, superseded);
      }
    }
  }

  private async beat(): Promise<void> {
    await this.shared.beat();
    const { taken, others } = await this.shared.takeOver();
    for (const record of taken) {
      if (this.stopped) return;
      if (!hasEnded(record.summary)) {
        this.log?.warn({ job: record.summary.id }, "the worker of a job is dead: it goes on here");
      }
      this.own.adopt(record);
    }
    this.remember(others);
    for (const { summary } of others) this.own.drop(summary.id);
    await this.settle(others.map(({ summary }) => summary).filter((job) => !hasEnded(job)));
    for (const [id, ending] of await this.shared.wishes()) {
      if ((await this.own.get(id)) === undefined) continue;
      await this.own.end(id, ending);
      await this.shared.granted(id);
    }
    for (const id of this.followed) {
      const job = await this.get(id);
      if (job !== undefined && !hasEnded(job)) continue;
      this.followed.delete(id);
      if (job !== undefined) this.waiting.ended(job);
    }
    this.own.pump();
  }
}

/**
 * Jobs of several workers in one storage. Each job belongs to one worker, which its record names. A worker shows that it
 * lives by a lease that it changes again and again; the jobs of one whose lease stood still are taken over by another. It
 * runs nothing. Clocks of machines are not compared: each measures by its own how long a lease stood still.
 */
import type { Storage } from "../storage/storage.js";
import { decodeEnding, decodeRecord, encodeValue, type Ending, type JobRecord } from "./job-record.js";

const leases = "job-workers";
const wishes = "job-wishes";
const jobs = "jobs";
const page = 500;

export interface SharedOptions {
  /** Name of this worker among those of the node. */
  readonly worker: string;
  /** Between two signs of life, ms; default 2000. */
  readonly beatMs?: number;
  /** A worker whose lease stood still for so long is dead, ms; default 10,000. */
  readonly leaseMs?: number;
}

/** Somebody else has the job now: this worker seemed dead. What it still wants to keep of it does not count. */
export class JobTaken extends Error {
  override readonly name = "JobTaken";
}

interface KeptJob {
  readonly record: JobRecord;
  readonly bytes: Uint8Array;
}

export class SharedJobs {
  readonly beatMs: number;
  private readonly leaseMs: number;
  private beats = 0;
  /** Of each other worker: its lease, and when it was first seen so, on the clock of performance.now(). */
  private readonly seen = new Map<string, { lease: string; since: number }>();

  constructor(
    private readonly storage: Storage,
    private readonly owner: string,
    private readonly options: SharedOptions,
  ) {
    this.beatMs = options.beatMs ?? 2000;
    this.leaseMs = options.leaseMs ?? 10_000;
  }

  /** Shows that this worker lives. @throws StorageError */
  async beat(): Promise<void> {
    this.beats += 1;
    const value = encodeValue([process.pid, performance.timeOrigin, this.beats]);
    await this.storage.records.write([{ collection: leases, key: this.key(this.options.worker), value }]);
  }

  /** Gone at once for the others: its jobs need not wait. @throws StorageError */
  async leave(): Promise<void> {
    const gone = { collection: leases, key: this.key(this.options.worker), value: undefined };
    await this.storage.records.write([gone]);
  }

  /** Jobs of the other workers. @throws StorageError */
  async others(): Promise<JobRecord[]> {
    return (await this.foreign()).map(({ record }) => record);
  }

  /** Undefined when there is none. @throws StorageError */
  async read(id: string): Promise<JobRecord | undefined> {
    const bytes = await this.storage.records.get(jobs, this.key(id));
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  /** Takes the jobs of workers that are dead; tells those that are this worker's now, and the others. @throws StorageError */
  async takeOver(): Promise<{ readonly taken: readonly JobRecord[]; readonly others: readonly JobRecord[] }> {
    const foreign = await this.foreign();
    const others: JobRecord[] = [];
    const dead = await this.dead(new Set(foreign.map(({ record }) => record.worker ?? "")));
    const taken: JobRecord[] = [];
    for (const { record, bytes } of foreign) {
      if (!dead.has(record.worker ?? "")) {
        others.push(record);
        continue;
      }
      const mine = { ...record, worker: this.options.worker };
      const change = { collection: jobs, key: this.key(record.summary.id), value: encodeValue(mine) };
      // Not when it was changed meanwhile: its worker lives, or another was faster.
      if (await this.storage.records.write([{ ...change, expect: bytes }])) taken.push(mine);
    }
    return { taken, others };
  }

  /** Tells the worker of a job how it is to end. Kept when it resolves. @throws StorageError */
  async wish(id: string, ending: Ending): Promise<void> {
    await this.storage.records.write([{ collection: wishes, key: this.key(id), value: encodeValue(ending) }]);
  }

  /** What other workers want of these jobs. They are removed by `granted`. @throws StorageError */
  async wishes(): Promise<Map<string, Ending>> {
    const entries = await this.storage.records.list(wishes, { prefix: this.key(""), limit: 10_000 });
    return new Map(entries.map(({ key, value }) => [key.slice(this.key("").length), decodeEnding(value)]));
  }

  async granted(id: string): Promise<void> {
    await this.storage.records.write([{ collection: wishes, key: this.key(id), value: undefined }]);
  }

  private key(name: string): string {
    return `${this.owner}/${name}`;
  }

  private async foreign(): Promise<KeptJob[]> {
    const found: KeptJob[] = [];
    for (let after: string | undefined = ""; after !== undefined;) {
      const entries = await this.storage.records.list(jobs, {
        prefix: this.key(""),
        limit: page,
        ...(after === "" ? {} : { after }),
      });
      for (const { value: bytes } of entries) {
        try {
          const record = decodeRecord(bytes);
          if (record.worker !== this.options.worker) found.push({ record, bytes });
        } catch {
          // Of another version of this software: its worker knows it.
        }
      }
      after = entries.length < page ? undefined : entries.at(-1)?.key;
    }
    return found;
  }

  /** Those of the workers whose lease stood still too long, or is not there. */
  private async dead(workers: ReadonlySet<string>): Promise<Set<string>> {
    const entries = await this.storage.records.list(leases, { prefix: this.key(""), limit: 1000 });
    const now = performance.now();
    const dead = new Set<string>();
    for (const worker of workers) {
      const entry = entries.find(({ key }) => key === this.key(worker));
      const lease = entry === undefined ? "" : Buffer.from(entry.value).toString("base64");
      const before = this.seen.get(worker);
      if (before?.lease !== lease) this.seen.set(worker, { lease, since: now });
      // One that left has said so.
      else if (lease === "" || now - before.since >= this.leaseMs) dead.add(worker);
    }
    return dead;
  }
}

/**
 * Jobs in Local Storage: records and checkpoints of one node. Changes that come while a write runs are written together
 * after it, the newest of each key: the order of what is acknowledged is the order of the calls. Where several workers
 * share a storage, a change is made only while the job still belongs to this worker.
 */
import type { RecordChange, Storage } from "../storage/storage.js";
import { decodeRecord, decodeValue, encodeValue, type JobRecord } from "./job-record.js";
import { JobTaken } from "./shared-jobs.js";

const jobsCollection = "jobs";
const checkpointsCollection = "job-checkpoints";
const page = 500;

export interface JobChange {
  readonly id: string;
  /** Absent: not changed. `undefined` would mean the same, so removal has its own word. */
  readonly record?: JobRecord | "remove";
  /** The checkpoint: `{ state }`, or "remove". */
  readonly checkpoint?: { readonly state: unknown } | "remove";
}

export interface JobStore {
  /**
   * Durable when it resolves; the changes of one call together.
   * @throws StorageError, OperationFailure too-large, JobTaken when another worker has one of the jobs
   */
  commit(changes: readonly JobChange[]): Promise<void>;
  /** In order of ids. A record that cannot be read is passed to `unreadable` and left alone. */
  load(unreadable: (key: string, error: unknown) => void): AsyncIterable<JobRecord>;
  /** A record that this worker has taken over. */
  taken(record: JobRecord): void;
  /** Undefined when there is none. */
  checkpoint(id: string): Promise<unknown>;
}

/** `worker`: this one among several; without it the node is the only one. */
export function createJobStore(storage: Storage, owner: string, worker?: string): JobStore {
  const key = (id: string) => `${owner}/${id}`;
  let pending = new Map<string, RecordChange>();
  let next: Promise<ReadonlySet<string>> | undefined;
  let running: Promise<unknown> = Promise.resolve();
  /** Records as they are kept, where others may change them. */
  const kept = new Map<string, Uint8Array>();

  /** Each job for itself: one that was taken must not hold up the others. Tells those that were taken. */
  async function writeShared(batch: readonly RecordChange[]): Promise<ReadonlySet<string>> {
    const taken = new Set<string>();
    await Promise.all(
      [...new Set(batch.map((change) => change.key))].map(async (at) => {
        const own = batch.filter((change) => change.key === at);
        const expect = kept.get(at) ?? null;
        const record = own.find((change) => change.collection === jobsCollection);
        // A checkpoint comes with its record.
        const changes = own.map((change) => (change === record ? { ...change, expect } : change));
        if (!(await storage.records.write(changes))) taken.add(at);
        else if (record?.value === undefined) kept.delete(at);
        else kept.set(at, record.value);
      }),
    );
    return taken;
  }

  function put(collection: string, id: string, value: Uint8Array | undefined): void {
    pending.set(`${collection}/${id}`, { collection, key: key(id), value });
  }

  return {
    async commit(changes) {
      // Encoded before anything is queued: a value that cannot be kept fails its own call and no other.
      const encoded = changes.map(({ id, record, checkpoint }) => ({
        id,
        record:
          record === undefined || record === "remove"
            ? record
            : encodeValue(worker === undefined ? record : { ...record, worker }),
        checkpoint:
          checkpoint === undefined || checkpoint === "remove" ? checkpoint : encodeValue(checkpoint),
      }));
      for (const { id, record, checkpoint } of encoded) {
        if (record !== undefined) put(jobsCollection, id, record === "remove" ? undefined : record);
        if (checkpoint !== undefined)
          put(checkpointsCollection, id, checkpoint === "remove" ? undefined : checkpoint);
      }
      if (next === undefined) {
        next = running.then(async () => {
          const batch = [...pending.values()];
          pending = new Map();
          next = undefined;
          if (worker !== undefined) return await writeShared(batch);
          await storage.records.write(batch);
          return new Set();
        });
        running = next.catch(() => undefined);
      }
      const taken = await next;
      if (changes.some(({ id }) => taken.has(key(id))))
        throw new JobTaken("another worker has taken it over");
    },
    taken(record) {
      kept.set(key(record.summary.id), encodeValue(record));
    },
    async *load(unreadable) {
      let after: string | undefined;
      for (;;) {
        const entries = await storage.records.list(jobsCollection, {
          prefix: key(""),
          limit: page,
          ...(after === undefined ? {} : { after }),
        });
        for (const entry of entries) {
          let record: JobRecord | undefined;
          try {
            record = decodeRecord(entry.value);
          } catch (error) {
            unreadable(entry.key, error);
          }
          if (record === undefined || record.worker !== worker) continue;
          if (worker !== undefined) kept.set(entry.key, entry.value);
          yield record;
        }
        after = entries.at(-1)?.key;
        if (entries.length < page) return;
      }
    },
    async checkpoint(id) {
      const bytes = await storage.records.get(checkpointsCollection, key(id));
      if (bytes === undefined) return undefined;
      const value = decodeValue(bytes);
      return typeof value === "object" && value !== null && "state" in value ? value.state : undefined;
    },
  };
}

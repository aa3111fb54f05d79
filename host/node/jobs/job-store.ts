/**
 * Jobs in Local Storage: records and checkpoints of one node. Changes that come while a write runs are written together
 * after it, the newest of each key: the order of what is acknowledged is the order of the calls.
 */
import type { RecordChange, Storage } from "../storage/storage.js";
import { decodeRecord, decodeValue, encodeValue, type JobRecord } from "./job-record.js";

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
  /** Durable when it resolves; the changes of one call together. @throws StorageError, OperationFailure too-large */
  commit(changes: readonly JobChange[]): Promise<void>;
  /** In order of ids. A record that cannot be read is passed to `unreadable` and left alone. */
  load(unreadable: (key: string, error: unknown) => void): AsyncIterable<JobRecord>;
  /** Undefined when there is none. */
  checkpoint(id: string): Promise<unknown>;
}

export function createJobStore(storage: Storage, owner: string): JobStore {
  const key = (id: string) => `${owner}/${id}`;
  let pending = new Map<string, RecordChange>();
  let next: Promise<void> | undefined;
  let running: Promise<unknown> = Promise.resolve();

  function put(collection: string, id: string, value: Uint8Array | undefined): void {
    pending.set(`${collection}/${id}`, { collection, key: key(id), value });
  }

  return {
    async commit(changes) {
      // Encoded before anything is queued: a value that cannot be kept fails its own call and no other.
      const encoded = changes.map(({ id, record, checkpoint }) => ({
        id,
        record: record === undefined || record === "remove" ? record : encodeValue(record),
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
          await storage.records.write(batch);
        });
        running = next.catch(() => undefined);
      }
      await next;
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
          if (record !== undefined) yield record;
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

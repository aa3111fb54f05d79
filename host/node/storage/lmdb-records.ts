/**
 * Records in LMDB. One database with keys `collection NUL key`, so that byte order is the order of lists. Batches that
 * arrive while a transaction is being synced to disk share the next one; each batch is still all or nothing, and its
 * promise resolves only behind the fsync.
 */
import { open, type RootDatabase } from "lmdb";
import { checkChanges, checkCollection, checkKey, checkList, sameBytes } from "./names.js";
import type { FreeSpace } from "./free-space.js";
import type { ListOptions, RecordChange, RecordEntry, RecordStore } from "./storage.js";
import { StorageError } from "./storage.js";
import { storageError } from "./storage-errors.js";

interface Batch {
  readonly changes: readonly RecordChange[];
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Bytes of a database's map: address space, not memory or disk. It grows when it must. */
const defaultMapBytes = process.arch === "arm" || process.arch === "ia32" ? 2 ** 28 : 2 ** 36;
/** Batches of one transaction: bounds its dirty pages and the time until the first is acknowledged. */
const groupBatches = 512;
/** What a change costs beside its value, roughly: key and pages that are copied. */
const changeOverhead = 8192;

export class LmdbRecords implements RecordStore {
  private readonly database: RootDatabase<Buffer, Buffer>;
  private waiting: Batch[] = [];
  private worker: Promise<void> | undefined;
  private closed = false;

  /** `file`: the database; "-lock" stands beside it. */
  constructor(
    file: string,
    private readonly space: FreeSpace,
    mapBytes = defaultMapBytes,
  ) {
    this.database = open<Buffer, Buffer>({
      path: file,
      noSubdir: true,
      mapSize: mapBytes,
      maxDbs: 1,
      encoding: "binary",
      keyEncoding: "binary",
      // A commit returns behind its fsync, in the classic way of LMDB.
      overlappingSync: false,
      eventTurnBatching: false,
    });
  }

  get(collection: string, key: string): Promise<Uint8Array | undefined> {
    return this.reading(() => {
      checkCollection(collection);
      checkKey(key);
      return this.database.getBinary(keyOf(collection, key));
    });
  }

  list(collection: string, options: ListOptions = {}): Promise<RecordEntry[]> {
    return this.reading(() => {
      const { prefix, after, limit, reverse } = checkList(collection, options);
      const skip = collection.length + 1;
      // Keys are printable: 0xff is behind all of them.
      const low = keyOf(collection, prefix);
      const high = Buffer.concat([low, Buffer.of(0xff)]);
      const afterKey = after === undefined ? undefined : keyOf(collection, after);
      let start = reverse ? high : low;
      if (afterKey !== undefined) {
        if (reverse ? afterKey.compare(high) < 0 : afterKey.compare(low) >= 0) start = afterKey;
      }
      const entries: RecordEntry[] = [];
      // One more: the start itself may be `after`.
      for (const { key, value } of this.database.getRange({ start, reverse, limit: limit + 1 })) {
        if (reverse ? key.compare(low) < 0 : key.compare(high) >= 0) break;
        if (entries.length === limit) break;
        if (afterKey?.equals(key) === true) continue;
        entries.push({ key: key.toString("latin1", skip), value });
      }
      return entries;
    });
  }

  async write(changes: readonly RecordChange[]): Promise<boolean> {
    checkChanges(changes);
    if (changes.some((change) => change.value !== undefined)) await this.space.claim(sizeOf(changes));
    if (this.closed) throw new StorageError("unavailable", "the storage is closed");
    return new Promise((resolve, reject) => {
      this.waiting.push({ changes, resolve, reject });
      this.worker ??= this.work();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.worker;
    await this.database.close();
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, groupBatches);
      try {
        await this.commit(group);
      } catch (error) {
        // One batch that does not fit must not take the others with it: each gets its own transaction.
        for (const batch of group) {
          try {
            if (group.length === 1) throw error;
            await this.commit([batch]);
          } catch (alone) {
            batch.reject(await this.failure(alone, batch));
          }
        }
      }
    }
    this.worker = undefined;
  }

  /** One transaction. Resolves the batches; rejects with none of them written. */
  private async commit(group: readonly Batch[]): Promise<void> {
    let results: boolean[] = [];
    try {
      results = await this.database.transaction(() => group.map((batch) => this.apply(batch.changes)));
    } catch (error) {
      // The reason comes separately, and a rejection nobody waits for would end the process.
      const reason = error instanceof Error && "commitError" in error ? error.commitError : undefined;
      if (reason instanceof Promise) await reason;
      throw error;
    }
    for (const [i, batch] of group.entries()) batch.resolve(results[i] === true);
  }

  private async failure(error: unknown, batch: Batch): Promise<StorageError> {
    const found = storageError(error, "write records");
    // LMDB calls a write that the disk took only in part an input/output error: the disk knows better.
    if (found.code === "unavailable" && (await this.space.isTight(sizeOf(batch.changes)))) {
      return new StorageError("no-space", found.message, { cause: error });
    }
    return found;
  }

  /** Within a transaction: all conditions first, so that nothing is written when one fails. */
  private apply(changes: readonly RecordChange[]): boolean {
    for (const { collection, key, expect } of changes) {
      if (expect !== undefined && !sameBytes(this.database.getBinary(keyOf(collection, key)), expect)) {
        return false;
      }
    }
    for (const { collection, key, value } of changes) {
      const whole = keyOf(collection, key);
      if (value === undefined) void this.database.remove(whole);
      else void this.database.put(whole, asBuffer(value));
    }
    return true;
  }

  private async reading<T>(read: () => T): Promise<T> {
    if (this.closed) throw new StorageError("unavailable", "the storage is closed");
    try {
      return await Promise.resolve(read());
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw storageError(error, "read records");
    }
  }
}

/** Bytes that a batch may need on disk. */
function sizeOf(changes: readonly RecordChange[]): number {
  return changes.reduce((sum, change) => sum + (change.value?.length ?? 0) + changeOverhead, 0);
}

function keyOf(collection: string, key: string): Buffer {
  return Buffer.from(`${collection}\0${key}`, "latin1");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

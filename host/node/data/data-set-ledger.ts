/**
 * The records of data sets and the sum of their bytes: read, and changed together or not at all, within the quotas. It
 * knows nothing of items: what a change does to them comes from data-sets.ts.
 */
import { OperationFailure } from "../operations/operation.js";
import type { RecordChange, Storage } from "../storage/storage.js";
import type { DataContent } from "./data-content.js";
import { collections, decodeRecord, encodeRecord, type DataSetRecord } from "./data-set-records.js";
import { KeyedLock } from "./keyed-lock.js";

export interface DataQuotas {
  /** Bytes of all data sets. */
  readonly dataBytes: number;
  /** Bytes of one. */
  readonly dataSetBytes: number;
}

/** What becomes of a data set. */
export interface DataSetChange<T> {
  /** Undefined: nothing is changed; null: it is removed. */
  readonly after?: DataSetRecord | null;
  /** Written with it, all or nothing. */
  readonly changes?: readonly RecordChange[];
  readonly result: T;
}

const attempts = 20;

export class DataSetLedger {
  private readonly lock = new KeyedLock();
  private readonly storage: Storage;

  constructor(
    private readonly content: DataContent,
    private readonly quotas: DataQuotas,
  ) {
    this.storage = content.storage;
  }

  async find(name: string): Promise<DataSetRecord | undefined> {
    const value = await this.storage.records.get(collections.sets, name);
    return value === undefined ? undefined : decodeRecord<DataSetRecord>(value);
  }

  async list(options: { prefix?: string; after?: string; limit?: number } = {}): Promise<DataSetRecord[]> {
    const entries = await this.storage.records.list(collections.sets, options);
    return entries.map(({ value }) => decodeRecord<DataSetRecord>(value));
  }

  /** Bytes of all data sets. */
  async totalBytes(): Promise<number> {
    const value = await this.storage.records.get(collections.totals, "bytes");
    return value === undefined ? 0 : decodeRecord<{ bytes: number }>(value).bytes;
  }

  /** @throws OperationFailure no-space when `more` bytes are too many for the data set, or for all (`total` now) */
  checkQuota(set: DataSetRecord | undefined, more: number, total: number): void {
    const { dataBytes, dataSetBytes } = this.quotas;
    if ((set?.bytes ?? 0) + more > dataSetBytes) {
      throw new OperationFailure("no-space", `a data set has at most ${dataSetBytes} bytes`);
    }
    if (total + more > dataBytes) {
      throw new OperationFailure("no-space", `all data sets have at most ${dataBytes} bytes`);
    }
  }

  /**
   * Reads the data set, lets `work` say what becomes of it and writes that with the total, all or nothing. When somebody
   * else changed it meanwhile, `work` is asked again. @throws OperationFailure no-space, busy
   */
  async change<T>(
    name: string,
    work: (set: DataSetRecord | undefined) => Promise<DataSetChange<T>>,
  ): Promise<T> {
    return this.lock.run(`set/${name}`, async () => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const before = await this.storage.records.get(collections.sets, name);
        const set = before === undefined ? undefined : decodeRecord<DataSetRecord>(before);
        const { after, changes = [], result } = await work(set);
        if (after === undefined) return result;
        const growth = (after?.bytes ?? 0) - (set?.bytes ?? 0);
        const value = after === null ? undefined : encodeRecord(after);
        const own = { collection: collections.sets, key: name, value, expect: before ?? null };
        if (growth === 0) {
          if (await this.content.write([own, ...changes])) return result;
          continue;
        }
        const written = await this.lock.run("total", async () => {
          const total = await this.storage.records.get(collections.totals, "bytes");
          const bytes = total === undefined ? 0 : decodeRecord<{ bytes: number }>(total).bytes;
          if (growth > 0) this.checkQuota(set, growth, bytes);
          const sum = {
            collection: collections.totals,
            key: "bytes",
            value: encodeRecord({ bytes: Math.max(0, bytes + growth) }),
            expect: total ?? null,
          };
          return this.content.write([own, sum, ...changes]);
        });
        if (written) return result;
      }
      throw new OperationFailure("busy", `data set ${name} is changed by many`, undefined, {
        retryAfterMs: 100,
      });
    });
  }
}

/**
 * Which items a request stored: its repetition stores nothing, also after a restart of the node. Remembered for an hour.
 * It decides nothing about items: data-sets.ts asks it before it stores.
 */
import type { RecordChange } from "../storage/storage.js";
import type { DataContent } from "./data-content.js";
import { collections, decodeRecord, encodeRecord, itemKey, type DataSetRecord } from "./data-set-records.js";

/** Requests are remembered so long. */
const requestMs = 3_600_000;
/** Pages of remembered requests that one sweep looks at: more than are remembered from one sweep to the next. */
const requestPages = 100;

interface Remembered {
  /** Of the content, and the number of the first item in it. */
  readonly id: string;
  readonly first: number;
  readonly count: number;
  /** ms since 1970. */
  readonly at: number;
}

export class DataRequests {
  /** Where the last look for old ones ended; undefined: at the end. */
  private after: string | undefined;

  constructor(private readonly content: DataContent) {}

  /** What remembers that `request` stores the next `count` items of `set`. */
  remembered(request: string, set: DataSetRecord, count: number, at: number): RecordChange {
    const value: Remembered = { id: set.id, first: set.next, count, at };
    return { collection: collections.requests, key: request, value: encodeRecord(value) };
  }

  /** Digests of the items that `request` stored in the data set as it is now; undefined when it stored none. */
  async stored(request: string, set: DataSetRecord | undefined): Promise<string[] | undefined> {
    const value = await this.content.storage.records.get(collections.requests, request);
    if (value === undefined) return undefined;
    const { id, first, count } = decodeRecord<Remembered>(value);
    if (set?.id !== id) return undefined;
    const digests: string[] = [];
    for (let i = 0; i < count; i++) {
      const stored = await this.content.find(itemKey(id, first + i));
      if (stored !== undefined) digests.push(stored.item.digest);
    }
    return digests;
  }

  /** Looks at a bounded number of remembered requests, and goes on from there the next time. */
  async forget(now: number): Promise<void> {
    for (let page = 0; page < requestPages; page++) {
      const requests = await this.content.storage.records.list(
        collections.requests,
        this.after === undefined ? {} : { after: this.after },
      );
      const old = requests.filter(({ value }) => now - decodeRecord<Remembered>(value).at > requestMs);
      if (old.length > 0) {
        await this.content.write(
          old.map(({ key }) => ({ collection: collections.requests, key, value: undefined })),
        );
      }
      this.after = requests.at(-1)?.key;
      if (this.after === undefined) return;
    }
  }
}

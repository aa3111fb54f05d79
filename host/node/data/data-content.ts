/**
 * Where the items of data sets and their bytes lie: adding, reading and removing them. It counts nothing; data sets and
 * their counters are in data-sets.ts.
 */
import { OperationFailure } from "../operations/operation.js";
import { withStorage } from "../operations/storage-failure.js";
import type { BlobUses } from "../storage/blob-uses.js";
import type { RecordChange, Storage } from "../storage/storage.js";
import type { Usage } from "./data-descriptor.js";
import {
  collections,
  decodeRecord,
  encodeRecord,
  storedItem,
  type DataItem,
  type StoredItem,
} from "./data-set-records.js";

export interface Selection {
  readonly usage?: Usage | undefined;
  readonly label?: string | undefined;
  readonly digests?: readonly string[] | undefined;
}

/** Content that is being made is left alone so long. */
const buildingMs = 3_600_000;
/** Items of one read or write. */
export const batch = 500;

export class DataContent {
  constructor(
    readonly storage: Storage,
    readonly uses: BlobUses,
  ) {}

  /** All changes or none. @throws OperationFailure no-space, busy */
  write(changes: readonly RecordChange[]): Promise<boolean> {
    return withStorage(() => this.storage.records.write(changes));
  }

  /** What adds an item; a blob of its bytes, when they are many, is there before. */
  added(key: string, item: DataItem, bytes: Uint8Array): RecordChange[] {
    return [
      { collection: collections.items, key, value: encodeRecord(item) },
      item.inline
        ? { collection: collections.bytes, key, value: bytes }
        : this.uses.add(item.digest, `data/${key}`),
    ];
  }

  /** What removes an item; `release` follows. */
  removed({ key, item }: StoredItem): RecordChange[] {
    return [
      { collection: collections.items, key, value: undefined },
      item.inline
        ? { collection: collections.bytes, key, value: undefined }
        : this.uses.drop(item.digest, `data/${key}`),
    ];
  }

  async release(items: readonly DataItem[]): Promise<void> {
    await withStorage(() => this.uses.release(items.flatMap((item) => (item.inline ? [] : [item.digest]))));
  }

  async find(key: string): Promise<StoredItem | undefined> {
    const value = await this.storage.records.get(collections.items, key);
    return value === undefined ? undefined : storedItem({ key, value });
  }

  /** Items of the content `id` that match, in the order in which they were stored. */
  async *items(id: string, selection: Selection = {}): AsyncGenerator<StoredItem> {
    const digests = selection.digests === undefined ? undefined : new Set(selection.digests);
    for (let after: string | undefined; ;) {
      const page = await this.storage.records.list(collections.items, {
        prefix: `${id}/`,
        limit: batch,
        ...(after === undefined ? {} : { after }),
      });
      for (const entry of page) {
        const stored = storedItem(entry);
        const { usage, label = "", digest } = stored.item;
        if (selection.usage !== undefined && usage !== selection.usage) continue;
        if (selection.label !== undefined && label !== selection.label) continue;
        if (digests !== undefined && !digests.has(digest)) continue;
        yield stored;
      }
      after = page.at(-1)?.key;
      if (after === undefined || page.length < batch) return;
    }
  }

  /** @throws OperationFailure corrupt when the bytes are lost or damaged, not-found when the item is gone */
  async bytesOf({ key, item }: StoredItem): Promise<Uint8Array> {
    const bytes = item.inline
      ? await this.storage.records.get(collections.bytes, key)
      : await this.storage.blobs.get(item.digest);
    if (bytes !== undefined) return bytes;
    if ((await this.find(key)) === undefined) {
      throw new OperationFailure("not-found", "the item was removed meanwhile");
    }
    throw new OperationFailure("corrupt", `the bytes of item ${item.digest} are lost`.slice(0, 64));
  }

  /** What says that the content `id` belongs to no data set: any more, or (`building`) not yet. */
  garbage(id: string, at: number, building: boolean): RecordChange {
    return { collection: collections.garbage, key: id, value: encodeRecord({ at, building }) };
  }

  notGarbage(id: string): RecordChange {
    return { collection: collections.garbage, key: id, value: undefined };
  }

  /** Removes content that belongs to no data set; what is being made stays, unless it was left an hour ago. */
  async purgeAll(now: number): Promise<void> {
    for (const { key, value } of await this.storage.records.list(collections.garbage)) {
      const { at, building } = decodeRecord<{ at: number; building: boolean }>(value);
      if (!building || now - at > buildingMs) await this.purge(key);
    }
  }

  /** Removes content by its id, in pieces; can be repeated. */
  async purge(id: string): Promise<void> {
    for (;;) {
      const page = await this.storage.records.list(collections.items, { prefix: `${id}/`, limit: batch });
      if (page.length === 0) break;
      const items = page.map(storedItem);
      await this.write(items.flatMap((stored) => this.removed(stored)));
      await this.release(items.map(({ item }) => item));
    }
    await this.write([this.notGarbage(id)]);
  }
}

/**
 * Data sets on Local Storage: sequences of items that share a descriptor. Crash-safe: the bytes of an item are durable
 * before one batch of records makes the item and the new counters visible together. It knows nothing of the bus, and
 * nothing of what the data means; how the records lie is in data-set-records.ts, how they change together in
 * data-set-ledger.ts.
 */
import { randomBytes } from "node:crypto";
import { OperationFailure } from "../operations/operation.js";
import type { BlobUses } from "../storage/blob-uses.js";
import { digestOf } from "../storage/blob-uses.js";
import type { Storage } from "../storage/storage.js";
import {
  sharedOf,
  shapeOfBytes,
  type DataDescriptor,
  type DescriptorMatch,
  type Usage,
} from "./data-descriptor.js";
import {
  collections,
  encodeRecord,
  inlineBytes,
  itemKey,
  withItems,
  type DataItem,
  type DataSetRecord,
  type StoredItem,
} from "./data-set-records.js";
import { batch, DataContent, type Selection } from "./data-content.js";
import { DataRequests } from "./data-requests.js";
import { DataSetLedger, type DataQuotas } from "./data-set-ledger.js";

export interface NewItem {
  readonly bytes: Uint8Array;
  readonly label?: string | undefined;
  readonly usage?: Usage | undefined;
  readonly origin?: string | undefined;
}

export interface AppendOptions {
  readonly ttlS?: number | undefined;
  readonly origin?: string | undefined;
  /** Of the request that stores: a second append with it stores nothing and gives the same. */
  readonly request?: string | undefined;
}

export interface Appended {
  readonly digests: string[];
  readonly items: number;
  readonly bytes: number;
}

export interface DataSetsOptions {
  readonly storage: Storage;
  readonly uses: BlobUses;
  readonly quotas: DataQuotas;
  readonly match: DescriptorMatch;
  /** ms since 1970. */
  readonly clock?: () => number;
}

export class DataSets {
  private readonly content: DataContent;
  private readonly ledger: DataSetLedger;
  private readonly requests: DataRequests;
  /** Of everything that is stored here; ms since 1970. */
  readonly clock: () => number;
  private purging: Promise<void> = Promise.resolve();

  constructor(private readonly options: DataSetsOptions) {
    this.content = new DataContent(options.storage, options.uses);
    this.ledger = new DataSetLedger(this.content, options.quotas);
    this.requests = new DataRequests(this.content);
    this.clock = options.clock ?? Date.now;
  }

  find(name: string): Promise<DataSetRecord | undefined> {
    return this.ledger.find(name);
  }

  /** @throws OperationFailure not-found */
  async get(name: string, field = "arguments.name"): Promise<DataSetRecord> {
    const set = await this.find(name);
    if (set === undefined) throw new OperationFailure("not-found", `no data set ${name}`, field);
    return set;
  }

  /** By name. */
  list(options: { prefix?: string; after?: string; limit?: number } = {}): Promise<DataSetRecord[]> {
    return this.ledger.list(options);
  }

  /** Bytes of all data sets. */
  totalBytes(): Promise<number> {
    return this.ledger.totalBytes();
  }

  /**
   * Appends items, all or none. The data set is made when it does not exist.
   * @throws OperationFailure descriptor-mismatch (names the field of the input), no-space
   */
  async append(
    name: string,
    items: readonly NewItem[],
    descriptor: DataDescriptor,
    options: AppendOptions = {},
  ): Promise<Appended> {
    const shapes = items.map(({ bytes }) =>
      (descriptor.format ?? 0) === 0 ? shapeOfBytes(descriptor, bytes.length) : [bytes.length],
    );
    const large = items.flatMap(({ bytes }) => (bytes.length > inlineBytes ? [bytes] : []));
    const known = await this.find(name);
    this.checkFits(known, descriptor);
    // Before anything is written: what cannot fit leaves no blobs behind.
    this.ledger.checkQuota(known, sumOf(items), await this.totalBytes());
    return this.content.uses.hold(large, () =>
      this.ledger.change(name, async (found) => {
        if (options.request !== undefined) {
          const digests = await this.requests.stored(options.request, found);
          if (digests !== undefined) {
            return { result: { digests, items: found?.items ?? 0, bytes: found?.bytes ?? 0 } };
          }
        }
        const now = this.clock();
        this.checkFits(found, descriptor);
        const set = found ?? emptySet(name, sharedOf(descriptor), now);
        const ttlS = options.ttlS ?? descriptor.ttl ?? set.ttlS;
        const expiresAt = ttlS === undefined ? undefined : now + ttlS * 1000;
        const made = items.map((item, i) => itemOf(item, shapes[i] ?? [], now, expiresAt));
        const after: DataSetRecord = {
          ...withItems(set, made, 1),
          descriptor: { ...sharedOf(descriptor), ...set.descriptor },
          changedAt: now,
          ...(ttlS === undefined ? {} : { ttlS }),
          ...(options.origin === undefined ? {} : { origin: options.origin }),
        };
        const changes = made.flatMap((item, i) =>
          this.content.added(itemKey(set.id, set.next + i), item, items[i]?.bytes ?? new Uint8Array()),
        );
        if (options.request !== undefined) {
          changes.push(this.requests.remembered(options.request, set, made.length, now));
        }
        const digests = made.map((item) => item.digest);
        return { after, changes, result: { digests, items: after.items, bytes: after.bytes } };
      }),
    );
  }

  /** Items that match, in the order in which they were stored. */
  items(set: DataSetRecord, selection: Selection = {}): AsyncGenerator<StoredItem> {
    return this.content.items(set.id, selection);
  }

  /** @throws OperationFailure corrupt when the bytes are lost or damaged, not-found when the item is gone */
  bytesOf(stored: StoredItem): Promise<Uint8Array> {
    return this.content.bytesOf(stored);
  }

  /** Removes the whole data set. @throws OperationFailure not-found */
  async remove(name: string): Promise<{ items: number; bytes: number }> {
    const removed = await this.ledger.change(name, (set) => {
      if (set === undefined) throw new OperationFailure("not-found", `no data set ${name}`, "arguments.name");
      return Promise.resolve({
        after: null,
        changes: [this.content.garbage(set.id, this.clock(), false)],
        result: { items: set.items, bytes: set.bytes },
      });
    });
    this.purgeSoon();
    return removed;
  }

  /** Removes the items for which `stale` holds. @throws OperationFailure not-found */
  async removeItems(
    name: string,
    selection: Selection,
    stale: (item: DataItem) => boolean,
  ): Promise<{ items: number; bytes: number }> {
    const set = await this.get(name);
    let waiting: StoredItem[] = [];
    const removed = { items: 0, bytes: 0 };
    const flush = async () => {
      const chosen = waiting;
      waiting = [];
      const { items, bytes } = await this.dropItems(set, chosen);
      removed.items += items;
      removed.bytes += bytes;
    };
    for await (const stored of this.items(set, selection)) {
      if (stale(stored.item)) waiting.push(stored);
      if (waiting.length >= batch) await flush();
    }
    await flush();
    return removed;
  }

  /**
   * Changes label or usage of items, all or none. `change` gives the item as it is to be, or undefined to leave it.
   * @throws OperationFailure not-found
   */
  async update(
    name: string,
    change: (items: readonly StoredItem[]) => ReadonlyMap<string, Pick<DataItem, "label" | "usage">>,
    selection: Selection = {},
  ): Promise<{ set: DataSetRecord; changed: number }> {
    return this.ledger.change(name, async (set) => {
      if (set === undefined) throw new OperationFailure("not-found", `no data set ${name}`, "arguments.name");
      const all: StoredItem[] = [];
      for await (const stored of this.items(set, selection)) all.push(stored);
      const wanted = change(all);
      const before = all.filter(({ key }) => wanted.has(key));
      const now = before.map(({ key, item: { label: _label, usage: _usage, ...rest } }) => {
        const { label, usage } = wanted.get(key) ?? {};
        const item: DataItem = {
          ...rest,
          ...(label === undefined || label === "" ? {} : { label }),
          ...(usage === undefined ? {} : { usage }),
        };
        return { key, item };
      });
      const less = withItems(
        set,
        before.map(({ item }) => item),
        -1,
      );
      const more = withItems(
        less,
        now.map(({ item }) => item),
        1,
      );
      const after = { ...more, next: set.next, changedAt: this.clock() };
      const changes = now.map(({ key, item }) => ({
        collection: collections.items,
        key,
        value: encodeRecord(item),
      }));
      return { after, changes, result: { set: after, changed: now.length } };
    });
  }

  /**
   * Makes a data set of items that come one after the other; what had the name before is replaced when all are there.
   * Whatever `source` throws leaves the old one as it was.
   */
  async replace(
    name: string,
    source: AsyncIterable<NewItem & { readonly descriptor: DataDescriptor }>,
    details: Pick<DataSetRecord, "origin" | "normalization"> = {},
  ): Promise<DataSetRecord> {
    const started = this.clock();
    let made = emptySet(name, {}, started);
    await this.content.write([this.content.garbage(made.id, started, true)]);
    try {
      for await (const { descriptor, ...item } of source) {
        if (made.items > 0) this.checkFits(made, descriptor);
        this.ledger.checkQuota(made, item.bytes.length, 0);
        const stored = itemOf(item, shapeOfBytes(descriptor, item.bytes.length), started);
        const changes = this.content.added(itemKey(made.id, made.next), stored, item.bytes);
        await this.content.uses.hold(stored.inline ? [] : [item.bytes], () => this.content.write(changes));
        made = {
          ...withItems(made, [stored], 1),
          descriptor: { ...sharedOf(descriptor), ...made.descriptor },
        };
      }
      const result = { ...made, ...details };
      await this.ledger.change(name, (old) =>
        Promise.resolve({
          after: { ...result, createdAt: old?.createdAt ?? started, changedAt: this.clock() },
          changes: [
            this.content.notGarbage(made.id),
            ...(old === undefined ? [] : [this.content.garbage(old.id, this.clock(), false)]),
          ],
          result: undefined,
        }),
      );
      this.purgeSoon();
      return result;
    } catch (error) {
      // Best effort: the sweep removes what stays.
      await this.content.purge(made.id).catch(() => undefined);
      throw error;
    }
  }

  /** Removes what is older than its time to live, and what crashes left. `now` in ms since 1970. */
  async sweep(now = this.clock()): Promise<{ items: number; bytes: number }> {
    const removed = { items: 0, bytes: 0 };
    for (let page = await this.list(); page.length > 0; page = await this.list(afterLast(page))) {
      for (const set of page) {
        if (set.expiresAt === undefined || set.expiresAt > now) continue;
        const { items, bytes } = await this.removeItems(
          set.name,
          {},
          (item) => item.expiresAt !== undefined && item.expiresAt <= now,
        );
        removed.items += items;
        removed.bytes += bytes;
        await this.renewExpiry(set.name);
      }
    }
    await this.content.purgeAll(now);
    await this.requests.forget(now);
    return removed;
  }

  /** Resolves when removed content is gone from storage. */
  async idle(): Promise<void> {
    await this.purging;
  }

  // ---- inside ------------------------------------------------------------------------------------------------

  private checkFits(set: DataSetRecord | undefined, descriptor: DataDescriptor): void {
    const field = set === undefined ? "" : this.options.match(descriptor, set.descriptor);
    if (field !== "") {
      throw new OperationFailure(
        "descriptor-mismatch",
        `unlike the items of ${set?.name ?? ""}`,
        `input.${field}`,
      );
    }
  }

  /** Removes these items of the content they are of, in one write. Items that are gone already do not count. */
  private async dropItems(
    { name, id }: DataSetRecord,
    chosen: readonly StoredItem[],
  ): Promise<{ items: number; bytes: number }> {
    if (chosen.length === 0) return { items: 0, bytes: 0 };
    const gone = await this.ledger.change(name, async (set) => {
      if (set?.id !== id) return { result: [] };
      const there: StoredItem[] = [];
      for (const { key } of chosen) {
        const stored = await this.content.find(key);
        if (stored !== undefined) there.push(stored);
      }
      const items = there.map(({ item }) => item);
      const after = { ...withItems(set, items, -1), changedAt: this.clock() };
      return { after, changes: there.flatMap((stored) => this.content.removed(stored)), result: items };
    });
    await this.content.release(gone);
    return { items: gone.length, bytes: gone.reduce((sum, item) => sum + item.bytes, 0) };
  }

  private async renewExpiry(name: string): Promise<void> {
    await this.ledger.change(name, async (set) => {
      if (set === undefined) return { result: undefined };
      let first = Infinity;
      for await (const { item } of this.items(set)) first = Math.min(first, item.expiresAt ?? Infinity);
      const { expiresAt: _old, ...rest } = set;
      return { after: first === Infinity ? rest : { ...rest, expiresAt: first }, result: undefined };
    });
  }

  private purgeSoon(): void {
    // What fails now is swept later.
    this.purging = this.purging.then(() => this.content.purgeAll(this.clock())).catch(() => undefined);
  }
}

function emptySet(name: string, descriptor: DataDescriptor, now: number): DataSetRecord {
  return {
    name,
    id: `${name}/${randomBytes(6).toString("hex")}`,
    descriptor,
    items: 0,
    bytes: 0,
    labels: {},
    usages: {},
    createdAt: now,
    changedAt: now,
    next: 0,
  };
}

function itemOf(
  { bytes, label, usage, origin }: NewItem,
  shape: readonly number[],
  at: number,
  expiresAt?: number,
): DataItem {
  return {
    digest: digestOf(bytes),
    bytes: bytes.length,
    shape,
    at,
    inline: bytes.length <= inlineBytes,
    ...(label === undefined || label === "" ? {} : { label }),
    ...(usage === undefined ? {} : { usage }),
    ...(origin === undefined ? {} : { origin }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function sumOf(items: readonly NewItem[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function afterLast(page: readonly DataSetRecord[]): { after: string } {
  return { after: page.at(-1)?.name ?? "" };
}

/**
 * How data sets lie in storage. Records are CBOR:
 *   data-sets/<name>           the data set: descriptor, counters, and the id of its content
 *   data-items/<id>/<number>   an item: digest, label, usage, times
 *   data-bytes/<id>/<number>   its bytes when they are few; else they are a blob, and `blob-uses` says so
 *   data-totals/bytes          bytes of all data sets, for the quota
 *   data-requests/<request>    which items a request stored, so that its repetition stores nothing
 *   data-garbage/<id>          content that belongs to no data set any more, or not yet
 * Content has an id of its own, so that a whole data set is replaced or removed in one write.
 */
import { decode, encode } from "cborg";
import type { RecordEntry } from "../storage/storage.js";
import type { DataDescriptor, Usage } from "./data-descriptor.js";

export const collections = {
  sets: "data-sets",
  items: "data-items",
  bytes: "data-bytes",
  totals: "data-totals",
  requests: "data-requests",
  garbage: "data-garbage",
} as const;

/** Items of at most so many bytes are records: one write instead of a file. */
export const inlineBytes = 4096;

export interface DataSetRecord {
  readonly name: string;
  /** Of the content: "<name>/<random>". */
  readonly id: string;
  /** What all items share. */
  readonly descriptor: DataDescriptor;
  readonly items: number;
  readonly bytes: number;
  /** Items by label and by usage; without one: under "". */
  readonly labels: Readonly<Record<string, number>>;
  readonly usages: Readonly<Record<string, number>>;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly changedAt: number;
  readonly ttlS?: number;
  readonly origin?: string;
  /** Number of the next item. */
  readonly next: number;
  /** When the first item expires; ms since 1970. */
  readonly expiresAt?: number;
  /** Per channel, what a transformation took off and divided by. */
  readonly normalization?: { readonly offset: readonly number[]; readonly scale: readonly number[] };
}

export interface DataItem {
  readonly digest: string;
  readonly bytes: number;
  readonly shape: readonly number[];
  readonly label?: string;
  readonly usage?: Usage;
  /** When it was stored, and when it expires; ms since 1970. */
  readonly at: number;
  readonly expiresAt?: number;
  readonly origin?: string;
  /** Its bytes are a record. */
  readonly inline: boolean;
}

export interface StoredItem {
  /** "<id>/<number>" */
  readonly key: string;
  readonly item: DataItem;
}

export function itemKey(id: string, number: number): string {
  return `${id}/${String(number).padStart(12, "0")}`;
}

/** A record as it is stored; members that are undefined are left out. */
export function encodeRecord(value: object): Uint8Array {
  return encode(Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined)));
}

/** What `encodeRecord` made: records come from this node's storage only. */
export function decodeRecord<T>(value: Uint8Array): T {
  return decode(value) as T;
}

export function storedItem({ key, value }: RecordEntry): StoredItem {
  return { key, item: decodeRecord<DataItem>(value) };
}

/** The counts with one more or less of `key`; a count of 0 is left out. */
export function counted(
  counts: Readonly<Record<string, number>>,
  changes: Iterable<readonly [string, number]>,
): Record<string, number> {
  const result = new Map(Object.entries(counts));
  for (const [key, change] of changes) {
    const count = (result.get(key) ?? 0) + change;
    if (count > 0) result.set(key, count);
    else result.delete(key);
  }
  return Object.fromEntries(result);
}

/** The data set with items added (sign 1) or removed (sign -1). */
export function withItems(set: DataSetRecord, items: Iterable<DataItem>, sign: 1 | -1): DataSetRecord {
  const list = [...items];
  const expiries = list.flatMap((item) => (item.expiresAt === undefined ? [] : [item.expiresAt]));
  const first = sign === 1 ? Math.min(set.expiresAt ?? Infinity, ...bounds(expiries)) : set.expiresAt;
  return {
    ...set,
    items: set.items + sign * list.length,
    bytes: set.bytes + sign * list.reduce((sum, item) => sum + item.bytes, 0),
    labels: counted(
      set.labels,
      list.map((item) => [item.label ?? "", sign]),
    ),
    usages: counted(
      set.usages,
      list.map((item) => [item.usage ?? "", sign]),
    ),
    next: sign === 1 ? set.next + list.length : set.next,
    ...(first === undefined || first === Infinity ? {} : { expiresAt: first }),
  };
}

function bounds(values: readonly number[]): number[] {
  return values.length === 0 ? [] : [values.reduce((a, b) => Math.min(a, b))];
}

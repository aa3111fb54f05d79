/** Doubles for tests of operations: storage in memory that can fail at any write, and a match of descriptors. */
import type { DataDescriptor } from "../data/data-descriptor.js";
import { digestOf } from "../storage/blob-uses.js";
import { StorageError, type BlobInfo, type RecordChange, type Storage } from "../storage/storage.js";

export class MemoryStorage implements Storage {
  readonly description = "memory";
  readonly data = new Map<string, Map<string, Uint8Array>>();
  readonly content = new Map<string, Uint8Array>();
  /** Writes that are still made before every further one fails, as if the process had been killed. */
  writesLeft = Infinity;

  private step(): void {
    if (this.writesLeft <= 0) throw new StorageError("unavailable", "the process was killed");
    this.writesLeft--;
  }

  readonly records: Storage["records"] = {
    get: (collection, key) => Promise.resolve(this.data.get(collection)?.get(key)),
    list: (collection, { prefix = "", after = "", limit = 1000, reverse = false } = {}) => {
      const keys = [...(this.data.get(collection)?.keys() ?? [])]
        .filter((key) => key.startsWith(prefix) && (after === "" || (reverse ? key < after : key > after)))
        .sort();
      const ordered = reverse ? keys.reverse() : keys;
      return Promise.resolve(
        ordered
          .slice(0, limit)
          .map((key) => ({ key, value: this.data.get(collection)?.get(key) ?? new Uint8Array() })),
      );
    },
    write: async (changes: readonly RecordChange[]) => {
      await Promise.resolve();
      this.step();
      for (const { collection, key, expect } of changes) {
        if (!/^[\x21-\x7e]{1,512}$/.test(key) || !/^[a-z0-9-]+$/.test(collection)) {
          throw new Error(`not a key: ${collection} ${key}`);
        }
        const now = this.data.get(collection)?.get(key);
        if (expect === null && now !== undefined) return false;
        if (expect != null && (now === undefined || !Buffer.from(now).equals(expect))) return false;
      }
      for (const { collection, key, value } of changes) {
        const records = this.data.get(collection) ?? new Map<string, Uint8Array>();
        this.data.set(collection, records);
        if (value === undefined) records.delete(key);
        else records.set(key, value.slice());
      }
      return true;
    },
  };

  readonly blobs: Storage["blobs"] = {
    put: async (source, { digest } = {}): Promise<BlobInfo> => {
      const pieces: Uint8Array[] = [];
      if (source instanceof Uint8Array) pieces.push(source);
      else for await (const piece of source) pieces.push(piece);
      const bytes = Buffer.concat(pieces);
      this.step();
      const actual = digestOf(bytes);
      if (digest !== undefined && digest !== actual) throw new StorageError("corrupt", "not the digest");
      this.content.set(actual, bytes.slice());
      return { digest: actual, bytes: bytes.length };
    },
    get: (digest) => Promise.resolve(this.content.get(digest)),
    read: (digest, start = 0, end?: number) => {
      const bytes = this.content.get(digest)?.subarray(start, end);
      return Promise.resolve(
        bytes === undefined
          ? undefined
          : (async function* () {
              await Promise.resolve();
              yield bytes;
            })(),
      );
    },
    stat: (digest) => {
      const bytes = this.content.get(digest);
      return Promise.resolve(bytes === undefined ? undefined : { digest, bytes: bytes.length });
    },
    delete: async (digest) => {
      await Promise.resolve();
      this.step();
      return this.content.delete(digest);
    },
    list: (after = "", limit = 1000) =>
      Promise.resolve(
        [...this.content]
          .filter(([digest]) => digest > after)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, limit)
          .map(([digest, bytes]) => ({ digest, bytes: bytes.length })),
      ),
  };

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** As firmware/core/fits.ts, for tests that do not load the subset. */
export function matchForTests(offer: DataDescriptor, need: DataDescriptor): string {
  const core = (shape: readonly number[]) => shape.filter((dimension) => dimension !== 1);
  if (need.elementType !== undefined && offer.elementType !== need.elementType) return "element";
  if (need.shape !== undefined) {
    if (offer.shape === undefined) return "shape";
    const same = (a: readonly number[], b: readonly number[]) =>
      a.length === b.length && a.every((x, i) => x === b[i] || x === -1 || b[i] === -1);
    if (!same(offer.shape, need.shape) && !same(core(offer.shape), core(need.shape))) return "shape";
  }
  if ((offer.format ?? 0) !== (need.format ?? 0)) return "format";
  const both = <K extends keyof DataDescriptor>(key: K) =>
    offer[key] !== undefined && need[key] !== undefined;
  if (both("rate") && Math.abs((offer.rate ?? 0) - (need.rate ?? 0)) > (need.rate ?? 0) * 0.01) return "rate";
  for (const key of ["unit", "scale", "zeroPoint"] as const) {
    if (both(key) && offer[key] !== need[key]) return key;
  }
  return "";
}

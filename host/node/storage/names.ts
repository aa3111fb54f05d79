/**
 * The names and sizes that every storage accepts, checked in one place. Callers have checked names against the
 * protocol already; what fails here is a bug of theirs, and no path or database key is made of it.
 */
import type { ListOptions, RecordChange } from "./storage.js";
import { StorageError } from "./storage.js";

/** Bytes of one record's value. Larger things are blobs. */
export const maxRecordBytes = 4 * 1024 * 1024;
/** Changes of one batch. */
export const maxBatchChanges = 10_000;
/** Records or blobs of one page. */
export const maxPage = 10_000;
export const defaultPage = 1000;

const collectionPattern = /^[a-z0-9-]{1,64}$/;
const keyPattern = /^[\x20-\x7e]{1,512}$/;
const prefixPattern = /^[\x20-\x7e]{0,512}$/;
const digestPattern = /^[0-9a-f]{64}$/;

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** @throws RangeError */
export function checkCollection(collection: string): void {
  if (!collectionPattern.test(collection)) {
    throw new RangeError(`not a name of a collection: ${JSON.stringify(collection.slice(0, 80))}`);
  }
}

/** @throws RangeError */
export function checkKey(key: string): void {
  if (!keyPattern.test(key)) throw new RangeError(`not a key: ${JSON.stringify(key.slice(0, 80))}`);
}

/** @throws RangeError for names, StorageError too-large for values and batches */
export function checkChanges(changes: readonly RecordChange[]): void {
  if (changes.length > maxBatchChanges) {
    throw new StorageError("too-large", `${changes.length} changes at once (at most ${maxBatchChanges})`);
  }
  for (const change of changes) {
    checkCollection(change.collection);
    checkKey(change.key);
    const bytes = change.value?.length ?? 0;
    if (bytes > maxRecordBytes) {
      throw new StorageError("too-large", `a record of ${bytes} bytes (at most ${maxRecordBytes})`);
    }
  }
}

/** Of a page: defaults filled in. @throws RangeError */
export function checkList(collection: string, options: ListOptions) {
  checkCollection(collection);
  const { prefix = "", after, limit = defaultPage, reverse = false } = options;
  if (!prefixPattern.test(prefix)) throw new RangeError("not a prefix of a key");
  if (after !== undefined) checkKey(after);
  return { prefix, after, limit: checkLimit(limit), reverse };
}

/** @throws RangeError */
export function checkLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 0 || limit > maxPage) {
    throw new RangeError(`a page has 0 to ${maxPage} entries, not ${limit}`);
  }
  return limit;
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | null | undefined): boolean {
  if (a === undefined || b == null) return a === undefined && b == null;
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

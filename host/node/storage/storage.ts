/**
 * Local Storage of a complete node, as all its implementations offer it: records (small values by collection and key)
 * and blobs (content-addressed bytes). What `write` and `put` acknowledged survives `kill -9` of the process at any
 * moment. It knows nothing of data sets or models: those are made of records and blobs elsewhere.
 */

/** Collections have names of [a-z0-9-]; keys are 1-512 bytes of printable ASCII, in byte order when listed. */
export interface RecordEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface RecordChange {
  readonly collection: string;
  readonly key: string;
  /** Undefined removes the record. */
  readonly value: Uint8Array | undefined;
  /**
   * The change is made only if the record is now as stated: `null` absent, bytes equal to these. When one of a batch
   * fails its condition, nothing of the batch is written.
   */
  readonly expect?: Uint8Array | null;
}

export interface ListOptions {
  /** Keys that begin so. */
  readonly prefix?: string;
  /** Keys behind this one (before it, when reversed). */
  readonly after?: string;
  /** At most; default 1000. */
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface RecordStore {
  get(collection: string, key: string): Promise<Uint8Array | undefined>;
  /** In order of keys. One page: go on with `after` the last key. */
  list(collection: string, options?: ListOptions): Promise<RecordEntry[]>;
  /**
   * All changes or none, durable when it resolves. False when a condition did not hold.
   * @throws StorageError no-space, unavailable
   */
  write(changes: readonly RecordChange[]): Promise<boolean>;
}

export interface BlobInfo {
  /** SHA-256, lower-case hexadecimal: the name of the blob. */
  readonly digest: string;
  readonly bytes: number;
}

export interface BlobStore {
  /**
   * Keeps the bytes; durable when it resolves. Nothing is visible before that, and nothing is left of a failed one.
   * @throws StorageError corrupt (not `digest`), too-large (above `limit`), no-space, unavailable
   */
  put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly digest?: string; readonly limit?: number },
  ): Promise<BlobInfo>;
  /** The whole. Undefined when absent. @throws StorageError corrupt when the bytes on disk are not those any more. */
  get(digest: string): Promise<Uint8Array | undefined>;
  /** From `start` up to `end` (exclusive), in pieces, unverified. Undefined when absent. */
  read(digest: string, start?: number, end?: number): Promise<AsyncIterable<Uint8Array> | undefined>;
  stat(digest: string): Promise<BlobInfo | undefined>;
  /** False when it was absent. */
  delete(digest: string): Promise<boolean>;
  /** In order of digests. */
  list(after?: string, limit?: number): Promise<BlobInfo[]>;
}

export interface Storage {
  readonly records: RecordStore;
  readonly blobs: BlobStore;
  /** For people: "lmdb and files in /var/lib/tmc". No secrets. */
  readonly description: string;
  close(): Promise<void>;
}

/** Blobs that are somewhere else than the records. */
export interface ForeignBlobs {
  readonly store: BlobStore;
  /** For people: "S3 bucket tmc at minio:9000". */
  readonly description: string;
  close(): void;
}

export type StorageErrorCode = "no-space" | "corrupt" | "too-large" | "unavailable";

export class StorageError extends Error {
  override readonly name = "StorageError";
  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

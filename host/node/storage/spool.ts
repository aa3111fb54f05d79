/**
 * Bytes on their way to a store that must know their digest first: small ones stay in memory, large ones go to a
 * temporary file that has no name any more, so that nothing is left of it whatever happens.
 */
import { createHash, randomUUID } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageError } from "./storage.js";
import { errorCode, storageError } from "./storage-errors.js";

export interface Spool {
  readonly digest: string;
  readonly bytes: number;
  /** The bytes from `start` up to `end`. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const memoryBytes = 8 * 1024 * 1024;

/** @throws StorageError too-large above `limit`, no-space when the temporary file does not fit; what the source throws */
export async function spool(source: Uint8Array | AsyncIterable<Uint8Array>, limit: number): Promise<Spool> {
  const hash = createHash("sha256");
  const kept: Uint8Array[] = [];
  let bytes = 0;
  let file: FileHandle | undefined;
  try {
    for await (const piece of source instanceof Uint8Array ? [source] : source) {
      bytes += piece.length;
      if (bytes > limit) throw new StorageError("too-large", `a blob of more than ${limit} bytes`);
      hash.update(piece);
      // What is in memory already may stay there.
      if (file === undefined && (source instanceof Uint8Array || bytes <= memoryBytes)) {
        kept.push(piece);
        continue;
      }
      file ??= await anonymousFile();
      for (const waiting of kept.splice(0)) await append(file, waiting);
      await append(file, piece);
    }
  } catch (error) {
    await file?.close();
    throw errorCode(error) === undefined ? error : storageError(error, "keep a blob on its way");
  }
  const memory = file === undefined ? Buffer.concat(kept) : undefined;
  return {
    digest: hash.digest("hex"),
    bytes,
    async read(start, end) {
      if (memory !== undefined) return memory.subarray(start, end);
      const piece = Buffer.alloc(Math.min(end, bytes) - start);
      for (let at = 0; at < piece.length;) {
        const { bytesRead } = (await file?.read(piece, at, piece.length - at, start + at)) ?? {
          bytesRead: 0,
        };
        if (bytesRead === 0) throw new StorageError("unavailable", "a temporary file is shorter than it was");
        at += bytesRead;
      }
      return piece;
    },
    async close() {
      await file?.close();
    },
  };
}

async function anonymousFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `tmc-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}

/**
 * Blobs as files named by their digest: `ab/cd/abcd…` below a folder. A blob is written to a temporary file, synced,
 * renamed, and its folder synced: it is there as a whole, or not at all. Temporary files of a process that died are
 * removed at the start.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, unlink, type FileHandle, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { FreeSpace } from "./free-space.js";
import { checkLimit, defaultPage, isDigest } from "./names.js";
import type { BlobInfo, BlobStore } from "./storage.js";
import { StorageError } from "./storage.js";
import { errorCode, storageError } from "./storage-errors.js";

const pieceBytes = 256 * 1024;
const temporaryName = "incoming";

export class FileBlobs implements BlobStore {
  private readonly temporary: string;
  /** Folders whose entry in their parent is known to be on disk. */
  private readonly durableFolders = new Set<string>();

  /** Makes the folder; removes what an interrupted `put` left. */
  constructor(
    private readonly folder: string,
    private readonly space: FreeSpace,
  ) {
    this.temporary = join(folder, temporaryName);
    mkdirSync(this.temporary, { recursive: true });
    for (const name of readdirSync(this.temporary)) rmSync(join(this.temporary, name), { force: true });
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly digest?: string; readonly limit?: number } = {},
  ): Promise<BlobInfo> {
    const limit = options.limit ?? Infinity;
    const file = join(this.temporary, randomUUID());
    let handle: FileHandle | undefined;
    try {
      handle = await open(file, "wx", 0o600);
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const piece of source instanceof Uint8Array ? [source] : source) {
        bytes += piece.length;
        if (bytes > limit) throw new StorageError("too-large", `a blob of more than ${limit} bytes`);
        await this.space.claim(piece.length);
        hash.update(piece);
        await writeAll(handle, piece);
      }
      const digest = hash.digest("hex");
      if (options.digest !== undefined && options.digest !== digest) {
        throw new StorageError("corrupt", `the bytes have the digest ${digest}, not the stated one`);
      }
      await handle.sync();
      await handle.close();
      handle = undefined;
      const parent = await this.makeFolder(digest);
      // Over one that is there: the bytes are the same, and damaged ones are mended.
      await rename(file, join(parent, digest));
      await syncFolder(parent);
      return { digest, bytes };
    } catch (error) {
      await handle?.close().catch(() => undefined);
      await rm(file, { force: true }).catch(() => undefined);
      // What the source threw is its reader's.
      throw errorCode(error) === undefined ? error : storageError(error, "keep a blob");
    }
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    if (!isDigest(digest)) return undefined;
    const bytes = await absent(readFile(this.path(digest)));
    if (bytes !== undefined && createHash("sha256").update(bytes).digest("hex") !== digest) {
      throw new StorageError("corrupt", `the bytes of blob ${digest} have changed on disk`);
    }
    return bytes;
  }

  async read(digest: string, start = 0, end = Infinity): Promise<AsyncIterable<Uint8Array> | undefined> {
    const info = await this.stat(digest);
    if (info === undefined) return undefined;
    return readPieces(this.path(digest), Math.max(0, start), Math.min(end, info.bytes));
  }

  async stat(digest: string): Promise<BlobInfo | undefined> {
    if (!isDigest(digest)) return undefined;
    const found = await absent(stat(this.path(digest)));
    return found && { digest, bytes: found.size };
  }

  async delete(digest: string): Promise<boolean> {
    if (!isDigest(digest)) return false;
    // Not synced: a blob that comes back after a power cut is garbage that is collected, not damage.
    return (await absent(unlink(this.path(digest)).then(() => true))) ?? false;
  }

  async list(after = "", limit = defaultPage): Promise<BlobInfo[]> {
    checkLimit(limit);
    const found: BlobInfo[] = [];
    for (const first of await names(this.folder, /^[0-9a-f]{2}$/, after.slice(0, 2))) {
      const least = first === after.slice(0, 2) ? after.slice(2, 4) : "";
      for (const second of await names(join(this.folder, first), /^[0-9a-f]{2}$/, least)) {
        for (const digest of await names(join(this.folder, first, second), /^[0-9a-f]{64}$/, after)) {
          if (found.length >= limit) return found;
          if (digest === after) continue;
          const info = await this.stat(digest);
          if (info !== undefined) found.push(info);
        }
      }
    }
    return found;
  }

  private path(digest: string): string {
    return join(this.folder, digest.slice(0, 2), digest.slice(2, 4), digest);
  }

  /** The folder of a digest, durable in its parents. */
  private async makeFolder(digest: string): Promise<string> {
    const first = join(this.folder, digest.slice(0, 2));
    const second = join(first, digest.slice(2, 4));
    if (!this.durableFolders.has(second)) {
      await mkdir(second, { recursive: true });
      await syncFolder(first);
      await syncFolder(this.folder);
      this.durableFolders.add(second);
    }
    return second;
  }
}

async function* readPieces(file: string, start: number, end: number): AsyncIterable<Uint8Array> {
  if (start >= end) return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r");
    for (let at = start; at < end;) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, end - at));
      const { bytesRead } = await handle.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw new StorageError("corrupt", "a blob is shorter than it was");
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } catch (error) {
    throw storageError(error, "read a blob");
  } finally {
    await handle?.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}

/** Makes the entries of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Names in a folder that match, from `least` on, in order. */
async function names(folder: string, pattern: RegExp, least: string): Promise<string[]> {
  const all = (await absent(readdir(folder))) ?? [];
  return all.filter((name) => pattern.test(name) && name >= least).sort();
}

/** Undefined where there is no such file. */
async function absent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storageError(error, "read a blob");
  }
}

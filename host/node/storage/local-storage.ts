/**
 * Local Storage in a folder: LMDB for records, files for blobs, one process at a time. What is acknowledged is on the
 * disk (fsync), so it survives `kill -9` and, on disks that keep what they confirm, a power cut.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import { FileBlobs, syncFolder } from "./file-blobs.js";
import { lockFolder } from "./folder-lock.js";
import { freeBytes, FreeSpace, type FreeBytes } from "./free-space.js";
import { LmdbRecords } from "./lmdb-records.js";
import type { ForeignBlobs, Storage } from "./storage.js";
import { errorCode } from "./storage-errors.js";

export interface LocalOptions {
  /** Bytes of the disk that stay free; default 32 MiB. Deleting needs some room too. */
  readonly reserveBytes?: number;
  /** How long to wait for another process that may be just ending, ms; default 1500. */
  readonly patienceMs?: number;
  /** Where blobs go instead of files. */
  readonly blobs?: ForeignBlobs;
  /** How the free space is asked for. */
  readonly freeBytes?: FreeBytes;
}

const formatLine = "tmc storage 1\n";

/**
 * Opens the folder, making it when it is missing.
 * @throws UserError TMC6201 in use, TMC6202 cannot be made or written, TMC6203 not a storage of this version
 */
export async function openLocalStorage(path: string, options: LocalOptions = {}): Promise<Storage> {
  const space = new FreeSpace(path, options.reserveBytes ?? 32 * 1024 * 1024, options.freeBytes ?? freeBytes);
  let lock: Awaited<ReturnType<typeof lockFolder>> | undefined;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    checkFormat(path);
    lock = await lockFolder(path, options.patienceMs);
    const blobs = options.blobs?.store ?? new FileBlobs(join(path, "blobs"), space);
    const records = new LmdbRecords(join(path, "records.mdb"), space);
    await syncFolder(path);
    const held = lock;
    return {
      records,
      blobs,
      description: options.blobs
        ? `LMDB in ${path}, blobs in ${options.blobs.description}`
        : `LMDB and files in ${path}`,
      async close() {
        await records.close();
        held.release();
        options.blobs?.close();
      },
    };
  } catch (error) {
    lock?.release();
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      "TMC6202",
      `cannot open the storage in ${path}: ${reason}`,
      "give a folder that this user can make and write: storage.path in node.yaml",
      ExitCode.failed,
    );
  }
}

/** Marks a new folder; refuses one that another version wrote. */
function checkFormat(path: string): void {
  const file = join(path, "format");
  try {
    writeFileSync(file, formatLine, { flag: "wx" });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    const found = readFileSync(file, "utf8");
    // Empty: a power cut right behind the first start.
    if (found === formatLine || found === "") return;
    throw new UserError(
      "TMC6203",
      `${path} holds something that this version cannot read: ${JSON.stringify(found.slice(0, 40))}`,
      `start the version of tmc that wrote it, or give another folder: storage.path in node.yaml`,
      ExitCode.failed,
    );
  }
}

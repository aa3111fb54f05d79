/**
 * Refuses writes before the disk is full, so that a full disk never meets a half-written value and deleting (which
 * needs some room in LMDB) always works. It asks the file system seldom and counts in between.
 */
import { statfs } from "node:fs/promises";
import { StorageError } from "./storage.js";

/** Bytes a user may still write in the file system of `path`. */
export type FreeBytes = (path: string) => Promise<number>;

export const freeBytes: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};

/** The answer of the file system is taken as true for this long. */
const freshMs = 200;
/** With so little left a write that failed has failed for that. */
const tightBytes = 1024 * 1024;

export class FreeSpace {
  private left = 0;
  private askedAt = -Infinity;

  constructor(
    private readonly path: string,
    /** Bytes that stay free. */
    private readonly reserve: number,
    private readonly ask: FreeBytes,
  ) {}

  /** Announces a write. @throws StorageError no-space when it does not fit above the reserve */
  async claim(bytes: number): Promise<void> {
    const now = performance.now();
    if (now - this.askedAt > freshMs || this.left < bytes) {
      this.left = (await this.ask(this.path)) - this.reserve;
      this.askedAt = now;
    }
    if (this.left < bytes) {
      const text = `${Math.max(0, this.left)} bytes are left on the disk of ${this.path}, ${bytes} are needed`;
      throw new StorageError("no-space", `${text} (${this.reserve} stay free)`);
    }
    this.left -= bytes;
  }

  /** Would so many bytes more be a problem now? For who wants to know why a write failed. */
  async isTight(bytes: number): Promise<boolean> {
    try {
      return (await this.ask(this.path)) - bytes < tightBytes;
    } catch {
      return false;
    }
  }
}

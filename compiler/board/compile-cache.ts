/**
 * Objects of tmc's own C files, kept by the hash of everything that decides them (source, headers, flags, compiler),
 * so that a second build compiles only what the program generated. Safe when several builds share one folder: an
 * entry is made aside and renamed into place.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Hash of all `.h` files under the folders, names and contents. */
export function hashHeaders(includeDirs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of includeDirs) {
    const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
    for (const entry of entries.filter((name) => name.endsWith(".h")).sort()) {
      hash
        .update(entry)
        .update("\0")
        .update(readFileSync(join(folder, entry)))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

export interface CacheKey {
  readonly source: string;
  readonly headersHash: string;
  /** Compiler identity (path and version) and every flag. */
  readonly command: readonly string[];
}

/** Folder of the entry for this key; it exists only when the entry is complete. */
export function cacheEntry(cacheDir: string, key: CacheKey): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([key.source, key.headersHash, key.command]))
    .update(readFileSync(key.source))
    .digest("hex");
  return join(cacheDir, "objects", hash.slice(0, 2), hash.slice(2, 34));
}

/** Runs `make(folder)` once for a missing entry; afterwards the entry is there, whoever made it. */
export async function ensureCacheEntry(
  entry: string,
  make: (folder: string) => Promise<void>,
): Promise<void> {
  if (existsSync(entry)) {
    return;
  }
  mkdirSync(dirname(entry), { recursive: true });
  const aside = mkdtempSync(`${entry}.`);
  try {
    await make(aside);
    try {
      renameSync(aside, entry);
    } catch (error) {
      if (!existsSync(entry)) {
        throw error;
      }
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** What the sweep removes: data that is older than its time to live, and, seldom, blobs that nobody needs any more. */
import type { DataSets } from "./data/data-sets.js";
import { mentionedBlobs } from "./storage/blob-mentions.js";
import type { BlobUses } from "./storage/blob-uses.js";
import type { Storage } from "./storage/storage.js";

export interface Swept {
  readonly items: number;
  readonly bytes: number;
}

/** Looking at every blob is work: at most so often. */
const orphansEveryMs = 3_600_000;
/** Uploads and outputs wait so long for somebody to use or fetch them. */
const orphanGraceMs = 24 * 3_600_000;
/** Records that may hold references. */
const referring = ["jobs", "job-checkpoints", "schedules"];

/** `clock` in ms since 1970. */
export function createSweep(
  { dataSets, uses, storage }: { dataSets: DataSets; uses: BlobUses; storage: Storage },
  clock: () => number = Date.now,
): () => Promise<Swept> {
  let lastOrphansAt = -Infinity;
  return async () => {
    const now = clock();
    const swept = await dataSets.sweep(now);
    if (now - lastOrphansAt < orphansEveryMs) return swept;
    lastOrphansAt = now;
    const mentioned = await mentionedBlobs(storage.records, referring);
    const blobs = await uses.collectOrphans(now, orphanGraceMs, (digest) => mentioned.has(digest));
    return { ...swept, items: swept.items + blobs };
  };
}

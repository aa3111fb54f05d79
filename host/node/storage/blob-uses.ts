/**
 * Who needs which blob. Content-addressed bytes may belong to several records (items of data sets, models); a blob goes
 * when its last user has gone. A use is a record of its own, written in the same batch as the record that needs the
 * blob, so no moment of a crash leaves a record without its bytes; what a crash can leave is a blob without a use,
 * which `collectOrphans` removes.
 */
import { createHash } from "node:crypto";
import type { RecordChange, Storage } from "./storage.js";

const collection = "blob-uses";
const nothing = new Uint8Array(0);

/** Bytes that come in pieces, of a digest and a number that were announced. */
export interface IncomingBlob {
  readonly digest: string;
  readonly bytes: number;
  readonly source: AsyncIterable<Uint8Array>;
}

export class BlobUses {
  /** Blobs that are put and have no record yet: not to be removed in between. */
  private readonly pinned = new Map<string, number>();
  /** Blobs that are being looked at and perhaps removed: who wants to put one waits. */
  private readonly dying = new Map<string, Promise<boolean>>();
  /** Blobs without a use, and when they were first seen so. */
  private readonly suspects = new Map<string, number>();

  constructor(private readonly storage: Storage) {}

  /**
   * Keeps the bytes until `work`, which writes the use, has ended. Gives what `work` gives. What is here already is not
   * asked of its source. @throws StorageError corrupt, too-large: not what was announced; what a source throws
   */
  async hold<T>(
    contents: readonly (Uint8Array | IncomingBlob)[],
    work: (digests: string[]) => Promise<T>,
  ): Promise<T> {
    const held: string[] = [];
    const added: string[] = [];
    let failed = true;
    try {
      for (const content of contents) {
        const digest = content instanceof Uint8Array ? digestOf(content) : content.digest;
        this.pinned.set(digest, (this.pinned.get(digest) ?? 0) + 1);
        held.push(digest);
        await this.dying.get(digest)?.catch(() => undefined);
        const present = (await this.storage.blobs.stat(digest)) !== undefined;
        if (!present) added.push(digest);
        if (content instanceof Uint8Array) await this.storage.blobs.put(content, { digest });
        else if (!present) await this.storage.blobs.put(content.source, { digest, limit: content.bytes });
      }
      const result = await work([...held]);
      failed = false;
      return result;
    } finally {
      for (const digest of held) {
        const count = (this.pinned.get(digest) ?? 1) - 1;
        if (count > 0) this.pinned.set(digest, count);
        else this.pinned.delete(digest);
      }
      // What was refused leaves nothing; when this fails too, collectOrphans does it.
      if (failed) await this.release(added).catch(() => undefined);
    }
  }

  /** Part of the batch that writes the owner's record. Owners are printable ASCII, e.g. "model/vibration@1". */
  add(digest: string, owner: string): RecordChange {
    return { collection, key: `${digest}/${owner}`, value: nothing };
  }

  /** Part of the batch that removes the owner's record; `release` follows it. */
  drop(digest: string, owner: string): RecordChange {
    return { collection, key: `${digest}/${owner}`, value: undefined };
  }

  async used(digest: string): Promise<boolean> {
    const uses = await this.storage.records.list(collection, { prefix: `${digest}/`, limit: 1 });
    return uses.length > 0;
  }

  /** Removes those of these blobs that nobody needs any more. */
  async release(digests: Iterable<string>): Promise<void> {
    for (const digest of new Set(digests)) await this.removeUnused(digest);
  }

  /**
   * Removes blobs that nobody has used for `graceMs`: left by a crash, or outputs that nobody fetched. `keeps` speaks for
   * owners without records here. Gives how many. Looks at every blob: for seldom use.
   */
  async collectOrphans(
    now: number,
    graceMs: number,
    keeps: (digest: string) => boolean | Promise<boolean> = () => false,
  ): Promise<number> {
    let removed = 0;
    const seen = new Set<string>();
    for (let page = await this.storage.blobs.list(); page.length > 0;) {
      for (const { digest } of page) {
        if (this.pinned.has(digest) || (await this.used(digest)) || (await keeps(digest))) continue;
        seen.add(digest);
        const since = this.suspects.get(digest) ?? now;
        this.suspects.set(digest, since);
        if (now - since >= graceMs && (await this.removeUnused(digest))) removed++;
      }
      page = await this.storage.blobs.list(page.at(-1)?.digest);
    }
    for (const digest of this.suspects.keys()) if (!seen.has(digest)) this.suspects.delete(digest);
    return removed;
  }

  /** From looking to removing nobody gets hold of the blob: `hold` waits. False when it is needed, or was gone. */
  private removeUnused(digest: string): Promise<boolean> {
    if (this.pinned.has(digest)) return Promise.resolve(false);
    const known = this.dying.get(digest);
    if (known !== undefined) return known;
    const work = async (): Promise<boolean> =>
      !(await this.used(digest)) && (await this.storage.blobs.delete(digest));
    const removal = work().finally(() => this.dying.delete(digest));
    this.dying.set(digest, removal);
    return removal;
  }
}

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

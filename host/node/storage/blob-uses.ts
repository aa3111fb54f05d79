/**
 * Who needs which blob. Content-addressed bytes may belong to several records (items of data sets, models); a blob goes
 * when its last user has gone. A use is a record of its own, written in the same batch as the record that needs the
 * blob, so no moment of a crash leaves a record without its bytes; what a crash can leave is a blob without a use,
 * which `collectOrphans` removes.
 *
 * Where several processes share the storage, who puts a blob says so in a record too (a pin, which counts as a use), and
 * who removes one claims it first: a pin is written only where there is no claim, and a claim is made before uses are
 * looked at, so one of the two always sees the other.
 */
import { createHash, randomUUID } from "node:crypto";
import type { RecordChange, Storage } from "./storage.js";

const collection = "blob-uses";
/** Of who is removing it. */
const claims = "blob-claims";
/** Last in order, so that what comes first of a blob's uses is a pin only where nothing else is. */
const pinPrefix = "~pin/";
const nothing = new Uint8Array(0);

/** Bytes that come in pieces, of a digest and a number that were announced. */
export interface IncomingBlob {
  readonly digest: string;
  readonly bytes: number;
  readonly source: AsyncIterable<Uint8Array>;
}

export interface BlobUsesOptions {
  /** Other processes put and remove blobs of this storage, too. Default false. */
  readonly shared?: boolean;
  /** A claim that stays for so long is of a process that died; default 10 s. */
  readonly claimMs?: number;
}

export class BlobUses {
  /** Blobs that are put and have no record yet: not to be removed in between. */
  private readonly pinned = new Map<string, number>();
  /** Blobs that are being looked at and perhaps removed: who wants to put one waits. */
  private readonly dying = new Map<string, Promise<boolean>>();
  /** Blobs without a use, and when they were first seen so. */
  private readonly suspects = new Map<string, number>();

  private readonly process = randomUUID();
  private pins = 0;

  constructor(
    private readonly storage: Storage,
    private readonly options: BlobUsesOptions = {},
  ) {}

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
    const pins: RecordChange[] = [];
    let failed = true;
    try {
      for (const content of contents) {
        const digest = content instanceof Uint8Array ? digestOf(content) : content.digest;
        this.pinned.set(digest, (this.pinned.get(digest) ?? 0) + 1);
        held.push(digest);
        await this.dying.get(digest)?.catch(() => undefined);
        if (this.options.shared === true) pins.push(await this.pin(digest));
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
      // A pin that stays is removed by collectOrphans.
      if (pins.length > 0) await this.storage.records.write(pins).catch(() => undefined);
      // What was refused leaves nothing; when this fails too, collectOrphans does it.
      if (failed) await this.release(added).catch(() => undefined);
    }
  }

  /** Written when nobody is removing the blob. Gives the change that takes it back. */
  private async pin(digest: string): Promise<RecordChange> {
    const key = `${digest}/${pinPrefix}${this.process}/${this.pins++}`;
    const value = Buffer.from(String(Date.now()));
    const { claimMs = 10_000 } = this.options;
    let claim: Uint8Array | undefined;
    let claimSeenAt = performance.now();
    const { records } = this.storage;
    while (
      !(await records.write([
        { collection, key, value },
        { collection: claims, key: digest, value: undefined, expect: null },
      ]))
    ) {
      const found = await records.get(claims, digest);
      if (found === undefined) continue;
      if (claim === undefined || !Buffer.from(claim).equals(found)) {
        claim = found;
        claimSeenAt = performance.now();
      } else if (performance.now() - claimSeenAt > claimMs) {
        await records.write([{ collection: claims, key: digest, value: undefined, expect: found }]);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { collection, key, value: undefined };
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
    await this.dropOldPins(now - graceMs);
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

  /** Those of processes that died. */
  private async dropOldPins(before: number): Promise<void> {
    if (this.options.shared !== true) return;
    const { records } = this.storage;
    for (let page = await records.list(collection); page.length > 0;) {
      const old = page.filter(
        ({ key, value }) => key.includes(`/${pinPrefix}`) && Number(Buffer.from(value).toString()) <= before,
      );
      if (old.length > 0) {
        await records.write(old.map(({ key }) => ({ collection, key, value: undefined })));
      }
      const after = page.at(-1)?.key;
      page = after === undefined ? [] : await records.list(collection, { after });
    }
  }

  /** From looking to removing nobody gets hold of the blob: `hold` waits. False when it is needed, or was gone. */
  private removeUnused(digest: string): Promise<boolean> {
    if (this.pinned.has(digest)) return Promise.resolve(false);
    const known = this.dying.get(digest);
    if (known !== undefined) return known;
    const work = async (): Promise<boolean> =>
      !(await this.used(digest)) && (await this.storage.blobs.delete(digest));
    const claimed = async (): Promise<boolean> => {
      const claim: RecordChange = {
        collection: claims,
        key: digest,
        value: Buffer.from(`${this.process}/${this.pins++}`),
        expect: null,
      };
      // Another one is at it.
      if (!(await this.storage.records.write([claim]))) return false;
      try {
        return await work();
      } finally {
        await this.storage.records.write([{ ...claim, value: undefined, expect: claim.value ?? null }]);
      }
    };
    const removal = (this.options.shared === true ? claimed() : work()).finally(() =>
      this.dying.delete(digest),
    );
    this.dying.set(digest, removal);
    return removal;
  }
}

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Where the bundles of a node are kept: a record for each "name@version", the bytes as a blob. */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { z } from "zod";
import { withStorage } from "../operations/storage-failure.js";
import { BlobUses } from "../storage/blob-uses.js";
import type { Storage } from "../storage/storage.js";

const collection = "functions";
const record = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) });

export interface KeptBundle {
  /** name@version */
  readonly key: string;
  readonly digest: string;
}

/** Failures of the storage are OperationFailures. */
export class BundleStore {
  private readonly uses: BlobUses;

  constructor(
    private readonly storage: Storage,
    uses: BlobUses | undefined,
  ) {
    this.uses = uses ?? new BlobUses(storage);
  }

  async list(): Promise<KeptBundle[]> {
    const found: KeptBundle[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.storage.records.list(collection, after === undefined ? {} : { after });
      if (page.length === 0) return found;
      for (const { key, value } of page) {
        const parsed = record.safeParse(decode(value));
        if (parsed.success) found.push({ key, digest: parsed.data.digest });
      }
      after = page.at(-1)?.key;
    }
  }

  read(digest: string): Promise<Uint8Array | undefined> {
    return withStorage(() => this.storage.blobs.get(digest));
  }

  /** In place of what was kept under the key; `before`: its digest. */
  keep(key: string, bundle: Uint8Array, before: string | undefined): Promise<void> {
    return withStorage(async () => {
      await this.uses.hold([bundle], async ([digest = ""]) => {
        const value = encode({ digest }, rfc8949EncodeOptions);
        await this.storage.records.write([
          ...(before === undefined || before === digest ? [] : [this.uses.drop(before, owner(key))]),
          this.uses.add(digest, owner(key)),
          { collection, key, value },
        ]);
      });
      if (before !== undefined) await this.uses.release([before]);
    });
  }

  remove({ key, digest }: KeptBundle): Promise<void> {
    return withStorage(async () => {
      await this.storage.records.write([
        { collection, key, value: undefined },
        this.uses.drop(digest, owner(key)),
      ]);
      await this.uses.release([digest]);
    });
  }
}

const owner = (key: string): string => `function/${key}`;

/** Where the bundles of a node are kept: a record for each "name@version", the bytes as a blob. */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { z } from "zod";
import { StorageError, type Storage } from "../storage/storage.js";
import { OperationFailure } from "../operations/operation.js";

const collection = "functions";
const record = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) });

export interface KeptBundle {
  /** name@version */
  readonly key: string;
  readonly digest: string;
}

export class BundleStore {
  constructor(private readonly storage: Storage) {}

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
    return this.storage.blobs.get(digest);
  }

  /** @throws OperationFailure no-space */
  async keep(key: string, bundle: Uint8Array): Promise<string> {
    try {
      const { digest } = await this.storage.blobs.put(bundle);
      const value = encode({ digest }, rfc8949EncodeOptions);
      await this.storage.records.write([{ collection, key, value }]);
      return digest;
    } catch (error) {
      if (error instanceof StorageError && error.code === "no-space") {
        throw new OperationFailure("no-space", "the storage is full");
      }
      throw error;
    }
  }

  /** `shared`: another record has the same bytes. */
  async remove(key: string, digest: string, shared: boolean): Promise<void> {
    await this.storage.records.write([{ collection, key, value: undefined }]);
    if (!shared) await this.storage.blobs.delete(digest);
  }
}

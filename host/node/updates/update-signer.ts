/**
 * Signs what this node brings to devices, with the key that its configuration names, and gives each version a counter that
 * none before it had. The newest header of a kind is kept: the same version again is the same bytes, so that a device that
 * has it, or a part of it, knows it again.
 */
import { createHash, type KeyObject } from "node:crypto";
import {
  largestCounter,
  readHeader,
  signHeader,
  UpdateError,
  type UpdateFacts,
  type UpdateHeader,
} from "../../../compiler/update/artifact.js";
import { ownerKeyId, type OwnerKey } from "../../../compiler/update/owner-keys.js";
import { OperationFailure } from "../operations/operation.js";
import type { Storage } from "../storage/storage.js";

const collection = "update-headers";

export class UpdateSigner {
  /** Undefined without a key: then nothing is signed. */
  private readonly keyId: string | undefined;

  /** `clock` in ms since 1970. */
  constructor(
    private readonly parts: { readonly storage: Storage; readonly key: OwnerKey } | undefined,
    private readonly clock: () => number = Date.now,
  ) {
    this.keyId = parts === undefined ? undefined : ownerKeyId(parts.key.publicKey);
  }

  /**
   * Header and content.
   * @throws OperationFailure forbidden without a key, too-large, bad-request for names that no header holds
   */
  async sign(what: Omit<UpdateFacts, "counter">, content: Uint8Array): Promise<Uint8Array> {
    const { parts, keyId } = this;
    if (parts === undefined || keyId === undefined) {
      throw new OperationFailure("forbidden", "not signed, and node.yaml names no updates.key", "input");
    }
    const { storage, key } = parts;
    const at = `${keyId}/${what.kind}`;
    for (;;) {
      const kept = await storage.records.get(collection, at);
      const last = kept === undefined ? undefined : readHeader(kept);
      if (kept !== undefined && last !== undefined && isFor(last, what, content)) {
        return Buffer.concat([kept, content]);
      }
      // Of the time, so that it grows also when the storage is lost; devices never go back.
      const counter = Math.max((last?.counter ?? 0) + 1, Math.floor(this.clock() / 1000));
      if (counter > largestCounter) throw new OperationFailure("internal", "no counter is left for this key");
      const header = headerOf({ ...what, counter }, content, key.privateKey);
      if (await storage.records.write([{ collection, key: at, value: header, expect: kept ?? null }])) {
        return Buffer.concat([header, content]);
      }
    }
  }
}

function headerOf(facts: UpdateFacts, content: Uint8Array, key: KeyObject): Uint8Array {
  try {
    return signHeader(facts, content, key);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    throw new OperationFailure("bad-request", error.message, "arguments");
  }
}

function isFor(header: UpdateHeader, what: Omit<UpdateFacts, "counter">, content: Uint8Array): boolean {
  return (
    header.name === what.name &&
    header.version === what.version &&
    header.size === content.length &&
    header.digest === createHash("sha256").update(content).digest("hex")
  );
}

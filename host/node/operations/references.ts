/**
 * References of a request turned into bytes: data:, model: and blob: of this node's storage. chunk: is the Core Service's
 * business, sensor: that of the operation which takes a window.
 */
import { parseReference } from "../../bus/references.js";
import type { DataDescriptor } from "../data/data-descriptor.js";
import { usageNames } from "../data/data-descriptor.js";
import type { DataSets } from "../data/data-sets.js";
import type { Storage } from "../storage/storage.js";
import { OperationFailure } from "./operation.js";
import { readItems } from "./read-items.js";
import { withStorage } from "./storage-failure.js";

export interface Resolved {
  readonly bytes: Uint8Array;
  /** What is known of them. */
  readonly descriptor: DataDescriptor;
}

/**
 * @throws OperationFailure bad-request for what is no reference of these, not-found, too-large above `limit` bytes
 */
export type ResolveReference = (reference: string, limit: number) => Promise<Resolved>;

export interface ReferenceSources {
  readonly storage: Storage;
  readonly dataSets: DataSets;
  /** Bytes of "name" or "name@version"; undefined when there is none. */
  readonly model?: (qualified: string) => Promise<Resolved | undefined>;
}

export function createReferences({ storage, dataSets, model }: ReferenceSources): ResolveReference {
  return (text, limit) =>
    withStorage(async () => {
      const reference = parseReference(text);
      const missing = () => new OperationFailure("not-found", text.slice(0, 64), "input");
      const large = () => new OperationFailure("too-large", `more than ${limit} bytes`, "input");
      switch (reference?.kind) {
        case "data": {
          const [name = "", usage] = reference.target.split("/");
          const set = await dataSets.get(name, "input");
          const known = usageNames.find((candidate) => candidate === usage);
          const { bytes, descriptor, total, contents } = await readItems(
            dataSets,
            set,
            known === undefined ? {} : { usage: known },
            { maxBytes: limit },
          );
          if (contents.length < total) throw large();
          return { bytes, descriptor };
        }
        case "blob": {
          const info = await storage.blobs.stat(reference.target);
          if (info === undefined) throw missing();
          if (info.bytes > limit) throw large();
          const bytes = await storage.blobs.get(reference.target);
          if (bytes === undefined) throw missing();
          return { bytes, descriptor: {} };
        }
        case "model": {
          const found = await model?.(reference.target);
          if (found === undefined) throw missing();
          if (found.bytes.length > limit) throw large();
          return found;
        }
        default:
          throw new OperationFailure("bad-request", "no reference that can be read here", "input");
      }
    });
}

/** The bytes of an input, inline or by reference. @throws OperationFailure as ResolveReference; bad-request without input */
export async function inputOf(
  input: Uint8Array | string | undefined,
  stated: DataDescriptor | undefined,
  resolve: ResolveReference,
  limit: number,
): Promise<Resolved> {
  if (input === undefined) throw new OperationFailure("bad-request", "an input is needed", "input");
  if (typeof input !== "string") {
    if (input.length > limit) throw new OperationFailure("too-large", `more than ${limit} bytes`, "input");
    return { bytes: input, descriptor: stated ?? {} };
  }
  const { bytes, descriptor } = await resolve(input, limit);
  return { bytes, descriptor: { ...descriptor, ...stated } };
}

/**
 * Blobs that records speak of as references ("blob:<digest>"): inputs of jobs and schedules, outputs of steps. Such
 * records have no uses of their own, so their blobs must not be collected as long as the records are there.
 */
import type { RecordStore } from "./storage.js";

const reference = /blob:([0-9a-f]{64})/g;

/** The digests of all references in the values of these collections. Reads all of them: for seldom use. */
export async function mentionedBlobs(
  records: RecordStore,
  collections: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const collection of collections) {
    for (let page = await records.list(collection); page.length > 0;) {
      for (const { value } of page) {
        // References are text inside of CBOR or JSON: their bytes are themselves.
        for (const [, digest = ""] of Buffer.from(value).toString("latin1").matchAll(reference))
          found.add(digest);
      }
      const after = page.at(-1)?.key;
      page = after === undefined ? [] : await records.list(collection, { after });
    }
  }
  return found;
}

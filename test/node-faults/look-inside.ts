/** Reads the storage of a complete node that does not run: which numbered items (see load-client.ts) are in it. */
import { DataSets } from "../../host/node/data/data-sets.js";
import { BlobUses, digestOf } from "../../host/node/storage/blob-uses.js";
import { openLocalStorage } from "../../host/node/storage/local-storage.js";
import { contentOfItem } from "./load-client.js";

/** What is in the storage of a node that does not run, as numbers of items; and everything that is wrong with it. */
export async function lookInside(data: string): Promise<{ found: Map<number, number>; wrong: string[] }> {
  const storage = await openLocalStorage(data);
  const quotas = { dataBytes: 1e9, dataSetBytes: 1e9 };
  const sets = new DataSets({ storage, uses: new BlobUses(storage), quotas, match: () => "" });
  const found = new Map<number, number>();
  const wrong: string[] = [];
  let total = 0;
  for (const set of await sets.list()) {
    let [items, bytes] = [0, 0];
    for await (const stored of sets.items(set)) {
      // Verifies the digest.
      const content = await sets.bytesOf(stored);
      const n = new DataView(content.buffer, content.byteOffset).getFloat32(0, true);
      const { name, values } = contentOfItem(n);
      if (name !== set.name || digestOf(new Uint8Array(values.buffer)) !== stored.item.digest) {
        wrong.push(`item ${n} is not what was sent`);
      }
      found.set(n, (found.get(n) ?? 0) + 1);
      items++;
      bytes += content.length;
    }
    if (set.items !== items || set.bytes !== bytes)
      wrong.push(`${set.name}: ${items} items, counted ${set.items}`);
    total += bytes;
  }
  if ((await sets.totalBytes()) !== total) wrong.push(`${total} bytes, counted ${await sets.totalBytes()}`);
  await storage.close();
  return { found, wrong };
}

/** Items of a data set one after the other in one piece of bytes, as data.retrieve and data: references give them. */
import type { DataSetRecord } from "../data/data-set-records.js";
import type { Selection } from "../data/data-content.js";
import type { DataSets } from "../data/data-sets.js";
import { usageNames, type DataDescriptor } from "../data/data-descriptor.js";
import type { ItemContent } from "../data/formats.js";

export interface ReadItems {
  readonly contents: readonly ItemContent[];
  /** Items that match, also those that are not in the output. */
  readonly total: number;
  /** All bytes, one item after the other. */
  readonly bytes: Uint8Array;
  /** Shape [items, …item]. */
  readonly descriptor: DataDescriptor;
}

/**
 * Items from `offset`, at most `limit`, as many as fit in `maxBytes`, and only as long as their shapes are equal: so the
 * output has one shape.
 */
export async function readItems(
  dataSets: DataSets,
  set: DataSetRecord,
  selection: Selection,
  options: { readonly offset?: number; readonly limit?: number; readonly maxBytes: number },
): Promise<ReadItems> {
  const { offset = 0, limit = Infinity, maxBytes } = options;
  const contents: ItemContent[] = [];
  let total = 0;
  let size = 0;
  let open = true;
  for await (const stored of dataSets.items(set, selection)) {
    const { item } = stored;
    const index = total++;
    if (index < offset || !open) continue;
    const shape = contents[0]?.item.shape ?? item.shape;
    open = contents.length < limit && size + item.bytes <= maxBytes && shape.join() === item.shape.join();
    if (!open) continue;
    contents.push({ item, bytes: await dataSets.bytesOf(stored) });
    size += item.bytes;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const content of contents) {
    bytes.set(content.bytes, at);
    at += content.bytes.length;
  }
  const shape = contents[0]?.item.shape ?? set.descriptor.shape ?? [];
  const raw = (set.descriptor.format ?? 0) === 0;
  const usage = selection.usage === undefined ? {} : { usage: usageNames.indexOf(selection.usage) };
  return {
    contents,
    total,
    bytes,
    descriptor: {
      ...set.descriptor,
      ...(raw ? { shape: [contents.length, ...shape].slice(0, 6) } : {}),
      count: contents.length,
      ...usage,
    },
  };
}

/** Items of a data set as numbers, for charts: what `data.retrieve` gives as raw bytes, taken apart. */
import type { z } from "zod";
import { elementTypes } from "../../bus/protocol-keys.js";
import { parseReference } from "../../bus/references.js";
import { OperationFailure } from "../operations/operation.js";
import { askSelf } from "./calls.js";
import type { ManagementParts } from "./parts.js";
import type { dataItems } from "./schemas.js";
import { defined } from "./views.js";

/** Values of an item that are shown. */
const shown = 4096;

interface Page {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
  readonly usage?: string | undefined;
  readonly label?: string | undefined;
}

/** @throws OperationFailure not-found, and what data.retrieve answers with */
export async function readItems(
  parts: ManagementParts,
  name: string,
  page: Page,
  signal: AbortSignal,
): Promise<z.infer<typeof dataItems>> {
  const offset = page.offset ?? 0;
  const args = { name, format: "raw", limit: 10, ...defined(page), offset };
  const { result, answer } = await askSelf(parts, "data.retrieve", args, signal);
  const bytes = await outputBytes(parts, answer.output);
  const count = Number(result["items"] ?? 0);
  const labels = Array.isArray(result["labels"]) ? result["labels"].map(String) : [];
  const { elementType = 6, shape = [], rate, unit } = answer.outputDescriptor ?? {};
  const element = readers[elementType];
  const size = count === 0 ? 0 : Math.floor(bytes.length / count);
  return {
    name,
    total: Number(result["total"] ?? 0),
    offset,
    shape: shape.slice(1),
    ...defined({
      elementType: Object.keys(elementTypes)[elementType],
      rate,
      unit,
    }),
    items: Array.from({ length: count }, (_, i) => ({
      ...defined({ label: labels[i] === "" ? undefined : labels[i] }),
      values: element === undefined ? [] : valuesOf(bytes.subarray(i * size, (i + 1) * size), element),
    })),
  };
}

async function outputBytes(
  parts: ManagementParts,
  output: Uint8Array | string | undefined,
): Promise<Uint8Array> {
  if (typeof output !== "string") return output ?? new Uint8Array();
  const reference = parseReference(output);
  const kept = reference?.kind === "blob" ? await parts.storage.blobs.get(reference.target) : undefined;
  if (kept === undefined) throw new OperationFailure("not-found", `${output} is not kept here`, "output");
  return kept;
}

interface Reader {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

/** By number of the element type; text has none. */
const readers: readonly (Reader | undefined)[] = [
  { bytes: 1, read: (view, at) => view.getInt8(at) },
  { bytes: 1, read: (view, at) => view.getUint8(at) },
  { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
];

function valuesOf(item: Uint8Array, element: Reader): (number | null)[] {
  const view = new DataView(item.buffer, item.byteOffset, item.byteLength);
  const count = Math.min(shown, Math.floor(item.length / element.bytes));
  return Array.from({ length: count }, (_, i) => {
    const value = element.read(view, i * element.bytes);
    // JSON has no NaN.
    return Number.isFinite(value) ? value : null;
  });
}

/** What the content of an update is, found from its first bytes: kind, and name and version where it states them. */
import { HEADER_BYTES, At, MAGIC, NAME_BYTES } from "../model/package/format.js";
import { isImage, readImage } from "../function/image.js";
import { badUpdateText, type UpdateKind } from "./artifact.js";

/** Of a header of MCUboot. */
const mcubootMagic = 0x96f3b83d;
const mcubootHeaderBytes = 32;
const mcubootVersionAt = 20;

export interface ContentFacts {
  readonly kind: UpdateKind;
  readonly name?: string;
  readonly version?: string;
}

/** Undefined for content that says nothing of itself. */
export function contentFacts(content: Uint8Array): ContentFacts | undefined {
  if (content.length < 4) return undefined;
  const view = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const magic = view.readUInt32LE(0);
  if (magic === MAGIC && view.length >= HEADER_BYTES) {
    const name = textAt(view, At.name * 4, NAME_BYTES);
    // Versions of models are the registry's business: a package has none.
    return { kind: "model", ...(badUpdateText("name", name) === undefined ? { name } : {}) };
  }
  if (magic === mcubootMagic && view.length >= mcubootHeaderBytes) {
    const major = view.readUInt8(mcubootVersionAt);
    const minor = view.readUInt8(mcubootVersionAt + 1);
    const revision = view.readUInt16LE(mcubootVersionAt + 2);
    const build = view.readUInt32LE(mcubootVersionAt + 4);
    const version = `${major}.${minor}.${revision}${build === 0 ? "" : `+${build}`}`;
    return { kind: "firmware", version };
  }
  if (isImage(content)) return { kind: "function", ...imageFacts(content) };
  return undefined;
}

/** Nothing of a damaged one: whether a device takes it, the device says. */
function imageFacts(content: Uint8Array): Partial<ContentFacts> {
  try {
    const { name, version } = readImage(content);
    const good = (badUpdateText("name", name) ?? badUpdateText("version", version)) === undefined;
    return good ? { name, version } : {};
  } catch {
    return {};
  }
}

function textAt(view: Buffer, from: number, bytes: number): string {
  const field = view.subarray(from, from + bytes);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? bytes : end);
}

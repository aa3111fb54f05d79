/**
 * What a package says of the model beside its numbers: task, labels, unit and rate of the input, the digest of the model
 * file. Writes, checks and reads that section; the same checks in C: runtime-c/kernels/package_check_about.c.
 */
import { About, At, Descriptor } from "./format.js";

export interface PackageAbout {
  /** E.g. "classification"; "": not said. At most 64 bytes of UTF-8, as each label. */
  readonly task: string;
  /** Of the output's classes; may be empty, not more than the first output has elements. */
  readonly labels: readonly string[];
  /** Of the input's values; at most 15 bytes; "": not said. */
  readonly unit: string;
  /** Of the input's rows, Hz; 0: not said. */
  readonly rate: number;
  /** SHA-256 of the model file, hexadecimal; "": not said. */
  readonly digest: string;
}

const digestBytes = 32;
const headBytes = 4 * About.words;

/** The section's bytes. @throws RangeError for a text that is too long, or a rate that is none */
export function aboutSection(about: PackageAbout): Uint8Array {
  const texts = [about.task, about.unit, ...about.labels].map((text, i) => {
    const bytes = Buffer.from(text, "utf8");
    const most = i === 1 ? About.unitMax : About.textMax;
    if (bytes.length > most) throw new RangeError(`"${text}" has more than ${most} bytes`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  if (!(about.rate >= 0 && about.rate < 3.4e38)) throw new RangeError(`rate ${about.rate}: 0 Hz or more`);
  const head = Buffer.alloc(headBytes);
  const section = Buffer.concat([head, ...texts]);
  section.writeUInt32LE(section.length, 4 * About.bytes);
  section.writeFloatLE(Math.fround(about.rate) + 0, 4 * About.rate); // not -0
  section.writeUInt32LE(about.labels.length, 4 * About.labels);
  section.write(about.digest, 4 * About.digest, digestBytes, "hex");
  return section;
}

/** Whether the section is well-formed, in a package whose header and descriptors are. `end`: where the digest begins. */
export function aboutFits(view: DataView, end: number): boolean {
  const at = view.getUint32(4 * At.about, true);
  if (at === 0) return true;
  const word = (i: number): number => view.getUint32(at + 4 * i, true);
  const size = word(About.bytes);
  const labels = word(About.labels);
  const output =
    view.getUint32(4 * At.descriptors, true) + 4 * Descriptor.words * view.getUint32(4 * At.inputs, true);
  const elements = view.getUint32(output + 4 * Descriptor.bytes, true);
  if (size < headBytes || at + size > end || labels > elements || word(About.rate) >= 0x7f800000)
    return false;
  let used = headBytes;
  for (let i = 0; i < labels + 2; i++) {
    if (used >= size) return false;
    const length = view.getUint8(at + used);
    const most = i === 1 ? About.unitMax : About.textMax;
    if (length > most || length >= size - used || textAt(view, at + used + 1, length) === undefined)
      return false;
    used += 1 + length;
  }
  return used === size;
}

/** What an accepted package says; undefined when it says nothing. */
export function readAbout(bytes: Uint8Array): PackageAbout | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = view.getUint32(4 * At.about, true);
  if (at === 0) return undefined;
  let next = at + headBytes;
  const text = (): string => {
    const length = view.getUint8(next);
    next += 1 + length;
    return textAt(view, next - length, length) ?? "";
  };
  const [task, unit] = [text(), text()];
  const labels = Array.from({ length: view.getUint32(at + 4 * About.labels, true) }, text);
  const digest = Buffer.from(bytes.subarray(at + 4 * About.digest, at + 4 * About.digest + digestBytes));
  return {
    task,
    labels,
    unit,
    rate: view.getFloat32(at + 4 * About.rate, true),
    digest: digest.every((byte) => byte === 0) ? "" : digest.toString("hex"),
  };
}

/** Undefined when it is not UTF-8. */
function textAt(view: DataView, at: number, length: number): string | undefined {
  try {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

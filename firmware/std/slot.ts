/** Slots for what comes over the bus: the numbers of `slotBegin` and its companions, and what a header tells. */
import { paddedText, word } from "./layout.js";

/** As in headers. */
export enum SlotKind {
  Model = 1,
  Function = 2,
  Firmware = 3,
}

/** What `slotBoot` gives; less than 0: minus a `SlotError`. */
export enum SlotState {
  Empty = 0,
  Confirmed = 1,
  OnTrial = 2,
}

/** Results are minus these; 0 is none. */
export enum SlotError {
  None = 0,
  /** Begin: this very version runs. */
  There = 1,
  BadHeader = 2,
  NoSpace = 3,
  /** Its counter is lower than that of a confirmed version. */
  Rollback = 4,
  BadSignature = 5,
  BadDigest = 6,
  Gap = 7,
  WrongState = 8,
  FlashFailed = 9,
  /** Begin, once after such a start: it was tried, and had no attempt left. */
  Lapsed = 10,
  /** This node keeps nothing of the kind. */
  Absent = 32,
  /** The node has no key of an owner. */
  NoKey = 33,
}

/** Bytes of a header; the content follows it in an artifact. */
export const slotHeaderSize = 192;

const sizeAt = 12;
const digestAt = 20;
const nameAt = 52;
const versionAt = 84;
/** Of name and of version, zeros after the end. */
const nameSize = 32;

/** Bytes of the content that a header announces, as it says. */
export function headerContentSize(header: Uint8Array): u32 {
  return word(header, sizeAt);
}

/** Character `i` of the content's digest in lower-case hexadecimal: 0 to 63. */
export function headerDigestDigit(header: Uint8Array, i: i32): i32 {
  const byte = header[digestAt + (i >> 1)];
  const digit = (i & 1) === 0 ? byte >> 4 : byte & 15;
  return digit < 10 ? 0x30 + digit : 0x57 + digit;
}

/** Borrowed from the header. */
export function headerName(header: Uint8Array): string {
  return paddedText(header, nameAt, nameSize);
}
export function headerVersion(header: Uint8Array): string {
  return paddedText(header, versionAt, nameSize);
}

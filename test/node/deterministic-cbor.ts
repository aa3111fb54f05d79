/**
 * Checks that bytes are one CBOR item in the core deterministic encoding of RFC 8949, section 4.2.1, as the protocol
 * demands: written from the RFC alone, so that it agrees with no codec by construction.
 */

/** The first violation, or undefined. */
export function violation(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const end = item(view, 0);
    return end === bytes.length ? undefined : `${bytes.length - end} bytes after the item`;
  } catch (error) {
    return error instanceof RangeError ? "truncated" : error instanceof Error ? error.message : String(error);
  }
}

interface Head {
  readonly major: number;
  readonly info: number;
  readonly value: number;
  readonly next: number;
}

function head(view: DataView, at: number): Head {
  const first = view.getUint8(at);
  const info = first & 31;
  const major = first >> 5;
  if (info < 24) {
    return { major, info, value: info, next: at + 1 };
  }
  if (info > 27) {
    throw new Error(info === 31 ? `indefinite length at ${at}` : `reserved head at ${at}`);
  }
  const size = 1 << (info - 24);
  let value = 0;
  for (let i = 0; i < size; i++) {
    value = value * 256 + view.getUint8(at + 1 + i);
  }
  const least = [24, 256, 65536, 4294967296][info - 24] ?? 0;
  if (major !== 7 && value < least) {
    throw new Error(`head at ${at} is longer than needed`);
  }
  return { major, info, value, next: at + 1 + size };
}

/** The end of the item that begins at `at`. */
function item(view: DataView, at: number): number {
  const { major, info, value, next } = head(view, at);
  switch (major) {
    case 0:
    case 1:
      return next;
    case 2:
    case 3: {
      const end = next + value;
      if (end > view.byteLength) {
        throw new Error("truncated");
      }
      if (major === 3) {
        new TextDecoder("utf-8", { fatal: true }).decode(
          new Uint8Array(view.buffer, view.byteOffset + next, value),
        );
      }
      return end;
    }
    case 4: {
      let end = next;
      for (let i = 0; i < value; i++) {
        end = item(view, end);
      }
      return end;
    }
    case 5:
      return map(view, next, value);
    case 6:
      throw new Error(`tag at ${at}: the protocol has none`);
    default:
      return simple(view, at, info, next);
  }
}

function map(view: DataView, start: number, pairs: number): number {
  let at = start;
  let previous: Buffer | undefined;
  for (let i = 0; i < pairs; i++) {
    const end = item(view, at);
    const key = Buffer.from(view.buffer, view.byteOffset + at, end - at);
    if (previous !== undefined && Buffer.compare(previous, key) >= 0) {
      throw new Error(`keys at ${at} do not ascend`);
    }
    previous = key;
    at = item(view, end);
  }
  return at;
}

function simple(view: DataView, at: number, info: number, next: number): number {
  if (info >= 20 && info <= 22) {
    return next; // false, true, null
  }
  if (info === 26) {
    const value = view.getFloat32(at + 1);
    if (Number.isNaN(value) || Math.abs(value) === Infinity || fitsHalf(value)) {
      throw new Error(`float at ${at} is longer than needed`);
    }
    return next;
  }
  if (info === 27) {
    const value = view.getFloat64(at + 1);
    if (Number.isNaN(value) || Math.fround(value) === value) {
      throw new Error(`float at ${at} is longer than needed`);
    }
    return next;
  }
  if (info === 25) {
    return next;
  }
  throw new Error(`simple value ${info} at ${at}: the protocol has none`);
}

/** Whether a half-precision float holds the value exactly. */
function fitsHalf(value: number): boolean {
  const magnitude = Math.abs(value);
  if (magnitude === 0) {
    return true;
  }
  if (magnitude > 65504) {
    return false;
  }
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const scaled = magnitude / 2 ** (exponent - 10);
  return scaled === Math.floor(scaled);
}

/**
 * Updates as files (`*.tmcu`): a signed header of 192 bytes and the content behind it. Writes, reads and verifies them with
 * Node's cryptography; the numbers are those of runtime-c/include/tmc/update.h. What the content is, it does not look at.
 */
import { createHash, sign, timingSafeEqual, verify, type KeyObject } from "node:crypto";

export const updateSuffix = ".tmcu";

export const updateKinds = { model: 1, function: 2, firmware: 3 } as const;
export type UpdateKind = keyof typeof updateKinds;

export const updateHeaderBytes = 192;
/** Bytes of name and of version at most; a zero follows. */
export const updateNameBytes = 31;
/** Most bytes of an artifact that this side handles. */
export const largestUpdate = 16 * 1024 * 1024;
export const largestCounter = 0xffffffff;

const magic = 0x55434d54; // "TMCU"
const format = 1;
const signedBytes = 128;
const at = {
  magic: 0,
  format: 4,
  kind: 8,
  size: 12,
  counter: 16,
  digest: 20,
  name: 52,
  version: 84,
  zero: 116,
  signature: signedBytes,
} as const;
const digestBytes = 32;
const fieldBytes = updateNameBytes + 1;

/** What a version says of itself. */
export interface UpdateFacts {
  readonly kind: UpdateKind;
  readonly name: string;
  readonly version: string;
  /** Versions that must not come back have lower ones; 0 to 2^32-1. */
  readonly counter: number;
}

export interface UpdateHeader extends UpdateFacts {
  /** Bytes of the content. */
  readonly size: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly digest: string;
  /** r and s, 32 bytes each, big-endian. */
  readonly signature: Uint8Array;
}

export interface UpdateFile {
  readonly header: UpdateHeader;
  readonly headerBytes: Uint8Array;
  readonly content: Uint8Array;
}

/** Not an artifact, or one that no node would take. */
export class UpdateError extends Error {
  override readonly name = "UpdateError";
}

const textPattern = /^[0-9A-Za-z.+_-]{1,31}$/;

/** The reason why it cannot be the name or version of an update; undefined when it can. */
export function badUpdateText(what: "name" | "version", text: string): string | undefined {
  return textPattern.test(text)
    ? undefined
    : `${what} "${text}": 1-${updateNameBytes} characters of 0-9 A-Z a-z . + _ -`;
}

/** Does it begin as an artifact does? */
export function isUpdate(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE(0) === magic;
}

/**
 * The header of this content, signed. Signatures are random: the same call gives other bytes each time, so keep what was
 * given to a node.
 * @param key private, ECDSA on P-256
 * @throws UpdateError for a name, version, counter or size that no header can hold
 */
export function signHeader(facts: UpdateFacts, content: Uint8Array, key: KeyObject): Uint8Array {
  const { kind, name, version, counter } = facts;
  const bad = badUpdateText("name", name) ?? badUpdateText("version", version);
  if (bad !== undefined) throw new UpdateError(bad);
  if (!Number.isInteger(counter) || counter < 0 || counter > largestCounter) {
    throw new UpdateError(`counter ${counter}: a whole number up to ${largestCounter}`);
  }
  if (content.length === 0) throw new UpdateError("it is empty");
  if (content.length + updateHeaderBytes > largestUpdate) {
    throw new UpdateError(`${content.length} bytes: more than ${largestUpdate - updateHeaderBytes}`);
  }
  const header = Buffer.alloc(updateHeaderBytes);
  header.writeUInt32LE(magic, at.magic);
  header.writeUInt32LE(format, at.format);
  header.writeUInt32LE(updateKinds[kind], at.kind);
  header.writeUInt32LE(content.length, at.size);
  header.writeUInt32LE(counter, at.counter);
  sha256(content).copy(header, at.digest);
  header.write(name, at.name, "latin1");
  header.write(version, at.version, "latin1");
  sign("sha256", header.subarray(0, signedBytes), { key, dsaEncoding: "ieee-p1363" }).copy(
    header,
    at.signature,
  );
  return header;
}

/** The header's fields. @throws UpdateError when it is none, or of a format or kind that is not known */
export function readHeader(bytes: Uint8Array): UpdateHeader {
  if (bytes.length < updateHeaderBytes) {
    throw new UpdateError(`${bytes.length} bytes: a header alone has ${updateHeaderBytes}`);
  }
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, updateHeaderBytes);
  if (header.readUInt32LE(at.magic) !== magic) throw new UpdateError('it does not begin with "TMCU"');
  const itsFormat = header.readUInt32LE(at.format);
  if (itsFormat !== format) throw new UpdateError(`format ${itsFormat}; known is ${format}`);
  const number = header.readUInt32LE(at.kind);
  const kind = (Object.keys(updateKinds) as UpdateKind[]).find((each) => updateKinds[each] === number);
  if (kind === undefined) throw new UpdateError(`kind ${number} is not known`);
  if (header.subarray(at.zero, signedBytes).some((byte) => byte !== 0)) {
    throw new UpdateError("bytes of the header that must be 0 are not");
  }
  const size = header.readUInt32LE(at.size);
  if (size === 0) throw new UpdateError("it is empty");
  return {
    kind,
    name: textOf("name", header.subarray(at.name, at.name + fieldBytes)),
    version: textOf("version", header.subarray(at.version, at.version + fieldBytes)),
    counter: header.readUInt32LE(at.counter),
    size,
    digest: header.toString("hex", at.digest, at.digest + digestBytes),
    signature: new Uint8Array(header.subarray(at.signature)),
  };
}

/** Header and content, which must be the header's: size and digest. @throws UpdateError */
export function readUpdate(bytes: Uint8Array): UpdateFile {
  const header = readHeader(bytes);
  const content = bytes.subarray(updateHeaderBytes);
  if (content.length !== header.size) {
    throw new UpdateError(`${content.length} of ${header.size} bytes of content`);
  }
  if (!timingSafeEqual(sha256(content), Buffer.from(header.digest, "hex"))) {
    throw new UpdateError("the content is not what was signed: its SHA-256 is another");
  }
  return { header, headerBytes: bytes.subarray(0, updateHeaderBytes), content };
}

/** Did the owner of this public key (ECDSA on P-256) sign the header? */
export function isSignedByOwner(headerBytes: Uint8Array, publicKey: KeyObject): boolean {
  return verify(
    "sha256",
    headerBytes.subarray(0, signedBytes),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    headerBytes.subarray(at.signature, updateHeaderBytes),
  );
}

function textOf(what: "name" | "version", field: Buffer): string {
  const end = field.indexOf(0);
  const text = field.toString("latin1", 0, end < 0 ? field.length : end);
  if (end < 0 || !textPattern.test(text) || field.subarray(end).some((byte) => byte !== 0)) {
    throw new UpdateError(`its ${what} is not well-formed`);
  }
  return text;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

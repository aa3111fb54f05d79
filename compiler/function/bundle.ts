/**
 * A function bundle: one CBOR map of manifest bytes, code and signature. Writes, reads, signs and verifies; what a node
 * allows is the node's business (host/node/functions).
 */
import { createHash, sign, verify, type KeyObject } from "node:crypto";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { bundleLimits, manifestSchema, type FunctionManifest } from "./manifest.js";

const formatVersion = 1;
/** What is signed begins so: a signature for something else never fits. */
const signedPrefix = Buffer.from("tmc function bundle 1\n");
const keys = { format: 0, manifest: 1, code: 2, key: 3, signature: 4 } as const;

export interface FunctionBundle {
  readonly manifest: FunctionManifest;
  readonly manifestBytes: Uint8Array;
  readonly code: Uint8Array;
  readonly signature: BundleSignature | undefined;
}

export interface BundleSignature {
  /** SHA-256 of the public key's SPKI form, hexadecimal. */
  readonly keyId: string;
  /** Ed25519, 64 bytes. */
  readonly bytes: Uint8Array;
}

/** Not a bundle, or one whose parts do not belong together. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function keyIdOf(publicKey: KeyObject): string {
  return sha256(publicKey.export({ type: "spki", format: "der" }));
}

export function encodeManifest(manifest: FunctionManifest): Uint8Array {
  return encode(manifest, { ...rfc8949EncodeOptions, ignoreUndefinedProperties: true });
}

/** The signature of an Ed25519 private key over manifest and, by the digest in it, code. */
export function signManifest(
  manifestBytes: Uint8Array,
  privateKey: KeyObject,
  publicKey: KeyObject,
): BundleSignature {
  const bytes = sign(null, Buffer.concat([signedPrefix, manifestBytes]), privateKey);
  return { keyId: keyIdOf(publicKey), bytes };
}

export function isSignedBy(bundle: FunctionBundle, publicKey: KeyObject): boolean {
  if (bundle.signature === undefined || publicKey.asymmetricKeyType !== "ed25519") return false;
  return verify(null, Buffer.concat([signedPrefix, bundle.manifestBytes]), publicKey, bundle.signature.bytes);
}

export function encodeBundle(bundle: Omit<FunctionBundle, "manifest">): Uint8Array {
  const map = new Map<number, unknown>([
    [keys.format, formatVersion],
    [keys.manifest, bundle.manifestBytes],
    [keys.code, bundle.code],
  ]);
  if (bundle.signature !== undefined) {
    map.set(keys.key, Buffer.from(bundle.signature.keyId, "hex"));
    map.set(keys.signature, bundle.signature.bytes);
  }
  return encode(map, rfc8949EncodeOptions);
}

/** Reads a bundle from anywhere: sizes first. It verifies the digest of the code, not the signature. @throws BundleError */
export function decodeBundle(bytes: Uint8Array): FunctionBundle {
  if (bytes.length > bundleLimits.bundle) {
    throw new BundleError(`a bundle has at most ${bundleLimits.bundle} bytes, not ${bytes.length}`);
  }
  const map = decodeItem(bytes, "bundle", true);
  if (!(map instanceof Map)) throw new BundleError("not a function bundle");
  if (map.get(keys.format) !== formatVersion) throw new BundleError("not a function bundle of format 1");
  const manifestBytes: unknown = map.get(keys.manifest);
  const code: unknown = map.get(keys.code);
  if (!(manifestBytes instanceof Uint8Array) || !(code instanceof Uint8Array)) {
    throw new BundleError("manifest or code is missing");
  }
  if (code.length > bundleLimits.code) throw new BundleError(`code has at most ${bundleLimits.code} bytes`);
  const parsed = manifestSchema.safeParse(decodeItem(manifestBytes, "manifest", false));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw new BundleError(`the manifest is not valid${where}: ${issue?.message ?? ""}`);
  }
  const manifest = parsed.data;
  if (sha256(code) !== manifest.digest) throw new BundleError("the code is not the one of the manifest");
  return { manifest, manifestBytes, code, signature: signatureOf(map) };
}

function signatureOf(map: ReadonlyMap<unknown, unknown>): BundleSignature | undefined {
  const key = map.get(keys.key);
  const bytes = map.get(keys.signature);
  if (key === undefined && bytes === undefined) return undefined;
  if (
    !(key instanceof Uint8Array) ||
    key.length !== 32 ||
    !(bytes instanceof Uint8Array) ||
    bytes.length !== 64
  ) {
    throw new BundleError("the signature is malformed");
  }
  return { keyId: Buffer.from(key).toString("hex"), bytes };
}

function decodeItem(bytes: Uint8Array, what: string, useMaps: boolean): unknown {
  try {
    return decode(bytes, { useMaps, strict: true, allowIndefinite: false, rejectDuplicateMapKeys: true });
  } catch (error) {
    throw new BundleError(
      `the ${what} is not CBOR: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

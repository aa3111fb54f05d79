/**
 * The owner's keys, which sign updates: ECDSA on P-256, as PEM files. The private one is readable by its owner only and is
 * never overwritten. What devices keep is the public one, as a point of 65 bytes.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

export interface OwnerKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface OwnerKeyFiles {
  readonly privateFile: string;
  readonly publicFile: string;
  readonly keyId: string;
}

/** Writes NAME.key.pem (mode 600) and NAME.pub.pem. @throws UserError TMC5202 when one is there already, or cannot be written */
export function writeOwnerKeys(name: string): OwnerKeyFiles {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const privateFile = `${name}.key.pem`;
  const publicFile = `${name}.pub.pem`;
  try {
    mkdirSync(dirname(privateFile), { recursive: true });
    const secret = privateKey.export({ type: "pkcs8", format: "pem" });
    // The public one first: when it is there already, no key is made that nobody knows.
    writeFileSync(publicFile, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
    writeFileSync(privateFile, secret, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new UserError(
      "TMC5202",
      exists
        ? `${"path" in error ? String(error.path) : name} exists`
        : `cannot write ${privateFile}: ${reasonOf(error)}`,
      exists ? "choose another name; keys are not overwritten" : "choose a folder that you may write to",
      ExitCode.usage,
    );
  }
  return { privateFile, publicFile, keyId: ownerKeyId(publicKey) };
}

/** The first half of the SHA-256 of the public point: to compare keys by. */
export function ownerKeyId(publicKey: KeyObject): string {
  return pointId(publicPoint(publicKey));
}

/** The same of a point that a device keeps. */
export function pointId(point: Uint8Array): string {
  return createHash("sha256").update(point).digest("hex").slice(0, 32);
}

/** 0x04, x, y: 65 bytes, as the device keeps it. */
export function publicPoint(publicKey: KeyObject): Buffer {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
}

/** @throws UserError TMC5201 for what is no private key on P-256 without a passphrase */
export function readOwnerKey(file: string): OwnerKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(readFileSync(file));
  } catch (error) {
    throw notAKey(file, "private", reasonOf(error));
  }
  requireCurve(file, "private", privateKey);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** From a file with the public key; from one with the private key too. @throws UserError TMC5201 */
export function readOwnerPublicKey(file: string): KeyObject {
  let publicKey: KeyObject;
  try {
    publicKey = createPublicKey(readFileSync(file));
  } catch (error) {
    throw notAKey(file, "public", reasonOf(error));
  }
  requireCurve(file, "public", publicKey);
  return publicKey;
}

function requireCurve(file: string, which: "private" | "public", key: KeyObject): void {
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw notAKey(file, which, `it is a key of type ${key.asymmetricKeyType ?? "unknown"}`);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const notAKey = (file: string, which: "private" | "public", reason: string): UserError =>
  new UserError(
    "TMC5201",
    `${file} is no ${which} key of an owner (ECDSA P-256, PEM): ${reason}`,
    which === "private" ? "make one: tmc key new NAME" : "take NAME.pub.pem, which tmc key new made",
    ExitCode.usage,
  );

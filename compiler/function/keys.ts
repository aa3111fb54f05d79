/** Keys that sign bundles: Ed25519, as PEM files. The private one is readable by its owner only. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import { keyIdOf } from "./bundle.js";

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface KeyFiles {
  readonly privateFile: string;
  readonly publicFile: string;
  readonly keyId: string;
}

/** Writes NAME.key.pem and NAME.pub.pem. @throws UserError TMC6305 when one is there already. */
export function writeNewKeys(name: string): KeyFiles {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const privateFile = `${name}.key.pem`;
  const publicFile = `${name}.pub.pem`;
  for (const file of [privateFile, publicFile]) {
    if (existsSync(file)) {
      throw new UserError(
        "TMC6305",
        `${file} exists`,
        "choose another name; keys are not overwritten",
        ExitCode.usage,
      );
    }
  }
  mkdirSync(dirname(privateFile), { recursive: true });
  writeFileSync(privateFile, privateKey.export({ type: "pkcs8", format: "pem" }), {
    mode: 0o600,
    flag: "wx",
  });
  writeFileSync(publicFile, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
  return { privateFile, publicFile, keyId: keyIdOf(publicKey) };
}

/** @throws UserError TMC6304 for what is no private key of this kind */
export function readSigningKey(file: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(readFileSync(file));
  } catch (error) {
    throw notAKey(file, error instanceof Error ? error.message : String(error));
  }
  if (privateKey.asymmetricKeyType !== "ed25519") {
    throw notAKey(file, `it is a key of type ${privateKey.asymmetricKeyType ?? "unknown"}`);
  }
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

const notAKey = (file: string, reason: string): UserError =>
  new UserError(
    "TMC6304",
    `${file} is no private Ed25519 key: ${reason}`,
    "make one: tmc function keygen NAME",
    ExitCode.usage,
  );

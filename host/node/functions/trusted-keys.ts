/** The public keys whose bundles a node takes: the PEM files of a folder. */
import { createPublicKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../log.js";
import type { TrustedKey } from "./admission.js";

/** Named after the file, without endings. A folder that is not there has none; what is no public Ed25519 key is left out. */
export function loadTrustedKeys(folder: string, log: Pick<Log, "warn">): TrustedKey[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return [];
  }
  const keys: TrustedKey[] = [];
  for (const file of names.filter((name) => name.endsWith(".pem"))) {
    try {
      const pem = readFileSync(join(folder, file), "utf8");
      // Of a private key a public one could be made too: it has no business here.
      if (!pem.includes("PUBLIC KEY")) throw new Error("not a public key");
      const key = createPublicKey(pem);
      if (key.asymmetricKeyType !== "ed25519") throw new Error("not an Ed25519 key");
      keys.push({ name: file.replace(/(\.pub)?\.pem$/, ""), key });
    } catch (error) {
      log.warn({ file, reason: error instanceof Error ? error.message : String(error) }, "not a trusted key");
    }
  }
  return keys;
}

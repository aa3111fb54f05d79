/** `tmc sign` makes a signed update (.tmcu) of a model, function or firmware image; `tmc update inspect` looks at one. */
import type { KeyObject } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { InvalidArgumentError, Option, type Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import {
  isSignedByOwner,
  isUpdate,
  largestCounter,
  readUpdate,
  signHeader,
  UpdateError,
  updateKinds,
  updateSuffix,
  type UpdateFile,
  type UpdateKind,
} from "../../update/artifact.js";
import { contentFacts } from "../../update/content.js";
import { ownerKeyId, readOwnerKey, readOwnerPublicKey } from "../../update/owner-keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { requireFile } from "../project-config.js";

interface SignOptions {
  readonly key: string;
  readonly kind?: UpdateKind;
  readonly name?: string;
  readonly release?: string;
  readonly counter: number;
  readonly out: string;
  readonly json?: true;
}

export function registerSign(program: Command): void {
  const command = program
    .command("sign")
    .description("sign a model, function or firmware image, so that devices of this owner take it")
    .argument("<file>", "a package of tmc model package, an image of MCUboot, a function for devices")
    .requiredOption("--key <key>", "private key of the owner (tmc key new)")
    .addOption(
      new Option("--kind <kind>", "what it is (default: by its first bytes)").choices(
        Object.keys(updateKinds),
      ),
    )
    .option("--name <name>", "of the model or function (default: as the content says)")
    .option("--release <version>", "its version, for people (default: as the content says)")
    .requiredOption(
      "--counter <n>",
      "grows with every version: devices take none with a lower one back",
      counterOf,
    )
    .requiredOption("-o, --out <file>", `where to write it (*${updateSuffix})`)
    .option("--json", "print for programs")
    .action(signFile);
  describeCommand(command, {
    examples: [
      [
        "tmc sign vibration.tmcm --key owner.key.pem --release 2 --counter 2 -o vibration.tmcu",
        "a model that tmc model package made",
      ],
      [
        "tmc sign zephyr.signed.bin --key owner.key.pem --name pump --counter 14 -o pump.tmcu",
        "firmware; the version is the image's",
      ],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
  registerInspect(program);
}

function registerInspect(program: Command): void {
  const group = program.command("update").description("signed updates of devices");
  describeCommand(group, {
    examples: [["tmc update inspect vibration.tmcu", "what it says of itself"]],
    exitCodes: ["ok", "failed", "usage"],
  });
  const command = group
    .command("inspect")
    .description(
      "show what a signed update says of itself, and check its digest and, with --key, its signature",
    )
    .argument("<file>", `a ${updateSuffix} file`)
    .option("--key <file>", "key of the owner, public or private: fails when it is not the signer")
    .option("--json", "print for programs")
    .action((file: string, options: { readonly key?: string; readonly json?: true }) => {
      const key = options.key === undefined ? undefined : readOwnerPublicKey(options.key);
      const update = readUpdateFile(file);
      tell(update, key, options.json === true);
      if (key !== undefined && !isSignedByOwner(update.headerBytes, key)) {
        throw new UserError(
          "TMC5204",
          `${file} was not signed with the key of ${options.key ?? ""}`,
          "sign it with that key: tmc sign FILE --key KEY …",
        );
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc update inspect vibration.tmcu", "kind, name, version, counter, digest"],
      ["tmc update inspect vibration.tmcu --key owner.pub.pem", "would a device with this key take it?"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

function counterOf(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > largestCounter) {
    throw new InvalidArgumentError(`It is a whole number, 0 to ${largestCounter}.`);
  }
  return value;
}

function signFile(file: string, options: SignOptions): void {
  const { privateKey, publicKey } = readOwnerKey(options.key);
  const content = bytesOf(file);
  if (isUpdate(content)) {
    throw notSignable(file, "it is signed already", "give the content that it was made of");
  }
  const stated = contentFacts(content);
  const kind = options.kind ?? stated?.kind;
  if (kind === undefined) {
    throw notSignable(
      file,
      "nobody knows what it is",
      "models are packaged first (tmc model package); other content needs --kind",
    );
  }
  if (stated !== undefined && stated.kind !== kind) {
    throw notSignable(file, `its content is of kind ${stated.kind}`, `leave out --kind ${kind}`);
  }
  const name = options.name ?? stated?.name;
  const version = options.release ?? stated?.version;
  if (name === undefined || version === undefined) {
    throw name === undefined
      ? notSignable(file, "it does not state its name", "give --name")
      : notSignable(file, "it does not state its version", "give --release VERSION");
  }
  let header: Uint8Array;
  try {
    header = signHeader({ kind, name, version, counter: options.counter }, content, privateKey);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    throw notSignable(file, error.message, "docs/updates.md says what a header holds");
  }
  const bytes = Buffer.concat([header, content]);
  try {
    writeFileSync(options.out, bytes);
  } catch (error) {
    throw new UserError(
      "TMC0014",
      `cannot write ${options.out}: ${error instanceof Error ? error.message : String(error)}`,
      "choose another file with --out",
      ExitCode.usage,
    );
  }
  tell(readUpdate(bytes), publicKey, options.json === true);
}

/** @throws UserError TMC5204 */
export function readUpdateFile(file: string): UpdateFile {
  return updateFrom(file, bytesOf(file));
}

/** The same of bytes that were read. @throws UserError TMC5204 */
export function updateFrom(file: string, bytes: Uint8Array): UpdateFile {
  try {
    return readUpdate(bytes);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    throw new UserError(
      "TMC5204",
      `${file} is no signed update: ${error.message}`,
      `make one: tmc sign FILE --key KEY --counter N -o FILE${updateSuffix}`,
    );
  }
}

/** @throws UserError TMC0010 */
export function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  requireFile(file, file);
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new UserError(
      "TMC0010",
      `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "give a file that you may read",
      ExitCode.usage,
    );
  }
}

const notSignable = (file: string, reason: string, fix: string): UserError =>
  new UserError("TMC5203", `${file} cannot be signed: ${reason}`, fix, ExitCode.usage);

/** `key`: whose signature is to be there. */
function tell({ header, headerBytes }: UpdateFile, key: KeyObject | undefined, json: boolean): void {
  const { kind, name, version, counter, size, digest } = header;
  const signed =
    key === undefined ? undefined : { keyId: ownerKeyId(key), valid: isSignedByOwner(headerBytes, key) };
  if (json) {
    printJson({
      kind,
      name,
      version,
      counter,
      bytes: size,
      digest,
      ...(signed === undefined ? {} : { signed }),
    });
    return;
  }
  const lines = [
    ["kind", kind],
    ["name", name],
    ["version", version],
    ["counter", String(counter)],
    ["bytes", String(size)],
    ["digest", digest],
    [
      "signature",
      signed === undefined ? "not checked (--key)" : `${signed.valid ? "of" : "NOT of"} key ${signed.keyId}`,
    ],
  ] as const;
  process.stdout.write(lines.map(([label, value]) => `${label.padEnd(9)}  ${value}\n`).join(""));
}

/** `tmc function keygen|inspect|sign`: keys, and what a bundle says of itself. */
import type { Command } from "commander";
import { decodeBundle, encodeBundle, signManifest } from "../../function/bundle.js";
import { bundleJson, bundleText, imageJson, imageText } from "../../function/describe.js";
import { readSigningKey, writeNewKeys } from "../../function/keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { functionGroup, readBundle, readImageFile, writeBundle } from "./function.js";

export function registerFunctionTools(program: Command): void {
  registerKeygen(program);
  registerInspect(program);
  registerSign(program);
}

function registerKeygen(program: Command): void {
  const command = functionGroup(program)
    .command("keygen")
    .description("make a key pair to sign bundles with: NAME.key.pem (keep it), NAME.pub.pem (for the nodes)")
    .argument("<name>", "path without ending")
    .option("--json", "print for programs")
    .action((name: string, options: { readonly json?: true }) => {
      const made = writeNewKeys(name);
      if (options.json === true) printJson(made);
      else {
        process.stdout.write(
          `private: ${made.privateFile}\npublic:  ${made.publicFile}\nkey id:  ${made.keyId.slice(0, 16)}\n`,
        );
      }
    });
  describeCommand(command, {
    examples: [["tmc function keygen owner", "owner.key.pem and owner.pub.pem"]],
    exitCodes: ["ok", "usage"],
  });
}

function registerInspect(program: Command): void {
  const command = functionGroup(program)
    .command("inspect")
    .description("show what a bundle or an image says of itself: types, bounds, imports, signer")
    .argument("<file>", "a .tmcf or .tmci file")
    .option("--json", "print for programs")
    .action((file: string, options: { readonly json?: true }) => {
      const image = readImageFile(file);
      if (image !== undefined) {
        if (options.json === true) printJson(imageJson(image.summary));
        else process.stdout.write(imageText(image.summary));
        return;
      }
      const { bundle, bytes } = readBundle(file);
      if (options.json === true) printJson(bundleJson(bundle, bytes.length));
      else process.stdout.write(bundleText(bundle, bytes.length));
    });
  describeCommand(command, {
    examples: [
      [
        "tmc function inspect rms.tmcf",
        "its manifest; whether a node trusts the signer is the node's to say",
      ],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

function registerSign(program: Command): void {
  const command = functionGroup(program)
    .command("sign")
    .description("sign a bundle, in place of the signature that it has")
    .argument("<bundle>", "a .tmcf file")
    .requiredOption("--key <key>", "private key (PEM)")
    .option("-o, --out <file>", "where to write it (default: the same file)")
    .action((file: string, options: { readonly key: string; readonly out?: string }) => {
      const key = readSigningKey(options.key);
      const { bundle } = readBundle(file);
      const signature = signManifest(bundle.manifestBytes, key.privateKey, key.publicKey);
      const bytes = encodeBundle({ ...bundle, signature });
      writeBundle(options.out ?? file, bytes);
      process.stdout.write(bundleText(decodeBundle(bytes), bytes.length));
    });
  describeCommand(command, {
    examples: [["tmc function sign rms.tmcf --key owner.key.pem", "the file is rewritten"]],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** `tmc key new`: the owner's key pair, which signs what devices take over the bus. */
import type { Command } from "commander";
import { writeOwnerKeys } from "../../update/owner-keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";

export function registerKey(program: Command): void {
  const group = program.command("key").description("the owner's key, which signs updates of devices");
  describeCommand(group, {
    examples: [["tmc key new owner", "owner.key.pem and owner.pub.pem"]],
    exitCodes: ["ok", "usage"],
  });
  const command = group
    .command("new")
    .description("make a key pair (ECDSA P-256): NAME.key.pem (keep it), NAME.pub.pem (for the devices)")
    .argument("<name>", "path without ending")
    .option("--json", "print for programs")
    .action((name: string, options: { readonly json?: true }) => {
      const made = writeOwnerKeys(name);
      if (options.json === true) printJson(made);
      else {
        process.stdout.write(
          `private: ${made.privateFile}\npublic:  ${made.publicFile}\nkey id:  ${made.keyId}\n\n` +
            `Devices learn it with: tmc provision --update-key ${made.publicFile}\n` +
            `Devices learn it with: tmc provision --update-key ${made.publicFile}\n` +
            "Keep the private key safe: whoever has it decides what the devices run.\n",
        );
      }
    });
  describeCommand(command, {
    examples: [["tmc key new owner", "owner.key.pem and owner.pub.pem; existing files are not overwritten"]],
    exitCodes: ["ok", "usage"],
  });
}

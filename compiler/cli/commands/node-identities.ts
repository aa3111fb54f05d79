/** `tmc node identities` and `tmc node revoke`: who is enrolled on this node's bus, and who is not any more. */
import type { Command } from "commander";
import type { IdentityStore, IdentitySummary } from "../../../host/node/broker/identity-store.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { nodeGroup } from "./node.js";

interface Options {
  readonly config?: string;
  readonly json?: true;
}

const dayMs = 24 * 3600 * 1000;
const soonDays = 30;

export function registerNodeIdentities(program: Command): void {
  const identities = nodeGroup(program)
    .command("identities")
    .description("who is enrolled on this node's bus, and until when")
    .option("--config <file>", "configuration of the node (default: node.yaml)")
    .option("--json", "print them as JSON")
    .action(async (options: Options) => {
      const list = (await openStore(options)).list();
      if (options.json === true) printJson(list);
      else
        process.stdout.write(`${list.map(line).join("\n") || "Nobody is enrolled: tmc node enroll NAME"}\n`);
    });
  describeCommand(identities, {
    examples: [["tmc node identities", "a line each, with the end of its certificate"]],
    exitCodes: ["ok", "failed", "usage"],
  });
  const revoke = nodeGroup(program)
    .command("revoke")
    .description("take a client's identity away: it is disconnected, its certificates and passwords are void")
    .argument("<name>", "its id")
    .option("--config <file>", "configuration of the node (default: node.yaml)")
    .action(async (name: string, options: Options) => {
      await (await openStore(options)).revoke(name);
      process.stdout.write(`${name} is not enrolled any more. A node that runs follows within a second.\n`);
    });
  describeCommand(revoke, {
    examples: [["tmc node revoke pump-1", "it was lost, or stolen"]],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function openStore(options: Options): Promise<IdentityStore> {
  const { loadConfig } = await import("../../../host/node/load-config.js");
  const { IdentityStore } = await import("../../../host/node/broker/identity-store.js");
  const { config } = loadConfig(options.config);
  return IdentityStore.open(config.state, config.id);
}

function line({ id, role, revokedAt, expiresAt }: IdentitySummary): string {
  const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
  const left = expiresAt - Date.now();
  const status =
    revokedAt !== undefined
      ? `revoked ${day(revokedAt)}`
      : left <= 0
        ? `certificate ended ${day(expiresAt)}: tmc node enroll ${id} --renew`
        : `until ${day(expiresAt)}${left < soonDays * dayMs ? " (soon: --renew)" : ""}`;
  return `${id.padEnd(24)}${role.padEnd(10)}${status}`;
}

/** `tmc node policy`: the bus's access list for a broker that is not ours. */
import { Option, type Command } from "commander";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { nodeGroup } from "./node.js";

interface PolicyOptions {
  readonly for: "mosquitto" | "aws";
  readonly region: string;
  readonly account: string;
  readonly only?: "node" | "server";
  readonly config?: string;
}

export function registerNodePolicy(program: Command): void {
  const command = nodeGroup(program)
    .command("policy")
    .description("print the access list of this node's bus for another broker")
    .addOption(
      new Option("--for <broker>", "which broker").choices(["mosquitto", "aws"]).default("mosquitto"),
    )
    .option("--region <region>", "with --for aws: where, e.g. eu-central-1", "REGION")
    .option("--account <id>", "with --for aws: whose, 12 digits", "ACCOUNT")
    .addOption(new Option("--only <who>", "with --for aws: one of both policies").choices(["node", "server"]))
    .option("--config <file>", "configuration of the node (default: node.yaml)")
    .action(async (options: PolicyOptions) => {
      const { loadConfig } = await import("../../../host/node/load-config.js");
      const { awsPolicy, mosquittoPolicy } = await import("../../../host/node/broker/policy.js");
      const { config } = loadConfig(options.config);
      const { region, account, only } = options;
      if (options.for === "aws") {
        const policies = awsPolicy(config.id, { region, account });
        printJson(only === undefined ? policies : policies[only]);
      } else process.stdout.write(mosquittoPolicy(config.id));
    });
  describeCommand(command, {
    examples: [
      ["tmc node policy --for mosquitto > acl", "acl_file of mosquitto.conf"],
      ["tmc node policy --for aws", "two policies of AWS IoT Core, for nodes and for the server"],
      [
        "tmc node policy --for aws --region eu-central-1 --account 123456789012 --only node > node.json",
        "for aws iot create-policy: docs/aws-iot.md",
      ],
    ],
    exitCodes: ["ok", "usage"],
  });
}

/** `tmc node policy`: the bus's access list for a broker that is not ours. */
import { Option, type Command } from "commander";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { nodeGroup } from "./node.js";

interface PolicyOptions {
  readonly for: "mosquitto" | "aws";
  readonly config?: string;
}

export function registerNodePolicy(program: Command): void {
  const command = nodeGroup(program)
    .command("policy")
    .description("print the access list of this node's bus for another broker")
    .addOption(
      new Option("--for <broker>", "which broker").choices(["mosquitto", "aws"]).default("mosquitto"),
    )
    .option("--config <file>", "configuration of the node (default: node.yaml)")
    .action(async (options: PolicyOptions) => {
      const { loadConfig } = await import("../../../host/node/load-config.js");
      const { awsPolicy, mosquittoPolicy } = await import("../../../host/node/broker/policy.js");
      const { config } = loadConfig(options.config);
      if (options.for === "aws") printJson(awsPolicy(config.id));
      else process.stdout.write(mosquittoPolicy(config.id));
    });
  describeCommand(command, {
    examples: [
      ["tmc node policy --for mosquitto > acl", "acl_file of mosquitto.conf"],
      ["tmc node policy --for aws", "two policies of AWS IoT Core, for nodes and for the server"],
    ],
    exitCodes: ["ok", "usage"],
  });
}

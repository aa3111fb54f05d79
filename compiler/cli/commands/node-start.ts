/** `tmc node start`: a complete node in the foreground, from its configuration until Ctrl-C. */
import { Option, type Command } from "commander";
import type { LogFormat } from "../../../host/node/log-output.js";
import { describeCommand } from "../help.js";
import { nodeGroup } from "./node.js";

interface StartOptions {
  readonly config?: string;
  readonly check?: boolean;
  readonly logFormat?: LogFormat;
}

export function registerNodeStart(program: Command): void {
  const command = nodeGroup(program)
    .command("start")
    .description(
      "start a complete node here: broker, Core Service, storage, functions, web page; Ctrl-C stops it",
    )
    .option("--config <file>", "its configuration (default: node.yaml when there is one)")
    .option("--check", "only check the configuration, and print it with every default")
    .addOption(
      new Option(
        "--log-format <format>",
        "of the log on stdout: for people or JSON lines (default: pretty on a terminal, else json)",
      ).choices(["pretty", "json"]),
    )
    .action(start);
  describeCommand(command, {
    examples: [
      ["tmc node start", "a node on loopback, data in the folder tmc-node"],
      ["tmc node start --config edge.yaml", "as edge.yaml says"],
      ["tmc node start --config edge.yaml --check", "what that means, without starting"],
      ["tmc node start --log-format json", "JSON lines also on a terminal"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function start(options: StartOptions): Promise<void> {
  const { loadConfig } = await import("../../../host/node/load-config.js");
  const loaded = loadConfig(options.config);
  if (options.check === true) {
    const { stringify } = await import("yaml");
    process.stdout.write(stringify(loaded.config));
    return;
  }
  const { runNode } = await import("../../../host/node/run-node.js");
  await runNode(loaded, options.logFormat);
}

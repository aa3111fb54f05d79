/** The group `tmc node …`: a complete node, started here or asked over its management interface. One file a command. */
import type { Command } from "commander";
import { describeCommand } from "../help.js";

/** The group, made by the first who asks, as `modelGroup`. */
export function nodeGroup(program: Command): Command {
  const existing = program.commands.find((c) => c.name() === "node");
  if (existing !== undefined) {
    return existing;
  }
  const group = program.command("node").description("start a complete node, and look after it");
  return describeCommand(group, {
    examples: [
      ["tmc node start", "a broker, a Core Service, storage and a web page, on loopback"],
      ["tmc node enroll pump-1", "an identity for a node that may join"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

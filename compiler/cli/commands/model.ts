/** The group `tmc model …`: commands on model files. Each has a file of its own and registers itself in the group. */
import { Option, type Command } from "commander";
import { describeCommand } from "../help.js";

/** The group, made by the first who asks. `registerModelInspect(program)` and its kin call this with the root command. */
export function modelGroup(program: Command): Command {
  const existing = program.commands.find((c) => c.name() === "model");
  if (existing !== undefined) {
    return existing;
  }
  const group = program.command("model").description("look at, run, measure and quantise models");
  return describeCommand(group, {
    examples: [
      ["tmc model inspect model.tflite", "operators, shapes, memory"],
      ["tmc model run model.tflite --input in.bin --on node,host", "the same bits on several targets"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool"],
  });
}

/** `--memory balanced|least`: what the compiler spends memory on. */
export function memoryOption(): Option {
  return new Option(
    "--memory <goal>",
    "balanced: scratch memory where it makes layers faster; least: none, and the peak in bands of rows",
  )
    .choices(["balanced", "least"])
    .default("balanced");
}

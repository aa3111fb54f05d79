/** What every command's `--help` ends with: examples and exit codes. The texts of options are commander's. */
import type { Command } from "commander";
import { ExitCode } from "../diagnostics/user-error.js";

export interface CommandNotes {
  /** Pairs of a command line and what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** The codes this command can end with, by name, in this order. */
  readonly exitCodes: readonly (keyof typeof ExitCode)[];
}

const meanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  ok: "done",
  failed: "the program or its result is wrong: diagnostics, outputs that differ, a budget exceeded",
  trap: "an uncaught trap ended the program",
  usage: "wrong command line, or an input file that is missing or unreadable",
  missingTool: "a tool that this command needs is not installed",
  noWorkspace: "everything up to objects and the memory report was made, but no image: no Zephyr workspace",
  internal: "a bug in tmc",
};

/** Appends examples and exit codes to the help of `command`. */
export function describeCommand(command: Command, notes: CommandNotes): Command {
  const width = Math.max(...notes.examples.map(([line]) => line.length));
  const examples = notes.examples.map(([line, purpose]) => `  ${line.padEnd(width)}  ${purpose}`);
  const codes = notes.exitCodes.map((name) => `  ${String(ExitCode[name]).padStart(2)}  ${meanings[name]}`);
  return command.addHelpText("after", ["", "Examples:", ...examples, "", "Exit codes:", ...codes].join("\n"));
}

/** Commander's complaints about a command line in our own form: code, message, fix. */
import type { CommanderError } from "commander";
import { type Command } from "commander";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

const codes: Readonly<Record<string, string>> = {
  "commander.unknownCommand": "TMC0001",
  "commander.unknownOption": "TMC0002",
  "commander.missingArgument": "TMC0003",
  "commander.optionMissingArgument": "TMC0003",
  "commander.missingMandatoryOptionValue": "TMC0003",
  "commander.excessArguments": "TMC0004",
  "commander.invalidArgument": "TMC0005",
  "commander.conflictingOption": "TMC0005",
};

/** The error that `main` prints. Its fix is commander's suggestion where there is one, and the help that applies. */
export function usageError(error: CommanderError, program: Command, args: readonly string[]): UserError {
  const help = `${commandLineOf(program, args)} --help`;
  if (error.code === "commander.help") {
    // `tmc` or `tmc model` alone: commander has printed the help already.
    return new UserError(
      "TMC0003",
      "no command was given",
      `name one, for example: ${firstExample(program, args)}`,
      ExitCode.usage,
    );
  }
  const suggestion = /\n\((Did you mean .*\?)\)$/s.exec(error.message);
  const message = error.message.replace(/^error: /, "").replace(/\n\(Did you mean .*\?\)$/s, "");
  const fix =
    suggestion?.[1] === undefined ? `see ${help}` : `${suggestion[1].replace(/^D/, "d")} See also ${help}`;
  return new UserError(codes[error.code] ?? "TMC0005", message, fix, ExitCode.usage);
}

/** The deepest command that the arguments name. */
function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((c) => c.name() === arg || c.aliases().includes(arg));
    if (next === undefined) {
      break;
    }
    command = next;
  }
  return command;
}

function commandLineOf(program: Command, args: readonly string[]): string {
  const names: string[] = [];
  for (let command: Command | null = commandOf(program, args); command !== null; command = command.parent) {
    names.unshift(command.name());
  }
  return names.join(" ");
}

function firstExample(program: Command, args: readonly string[]): string {
  const command = commandOf(program, args);
  const first = command.commands.find((c) => c.name() !== "help");
  return `${commandLineOf(program, args)} ${first?.name() ?? "--help"}`;
}

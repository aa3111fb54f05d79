/** `tmc model ops`: what the model compiler supports. Prints tables; knows nothing of its own. */
import type { Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { closest } from "../closest.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { supportReport, type OperatorEntry, type SupportReport } from "../../model/support-report.js";
import { modelGroup } from "./model.js";

export function registerModelOps(program: Command): void {
  const command = modelGroup(program)
    .command("ops")
    .description("print what the model compiler supports: operators, attributes, types, limits, layers")
    .argument("[operator]", "one operator, named as in .tflite files; default: all")
    .option("--json", "print for programs")
    .action((name: string | undefined, options: { json?: true }) => {
      const report = supportReport();
      const operators = name === undefined ? report.operators : [find(report, name)];
      if (options.json === true) {
        printJson(name === undefined ? report : operators[0]);
      } else {
        process.stdout.write(
          name === undefined ? formatReport(report) : operators.map(formatOperator).join(""),
        );
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model ops", "every operator, and the layers of other formats"],
      ["tmc model ops CONV_2D", "one operator"],
      ["tmc model ops --json", "the same for programs"],
    ],
    exitCodes: ["ok", "usage"],
  });
}

function find({ operators }: SupportReport, name: string): OperatorEntry {
  const wanted = name.toUpperCase();
  const found = operators.find((operator) => operator.name === wanted);
  if (found === undefined) {
    const names = operators.map((operator) => operator.name);
    const [near] = closest(wanted, names);
    throw new UserError(
      "TMC0005",
      `${name} is not a supported operator; supported: ${names.join(", ")}`,
      near === undefined ? "`tmc model ops` prints what each of them takes." : `Did you mean ${near}?`,
      ExitCode.usage,
    );
  }
  return found;
}

function formatReport(report: SupportReport): string {
  const lines = [
    "operators of an int8 model (.tflite):",
    "",
    ...report.operators.map(formatOperator),
    "every model:",
    ...report.model.map((limit) => `  ${limit}`),
    "",
  ];
  for (const { format, accepts } of report.formats) {
    lines.push(`${format}:`, ...wrap(accepts.join(", ")), "");
  }
  return lines.join("\n");
}

function formatOperator(operator: OperatorEntry): string {
  const facts: (readonly [string, string])[] = [
    ["shapes", operator.shapes],
    ["types", operator.types],
    ...Object.entries(operator.attributes),
    ...operator.limits.map((limit) => ["limit", limit] as const),
    ["fast", operator.fast === "" ? "no" : `when ${operator.fast}`],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    `${operator.name} (versions 1 to ${operator.newestVersion})`,
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "",
    "",
  ].join("\n");
}

/** Words in lines of at most 100 characters, indented. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > 100) {
      lines.push(`  ${word}`);
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
    }
  }
  return lines;
}

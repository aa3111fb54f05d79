/** `tmc model diff`: how two versions of a model differ, and what the change costs. */
import type { Command } from "commander";
import { ExitCode } from "../../diagnostics/user-error.js";
import { loadGraph } from "../../model/importers/load-model.js";
import {
  diffModels,
  type ModelDiff,
  type ModelEstimate,
  type OperatorChange,
} from "../../model/model-diff.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { table, thousands } from "./model-inspect.js";
import { modelGroup } from "./model.js";

export function registerModelDiff(program: Command): void {
  const command = modelGroup(program)
    .command("diff")
    .description(
      "compare two versions of a model: operators, shapes, quantisation, weights, costs; exit code 1 when they differ",
    )
    .argument("<before>", "model file (.tflite, ONNX)")
    .argument("<after>", "model file (.tflite, ONNX)")
    .option("--json", "print for programs")
    .action((before: string, after: string, options: { json?: true }) => {
      const diff = diffModels(loadGraph(before), loadGraph(after));
      if (options.json === true) {
        printJson(diff);
      } else {
        process.stdout.write(formatDiff(diff));
      }
      if (!diff.equal) {
        process.exitCode = ExitCode.failed;
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model diff old.tflite new.tflite", "what changed, and what it costs"],
      ["tmc model diff old.tflite new.tflite --json", "the same for programs"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

const signs = { added: "+", removed: "-", changed: "~" } as const;

function formatDiff({ equal, edges, operators, before, after }: ModelDiff): string {
  const lines: string[] = [];
  if (equal) {
    lines.push("the models are equal");
  }
  lines.push(...edges.map((edge) => `~ ${edge.property}: ${edge.before} → ${edge.after}`));
  for (const operator of operators) {
    lines.push(`${signs[operator.change]} ${headline(operator)}`);
    for (const { property, before: from, after: to } of operator.properties) {
      lines.push(`    ${property}: ${from} → ${to}`);
    }
    for (const { constant, changed, of, largest, largestStep } of operator.constants) {
      const steps = largestStep === null ? "" : ` (${thousands(largestStep)} steps)`;
      lines.push(
        `    ${constant}: ${thousands(changed)} of ${thousands(of)} changed, by ${Number(largest.toPrecision(4))} at most${steps}`,
      );
    }
  }
  lines.push(...costs(before, after));
  return `${lines.join("\n")}\n`;
}

function headline({ before, after, kind, name }: OperatorChange): string {
  const [first = ""] = name.split(";");
  const place =
    before !== null && after !== null && before !== after
      ? `${before} → ${after}`
      : String(after ?? before ?? "");
  return `operator ${place} (${kind})${first === "" ? "" : ` "${first}"`}`;
}

function costs(before: ModelEstimate | null, after: ModelEstimate | null): string[] {
  if (before === null || after === null) {
    return ["", "costs: only of int8 models"];
  }
  const rows = (
    [
      ["operators", "operators"],
      ["MACs", "macs"],
      ["flash: constants", "flash"],
      ["RAM: arena", "ram"],
    ] as const
  ).map(([title, key]) => {
    const difference = after[key] - before[key];
    const share = before[key] === 0 ? "" : ` (${((100 * difference) / before[key]).toFixed(1)} %)`;
    const shown = difference === 0 ? "" : `${difference > 0 ? "+" : ""}${thousands(difference)}${share}`;
    return [title, thousands(before[key]), thousands(after[key]), shown];
  });
  return ["", ...table([["", "before", "after", ""], ...rows], new Set([1, 2]))];
}

/** `tmc model plan`: who lives where in the model's memory and when, what causes the peak; as text, JSON, picture. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { compileModel, type MemoryGoal } from "../../model/compile.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { planReport, type PlanHolder, type PlanReport } from "../../model/plan-report.js";
import { renderPlanSvg } from "../../model/plan-svg.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { table, thousands } from "./model-inspect.js";
import { memoryOption, modelGroup } from "./model.js";

export function registerModelPlan(program: Command): void {
  const command = modelGroup(program)
    .command("plan")
    .description("print the memory plan of an int8 model: who lives where and when, and what causes the peak")
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .addOption(memoryOption())
    .option("--svg <file>", "write a picture of the plan over time")
    .option("--json", "print for programs")
    .action((path: string, options: { svg?: string; memory: MemoryGoal; json?: true }) => {
      const graph = loadGraph(path);
      const report = planReport(compileModel(graph, options.memory));
      const least = planReport(compileModel(graph, "least"));
      if (options.svg !== undefined) {
        write(options.svg, renderPlanSvg(report));
      }
      if (options.json === true) {
        printJson({
          ...report,
          memory: options.memory,
          least: { arenaBytes: least.arenaBytes, bands: least.bands },
        });
      } else {
        process.stdout.write(formatPlan(report) + formatLeast(report, least));
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc model plan model.tflite", "tensors, scratch memory, the peak and its causes"],
      ["tmc model plan model.tflite --svg plan.svg", "a picture as well"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** What the other goal would bring, or what this one did. */
function formatLeast(report: PlanReport, least: PlanReport): string {
  const bands = (one: PlanReport): string =>
    one.bands === null
      ? ""
      : `; operators ${one.bands.operators[0]} to ${one.bands.operators.at(-1)} in ${one.bands.count} bands of rows, ${thousands(one.bands.extraMacs)} multiplications twice`;
  const lines = report.bands === null ? [] : [`bands  ${bands(report).slice(2)}`];
  if (least.arenaBytes < report.arenaBytes) {
    lines.push(`with --memory least: ${thousands(least.arenaBytes)} bytes${bands(least)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(
      "TMC3034",
      `cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "Give --svg a file in a directory that exists and can be written.",
      ExitCode.usage,
    );
  }
}

function formatPlan(report: PlanReport): string {
  const { steps, holders, peak, arenaBytes } = report;
  const when = (at: number): string =>
    at < 0 ? "start" : at >= steps.length ? "end" : String(steps[at]?.operator ?? at);
  const verdict = report.optimal
    ? "the least possible for these kernels"
    : `at least ${thousands(report.lowerBound)} are needed`;
  const rows = holders.map((holder) => [
    thousands(holder.offset),
    thousands(holder.bytes),
    when(holder.first),
    when(holder.last),
    holder.what,
    label(holder),
  ]);
  const step = steps[peak.step];
  const place =
    step === undefined ? "at the model's edge" : `operator ${step.operator} (${step.kind}, "${step.name}")`;
  const shared = peak.holders.reduce((sum, { bytes }) => sum + bytes, 0) - peak.bytes;
  return [
    `${report.model}: ${thousands(arenaBytes)} bytes of RAM, ${verdict} (${report.heuristic})`,
    "",
    ...table([["offset", "bytes", "from", "to", "", "name"], ...rows], new Set([0, 1, 2, 3])),
    "",
    `peak   ${thousands(peak.bytes)} bytes at once: ${place}`,
    ...peak.holders.map(
      (holder) => `       ${thousands(holder.bytes).padStart(9)}  ${holder.what} ${label(holder)}`,
    ),
    ...(shared > 0
      ? [`       ${thousands(shared).padStart(9)}  of these are used twice: outputs that overlap inputs`]
      : []),
    "",
    "used by operator:",
    ...steps.map(({ operator, kind, aliveBytes }) => {
      const bar = "#".repeat(Math.round((40 * aliveBytes) / Math.max(1, arenaBytes)));
      return `  ${String(operator).padStart(4)}  ${thousands(aliveBytes).padStart(9)}  ${bar.padEnd(40)}  ${kind}`;
    }),
    "",
  ].join("\n");
}

function label({ what, number, name }: PlanHolder): string {
  return what === "scratch" ? name.replace("scratch ", "") : `${number} "${name}"`;
}

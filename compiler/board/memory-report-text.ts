/** Prints a memory report for people. Programs read the report itself as JSON. */
import type { BudgetLine, MemoryReport } from "./memory-report.js";
import type { StackBound } from "./stack-bound.js";
import type { SymbolMap } from "./symbol-map.js";

const groupNames: Readonly<Record<MemoryReport["groups"][number]["group"], string>> = {
  generated: "program",
  model: "models",
  kernel: "model kernels",
  runtime: "tmc runtime",
  port: "port",
  libc: "C library",
  platform: "platform",
  stack: "stack",
  other: "other",
};

function bytes(count: number): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

function budgetLine(name: string, line: BudgetLine): string {
  return `${name.padEnd(8)}${bytes(line.used).padStart(11)} of ${bytes(line.budget).padStart(11)} bytes  ${line.percent.toFixed(1).padStart(5)} %`;
}

function stackLines(stack: StackBound, symbols: SymbolMap | undefined): string[] {
  const name = (cName: string): string => symbols?.symbols[cName]?.tsName ?? cName;
  const path = stack.path
    .filter((step) => step.frame > 0)
    .map((step) => `${name(step.name)} ${step.frame}`)
    .join(" → ");
  const shown = stack.gaps.slice(0, 3).join("; ");
  const more = stack.gaps.length > 3 ? `; ${stack.gaps.length - 3} more` : "";
  return [
    `  ${name(stack.entry)}: ${stack.gaps.length > 0 ? "at least " : ""}${bytes(stack.bytes)} bytes: ${path}`,
    ...(stack.gaps.length > 0 ? [`    not counted: ${shown}${more}`] : []),
  ];
}

export interface MemoryReportTextOptions {
  /** How many functions and objects are listed; default 12. */
  readonly top?: number;
  /** Turns the C names in stack paths into the user's. */
  readonly symbols?: SymbolMap;
}

/** Several lines, each ends in a newline. */
export function formatMemoryReport(report: MemoryReport, options: MemoryReportTextOptions = {}): string {
  const basis = report.basis === "image" ? "linked image" : "compiled objects (no image was linked)";
  const lines = [
    `Memory of ${report.board}, from the ${basis}`,
    budgetLine("flash", report.flash),
    budgetLine("RAM", report.ram),
    budgetLine("stack", report.stack),
    "",
    `${"".padEnd(20)}${"flash".padStart(10)}${"RAM".padStart(10)}`,
    ...report.groups.map(
      (group) =>
        `${groupNames[group.group].padEnd(20)}${bytes(group.flash).padStart(10)}${bytes(group.ram).padStart(10)}`,
    ),
    "",
    "largest",
    ...report.items
      .filter((item) => item.group !== "stack" && item.group !== "other")
      .slice(0, options.top ?? 12)
      .map(
        (item) =>
          `${bytes(item.flash).padStart(10)}${bytes(item.ram).padStart(10)}  ${item.name}${item.place === "" ? ` (${groupNames[item.group]})` : ` (${item.place})`}`,
      ),
  ];
  if (report.stacks.length > 0) {
    lines.push(
      "",
      "worst-case stack by entry",
      ...report.stacks.flatMap((one) => stackLines(one, options.symbols)),
    );
  }
  return `${lines.join("\n")}\n`;
}

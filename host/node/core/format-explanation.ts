/** An explanation of routing as people read it: `tmc route explain`. */
import type { Candidate, Explanation } from "./core-service.js";

const meaning: Readonly<Record<string, string>> = {
  operation: "does not offer the operation",
  "selector.name": "does not have what the selector names",
  "selector.task": "has nothing for the task",
  "selector.node": "is not the selected node",
  "selector.labels": "lacks a label",
  selector: "offers nothing that fits",
  "arguments.sensor": "has no such sensor",
  input: "has no such sensor",
  size: "takes no message of this size",
  busy: "has a full queue",
  offline: "is offline",
  path: "was on the way already",
};

function reason(why: string): string {
  const [side, field] = why.split(".");
  if (side === "input" && field !== undefined) return `input descriptor: ${field} differs`;
  if (side === "accept") return `accepted output: ${field ?? ""} differs`;
  return meaning[why] ?? why;
}

function decision(explanation: Explanation): string {
  const { chosen, error } = explanation;
  switch (explanation.decision) {
    case "local":
      return `local: ${chosen ?? ""} serves it itself`;
    case "dispatch":
      return `dispatch to ${chosen ?? ""}`;
    case "forward":
      return `forward to the server ${chosen ?? ""}`;
    case "refuse": {
      const where = error?.field === undefined ? "" : ` (${error.field})`;
      return `refuse: ${error?.code ?? ""}${where}${error?.text ? `: ${error.text}` : ""}`;
    }
  }
}

/** A line for the decision, then one for each candidate: columns, the chosen one marked, lower scores first. */
export function formatExplanation(explanation: Explanation): string {
  const rows = explanation.candidates.map((c) => [
    c.node === explanation.chosen ? "*" : " ",
    c.node,
    c.kind,
    c.score === undefined ? "" : String(round(c.score.total)),
    detail(c),
  ]);
  const head = [" ", "node", "kind", "score", "why"];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((r) => (r[i] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 3 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [decision(explanation), "", line(head), ...rows.map(line), ""].join("\n");
}

function detail(c: Candidate): string {
  if (!c.fits) return reason(c.why);
  if (c.score === undefined) return "fits";
  const parts = Object.entries(c.score.parts).map(([name, value]) => `${name} ${round(value)}`);
  return `fits: ${parts.join(" + ")}`;
}

const round = (x: number): number => Math.round(x * 10) / 10;

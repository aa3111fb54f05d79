/** The text that `tmc model quantize` prints: what was lost, where, and on which data. No arithmetic beyond formatting. */
import type { QuantizationLoss } from "./accuracy.js";

const percent = (fraction: number): string =>
  Number.isNaN(fraction) ? "-" : `${(fraction * 100).toFixed(2)} %`;
const decibels = (value: number): string => (value === Infinity ? "exact" : `${value.toFixed(1)} dB`);

/** Lines of columns; the first column is aligned left, the others right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  }
  return rows.map((row) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`.trimEnd(),
  );
}

/** The report of `loss`, measured on `data` (a file's name). */
export function formatLoss(loss: QuantizationLoss, data: string): string {
  const lines: string[] = [];
  const { accuracy, layers, activations } = loss;
  if (accuracy !== undefined) {
    lines.push(`accuracy on ${loss.samples} samples of ${data}`);
    lines.push(
      ...table([
        ["", "samples", "float", activations],
        ...accuracy.classes.map((c) => [c.label, String(c.count), percent(c.float), percent(c.int8)]),
        ["all", String(loss.samples), percent(accuracy.float), percent(accuracy.int8)],
      ]),
    );
    const names = accuracy.classes.map((c) => c.label);
    for (const side of ["float", "int8"] as const) {
      lines.push(
        "",
        `${side === "float" ? side : activations} confusion (rows: true class, columns: decided class)`,
      );
      const rows = accuracy.confusion[side].map((row, i) => [names[i] ?? "", ...row.map(String)]);
      lines.push(...table([["", ...names], ...rows]));
    }
    lines.push("");
  }
  if (loss.error !== undefined) {
    const { float, int8 } = loss.error;
    lines.push(
      `root mean square error on ${loss.samples} samples of ${data}: float ${float.toPrecision(4)}, ${activations} ${int8.toPrecision(4)}`,
      "",
    );
  } else {
    lines.push(
      `float and ${activations} decide alike on ${percent(loss.agreement)} of ${loss.samples} samples of ${data}`,
    );
  }
  lines.push(
    `the ${activations} output is ${percent(loss.deviation)} off the float output (root mean square)`,
    "",
    "signal to quantisation noise, worst layer first (total: at the layer's output; own: of the layer alone)",
  );
  const ranked = loss.ranking.flatMap((i) => layers[i] ?? []);
  lines.push(
    ...table([
      ["layer", "operator", "total", "own"],
      ...ranked.map((l) => [`${l.operator} ${l.name}`, l.kind, decibels(l.total), decibels(l.own)]),
    ]),
  );
  const [worst] = ranked;
  if (worst !== undefined) {
    lines.push("", `the layer that loses most: ${worst.name} (${worst.kind}), ${decibels(worst.own)}`);
  }
  return lines.join("\n");
}

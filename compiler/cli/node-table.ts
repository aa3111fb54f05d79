/** Tables and figures for people, of values that other machines sent: nothing of them can steer a terminal. */

/** Control characters, of which terminals make commands. */
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** On one line, without control characters. */
export const safe = (value: unknown): string =>
  (typeof value === "string"
    ? value
    : value === undefined || value === null
      ? "-"
      : JSON.stringify(value)
  ).replace(control, "\u{fffd}");

/** Columns as wide as their content; the last one is not filled up. */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(safe))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** name: value, a line each. */
export function facts(pairs: readonly (readonly [string, unknown])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${safe(value)}\n`).join("");
}

export function bytesText(n: number): string {
  return n < 1024
    ? `${n} B`
    : n < 1024 ** 2
      ? `${(n / 1024).toFixed(1)} KB`
      : `${(n / 1024 ** 2).toFixed(1)} MB`;
}

export function msText(ms: number | undefined): string {
  return ms === undefined
    ? "-"
    : ms < 1
      ? `${Math.round(ms * 1000)} us`
      : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export function secondsText(s: number | undefined): string {
  if (s === undefined) return "-";
  return s < 120
    ? `${Math.round(s)} s`
    : s < 7200
      ? `${Math.round(s / 60)} min`
      : s < 172_800
        ? `${Math.round(s / 3600)} h`
        : `${Math.round(s / 86_400)} d`;
}

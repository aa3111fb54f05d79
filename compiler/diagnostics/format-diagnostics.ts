/** Diagnostics as text: place, message, the source line with its marks, fix, related places, and a summary. */
import { join, relative } from "node:path";
import type { Diagnostic } from "./diagnostic.js";
import type { Loc } from "../ir/nodes.js";
import { fileOf, lengthOnLine, SourceLines } from "./source-lines.js";

export interface DiagnosticPlaces {
  /** Folder that `Loc.file` is relative to; files of the library start with `tmc/`. */
  readonly root: string;
  /** Folder that printed paths are relative to. Default: the current one. */
  readonly cwd?: string;
}

/** `src/app.ts:12:5`, relative to `cwd`. */
export function formatPlace(loc: Loc, places: DiagnosticPlaces): string {
  const file = fileOf(loc, places.root);
  const short = relative(places.cwd ?? process.cwd(), file);
  // A path that climbs far is harder to read than the absolute one.
  return `${short.startsWith("../../..") ? file : short || file}:${loc.line}:${loc.col}`;
}

/** All diagnostics, each as a block, and the closing `2 errors, 1 warning`. "" when there are none. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], places: DiagnosticPlaces): string {
  if (diagnostics.length === 0) {
    return "";
  }
  const lines = new SourceLines(places.root);
  const blocks = diagnostics.map((d) => formatDiagnostic(d, places, lines));
  return `${blocks.join("\n\n")}\n\n${summarize(diagnostics)}\n`;
}

function formatDiagnostic(d: Diagnostic, places: DiagnosticPlaces, lines: SourceLines): string {
  const parts = [`${formatPlace(d.loc, places)} - ${d.severity} ${d.code}: ${d.message}`];
  const source = lines.get(d.loc);
  if (source !== undefined) {
    const number = String(d.loc.line);
    parts.push(
      `  ${number} | ${source}`,
      `  ${" ".repeat(number.length)} | ${marks(source, d.loc.col, d.length)}`,
    );
  }
  if (d.fix !== "") {
    parts.push(`  fix: ${d.fix}`);
  }
  for (const other of d.related) {
    parts.push(`  ${formatPlace(other.loc, places)} - note: ${other.message}`);
  }
  return parts.join("\n");
}

/** `^~~~` under the part of `source` that starts at column `col` (from 1); tabs stay tabs so that the marks line up. */
function marks(source: string, col: number, length: number): string {
  const before = source.slice(0, col - 1).replace(/[^\t]/g, " ");
  return `${before}^${"~".repeat(lengthOnLine(source, col, length) - 1)}`;
}

/** `1 error, 2 warnings`; notes are not counted. */
export function summarize(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.filter((d) => d.severity === "warning").length;
  const counted = [plural(errors, "error"), ...(warnings > 0 ? [plural(warnings, "warning")] : [])];
  return counted.join(", ");
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** For `--json`: the diagnostic with its path as it is printed. */
export function diagnosticToJson(d: Diagnostic, places: DiagnosticPlaces): unknown {
  const file = (loc: Loc): string =>
    relative(places.cwd ?? process.cwd(), fileOf(loc, places.root)) || join(loc.file);
  return {
    code: d.code,
    severity: d.severity,
    file: file(d.loc),
    line: d.loc.line,
    col: d.loc.col,
    length: d.length,
    message: d.message,
    fix: d.fix,
    related: d.related.map((r) => ({
      file: file(r.loc),
      line: r.loc.line,
      col: r.loc.col,
      message: r.message,
    })),
  };
}

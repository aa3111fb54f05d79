/** Diagnostics as text: place, message, the source line with its marks, fix, related places, and a summary. */
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Diagnostic } from "./diagnostic.js";
import type { Loc } from "../ir/nodes.js";
import { packagePath } from "../board/package-root.js";

export interface DiagnosticPlaces {
  /** Folder that `Loc.file` is relative to; files of the library start with `tmc/`. */
  readonly root: string;
  /** Folder that printed paths are relative to. Default: the current one. */
  readonly cwd?: string;
}

/** Absolute path of the file that a place names. */
export function fileOf(loc: Loc, root: string): string {
  return loc.file.startsWith("tmc/")
    ? packagePath("firmware", loc.file.slice("tmc/".length))
    : resolve(root, loc.file);
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
  const width = Math.max(1, Math.min(length, source.length - col + 1));
  return `${before}^${"~".repeat(width - 1)}`;
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

/** Lines of source files, each file read once. A file that cannot be read has none. */
class SourceLines {
  private readonly files = new Map<string, readonly string[]>();

  constructor(private readonly root: string) {}

  get(loc: Loc): string | undefined {
    const file = fileOf(loc, this.root);
    let lines = this.files.get(file);
    if (lines === undefined) {
      try {
        lines = readFileSync(file, "utf8").split(/\r?\n/);
      } catch {
        lines = [];
      }
      this.files.set(file, lines);
    }
    return lines[loc.line - 1];
  }
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

/** Diagnostics as text: place, message, the source line with its marks, fix, related places, and a summary. */
import { join, relative } from "node:path";
import { plain, type Style } from "./colors.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Loc } from "../ir/nodes.js";
import { fileOf, lengthOnLine, SourceLines } from "./source-lines.js";

export interface DiagnosticPlaces {
  /** Folder that `Loc.file` is relative to; files of the library start with `tmc/`. */
  readonly root: string;
  /** Folder that printed paths are relative to. Default: the current one. */
  readonly cwd?: string;
  /** Default: no colours. */
  readonly style?: Style;
}

/** Longer source lines are shown in part, around the marks. */
const widestLine = 160;

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
  const style = places.style ?? plain;
  const head = `${styledPlace(d.loc, places, style)} - ${style[d.severity](d.severity)}`;
  const parts = [`${head} ${style.code(`${d.code}:`)} ${d.message}`];
  const source = lines.get(d.loc);
  if (source !== undefined) {
    const number = String(d.loc.line);
    const shown = window(source, d.loc.col);
    const marked = marks(shown.text, d.loc.col - shown.dropped, d.length);
    parts.push(
      `  ${style.lineNumber(number)} | ${shown.text}`,
      `  ${style.lineNumber(" ".repeat(number.length))} | ${marked.before}${style[d.severity](marked.marks)}`,
    );
  }
  if (d.fix !== "") {
    parts.push(`  fix: ${d.fix}`);
  }
  for (const other of d.related) {
    parts.push(`  ${styledPlace(other.loc, places, style)} - ${style.note("note")}: ${other.message}`);
  }
  return parts.join("\n");
}

function styledPlace(loc: Loc, places: DiagnosticPlaces, style: Style): string {
  const place = formatPlace(loc, places);
  const file = place.slice(0, place.length - `:${loc.line}:${loc.col}`.length);
  return `${style.file(file)}:${style.position(String(loc.line))}:${style.position(String(loc.col))}`;
}

/** The part of a line around column `col`, and how many characters were left out before it (less the mark of that). */
function window(source: string, col: number): { readonly text: string; readonly dropped: number } {
  if (source.length <= widestLine) return { text: source, dropped: 0 };
  const start = Math.max(0, Math.min(col - 1 - widestLine / 4, source.length - widestLine));
  const before = start > 0 ? "…" : "";
  const after = start + widestLine < source.length ? "…" : "";
  return {
    text: before + source.slice(start, start + widestLine) + after,
    dropped: start - before.length,
  };
}

/** `^~~~` under the part of `source` that starts at column `col` (from 1); tabs stay tabs so that the marks line up. */
function marks(
  source: string,
  col: number,
  length: number,
): { readonly before: string; readonly marks: string } {
  return {
    before: source.slice(0, col - 1).replace(/[^\t]/g, " "),
    marks: `^${"~".repeat(lengthOnLine(source, col, length) - 1)}`,
  };
}

/** `1 error, 2 warnings`; notes are not counted. */
export function summarize(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.filter((d) => d.severity === "warning").length;
  const counted = [plural(errors, "error"), ...(warnings > 0 ? [plural(warnings, "warning")] : [])];
  return counted.join(", ");
}

export function plural(count: number, word: string): string {
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
    fixes:
      d.quickFix === undefined
        ? []
        : [
            {
              title: d.quickFix.title,
              automatic: d.quickFix.automatic,
              edits: d.quickFix.edits.map((e) => ({
                ...{ file: file(d.loc), line: e.line, col: e.col, endLine: e.line, endCol: e.endCol },
                text: e.text,
              })),
            },
          ],
  };
}

/** Findings as workflow commands of GitHub Actions, which shows them at their lines in a pull request. It prints nothing. */
import { relative, sep } from "node:path";
import type { Diagnostic, Severity } from "./diagnostic.js";
import { fileOf, lengthOnLine, SourceLines } from "./source-lines.js";

export interface GithubOptions {
  /** Folder that `Loc.file` is relative to. */
  readonly root: string;
  /** Folder that paths are relative to: the checkout. */
  readonly base: string;
}

const commands: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", note: "notice" };

/** One line a finding, "" when there are none. */
export function formatGithub(diagnostics: readonly Diagnostic[], options: GithubOptions): string {
  const lines = new SourceLines(options.root);
  return diagnostics.map((d) => `${commandOf(d, options, lines)}\n`).join("");
}

function commandOf(d: Diagnostic, options: GithubOptions, lines: SourceLines): string {
  const place = (loc: Diagnostic["loc"]): string =>
    relative(options.base, fileOf(loc, options.root)).split(sep).join("/");
  const properties = {
    file: place(d.loc),
    line: String(d.loc.line),
    col: String(d.loc.col),
    endColumn: String(d.loc.col + lengthOnLine(lines.get(d.loc), d.loc.col, d.length)),
    title: d.code,
  };
  const text = [
    d.message,
    ...(d.fix === "" ? [] : [`fix: ${d.fix}`]),
    ...d.related.map((r) => `${place(r.loc)}:${r.loc.line}:${r.loc.col}: ${r.message}`),
  ].join("\n");
  const list = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}`);
  return `::${commands[d.severity]} ${list.join(",")}::${escapeText(text)}`;
}

/** The runner ends a command at the line's end and decodes these. */
const escapeText = (text: string): string =>
  text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");

/** In a property `:` and `,` are separators too. */
const escapeProperty = (text: string): string => escapeText(text).replace(/:/g, "%3A").replace(/,/g, "%2C");

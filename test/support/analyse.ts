/**
 * Programs given as text, for tests of the frontend, the rules and the JS backend: analysed in memory, no C, no files.
 * Several modules: a record of file names → texts, the first is the entry.
 */
import path from "node:path";
import { asTrap, setLogSink, type TrapKind } from "../../compiler/backend-js/support.js";
import { packageRoot } from "../../compiler/board/package-root.js";
import { analyseProgram, type AnalysedProgram } from "../../compiler/pipeline/compile.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";

export type Sources = string | Readonly<Record<string, string>>;

export interface AnalyseOptions {
  readonly checked?: boolean;
  readonly kind?: "program" | "app" | "either";
}

/** A folder that does not exist: modules of a test cannot meet files by accident. */
export const virtualRoot = path.join(packageRoot(), "test", "virtual");

export function analyse(
  sources: Sources,
  options: AnalyseOptions = {},
): { readonly analysed: AnalysedProgram | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const files = typeof sources === "string" ? { "main.ts": sources } : sources;
  const overlay = new Map(Object.entries(files).map(([name, text]) => [path.join(virtualRoot, name), text]));
  const entry = [...overlay.keys()][0];
  if (entry === undefined) throw new Error("no sources");
  return analyseProgram({
    entry,
    root: virtualRoot,
    checked: options.checked ?? true,
    kind: options.kind ?? "either",
    overlay,
  });
}

/** `line:col code` of every finding, in order; the file is named when it is not main.ts. */
export function codes(sources: Sources, options?: AnalyseOptions): string[] {
  return analyse(sources, options).diagnostics.map(place);
}

export const place = (d: Diagnostic): string =>
  `${d.loc.file === "main.ts" ? "" : `${d.loc.file}:`}${d.loc.line}:${d.loc.col} ${d.code}`;

/** The findings as a user reads them, one a line. */
export const texts = (list: readonly Diagnostic[]): string =>
  list.map((d) => `${place(d)} ${d.message}${d.fix === "" ? "" : ` | ${d.fix}`}`).join("\n");

export interface Ran {
  readonly lines: readonly string[];
  readonly trap: { readonly kind: TrapKind; readonly where: string; readonly text: string } | undefined;
}

/** Runs `main` of a program that must be without errors. @throws Error with the findings otherwise. */
export function run(sources: Sources, options: AnalyseOptions = {}): Ran {
  const lines: string[] = [];
  const before = setLogSink((line) => lines.push(line));
  try {
    const { analysed, diagnostics } = analyse(sources, { kind: "program", ...options });
    if (analysed === undefined) throw new Error(`the program has errors:\n${texts(diagnostics)}`);
    const main = analysed.loaded.exports.get(analysed.program.entryModule)?.["main"];
    if (typeof main !== "function") throw new Error("no main");
    try {
      (main as () => void)();
      return { lines, trap: undefined };
    } catch (e) {
      const trap = asTrap(e);
      if (trap === undefined) throw e;
      return { lines, trap: { kind: trap.kind, where: trap.where, text: trap.text } };
    }
  } finally {
    setLogSink(before);
  }
}

/** The lines that `main` with this body logs, joined by `|`. */
export const logged = (body: string, declarations = ""): string =>
  run(`${declarations}\nexport function main(): void {\n${body}\n}\n`).lines.join("|");

/** TypeScript's own findings as TMC1000; left out where one of ours stands on the same line. */
import { ts } from "ts-morph";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Context } from "./context.js";

/** Suggestions and checks that our rules replace. */
const replaced = new Set([
  7053, // implicit any index
  2318, // "cannot find global type": what needs it (async, generators) is refused by ours
]);

export function typescriptDiagnostics(ctx: Context, own: readonly Diagnostic[]): Diagnostic[] {
  const taken = new Set(own.filter((d) => d.severity === "error").map((d) => `${d.loc.file}:${d.loc.line}`));
  const out: Diagnostic[] = [];
  const inLibrary = (name: string): boolean => name.startsWith("tmc/");
  const all = inLibrary(ctx.project.moduleName(ctx.project.entry));
  for (const sf of ctx.project.files) {
    const file = ctx.project.moduleName(sf);
    // The library is checked by its own tests: here it would cost more than the program.
    if (inLibrary(file) && !all) continue;
    const list = [
      ...ctx.project.program.getSyntacticDiagnostics(sf),
      ...ctx.project.program.getSemanticDiagnostics(sf),
    ];
    for (const d of list) {
      const start = d.start ?? 0;
      const { line, character } = sf.getLineAndCharacterOfPosition(start);
      if (replaced.has(d.code) || taken.has(`${file}:${line + 1}`)) continue;
      out.push({
        code: "TMC1000",
        severity: "error",
        loc: { file, line: line + 1, col: character + 1 },
        length: Math.max(1, d.length ?? 1),
        message: `${firstSentence(ts.flattenDiagnosticMessageText(d.messageText, "\n"))} (TS${d.code})`,
        fix: "",
        related: [],
      });
    }
  }
  return out;
}

/** The first line says what is wrong; the rest is the chain of TypeScript's reasoning. */
const firstSentence = (text: string): string => (text.split("\n")[0] ?? text).replace(/\.$/, "");

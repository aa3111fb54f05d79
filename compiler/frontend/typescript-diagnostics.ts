/** TypeScript's own findings as TMC1000; left out where one of ours stands on the same line. */
import { ts } from "ts-morph";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Context } from "./context.js";

/** Suggestions and checks that our rules replace. */
const replaced = new Set([
  7053, // implicit any index
  2318, // "cannot find global type": what needs it (async, generators) is refused by ours
]);

/** Where inference of a type runs in a circle, TypeScript says so at every function of it; TMC1140 at the place to mend. */
const circular = new Set([7022, 7023, 7024]);

/** What mends the most frequent ones; the others say it themselves. */
const fixes = new Map([
  [2304, "declare it, or import it; JavaScript's own names exist only where core.d.ts has them"],
  [2305, "import a name that the module exports"],
  [2307, 'import a `.ts` file of the program by its relative path, or "tmc"'],
  [2322, "convert it with a call (`i32(x)`), or change the declared type"],
  [2339, "correct the name, or declare it"],
  [2345, "convert it with a call (`i32(x)`), or change the declared type"],
  [2454, "give it a value first"],
  [2540, "leave out `readonly` where it is declared, or assign to something else"],
  [2551, "take the name that TypeScript proposes"],
  [2554, "give as many arguments as there are parameters"],
  [2564, "give it a value where it is declared, or in the constructor"],
  [2741, "add what is missing, or declare it optional: `x?: T`"],
  [7005, "write its type"],
  [7006, "write its type: `(x: i32) => …`"],
  [7031, "write the type of the pattern: `{ x }: { x: i32 }`"],
  [2552, "take the name that TypeScript proposes"],
  [2588, "declare it with `let`"],
]);

/** Parse errors of all files: with them the tree has holes, so nothing else is reported. */
export function syntaxErrors(ctx: Context): Diagnostic[] {
  const { project } = ctx;
  return project.files.flatMap((sf) =>
    project.program.getSyntacticDiagnostics(sf).map((d) => converted(project.moduleName(sf), sf, d)),
  );
}

/** @param files those to check. */
export function typescriptDiagnostics(
  ctx: Context,
  files: readonly ts.SourceFile[],
  own: readonly Diagnostic[],
): Diagnostic[] {
  const taken = new Set(own.filter((d) => d.severity === "error").map((d) => `${d.loc.file}:${d.loc.line}`));
  const circle = own.some((d) => d.code === "TMC1140");
  const out: Diagnostic[] = [];
  for (const sf of files) {
    const file = ctx.project.moduleName(sf);
    // The library is checked by its own tests: here it would cost more than the program.
    if (file.startsWith("tmc/") && !ctx.project.checksLibrary) continue;
    for (const d of ctx.project.program.getSemanticDiagnostics(sf)) {
      const found = converted(file, sf, d);
      if (circle && circular.has(d.code)) continue;
      if (!replaced.has(d.code) && !taken.has(`${file}:${found.loc.line}`)) out.push(found);
    }
  }
  return out;
}

function converted(file: string, sf: ts.SourceFile, d: ts.Diagnostic): Diagnostic {
  const { line, character } = sf.getLineAndCharacterOfPosition(d.start ?? 0);
  return {
    code: "TMC1000",
    severity: "error",
    loc: { file, line: line + 1, col: character + 1 },
    length: Math.max(1, d.length ?? 1),
    message: `${firstSentence(ts.flattenDiagnosticMessageText(d.messageText, "\n"))} (TS${d.code})`,
    fix: hasCode(d.messageText, 5075) ? "say that it is one: `(…) as T`" : (fixes.get(d.code) ?? ""),
    related: [],
  };
}

/** 5075: the value fits the constraint of a type parameter, which may stand for less. */
const hasCode = (text: string | ts.DiagnosticMessageChain, code: number): boolean =>
  typeof text !== "string" && (text.code === code || (text.next ?? []).some((t) => hasCode(t, code)));

/** The first line says what is wrong; the rest is the chain of TypeScript's reasoning. */
const firstSentence = (text: string): string => (text.split("\n")[0] ?? text).replace(/\.$/, "");

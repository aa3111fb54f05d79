/**
 * Notes for boards without double-precision hardware: variables of run-phase code that are f64 only because nothing
 * says otherwise. Nothing is wrong with them; they are slow and large there.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Loc } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import { walkStmts } from "./walk.js";

/** `board`: its name, for the message. Variables of the library are left out. */
export function softDoubleNotes(reachable: ReachableProgram, board: string): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const add = (name: string, loc: Loc, keyword: string): void => {
    if (loc.file.startsWith("tmc/")) return;
    found.set(`${loc.file}:${loc.line}:${loc.col}`, {
      code: "TMC4015",
      severity: "note",
      loc,
      length: name.length,
      message: `\`${name}\` is an f64, which ${board} computes in software`,
      fix: `annotate it: \`${keyword} ${name}: f32 = …\`, or \`: f64\` to keep it`,
      related: [],
    });
  };
  for (const g of reachable.globals)
    if (g.defaulted === true) add(g.name, g.loc, g.mutable ? "let" : "const");
  for (const f of reachable.functions) {
    walkStmts(f.decl.body, {
      stmt: (s) => {
        if (s.k === "let" && s.v.defaulted === true) add(s.v.name, s.loc, s.v.mutable ? "let" : "const");
      },
    });
  }
  return [...found.values()];
}

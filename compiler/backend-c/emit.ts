/**
 * The C backend: the reachable program and its snapshot → one C file, the map of trap sites, and the map of C names
 * back to TypeScript. It writes nothing to disk and calls no compiler.
 */
import type { MonoFunc } from "../ir/monomorphise.js";
import { functionName, type ReachableProgram } from "../ir/reachability.js";
import type { CDecl, CFunction, CInit } from "./c-ast.js";
import { CPrinter, printExpr, printInit } from "./c-print.js";
import { initReferences, stmtReferences } from "./c-references.js";
import { dropUnusedSelf } from "./drop-self.js";
import { entryFunctions } from "./entries.js";
import { Frames } from "./frames.js";
import { onlySnapshotObject } from "./layout.js";
import { lowerFunction } from "./lower-func.js";
import { externPrototype, headerText, licence } from "./header.js";
import { identifier } from "./names.js";
import { Unit, type TrapSite } from "./unit.js";

export interface EmitOptions {
  /** Unintended integer wraps trap. */
  readonly checked: boolean;
  /** Names the C file. */
  readonly appName: string;
  /** For a debugger: no statement is broken into lines. */
  readonly debug?: boolean;
}

/** The JSON of `symbols.json` (read by `board/symbol-map.ts`). */
export interface SymbolMap {
  version: 1;
  /** By C name. */
  symbols: Record<
    string,
    {
      kind: "function" | "object";
      tsName: string;
      file: string;
      line: number;
      type?: string;
      /** Of an async function with one frame: that frame, in C. */
      frame?: string;
    }
  >;
  /** By C name of the calling function: every function its indirect calls can reach. */
  indirectCalls: Record<string, string[]>;
}

export interface EmittedC {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** The files to compile. */
  readonly sources: readonly string[];
  readonly symbols: SymbolMap;
  /** By `site - 1`. */
  readonly sites: readonly TrapSite[];
  /** C names of the platform functions that the program calls. */
  readonly externs: readonly string[];
  /** C names of the functions that the platform, or C of the user, calls. */
  readonly entries: readonly string[];
}

/** Variables that a try body assigns are volatile; what else GCC suspects is not used after the longjmp. */
const clobbered = `#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif
`;

/** @throws UserError TMC195x for what the backend does not cover yet. */
export function emitC(reachable: ReachableProgram, options: EmitOptions): EmittedC {
  const unit = new Unit(reachable, options.checked);
  const frames = new Frames(unit);
  for (const name of ["tmc_literals", "tmc_no_elements"]) unit.names.claim(name);
  const handlers = new Set(reachable.entries.filter((e) => e.entry.name !== "main").map((e) => e.func));
  const lowered = reachable.functions.map((f) => {
    const c = lowerFunction(unit, frames, f);
    return { f, c: handlers.has(f) ? { ...c, storage: "static" as const, apart: true } : c };
  });
  const entries = entryFunctions(unit);
  const path = `${identifier(options.appName)}.c`;

  const byData = new Set<string>();
  for (const d of unit.data.declarations) initReferences(d.init, byData);
  const functions = dropUnusedSelf([...lowered.map((x) => x.c), ...unit.helpers, ...entries], byData);
  const used = usedNames(functions, unit.data.declarations);
  const statics = functions.filter((f) => f.storage === "" || used.has(f.name));
  const data = unit.data.declarations.filter((d) => used.has(d.name));

  const p = new CPrinter(path, options.debug);
  p.raw(licence);
  p.raw('#include "tmc/ops.h"\n#include "tmc/port.h"\n');
  p.raw(clobbered);
  const externs = [...unit.externs].sort(([a], [b]) => (a < b ? -1 : 1));
  const prototypes = externs.map(([name, f]) => `${externPrototype(unit, name, f)};`);
  section(p, unit.types.forwardDeclarations());
  for (const d of unit.types.definitions()) p.raw(`${d}\n`);
  section(p, prototypes);
  section(
    p,
    statics.filter((f) => f.storage !== "").map((f) => `${p.signature(f)};`),
  );
  if (unit.usesLiteralTexts) p.raw(`${literalTable(unit)}\n`);
  if (used.has("tmc_no_elements")) p.raw("static const uint64_t tmc_no_elements[1] = {0};\n");
  for (const d of data) p.data(d);
  for (const f of statics) p.function(f);
  return {
    files: [
      { path, text: p.toString() },
      { path: path.replace(/c$/, "h"), text: headerText(unit, identifier(options.appName), entries) },
    ],
    sources: [path],
    symbols: symbolMap(unit, lowered, entries, used),
    sites: unit.sites,
    externs: externs.map(([name]) => name),
    entries: entries.filter((e) => e.storage === "").map((e) => e.name),
  };
}

function section(p: CPrinter, lines: readonly string[]): void {
  if (lines.length > 0) p.raw(`${lines.join("\n")}\n`);
}

/** What the entries need, directly or through others. */
function usedNames(functions: readonly CFunction[], data: readonly CDecl[]): Set<string> {
  const mentions = new Map<string, Set<string>>();
  for (const f of functions) {
    const found = new Set<string>();
    stmtReferences(f.body, found);
    mentions.set(f.name, found);
  }
  for (const d of data) {
    const found = mentions.get(d.name) ?? new Set<string>();
    initReferences(d.init, found);
    mentions.set(d.name, found);
  }
  const used = new Set<string>();
  const queue = functions.filter((f) => f.storage === "").map((f) => f.name);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    for (const m of mentions.get(name) ?? []) queue.push(m);
  }
  return used;
}

function literalTable(unit: Unit): string {
  const items = unit.literals.map((text): { value: CInit } => ({
    value: unit.data.init({ k: "str", value: text }, { k: "string" }),
  }));
  const lines = items.map((i) => `    ${printInit(i.value)},`);
  return `static const tmc_str tmc_literals[${items.length}] = {\n${lines.join("\n")}\n};`;
}

function symbolMap(
  unit: Unit,
  lowered: readonly { readonly f: MonoFunc; readonly c: CFunction }[],
  entries: readonly CFunction[],
  used: ReadonlySet<string>,
): SymbolMap {
  const symbols: SymbolMap["symbols"] = {};
  for (const { f, c } of lowered) {
    if (!used.has(c.name)) continue;
    const frame = onlyFrame(unit, f);
    symbols[c.name] = {
      kind: "function",
      tsName: functionName(f),
      file: f.decl.loc.file,
      line: f.decl.loc.line,
      ...(frame === undefined ? {} : { frame }),
    };
  }
  for (const h of [...unit.helpers, ...entries]) {
    symbols[h.name] = { kind: "function", tsName: h.name, file: "", line: 0 };
  }
  for (const s of unit.data.symbols) {
    const { cName, ...where } = s;
    if (used.has(cName)) symbols[cName] = { kind: "object", ...where };
  }
  return { version: 1, symbols, indirectCalls: indirectCalls(unit) };
}

/** The frame that the step of an async function works on, when there is only one: for debuggers. */
function onlyFrame(unit: Unit, f: MonoFunc): string | undefined {
  if (f.owner?.decl.frameOf === undefined) return undefined;
  const only = onlySnapshotObject(unit.reachable.objectsOfThis(f));
  return only === undefined ? undefined : printExpr(unit.data.place(only));
}

/** A function's own indirect calls and those of everything it calls: the C compiler may inline them into it. */
function indirectCalls(unit: Unit): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  const names = new Set([...unit.directCalls.keys(), ...unit.indirectCalls.keys()]);
  for (const name of [...names].sort()) {
    const found = new Set<string>();
    const seen = new Set<string>();
    const queue = [name];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      for (const t of unit.indirectCalls.get(at) ?? []) found.add(t);
      for (const t of unit.directCalls.get(at) ?? []) queue.push(t);
    }
    if (found.size > 0) result[name] = [...found].sort();
  }
  return result;
}

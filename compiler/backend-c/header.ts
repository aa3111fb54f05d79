/**
 * `<app>.h`: what C may call of the program (its entries) and what C must implement for it (its bindings), with types and
 * documentation. The C file does not include it; both are printed from the same types.
 */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { ReachedEntry } from "../ir/reachability.js";
import { typeName, type Type } from "../ir/types.js";
import type { CFunction } from "./c-ast.js";
import { declarator } from "./c-print.js";
import { entryName, hasResult } from "./entries.js";
import { identifier } from "./names.js";
import type { Unit } from "./unit.js";

export const licence = `/*
 * Generated from TypeScript by tmc; changes are overwritten by the next build. This file is a translation of
 * the program it was made from: it carries no licence of tmc and belongs to the owner of that program.
 */`;

export function externPrototype(unit: Unit, name: string, f: MonoFunc): string {
  const params = f.params.map((x) => declarator(unit.types.type(x.type), identifier(x.name)));
  return `${declarator(unit.types.type(f.ret), name)}(${params.length === 0 ? "void" : params.join(", ")})`;
}

/** @param entries the entries as the C file defines them. */
export function headerText(unit: Unit, name: string, entries: readonly CFunction[]): string {
  const guard = `TMC_APP_${name.toUpperCase()}_H`;
  // Those of tmc itself are declared in tmc/port.h and tmc/tmc.h.
  const isOwn = (cName: string): boolean => !cName.startsWith("tmc_");
  const externs = [...unit.externs].filter(([cName]) => isOwn(cName)).sort(([a], [b]) => (a < b ? -1 : 1));
  const own = unit.reachable.entries.filter(
    (e) => e.entry.name !== "main" && !e.entry.name.startsWith("app_"),
  );
  const callable = own.map((e) => entryDeclaration(e, entries));
  const needed = externs.map(([cName, f]) => externDeclaration(unit, cName, f));
  const types = typesOf(unit, [...callable, ...needed].map((d) => d.prototype).join("\n"));
  return `${[
    licence,
    `#ifndef ${guard}\n#define ${guard}\n`,
    '#include "tmc/port.h"\n',
    ...types,
    ...literalDefines(unit, name, [...own.map((e) => e.func), ...externs.map(([, f]) => f)]),
    ...section("C may call these; one call at a time, by the thread that owns the app", callable),
    ...section("C implements these", needed),
    "#endif",
  ].join("\n")}\n`;
}

interface Declaration {
  readonly comment: readonly string[];
  readonly prototype: string;
}

function section(title: string, list: readonly Declaration[]): string[] {
  if (list.length === 0) return [];
  const rule = `/* ---- ${title} `;
  return [
    `${rule.padEnd(100, "-")} */\n`,
    ...list.map((d) => `/*\n${d.comment.map((c) => ` * ${c}`.trimEnd()).join("\n")}\n */\n${d.prototype}\n`),
  ];
}

function entryDeclaration(e: ReachedEntry, entries: readonly CFunction[]): Declaration {
  const name = entryName(e.entry.name);
  const f = entries.find((x) => x.name === name);
  const params = (f?.params ?? []).map((p) => declarator(p.type, p.name)).join(", ");
  const written = hasResult(e) ? "; `result` is written only then" : "";
  return {
    comment: [
      ...commentOf(e.func, e.entry.type.ret),
      `Returns the trap it ended with, TMC_TRAP_NONE when there was none${written}.`,
    ],
    prototype: `tmc_trap_kind ${name}(${params === "" ? "void" : params});`,
  };
}

const externDeclaration = (unit: Unit, cName: string, f: MonoFunc): Declaration => ({
  comment: commentOf(f, f.ret),
  prototype: `${externPrototype(unit, cName, f)};`,
});

/** Members of string-literal unions are numbers in C, and other ones in the next build: `#define FILTER_CLIPPED …`. */
function literalDefines(unit: Unit, name: string, functions: readonly MonoFunc[]): string[] {
  const types = functions.flatMap((f) => [...f.params.map((p) => p.type), f.ret]);
  const values = new Set(types.flatMap((t) => (t.k === "literals" ? t.values : [])));
  if (values.size === 0) return [];
  const lines = [...values].sort().map((v) => `#define ${literalName(name, v)} UINT16_C(${unit.literal(v)})`);
  return [`/* Texts of TypeScript that are numbers in C. */\n${lines.join("\n")}\n`];
}

const literalName = (name: string, value: string): string =>
  `${name}_${value === "" ? "EMPTY" : value.replace(/[^A-Za-z0-9]/g, "_")}`.toUpperCase();

/** The function's own words, its TypeScript and its place. */
function commentOf(f: MonoFunc, ret: Type): string[] {
  const params = f.params.map((p) => `${p.name}: ${typeName(p.type)}`).join(", ");
  const shown =
    f.decl.kind === "lambda"
      ? `(${params}) => ${typeName(ret)}`
      : `${f.decl.name}(${params}): ${typeName(ret)}`;
  return [
    ...(f.decl.doc === undefined ? [] : f.decl.doc.split("\n")),
    `TypeScript: ${shown}, ${f.decl.loc.file}:${f.decl.loc.line}`,
  ].map((text) => text.replace(/\*\//g, "* /"));
}

/** Forward declarations and definitions of the types that the prototypes name. Those of tmc come with tmc.h. */
function typesOf(unit: Unit, prototypes: string): string[] {
  const words = (text: string): Set<string> => new Set(text.match(/[A-Za-z_]\w*/g) ?? []);
  const definitions = unit.types.definitions(words(prototypes));
  const named = words([prototypes, ...definitions].join("\n"));
  const forward = unit.types.forwardDeclarations().filter((line) => {
    const struct = /^typedef struct (\w+)/.exec(line)?.[1];
    return struct !== undefined && named.has(struct);
  });
  return [...(forward.length > 0 ? [`${forward.join("\n")}\n`] : []), ...definitions.map((d) => `${d}\n`)];
}

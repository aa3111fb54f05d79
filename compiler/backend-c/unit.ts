/**
 * What the lowering of all functions shares: names, types, layouts, static data, trap sites, literals, and the helper
 * functions (dispatchers, adapters) that come up on the way.
 */
import type { MonoClass, MonoFunc } from "../ir/monomorphise.js";
import type { Loc, LocalVar } from "../ir/nodes.js";
import type { ReachableProgram } from "../ir/reachability.js";
import type { Type } from "../ir/types.js";
import { declaredIn, walkStmts } from "../ir/walk.js";
import type { CFunction } from "./c-ast.js";
import { CTypes } from "./c-types.js";
import { EffectAnalysis } from "./effects.js";
import { Layouts } from "./layout.js";
import { fillMapIndexes } from "./map-index.js";
import { FileNames, functionBaseName } from "./names.js";
import { StaticData } from "./static-data.js";

export type TrapSiteKind =
  "index" | "null" | "division" | "overflow" | "capacity" | "throw" | "stack" | "assert";

export interface TrapSite {
  readonly site: number;
  readonly kind: TrapSiteKind;
  readonly file: string;
  readonly line: number;
  readonly col: number;
}

export const trapKinds: readonly string[] = [
  "index",
  "null",
  "division",
  "overflow",
  "capacity",
  "throw",
  "stack",
  "assert",
];

export class Unit {
  readonly names = new FileNames();
  readonly types: CTypes;
  readonly layouts: Layouts;
  readonly data: StaticData;
  readonly effects: EffectAnalysis;
  readonly sites: TrapSite[] = [];
  /** Dispatchers, adapters: in order of first use. */
  readonly helpers: CFunction[] = [];
  /** Externs by C name. */
  readonly externs = new Map<string, MonoFunc>();
  /** C name of a function → what its indirect calls can reach. */
  readonly indirectCalls = new Map<string, Set<string>>();
  readonly directCalls = new Map<string, Set<string>>();
  readonly #siteNumbers = new Map<string, number>();
  readonly #functionNames = new Map<MonoFunc, string>();
  readonly #helperNames = new Map<string, string>();
  readonly #literals: readonly string[];
  readonly #literalIndex = new Map<string, number>();
  usesLiteralTexts = false;

  constructor(
    readonly reachable: ReachableProgram,
    readonly checked: boolean,
  ) {
    // Names that are not ours to choose come first.
    for (const f of reachable.externs) this.names.claim(f.decl.cName ?? f.decl.name);
    this.effects = new EffectAnalysis(checked, (g) => reachable.isGlobalWritten(g));
    this.types = new CTypes(reachable.mono, reachable.classes, this.names);
    for (const c of reachable.classes) this.types.structName(c);
    for (const f of reachable.functions) this.functionName(f);
    this.layouts = new Layouts(reachable, this.types);
    this.#literals = collectLiterals(reachable);
    this.#literals.forEach((text, i) => this.#literalIndex.set(text, i));
    fillMapIndexes(reachable.snapshot.objects, (text) => this.literal(text));
    this.data = new StaticData(this);
  }

  /** The number of a trap site: one per place and kind, from 1. */
  site(kind: TrapSiteKind, loc: Loc): number {
    const key = `${kind} ${loc.file}:${loc.line}:${loc.col}`;
    const known = this.#siteNumbers.get(key);
    if (known !== undefined) return known;
    const site = this.sites.length + 1;
    this.#siteNumbers.set(key, site);
    this.sites.push({ site, kind, file: loc.file, line: loc.line, col: loc.col });
    return site;
  }

  functionName(f: MonoFunc): string {
    const known = this.#functionNames.get(f);
    if (known !== undefined) return known;
    const name = f.decl.kind === "extern" ? this.#externName(f) : this.names.take(this.#wantedName(f));
    this.#functionNames.set(f, name);
    return name;
  }

  #wantedName(f: MonoFunc): string {
    const base = functionBaseName(f.decl, f.owner === undefined ? undefined : this.types.structName(f.owner));
    const shown =
      f.decl.kind === "lambda" ? [...f.typeMap.values()] : f.decl.typeParams.map((p) => f.typeMap.get(p));
    return base + shown.map((t) => (t === undefined ? "" : `_${this.types.tag(t)}`)).join("");
  }

  #externName(f: MonoFunc): string {
    const name = f.decl.cName ?? f.decl.name;
    this.externs.set(name, f);
    return name;
  }

  isReached(f: MonoFunc): boolean {
    return this.reachable.functions.includes(f);
  }

  /** A helper function, made once per key. Returns its name. */
  helper(key: string, wanted: string, make: (name: string) => CFunction): string {
    const known = this.#helperNames.get(key);
    if (known !== undefined) return known;
    const name = this.names.take(wanted);
    this.#helperNames.set(key, name);
    this.helpers.push(make(name));
    return name;
  }

  noteCall(from: string, to: string, indirect: boolean): void {
    const map = indirect ? this.indirectCalls : this.directCalls;
    let set = map.get(from);
    if (set === undefined) map.set(from, (set = new Set<string>()));
    set.add(to);
  }

  // ---- literals --------------------------------------------------------------------------------------------------

  /** The number of a member of a string-literal union: its place in the sorted list of all of the program. */
  literal(text: string): number {
    const index = this.#literalIndex.get(text);
    if (index === undefined) throw new Error(`literal ${JSON.stringify(text)} was not collected`);
    return index;
  }

  get literals(): readonly string[] {
    return this.#literals;
  }

  classOfType(t: Type): MonoClass | undefined {
    const of = t.k === "nullable" ? t.of : t;
    return of.k === "object" ? this.reachable.mono.classOf(of) : undefined;
  }
}

function collectLiterals(r: ReachableProgram): string[] {
  const found = new Set<string>(trapKinds);
  const seen = new Set<Type>();
  const type = (t: Type): void => {
    if (seen.has(t)) return;
    seen.add(t);
    if (t.k === "literals") t.values.forEach((v) => found.add(v));
    if (t.k === "nullable") type(t.of);
    if (t.k === "array" || t.k === "slots") type(t.elem);
    if (t.k === "object") t.args.forEach(type);
    if (t.k === "func") [...t.params, t.ret].forEach(type);
  };
  const variable = (v: LocalVar): void => type(v.type);
  for (const f of [...r.functions, ...r.externs]) {
    f.params.forEach(variable);
    f.captures.forEach(variable);
    type(f.ret);
    declaredIn(f.body).forEach(variable);
    walkStmts(f.body, {
      expr: (e) => {
        type(e.type);
        if (e.k === "literal") found.add(e.value);
      },
    });
  }
  for (const c of r.classes) for (const f of c.fields) type(f.type);
  for (const g of r.snapshot.globals.values()) type(g.g.type);
  for (const o of r.snapshot.objects) type(o.type);
  for (const e of r.snapshot.entries) type(e.type);
  return [...found].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

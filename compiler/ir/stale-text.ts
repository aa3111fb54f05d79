/**
 * Text that is used after its bytes may have changed. `TextBuffer.toString()`, `textView` and slices of them are views
 * in C and copies on Node.js: both print the same as long as nobody writes the bytes in between. Every function is
 * walked from the entries in the order of evaluation, once for each set of objects and texts it is called with, so that
 * writing one buffer does not spoil the text of another. Text is followed through variables, results, the fields of
 * objects that handlers make, and what functions capture. Where borrowed text is stored is the business of `borrow.ts`.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { ObjectSets, type Context } from "./byte-objects.js";
import { homeFunctions } from "./object-homes.js";
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, Loc, LocalVar } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import { canHold, isText, type Sources, type Summary, type TextProgram } from "./text-calls.js";
import { itself, type Borrow, type Holder, type View } from "./text-state.js";
import { TextValues } from "./text-values.js";
import { declaredIn, walkExpr, walkStmts, type Visitor } from "./walk.js";

export function checkStaleText(program: ReachableProgram): Diagnostic[] {
  return new StaleText(program).run();
}

class StaleText implements TextProgram {
  readonly objects: ObjectSets;
  readonly livesIn: (o: FlowObject) => ReadonlySet<MonoFunc>;
  private readonly found = new Map<string, Diagnostic>();
  private readonly summaries = new Map<string, Summary>();
  private readonly leading = new Map<MonoFunc, ReadonlyMap<Holder, Sources>>();
  private readonly reached = new Map<FlowObject, Sources>();
  private readonly kept = new Map<MonoFunc, boolean>();
  private readonly variables = new Map<LocalVar, number>();

  constructor(readonly reachable: ReachableProgram) {
    this.objects = new ObjectSets(reachable);
    this.livesIn = homeFunctions(reachable);
  }

  run(): Diagnostic[] {
    for (const { func } of this.reachable.entries) this.call(func, this.objects.entry(func), new Map());
    return [...this.found.values()];
  }

  /** Walks the body once for each context and each set of texts. */
  call(f: MonoFunc, context: Context, given: ReadonlyMap<Holder, Borrow>): Summary {
    const key = `${this.objects.key(f, context)} ${this.key(f, given)}`;
    const known = this.summaries.get(key);
    if (known !== undefined) return known;
    const summary: Summary = { writes: new Set(), result: undefined, end: undefined };
    this.summaries.set(key, summary);
    new TextValues(this, f, context, summary).run(given);
    return summary;
  }

  private key(f: MonoFunc, given: ReadonlyMap<Holder, Borrow>): string {
    const place = (l: Loc): string => `${l.file}:${l.line}:${l.col}`;
    const part = (p: string | LocalVar): string => (typeof p === "string" ? p : `#${this.number(p)}`);
    const parts: string[] = [];
    for (const [h, b] of given) {
      parts.push(h === "this" ? "this" : "k" in h ? String(h.id) : `#${this.number(h)}`);
      for (const [p, v] of b) {
        parts.push(`${part(p)}=${this.objects.ids(v.sources)}`);
        // A text that is passed on is fresh, and borrowed at the call.
        if (p === itself && h !== "this" && !("k" in h) && !f.captures.includes(h)) continue;
        parts.push(place(v.at), v.stale === undefined ? "" : `!${place(v.stale)}`);
      }
    }
    return parts.join(" ");
  }

  private number(v: LocalVar): number {
    const known = this.variables.get(v) ?? this.variables.size;
    this.variables.set(v, known);
    return known;
  }

  leads(f: MonoFunc): ReadonlyMap<Holder, Sources> {
    const known = this.leading.get(f);
    if (known !== undefined) return known;
    const found = new Map<Holder, Sources>();
    const add = (h: Holder, objects: Sources): void => {
      const all = new Set<FlowObject>();
      for (const o of objects) for (const p of this.leadsTo(o)) all.add(p);
      if (all.size > 0) found.set(h, all);
    };
    for (const v of [...f.params, ...f.captures, ...declaredIn(f.body)]) {
      if (canHold(v.type)) add(v, this.reachable.objectsOfLocal(v));
    }
    add("this", this.reachable.objectsOfThis(f));
    this.leading.set(f, found);
    return found;
  }

  /** What handlers make: objects of setup hold none of it, `escape.ts` sees to that. */
  leadsTo(o: FlowObject): Sources {
    const known = this.reached.get(o);
    if (known !== undefined) return known;
    const found = new Set<FlowObject>();
    const visit = (x: FlowObject): void => {
      if (found.has(x)) return;
      if (x.k !== "made" && x.k !== "closure") return;
      found.add(x);
      if (x.k === "closure") {
        for (const v of x.func.captures) this.reachable.objectsOfLocal(v).forEach(visit);
        if (x.func.decl.usesThis) this.reachable.objectsOfThis(x.func).forEach(visit);
        return;
      }
      for (const field of x.cls?.fields ?? [])
        if (canHold(field.type)) this.reachable.objectsOfField(x, field.name).forEach(visit);
      if (x.cls === undefined) this.reachable.objectsOfElements(x).forEach(visit);
    };
    visit(o);
    this.reached.set(o, found);
    return found;
  }

  keepsThis(f: MonoFunc): boolean {
    if (f.decl.kind !== "constructor") return false;
    const known = this.kept.get(f);
    if (known !== undefined) return known;
    let keeps = true;
    const visitor: Visitor = {
      expr: (e: Expr) => {
        if (e.k === "this" || (e.k === "lambda" && e.f.usesThis)) keeps = false;
        if (e.k === "field" && e.obj.k === "this") return false;
        if (e.k !== "assign" || e.target.k !== "field" || e.target.obj.k !== "this") return true;
        walkExpr(e.value, visitor);
        return false;
      },
    };
    walkStmts(f.body, visitor);
    this.kept.set(f, keeps);
    return keeps;
  }

  reportStale(used: Loc, view: View): void {
    if (view.stale === undefined) return;
    // A place in the library says little: what the program wrote is where it passed the text on.
    const inLibrary = (l: Loc): boolean => l.file.startsWith("tmc/");
    const loc = inLibrary(used) && !inLibrary(view.at) ? view.at : used;
    this.add({
      code: "TMC1604",
      severity: "error",
      loc,
      length: 1,
      message: `this text is borrowed (line ${view.at.line}), and its bytes may have changed since (line ${view.stale.line})`,
      fix: "copy it before the change: `copy.assign(text)` into a TextBuffer of its own, or use it earlier",
      related: [
        { loc: view.at, message: "borrowed here" },
        { loc: view.stale, message: "its bytes may change here" },
        ...(loc === used ? [] : [{ loc: used, message: "used here" }]),
      ],
    });
  }

  reportEnds(loc: Loc, view: View): void {
    this.add({
      code: "TMC1605",
      severity: "error",
      loc,
      length: 1,
      message: "the bytes of this text end with this function, and the text would be found after it",
      fix: "let the caller pass a TextBuffer to write into",
      related: [{ loc: view.at, message: "borrowed here" }],
    });
  }

  reportShared(loc: Loc, v: LocalVar, view: View): void {
    // Then it is kept longer than the handler: the business of `borrow.ts`.
    if (this.reachable.isSetupCell(v)) return;
    const what = isText(v.type) ? "borrowed text" : "a value with borrowed text in it";
    this.add({
      code: "TMC1607",
      severity: "error",
      loc,
      length: 1,
      message: `${what} would be kept in \`${v.name}\`, a variable that functions share and assign: nobody follows when its bytes change`,
      fix: "copy the text into a TextBuffer, or share a `const`",
      related: view.at === loc ? [] : [{ loc: view.at, message: "borrowed here" }],
    });
  }

  private add(d: Diagnostic): void {
    const key = `${d.code} ${d.loc.file}:${d.loc.line}:${d.loc.col}`;
    if (!this.found.has(key)) this.found.set(key, d);
  }
}

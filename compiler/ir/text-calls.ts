/**
 * Calls and stores of the borrowed-text analysis: what text goes into a function with its arguments, `this` and captured
 * variables, what comes back in its result and in the objects it was given, and which values a store into an object
 * shows up in. Where control goes is in `text-flow.ts`, the other expressions in `text-values.ts`.
 */
import type { Context, ObjectSets } from "./byte-objects.js";
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, Loc, LocalVar } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import { TextFlow } from "./text-flow.js";
import {
  afterWrite,
  contents,
  filled,
  itself,
  joined,
  merged,
  textOf,
  type Borrow,
  type Holder,
  type TextState,
  type View,
} from "./text-state.js";
import type { Type } from "./types.js";

export type Sources = ReadonlySet<FlowObject>;

/** What a call does, for given objects and texts. */
export interface Summary {
  /** Byte arrays that it may write. */
  readonly writes: Set<FlowObject>;
  /** Borrowed text in what it returns. */
  result: Borrow | undefined;
  /** The state at its end; undefined when it never gets there. */
  end: TextState | undefined;
}

/** What the analysis of one function asks of the whole program. */
export interface TextProgram {
  readonly objects: ObjectSets;
  readonly reachable: ReachableProgram;
  /** The functions whose frame holds an object. */
  readonly livesIn: (o: FlowObject) => ReadonlySet<MonoFunc>;
  call(f: MonoFunc, context: Context, given: ReadonlyMap<Holder, Borrow>): Summary;
  /** What the variables and `this` of a function may lead to, of those that can hold text. */
  leads(f: MonoFunc): ReadonlyMap<Holder, Sources>;
  /** An object and all that can be reached from it. */
  leadsTo(o: FlowObject): Sources;
  /** A constructor that gives its object to nobody before it is done. */
  keepsThis(f: MonoFunc): boolean;
  reportStale(used: Loc, view: View): void;
  reportEnds(loc: Loc, view: View): void;
  reportShared(loc: Loc, v: LocalVar, view: View): void;
}

export const isText = (t: Type): boolean => t.k === "string" || (t.k === "nullable" && t.of.k === "string");
export const isBytes = (t: Type): boolean =>
  t.k === "nullable" ? isBytes(t.of) : t.k === "array" && t.elem.k === "num" && t.elem.n === "u8";
/** Can a value of this type lead to text? */
export const canHold = (t: Type): boolean =>
  t.k === "object" ||
  t.k === "func" ||
  (t.k === "nullable" && canHold(t.of)) ||
  ((t.k === "array" || t.k === "slots") && canHold(t.elem));

const isVariable = (h: Holder): h is LocalVar => typeof h !== "string" && "captured" in h;
/** A variable that functions share: assigned after it was captured. */
const isCell = (h: Holder): boolean => isVariable(h) && h.captured && h.mutable;

/** An operand and the text in its value. */
interface Given {
  readonly e: Expr;
  readonly b: Borrow | undefined;
}

export abstract class TextCalls extends TextFlow {
  constructor(
    protected readonly all: TextProgram,
    protected readonly f: MonoFunc,
    protected readonly context: Context,
    private readonly summary: Summary,
  ) {
    super();
  }

  run(given: ReadonlyMap<Holder, Borrow>): void {
    for (const [h, b] of given) this.state.held.set(h, b);
    this.stmts(this.f.body);
    if (!this.state.ended) this.returned(undefined, undefined);
  }

  protected returned(value: Expr | undefined, b: Borrow | undefined): void {
    const { summary } = this;
    if (value !== undefined && isText(value.type)) {
      this.use(b, value.loc);
      const view = b?.get(itself);
      if (view !== undefined && this.endsHere(view)) this.all.reportEnds(value.loc, view);
    }
    summary.result = joined(summary.result, b);
    summary.end = summary.end === undefined ? this.state.copy() : merged([summary.end, this.state]);
  }

  protected bind(v: LocalVar, b: Borrow | undefined): void {
    const text = b?.get(itself);
    // A variable of the function around a lambda lives longer than what the lambda makes.
    if (text !== undefined && this.f.captures.includes(v) && this.endsHere(text)) {
      this.all.reportEnds(text.at, text);
      return;
    }
    this.put(v, b);
  }

  /** Replaces what a holder has. */
  private put(h: Holder, b: Borrow | undefined): void {
    if (isCell(h) && b !== undefined) this.shared(h, b);
    else this.state.put(h, b);
  }

  private shared(h: Holder, b: Borrow, loc?: Loc): void {
    for (const view of b.values()) if (isVariable(h)) this.all.reportShared(loc ?? view.at, h, view);
  }

  /** The text's bytes are read now. */
  protected use(b: Borrow | undefined, loc: Loc): void {
    const view = b?.get(itself);
    if (view?.stale !== undefined) this.all.reportStale(loc, view);
  }

  protected write(arrays: Iterable<FlowObject>, loc: Loc): void {
    const written = new Set(arrays);
    if (written.size === 0) return;
    for (const o of written) this.summary.writes.add(o);
    this.state.invalidate(written, loc);
    this.mayTrap();
  }

  /** The bytes are in the frame of this function. */
  protected endsHere(view: View): boolean {
    return [...view.sources].some((o) => this.all.livesIn(o).has(this.f));
  }

  protected objects(e: Expr): Sources {
    return this.all.objects.of(e, this.f, this.context);
  }

  /** Evaluates in order; the values as they are when all are evaluated. */
  protected operands(list: readonly Expr[]): (Borrow | undefined)[] {
    const start = this.state.temps.length;
    for (const e of list) {
      const b = this.expr(e);
      this.state.temps.push(b);
      this.waiting.push(e);
    }
    this.waiting.length = start;
    return this.state.temps.splice(start);
  }

  protected uses(list: readonly Expr[]): void {
    this.operands(list).forEach((b, i) => {
      const e = list[i];
      if (e !== undefined && isText(e.type)) this.use(b, e.loc);
    });
  }

  // ---- stores ----------------------------------------------------------------------------------------------------

  /** The variable (or `this`) that an expression is. */
  protected holderOf(e: Expr): Holder | undefined {
    if (e.k === "convert") return this.holderOf(e.arg);
    return e.k === "local" ? e.v : e.k === "this" ? "this" : undefined;
  }

  /** Text is stored into one of these objects: it may be found by whatever leads there. */
  protected store(into: Sources, b: Borrow, loc: Loc, except: ReadonlySet<Holder>): void {
    const made = [...into].filter((o) => o.k === "made");
    if (made.length === 0) return;
    this.state.temps.forEach((held, i) => {
      const e = this.waiting[i];
      if (e === undefined || !canHold(e.type)) return;
      const found = [...this.objects(e)].some((o) => made.some((m) => this.all.leadsTo(o).has(m)));
      if (found) this.state.temps[i] = joined(held, b);
    });
    for (const [h, led] of this.all.leads(this.f)) {
      if (except.has(h) || !made.some((o) => led.has(o))) continue;
      if (isCell(h)) this.shared(h, b, loc);
      else this.state.add(h, b);
    }
    for (const o of made) this.state.add(o, b);
  }

  /** `obj.name = text`: the variable `obj` has this text there and no other. */
  protected storeText(obj: Expr, part: string, name: string, b: Borrow | undefined, loc: Loc): void {
    const into = this.objects(obj);
    const view = b?.get(itself);
    const holder = this.holderOf(obj);
    const except = new Set<Holder>();
    if (holder !== undefined && this.isOnly(into, name)) {
      const rest = [...(this.state.held.get(holder) ?? [])].filter(([p]) => p !== part);
      this.put(holder, filled(view === undefined ? rest : [...rest, [part, view]]));
      except.add(holder);
      if (holder === "this" && this.all.keepsThis(this.f)) return;
    }
    if (view !== undefined) this.store(into, new Map([[part, view]]), loc, except);
  }

  /** No other object that these lead to has text in a field of this name. */
  private isOnly(objects: Sources, name: string): boolean {
    for (const o of objects) {
      for (const p of this.all.leadsTo(o)) {
        if (p === o || p.k !== "made" || p.cls === undefined) continue;
        if (p.cls.fields.some((x) => x.name === name && isText(x.type))) return false;
      }
    }
    return true;
  }

  // ---- calls -----------------------------------------------------------------------------------------------------

  protected turn(of: Expr, held: Borrow | undefined, method: string): Borrow | undefined {
    return this.call(of, { self: { e: of, b: held }, args: [] }, of.loc, method);
  }

  /** A call; `site`: where its targets were found. `only`: the method meant, of a `for … of`. */
  protected call(
    site: Expr,
    given: { readonly self?: Given; readonly fn?: Borrow | undefined; readonly args: readonly Given[] },
    loc: Loc,
    only?: string,
  ): Borrow | undefined {
    const { self, args } = given;
    for (const a of args) if (isText(a.e.type)) this.use(a.b, a.e.loc);
    const { objects, reachable } = this.all;
    const writes = new Set<FlowObject>();
    const ends: { readonly func: MonoFunc; readonly end: TextState }[] = [];
    let result: Borrow | undefined;
    for (const t of reachable.targets(site)) {
      if (only !== undefined && t.func.decl.name !== only) continue;
      if (t.func.decl.kind === "extern") {
        // The platform may write into any array that its signature does not protect.
        for (const { e } of args) {
          if (isBytes(e.type) && !(e.type.k === "array" && e.type.readonly))
            this.objects(e).forEach((o) => writes.add(o));
        }
        continue;
      }
      const recv = self?.e ?? (site.k === "new" || site.k === "superCall" ? site : undefined);
      const context = objects.callee(
        t,
        recv,
        args.map((a) => a.e),
        this.f,
        this.context,
      );
      const s = this.all.call(t.func, context, this.passed(t.func, site, given));
      s.writes.forEach((o) => writes.add(o));
      if (s.end !== undefined) ends.push({ func: t.func, end: s.end });
      result = joined(result, site.k === "new" ? s.end?.held.get("this") : s.result);
    }
    this.write(writes, loc);
    this.after(site, given, ends, writes, loc);
    if (result === undefined) return undefined;
    // The caller knows where it called, and has reported stale text that was returned.
    return filled(
      [...result].map(([part, v]) => [
        part,
        { ...v, at: loc, ...(part === itself ? { stale: undefined } : {}) },
      ]),
    );
  }

  /** The text that a function finds in its parameters, captured variables and `this`. */
  private passed(
    f: MonoFunc,
    site: Expr,
    {
      self,
      fn,
      args,
    }: { readonly self?: Given; readonly fn?: Borrow | undefined; readonly args: readonly Given[] },
  ): Map<Holder, Borrow> {
    const found = new Map<Holder, Borrow>();
    const give = (h: Holder, b: Borrow | undefined): void => {
      if (b !== undefined) found.set(h, b);
    };
    f.params.forEach((p, i) => {
      const a = args[i];
      if (a?.b === undefined) return;
      const text = a.b.get(itself);
      // Stale text was reported where it is passed.
      const b =
        isText(a.e.type) && text !== undefined ? textOf({ ...text, at: a.e.loc, stale: undefined }) : a.b;
      if (isCell(p)) this.shared(p, b, a.e.loc);
      else give(p, b);
    });
    if (f.decl.kind === "lambda") {
      for (const v of f.captures) {
        if (isCell(v) || fn === undefined) continue;
        const view = isText(v.type) ? fn.get(v) : undefined;
        if (view !== undefined) give(v, textOf(view));
        else if (canHold(v.type)) give(v, fn);
      }
      if (f.decl.usesThis) give("this", fn);
    } else if (site.k === "superCall") give("this", this.state.held.get("this"));
    else if (site.k !== "new") give("this", contents(self?.b));
    return found;
  }

  /** What the objects of the caller hold after a call. */
  private after(
    site: Expr,
    { self, args }: { readonly self?: Given; readonly args: readonly Given[] },
    ends: readonly { readonly func: MonoFunc; readonly end: TextState }[],
    writes: Sources,
    loc: Loc,
  ): void {
    const known = new Map<Holder, Borrow | undefined>();
    const open = new Set<Holder>();
    const learn = (h: Holder | undefined, there: Holder | undefined, end: TextState): void => {
      if (h === undefined) return;
      if (there === undefined) open.add(h);
      else known.set(h, joined(known.get(h), end.held.get(there)));
    };
    for (const { func, end } of ends) {
      args.forEach(({ e }, i) => {
        if (!canHold(e.type)) return;
        const p = func.params[i];
        learn(this.holderOf(e), p === undefined || p.mutable ? undefined : p, end);
      });
      if (site.k === "superCall") learn("this", "this", end);
      if (self !== undefined) learn(this.holderOf(self.e), "this", end);
    }
    for (const h of open) known.delete(h);
    const stored: [FlowObject, Borrow][] = [];
    for (const { end } of ends) {
      for (const [h, b] of end.held) if (typeof h !== "string" && "k" in h) stored.push([h, b]);
    }
    if (stored.length > 0) {
      // A trap may come after a store and before another, or after a write.
      const before = this.state.copy();
      for (const [o, b] of stored) this.store(new Set([o]), afterWrite(b, writes, loc), loc, new Set());
      this.mayTrap();
      this.state = before;
      const except = new Set(known.keys());
      for (const [o, b] of stored) this.store(new Set([o]), b, loc, except);
    }
    for (const [h, b] of known) this.put(h, b);
  }
}

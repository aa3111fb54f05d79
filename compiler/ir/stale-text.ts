/**
 * Text that is used after its bytes may have changed. `TextBuffer.toString()`, `textView` and slices of them are views
 * in C and copies on Node.js: both print the same as long as nobody writes the bytes in between. Walks every function
 * from the entries in the order of evaluation, once for each set of objects it is called with, so that writing one
 * buffer does not spoil the text of another. Where borrowed text is stored is the business of `borrow.ts`.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { homeFunctions } from "./escape.js";
import { ObjectSets, type Context } from "./byte-objects.js";
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, ExprOf, Loc, LocalVar } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import { TextFlow } from "./text-flow.js";
import { merged, type Borrow } from "./text-state.js";
import type { Type } from "./types.js";
import { childrenOf } from "./walk.js";

type Sources = ReadonlySet<FlowObject>;

interface Summary {
  /** Byte arrays that a call may write. */
  readonly writes: Set<FlowObject>;
  /** Byte arrays that the returned text may be a view of. */
  readonly result: Set<FlowObject>;
}

const isText = (t: Type): boolean => t.k === "string" || (t.k === "nullable" && t.of.k === "string");
const isBytes = (t: Type): boolean =>
  t.k === "nullable" ? isBytes(t.of) : t.k === "array" && t.elem.k === "num" && t.elem.n === "u8";
const fieldKey = (t: Type, name: string): string => {
  const of = t.k === "nullable" ? t.of : t;
  return of.k === "object" ? `${of.decl}.${name}` : name;
};

export function checkStaleText(program: ReachableProgram): Diagnostic[] {
  return new StaleText(program).run();
}

class StaleText {
  private readonly found = new Map<string, Diagnostic>();
  private readonly sets: ObjectSets;
  /** The functions whose frame holds an object. */
  readonly livesIn: (o: FlowObject) => ReadonlySet<MonoFunc>;
  private readonly summaries = new Map<string, Summary>();
  /** Text in fields of objects that handlers make, and in variables that lambdas share: whenever it was put there. */
  private readonly shared = new Map<unknown, Set<FlowObject>>();
  private grew = false;

  constructor(private readonly program: ReachableProgram) {
    this.sets = new ObjectSets(program);
    this.livesIn = homeFunctions(program);
  }

  run(): Diagnostic[] {
    do {
      this.grew = false;
      this.summaries.clear();
      for (const { func } of this.program.entries) this.call(func, this.sets.entry(func), new Map());
    } while (this.grew);
    return [...this.found.values()];
  }

  /** What a call of `f` does; walks its body once for each context. */
  private call(f: MonoFunc, context: Context, texts: ReadonlyMap<LocalVar, Borrow>): Summary {
    const key = `${this.sets.key(f, context)} ${[...texts].map(([v, b]) => `${v.id}:${this.sets.ids(b.sources)}${b.stale === undefined ? "" : "!"}`).join(" ")}`;
    const known = this.summaries.get(key);
    if (known !== undefined) return known;
    const summary: Summary = { writes: new Set(), result: new Set() };
    this.summaries.set(key, summary);
    new Body(this, f, context, summary).run(texts);
    return summary;
  }

  share(key: unknown, sources: Sources | undefined): void {
    if (sources === undefined) return;
    const held = this.shared.get(key) ?? new Set<FlowObject>();
    this.shared.set(key, held);
    for (const o of sources) {
      if (held.has(o)) continue;
      held.add(o);
      this.grew = true;
    }
  }

  sharedText(key: unknown, at: Loc): Borrow | undefined {
    const sources = this.shared.get(key);
    return sources === undefined || sources.size === 0 ? undefined : { sources, at, stale: undefined };
  }

  get objects(): ObjectSets {
    return this.sets;
  }
  get reachable(): ReachableProgram {
    return this.program;
  }

  target(f: MonoFunc, context: Context, texts: ReadonlyMap<LocalVar, Borrow>): Summary {
    return this.call(f, context, texts);
  }

  report(used: Loc, b: Borrow): void {
    if (b.stale === undefined) return;
    // A place in the library says little: what the program wrote is where it passed the text on.
    const inLibrary = (l: Loc): boolean => l.file.startsWith("tmc/");
    const loc = inLibrary(used) && !inLibrary(b.at) ? b.at : used;
    this.add(loc, {
      code: "TMC1604",
      severity: "error",
      loc,
      length: 1,
      message: `this text is borrowed (line ${b.at.line}), and its bytes may have changed since (line ${b.stale.line})`,
      fix: "copy it before the change: `copy.assign(text)` into a TextBuffer of its own, or use it earlier",
      related: [
        { loc: b.at, message: "borrowed here" },
        { loc: b.stale, message: "its bytes may change here" },
        ...(loc === used ? [] : [{ loc: used, message: "used here" }]),
      ],
    });
  }

  reportEnds(loc: Loc, b: Borrow): void {
    this.add(loc, {
      code: "TMC1605",
      severity: "error",
      loc,
      length: 1,
      message: "the bytes of this text end with this function, and the text would be found after it",
      fix: "let the caller pass a TextBuffer to write into",
      related: [{ loc: b.at, message: "borrowed here" }],
    });
  }

  private add(loc: Loc, d: Diagnostic): void {
    const key = `${d.code} ${loc.file}:${loc.line}:${loc.col}`;
    if (!this.found.has(key)) this.found.set(key, d);
  }
}

/** Walks one function body in one context. */
class Body extends TextFlow {
  constructor(
    private readonly all: StaleText,
    private readonly f: MonoFunc,
    private readonly context: Context,
    private readonly summary: Summary,
  ) {
    super();
  }

  run(texts: ReadonlyMap<LocalVar, Borrow>): void {
    for (const [v, b] of texts) this.state.vars.set(v, b);
    for (const v of this.f.captures) {
      const b = isText(v.type) ? this.all.sharedText(v, this.f.decl.loc) : undefined;
      if (b !== undefined) this.state.vars.set(v, b);
    }
    this.stmts(this.f.body);
  }

  // ---- values ----------------------------------------------------------------------------------------------------

  protected bind(v: LocalVar, b: Borrow | undefined): void {
    if (v.mutable && v.captured) this.all.share(v, b?.sources);
    // A variable of the function around a lambda lives longer than what the lambda makes.
    if (b !== undefined && this.f.captures.includes(v)) this.keeps(b, b.at);
    if (b === undefined) this.state.vars.delete(v);
    else this.state.vars.set(v, b);
  }

  protected turn(of: Expr, method: string): Borrow | undefined {
    return this.invoke(of, of, [], of.loc, method);
  }

  protected returned(value: Expr, b: Borrow): void {
    this.use(b, value.loc);
    for (const o of b.sources) {
      if (isText(value.type) && this.all.livesIn(o).has(this.f)) this.all.reportEnds(value.loc, b);
      this.summary.result.add(o);
    }
  }

  /** The text's bytes are read now. */
  private use(b: Borrow | undefined, loc: Loc): void {
    if (b?.stale !== undefined) this.all.report(loc, b);
  }

  private write(arrays: Iterable<FlowObject>, loc: Loc): void {
    const written = new Set(arrays);
    if (written.size === 0) return;
    for (const o of written) this.summary.writes.add(o);
    this.state.invalidate(written, loc);
  }

  /** The text is put where it is found after this function: its bytes must not end with it. */
  private keeps(b: Borrow | undefined, loc: Loc): void {
    if (b !== undefined && [...b.sources].some((o) => this.all.livesIn(o).has(this.f)))
      this.all.reportEnds(loc, b);
  }

  /** Does an object live longer than this function? */
  private outlives(e: Expr): boolean {
    return [...this.objects(e)].some((o) => [...this.all.livesIn(o)].some((f) => f !== this.f));
  }

  private objects(e: Expr): Sources {
    return this.all.objects.of(e, this.f, this.context);
  }

  /** Evaluates in order; the values as they are when all are evaluated. */
  private operands(list: readonly Expr[]): (Borrow | undefined)[] {
    const start = this.state.temps.length;
    for (const e of list) {
      const b = this.expr(e);
      this.state.temps.push(b);
    }
    return this.state.temps.splice(start);
  }

  /** Evaluates, and reads the bytes of every text. */
  private uses(list: readonly Expr[]): void {
    this.operands(list).forEach((b, i) => {
      const e = list[i];
      if (e !== undefined && isText(e.type)) this.use(b, e.loc);
    });
  }

  /** The text that an expression gives, if it is borrowed. */
  protected expr(e: Expr): Borrow | undefined {
    switch (e.k) {
      case "local":
        return this.state.vars.get(e.v) ?? (isText(e.type) ? this.all.sharedText(e.v, e.loc) : undefined);
      case "convert":
        return this.expr(e.arg);
      case "bind":
        this.bind(e.v, this.expr(e.init));
        return this.expr(e.body);
      case "logical": {
        this.expr(e.l);
        const before = this.state;
        this.state = merged([this.branch(before, () => this.expr(e.r)), before]);
        return undefined;
      }
      case "cond":
        return this.conditional(e);
      case "lambda":
        e.f.captures.forEach((v, i) => {
          const inner = this.all.reachable.mono.lambda(e.f, this.f).captures[i];
          const own = this.f.local(v);
          if (inner !== undefined && isText(own.type))
            this.all.share(
              inner,
              this.state.vars.get(own)?.sources ?? this.all.sharedText(own, e.loc)?.sources,
            );
        });
        return undefined;
      case "assign":
        return this.assign(e);
      case "update": {
        this.operands(childrenOf(e));
        if (e.target.k === "index" && isBytes(e.target.obj.type))
          this.write(this.objects(e.target.obj), e.loc);
        return undefined;
      }
      case "call":
        return this.invoke(e, undefined, e.args, e.loc);
      case "method":
        return this.invoke(e, e.recv, e.args, e.loc);
      case "new":
      case "superCall":
        return this.invoke(e, e, e.args, e.loc);
      case "callValue":
        this.expr(e.fn);
        return this.invoke(e, undefined, e.args, e.loc);
      case "builtin":
        return this.builtin(e);
      case "compare":
        this.uses([e.l, e.r]);
        return undefined;
      case "concat":
        this.uses(e.parts);
        return undefined;
      case "field": {
        const holder = this.expr(e.obj);
        if (!isText(e.type) || !this.isMade(e.obj)) return undefined;
        const sources = this.all.sharedText(fieldKey(e.obj.type, e.name), e.loc);
        return holder === undefined || sources === undefined
          ? sources
          : { ...sources, stale: holder.stale, at: holder.at };
      }
      case "objectLit": {
        const values = this.operands(e.fields.map((x) => x.value));
        e.fields.forEach((x, i) => {
          if (isText(x.value.type)) {
            this.use(values[i], x.value.loc);
            if (this.outlives(e)) this.keeps(values[i], x.value.loc);
          }
          this.all.share(fieldKey(e.type, x.name), values[i]?.sources);
        });
        return this.held(e);
      }
      case "arrayLit":
      case "newTyped":
        this.uses(childrenOf(e));
        // In a loop it is the same memory again.
        if (isBytes(e.type)) this.write(this.objects(e), e.loc);
        return undefined;
      default:
        this.operands(childrenOf(e));
        return undefined;
    }
  }

  private conditional(e: ExprOf<"cond">): Borrow | undefined {
    this.expr(e.test);
    const before = this.state;
    const values: (Borrow | undefined)[] = [];
    const ends = [e.then, e.else].map((side) => this.branch(before, () => values.push(this.expr(side))));
    this.state = merged(ends);
    const [a, b] = values;
    if (a === undefined || b === undefined) return a ?? b;
    return { sources: new Set([...a.sources, ...b.sources]), at: a.at, stale: a.stale ?? b.stale };
  }

  private assign(e: ExprOf<"assign">): Borrow | undefined {
    const t = e.target;
    const parts = t.k === "field" ? [t.obj] : t.k === "index" ? [t.obj, t.index] : [];
    const b = this.operands([...parts, e.value]).at(-1);
    if (t.k === "local") this.bind(t.v, b);
    else if (isText(e.value.type)) this.use(b, e.value.loc);
    if (t.k === "field" && isText(t.type) && this.outlives(t.obj)) this.keeps(b, e.value.loc);
    if (t.k === "field" && isText(t.type)) this.all.share(fieldKey(t.obj.type, t.name), b?.sources);
    if (t.k === "index" && isBytes(t.obj.type)) this.write(this.objects(t.obj), e.loc);
    return b;
  }

  private builtin(e: ExprOf<"builtin">): Borrow | undefined {
    const [first] = e.args;
    switch (e.name) {
      case "textView": {
        this.operands(e.args);
        const sources = first === undefined ? new Set<FlowObject>() : this.objects(first);
        return sources.size === 0 ? undefined : { sources, at: e.loc, stale: undefined };
      }
      case "strSlice":
        return this.operands(e.args)[0];
      case "arrayFill":
      case "arraySet":
        this.uses(e.args);
        if (first !== undefined && isBytes(first.type)) this.write(this.objects(first), e.loc);
        return undefined;
      default:
        this.uses(e.args);
        return undefined;
    }
  }

  /** A call; `site`: where its targets were found. `only`: the method meant, of a `for … of`. */
  private invoke(
    site: Expr,
    recv: Expr | undefined,
    args: readonly Expr[],
    loc: Loc,
    only?: string,
  ): Borrow | undefined {
    const evaluated = recv !== undefined && recv !== site && only === undefined ? [recv, ...args] : args;
    const values = this.operands(evaluated).slice(evaluated.length - args.length);
    args.forEach((a, i) => {
      if (isText(a.type)) this.use(values[i], a.loc);
    });
    const { objects, reachable } = this.all;
    const writes = new Set<FlowObject>();
    const result = new Set<FlowObject>();
    for (const t of reachable.targets(site)) {
      if (only !== undefined && t.func.decl.name !== only) continue;
      if (t.func.decl.kind === "extern") {
        // The platform may write into any array that its signature does not protect.
        for (const a of args) {
          if (isBytes(a.type) && !(a.type.k === "array" && a.type.readonly))
            this.objects(a).forEach((o) => writes.add(o));
        }
        continue;
      }
      const context = objects.callee(t, recv, args, this.f, this.context);
      const texts = new Map<LocalVar, Borrow>();
      t.func.params.forEach((p, i) => {
        const b = values[i];
        const a = args[i];
        if (b !== undefined && a !== undefined)
          texts.set(p, { sources: b.sources, at: a.loc, stale: isText(a.type) ? undefined : b.stale });
      });
      const s = this.all.target(t.func, context, texts);
      s.writes.forEach((o) => writes.add(o));
      s.result.forEach((o) => result.add(o));
    }
    this.write(writes, loc);
    if (result.size > 0) return { sources: result, at: loc, stale: undefined };
    return only === undefined ? this.held(site) : undefined;
  }

  private isMade(e: Expr): boolean {
    return [...this.objects(e)].some((o) => o.k === "made");
  }

  /** An object that a handler makes, with borrowed text in its fields. */
  private held(e: Expr): Borrow | undefined {
    const t = e.type.k === "nullable" ? e.type.of : e.type;
    if (t.k !== "object" || !this.isMade(e)) return undefined;
    const sources = new Set<FlowObject>();
    for (const f of this.all.reachable.mono.classOf(t).fields) {
      if (!isText(f.type)) continue;
      for (const o of this.all.sharedText(fieldKey(t, f.name), e.loc)?.sources ?? []) sources.add(o);
    }
    return sources.size === 0 ? undefined : { sources, at: e.loc, stale: undefined };
  }
}

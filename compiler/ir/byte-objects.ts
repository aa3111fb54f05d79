/**
 * Which objects an expression refers to when its function is called with given objects: the flow analysis of the whole
 * program (one context a function), sharpened by what the caller passes as `this` and as arguments.
 */
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, LocalVar } from "./nodes.js";
import type { CallTarget, ReachableProgram } from "./reachability.js";
import { walkStmts } from "./walk.js";

type Objects = ReadonlySet<FlowObject>;

/** What a function is called with. */
export interface Context {
  readonly self: Objects;
  /** Parameters of reference type. */
  readonly params: ReadonlyMap<LocalVar, Objects>;
}

const none: Objects = new Set();
/** Contexts of one function before all further calls share one. */
const mostContexts = 64;

export class ObjectSets {
  private readonly inits = new Map<MonoFunc, ReadonlyMap<LocalVar, Expr>>();
  private readonly seen = new Map<MonoFunc, Set<string>>();

  constructor(private readonly program: ReachableProgram) {}

  ids(objects: Objects): string {
    return [...objects]
      .map((o) => o.id)
      .sort((a, b) => a - b)
      .join(",");
  }

  key(f: MonoFunc, c: Context): string {
    return `${f.key}|${this.ids(c.self)}|${[...c.params].map(([v, o]) => `${v.id}=${this.ids(o)}`).join(";")}`;
  }

  /** With whatever may come from anywhere. */
  entry(f: MonoFunc): Context {
    const params = new Map<LocalVar, Objects>();
    for (const p of f.params) {
      const objects = this.program.objectsOfLocal(p);
      if (objects.size > 0) params.set(p, objects);
    }
    return { self: this.program.objectsOfThis(f), params };
  }

  /** The context of a target of a call in `from`; of `new`, `recv` is the expression itself. */
  callee(
    t: CallTarget,
    recv: Expr | undefined,
    args: readonly Expr[],
    from: MonoFunc,
    context: Context,
  ): Context {
    const wide = this.entry(t.func);
    const here = recv === undefined ? none : this.of(recv, from, context);
    const mine = [...here].filter(
      (o) =>
        wide.self.has(o) &&
        (t.receivers.size === 0 ||
          o.k === "external" ||
          o.k === "closure" ||
          o.cls === undefined ||
          t.receivers.has(o.cls)),
    );
    const self = mine.length > 0 && t.func.owner !== undefined ? new Set(mine) : wide.self;
    const params = new Map<LocalVar, Objects>();
    t.func.params.forEach((p, i) => {
      const all = wide.params.get(p);
      const a = args[i];
      if (all === undefined) return;
      const given = a === undefined ? none : this.of(a, from, context);
      params.set(p, given.size > 0 ? given : all);
    });
    const found: Context = { self, params };
    const contexts = this.seen.get(t.func) ?? new Set<string>();
    this.seen.set(t.func, contexts);
    const key = this.key(t.func, found);
    if (!contexts.has(key) && contexts.size >= mostContexts) return wide;
    contexts.add(key);
    return found;
  }

  of(e: Expr, f: MonoFunc, c: Context): Objects {
    switch (e.k) {
      case "this":
        return f.decl.kind === "lambda" ? (this.program.objectsOf(e) ?? none) : c.self;
      case "local": {
        const given = c.params.get(e.v);
        if (given !== undefined && !e.v.mutable) return given;
        const init = e.v.mutable ? undefined : this.initOf(e.v, f);
        return init === undefined ? this.program.objectsOfLocal(e.v) : this.of(init, f, c);
      }
      case "field":
        return this.union(this.of(e.obj, f, c), (o) => this.program.objectsOfField(o, e.name));
      case "index":
        return this.union(this.of(e.obj, f, c), (o) => this.program.objectsOfElements(o));
      case "convert":
        return e.mode === "downcast" ? (this.program.objectsOf(e) ?? none) : this.of(e.arg, f, c);
      case "builtin":
        if (e.name === "subarray" && e.args[0] !== undefined) return this.of(e.args[0], f, c);
        return this.program.objectsOf(e) ?? none;
      default:
        return this.program.objectsOf(e) ?? none;
    }
  }

  private union(from: Objects, part: (o: FlowObject) => Objects): Objects {
    const found = new Set<FlowObject>();
    for (const o of from) for (const p of part(o)) found.add(p);
    return found;
  }

  /** The initialiser of a constant of the function. */
  private initOf(v: LocalVar, f: MonoFunc): Expr | undefined {
    let known = this.inits.get(f);
    if (known === undefined) {
      const made = new Map<LocalVar, Expr>();
      walkStmts(f.body, {
        stmt: (s) => {
          if (s.k === "let" && s.init !== undefined && !s.v.mutable) made.set(s.v, s.init);
        },
        expr: (e) => {
          if (e.k === "bind" && !e.v.mutable) made.set(e.v, e.init);
        },
      });
      this.inits.set(f, (known = made));
    }
    return known.get(v);
  }
}

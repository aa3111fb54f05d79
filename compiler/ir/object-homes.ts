/**
 * Where the objects that handlers make live: in the frame of the function that made them or, of what a function returns
 * or a constructor keeps, in a caller's, at the place of the call. What may be stored where is the business of
 * `escape.ts`.
 */
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, ExprOf, LocalVar, Stmt } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import { exprsOf, stmtsOf, walkExpr } from "./walk.js";

export type Made = Extract<FlowObject, { k: "made" | "closure" }>;

/** Where something lives: the function, and the loops around it, outermost first. */
export interface Home {
  readonly func: MonoFunc;
  readonly loops: readonly Stmt[];
}

/** The functions in whose frame an object may live; none for objects of the snapshot. */
export function homeFunctions(program: ReachableProgram): (o: FlowObject) => ReadonlySet<MonoFunc> {
  const homes = new ObjectHomes(program);
  const known = new Map<FlowObject, ReadonlySet<MonoFunc>>();
  return (o) => {
    const before = known.get(o);
    if (before !== undefined) return before;
    const found = new Set(o.k === "made" ? homes.of(o).map((h) => h.func) : []);
    known.set(o, found);
    return found;
  };
}

export class ObjectHomes {
  readonly exprHomes = new Map<Expr, Home>();
  readonly varHomes = new Map<LocalVar, Home>();
  private readonly callees = new Map<MonoFunc, Set<MonoFunc>>();
  private readonly callSites = new Map<MonoFunc, Home[]>();
  readonly inits = new Map<LocalVar, Expr>();
  readonly callsOf = new Map<MonoFunc, { readonly from: MonoFunc; readonly e: Expr }[]>();
  private readonly passedOn = new Map<MonoFunc, Set<FlowObject>>();

  constructor(private readonly program: ReachableProgram) {
    for (const f of this.program.functions) {
      for (const p of f.params) this.varHomes.set(p, { func: f, loops: [] });
      this.locate(f, f.body, []);
    }
  }

  private locate(func: MonoFunc, body: readonly Stmt[], loops: readonly Stmt[]): void {
    for (const s of body) {
      const isLoop = s.k === "for" || s.k === "doWhile" || s.k === "forOf";
      const inside = isLoop ? [...loops, s] : loops;
      // What a loop evaluates once (the list of for-of, the start of for) is outside of its turns.
      const own: Home = { func, loops: s.k === "forOf" ? loops : inside };
      for (const e of exprsOf(s)) walkExpr(e, { expr: (x) => this.place(x, own) });
      if (s.k === "let") this.varHomes.set(s.v, { func, loops });
      if (s.k === "let" && s.init !== undefined) this.inits.set(s.v, s.init);
      if (s.k === "forOf") this.varHomes.set(s.v, { func, loops: inside });
      if (s.k === "forOf" && s.second !== undefined) this.varHomes.set(s.second, { func, loops: inside });
      if (s.k === "try" && s.v !== undefined) this.varHomes.set(s.v, { func, loops });
      if (s.k === "for") {
        this.locate(func, s.init, loops);
        this.locate(func, s.body, inside);
      } else this.locate(func, stmtsOf(s), inside);
    }
  }

  private place(e: Expr, home: Home): void {
    if (isPlace(e)) this.exprHomes.set(e, home);
    const callees = this.callees.get(home.func) ?? new Set<MonoFunc>();
    this.callees.set(home.func, callees);
    for (const t of this.program.targets(e)) {
      callees.add(t.func);
      const sites = this.callSites.get(t.func) ?? [];
      this.callSites.set(t.func, sites);
      sites.push(home);
      const calls = this.callsOf.get(t.func) ?? [];
      this.callsOf.set(t.func, calls);
      calls.push({ from: home.func, e });
    }
  }

  /** Where an object may live: with its maker, or with the callers that its maker passes it on to. */
  of(o: Made): Home[] {
    const own = o.expr === undefined ? undefined : this.exprHomes.get(o.expr);
    return own === undefined ? [] : this.homesAbove(o, own).homes;
  }

  /** Where it lives when it is made or returned at `from`, and the functions that pass it on from there. */
  private homesAbove(
    o: Made,
    from: Home,
  ): { readonly homes: Home[]; readonly passing: ReadonlySet<MonoFunc> } {
    const homes: Home[] = [];
    const passing = new Set<MonoFunc>();
    const visit = (home: Home): void => {
      if (!this.passesOn(home.func).has(o)) {
        homes.push(home);
      } else if (!passing.has(home.func)) {
        passing.add(home.func);
        (this.callSites.get(home.func) ?? []).forEach(visit);
      }
    };
    visit(from);
    return { homes, passing };
  }

  /** Where the object lives that the value `e` of `f` is: one place when its call is known, otherwise all. */
  homesOf(o: Made, e: Expr): Home[] {
    switch (e.k) {
      case "convert":
        return this.homesOf(o, e.arg);
      case "cond":
        return [e.then, e.else].filter((x) => this.holds(x, o)).flatMap((x) => this.homesOf(o, x));
      case "local": {
        const init = e.v.mutable ? undefined : this.inits.get(e.v);
        return init === undefined ? this.of(o) : this.homesOf(o, init);
      }
      case "call":
      case "method":
      case "callValue": {
        const own = o.expr === undefined ? undefined : this.exprHomes.get(o.expr);
        const at = this.exprHomes.get(e);
        if (own === undefined || at === undefined || this.isGiven(o, e)) return this.of(o);
        const { passing } = this.homesAbove(o, own);
        const fresh = this.program.targets(e).every((t) => passing.has(t.func) || !this.returns(t.func, o));
        return fresh ? this.homesAbove(o, at).homes : this.of(o);
      }
      default:
        return this.of(o);
    }
  }

  private holds(e: Expr, o: Made): boolean {
    return this.program.objectsOf(e)?.has(o) === true;
  }

  private returns(f: MonoFunc, o: Made): boolean {
    return this.program.objectsOfResult(f).has(o);
  }

  /** Could a call have the object from its arguments, its receiver or what its function captured? */
  private isGiven(o: Made, e: ExprOf<"call" | "method" | "callValue">): boolean {
    const parts = [...e.args, ...(e.k === "method" ? [e.recv] : e.k === "callValue" ? [e.fn] : [])];
    const seen = new Set<FlowObject>();
    const leads = (x: FlowObject): boolean => {
      if (x === o) return true;
      if (seen.has(x)) return false;
      seen.add(x);
      if (x.k === "closure") {
        const own = x.func.decl.usesThis ? [...this.program.objectsOfThis(x.func)] : [];
        return [...own, ...x.func.captures.flatMap((v) => [...this.program.objectsOfLocal(v)])].some(leads);
      }
      if (x.k !== "made") return false;
      const fields = (x.cls?.fields ?? []).flatMap((y) => [...this.program.objectsOfField(x, y.name)]);
      return [...fields, ...this.program.objectsOfElements(x)].some(leads);
    };
    return parts.some((p) => [...(this.program.objectsOf(p) ?? [])].some(leads));
  }

  /** The homes in a function, if there are any there, otherwise all. */
  homesFor(o: Made, value: Expr, func: MonoFunc): Home[] {
    const all = this.homesOf(o, value);
    const there = all.filter((h) => h.func === func);
    return there.length > 0 ? there : all;
  }

  /** Objects that outlive a call: what it returns and, of a constructor, what is in the fields; with their contents. */
  passesOn(f: MonoFunc): Set<FlowObject> {
    const known = this.passedOn.get(f);
    if (known !== undefined) return known;
    const found = new Set<FlowObject>();
    this.passedOn.set(f, found);
    const visit = (o: FlowObject): void => {
      if (found.has(o) || o.k === "snapshot" || o.k === "external") return;
      found.add(o);
      contents(o);
    };
    const contents = (o: FlowObject): void => {
      if (o.k !== "made") return;
      for (const field of o.cls?.fields ?? []) this.program.objectsOfField(o, field.name).forEach(visit);
      this.program.objectsOfElements(o).forEach(visit);
    };
    if (f.decl.kind === "constructor") this.program.objectsOfThis(f).forEach(contents);
    else this.program.objectsOfResult(f).forEach(visit);
    return found;
  }

  /** A frame of `f` is there as long as one of `g` that runs inside it. */
  outlives(f: MonoFunc, g: MonoFunc): boolean {
    const seen = new Set<MonoFunc>();
    const visit = (x: MonoFunc): boolean => {
      if (x === g) return true;
      if (seen.has(x)) return false;
      seen.add(x);
      return [...(this.callees.get(x) ?? [])].some(visit);
    };
    return [...(this.callees.get(f) ?? [])].some(visit);
  }
}

/** Expressions at whose place an object may live. */
const isPlace = (e: Expr): boolean =>
  e.k === "new" ||
  e.k === "objectLit" ||
  e.k === "arrayLit" ||
  e.k === "newTyped" ||
  // A function that captured nothing has nothing on the stack.
  (e.k === "lambda" && (e.f.captures.length > 0 || e.f.usesThis)) ||
  e.k === "call" ||
  e.k === "method" ||
  e.k === "callValue";

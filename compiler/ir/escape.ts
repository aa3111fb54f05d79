/**
 * Lifetimes: an object that a handler makes lives in the frame of the function that made it, until that function ends
 * or, in a loop, until the next turn. One that a function returns, or that a constructor puts into its own fields,
 * lives in the frame of the caller, at the place of the call. Storing it where it would be found later is an error, with both places.
 * Works on the flow of references that `reachability.ts` solved; strings are the business of `borrow.ts`.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { FlowObject } from "./flow-graph.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, Loc, LocalVar, LValue, Stmt } from "./nodes.js";
import { functionName, type ReachableProgram } from "./reachability.js";
import { exprsOf, stmtsOf, walkExpr, walkStmts } from "./walk.js";

type Made = Extract<FlowObject, { k: "made" | "closure" }>;

/** Where something lives: the function, and the loops around it, outermost first. */
interface Home {
  readonly func: MonoFunc;
  readonly loops: readonly Stmt[];
}

export function checkEscapes(program: ReachableProgram): Diagnostic[] {
  return new EscapeCheck(program).run();
}

/** The functions in whose frame an object may live; none for objects of the snapshot. */
export function homeFunctions(program: ReachableProgram): (o: FlowObject) => ReadonlySet<MonoFunc> {
  const check = new EscapeCheck(program);
  check.locateAll();
  const known = new Map<FlowObject, ReadonlySet<MonoFunc>>();
  return (o) => {
    const before = known.get(o);
    if (before !== undefined) return before;
    const found = new Set(o.k === "made" ? check.homes(o).map((h) => h.func) : []);
    known.set(o, found);
    return found;
  };
}

class EscapeCheck {
  private readonly found = new Map<string, Diagnostic>();
  private readonly exprHomes = new Map<Expr, Home>();
  private readonly varHomes = new Map<LocalVar, Home>();
  private readonly callees = new Map<MonoFunc, Set<MonoFunc>>();
  private readonly callSites = new Map<MonoFunc, Home[]>();
  private readonly inits = new Map<LocalVar, Expr>();
  /** What is being stored, and where: for the steps of a message. */
  private storing: { readonly f: MonoFunc; readonly value: Expr } | undefined;
  private readonly callsOf = new Map<MonoFunc, { readonly from: MonoFunc; readonly e: Expr }[]>();
  private readonly passedOn = new Map<MonoFunc, Set<FlowObject>>();

  constructor(private readonly program: ReachableProgram) {}

  locateAll(): void {
    for (const f of this.program.functions) {
      for (const p of f.params) this.varHomes.set(p, { func: f, loops: [] });
      this.locate(f, f.body, []);
    }
  }

  run(): Diagnostic[] {
    this.locateAll();
    for (const f of this.program.functions) this.check(f);
    return [...this.found.values()];
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
    // A function that captured nothing has nothing on the stack.
    const captured = e.k === "lambda" && (e.f.captures.length > 0 || e.f.usesThis);
    if (e.k === "new" || e.k === "objectLit" || e.k === "arrayLit" || e.k === "newTyped" || captured)
      this.exprHomes.set(e, home);
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

  private check(f: MonoFunc): void {
    walkStmts(f.body, {
      expr: (e) => this.checkExpr(f, e),
      stmt: (s) => {
        if (s.k === "return" && s.value !== undefined) this.checkReturn(f, s.value);
      },
    });
  }

  private checkExpr(f: MonoFunc, e: Expr): void {
    if (e.k === "assign") {
      this.storing = { f, value: e.value };
      this.checkStore(f, e.target, e.value, e.loc);
    }
    if (e.k === "callValue") this.checkSeveral(e);
    if (e.k !== "builtin") return;
    const [target, second, third] = e.args;
    const value = e.name === "slotsSet" ? third : e.name === "arrayFill" ? second : undefined;
    if (value !== undefined) this.storing = { f, value };
    if (target !== undefined && value !== undefined) this.storeInto(target, value, e.loc, "a container");
  }

  /** The steps from where an object is made to the value `e` of `f`: returned by, passed to, in that order. */
  private way(o: Made, f: MonoFunc, e: Expr, open = new Set<MonoFunc>()): Diagnostic["related"][number][] {
    if (e === o.expr || open.has(f)) return [];
    const inside = new Set([...open, f]);
    const holds = (x: Expr): boolean => this.program.objectsOf(x)?.has(o) === true;
    switch (e.k) {
      case "convert":
        return this.way(o, f, e.arg, open);
      case "cond":
        return this.way(o, f, holds(e.then) ? e.then : e.else, open);
      case "call":
      case "method":
      case "callValue": {
        const from = this.program.targets(e).find((t) => this.program.objectsOfResult(t.func).has(o));
        return from === undefined
          ? []
          : [{ loc: e.loc, message: `returned by \`${functionName(from.func)}\`` }];
      }
      case "local": {
        const i = f.params.findIndex((p) => p === e.v);
        for (const call of i < 0 ? [] : (this.callsOf.get(f) ?? [])) {
          const a = "args" in call.e ? call.e.args[i] : undefined;
          if (a === undefined || !holds(a)) continue;
          return [
            ...this.way(o, call.from, a, inside),
            { loc: a.loc, message: `passed to \`${functionName(f)}\`` },
          ];
        }
        const init = i < 0 ? this.inits.get(e.v) : undefined;
        return init === undefined ? [] : this.way(o, f, init, open);
      }
      default:
        return [];
    }
  }

  private made(e: Expr): Made[] {
    return [...(this.program.objectsOf(e) ?? [])].filter(
      (o): o is Made => (o.k === "made" || o.k === "closure") && o.expr !== undefined,
    );
  }

  private isInLoop(o: Made): boolean {
    return o.expr !== undefined && (this.exprHomes.get(o.expr)?.loops.length ?? 0) > 0;
  }

  /** Where an object may live: with its maker, or with the callers that its maker passes it on to. */
  homes(o: Made): Home[] {
    const own = o.expr === undefined ? undefined : this.exprHomes.get(o.expr);
    if (own === undefined) return [];
    const found: Home[] = [];
    const seen = new Set<MonoFunc>();
    const visit = (home: Home): void => {
      if (!this.passesOn(home.func).has(o)) {
        found.push(home);
      } else if (!seen.has(home.func)) {
        seen.add(home.func);
        (this.callSites.get(home.func) ?? []).forEach(visit);
      }
    };
    visit(own);
    return found;
  }

  /** The homes in a function, if there are any there, otherwise all. */
  private homesFor(o: Made, func: MonoFunc): Home[] {
    const all = this.homes(o);
    const there = all.filter((h) => h.func === func);
    return there.length > 0 ? there : all;
  }

  /** Objects that outlive a call: what it returns and, of a constructor, what is in the fields; with their contents. */
  private passesOn(f: MonoFunc): Set<FlowObject> {
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

  /** A function value takes no frame for what one of several functions returns; a method does. */
  private checkSeveral(e: Expr): void {
    const targets = this.program.targets(e);
    if (targets.length < 2) return;
    this.storing = undefined;
    for (const t of targets) {
      for (const o of this.passesOn(t.func)) {
        if (o.k !== "made" || o.expr === undefined) continue;
        if (o.func !== t.func && !this.outlives(t.func, o.func)) continue;
        this.report(o, e.loc, "it is returned to a call that can reach several functions");
      }
    }
  }

  private checkStore(f: MonoFunc, target: LValue, value: Expr, loc: Loc): void {
    switch (target.k) {
      case "global":
      case "staticField":
        for (const o of this.made(value))
          this.report(o, loc, `it is stored in \`${target.g.name}\`, which outlives the handler`);
        return;
      case "field":
        this.storeInto(
          target.obj,
          value,
          loc,
          `the field \`${target.name}\``,
          target.obj.k === "this" ? f : undefined,
        );
        return;
      case "index":
        this.storeInto(target.obj, value, loc, "an array");
        return;
      case "local": {
        const at = this.varHomes.get(target.v);
        for (const o of this.made(value)) {
          for (const from of this.homesFor(o, at?.func ?? f)) {
            // A variable of the function around a lambda outlives the lambda's frame.
            if (at === undefined || at.func !== from.func) {
              if (at !== undefined ? this.outlives(from.func, at.func) : from.func !== f) continue;
              this.report(o, loc, `it is stored in the variable \`${target.v.name}\` of the function around`);
            } else if (!within(from.loops, at.loops)) {
              this.report(
                o,
                loc,
                `the variable \`${target.v.name}\` outside of the loop keeps it, but the next turn uses its place again`,
              );
            }
          }
        }
      }
    }
  }

  /** `own`: a function that stores into its `this`; what a constructor makes for itself lives with the object. */
  private storeInto(container: Expr, value: Expr, loc: Loc, what: string, own?: MonoFunc): void {
    const values = this.made(value).filter(
      (o) => own?.decl.kind !== "constructor" || o.k !== "made" || o.func !== own || this.isInLoop(o),
    );
    if (values.length === 0) return;
    for (const c of this.program.objectsOf(container) ?? []) {
      for (const o of values) {
        if (c.k === "snapshot" || c.k === "external") {
          const frame = c.k === "snapshot" && c.object.k === "object" ? c.object.cls.frameOf : undefined;
          if (frame !== undefined && this.homes(o).length > 0) {
            this.reportHeld(o, loc, frame);
            continue;
          }
          const where = c.k === "snapshot" ? `\`${c.object.path}\`` : "an object";
          if (this.homes(o).length > 0) {
            this.report(o, loc, `it is stored in ${what} of ${where}, which outlives the handler`);
          }
          continue;
        }
        for (const at of this.homes(c)) {
          for (const from of this.homesFor(o, at.func)) {
            if (at.func === from.func ? within(from.loops, at.loops) : this.outlives(from.func, at.func))
              continue;
            this.report(o, loc, `it is stored in ${what} of an object that lives longer`);
          }
        }
      }
    }
  }

  /** Objects move to the caller's frame; functions, with what they captured, do not. */
  private checkReturn(f: MonoFunc, value: Expr): void {
    this.storing = undefined;
    for (const o of this.passesOn(f)) {
      if (o.k !== "closure" || o.expr === undefined) continue;
      if (this.exprHomes.get(o.expr)?.func !== f) continue;
      this.report(o, value.loc, "it is returned, and its place ends with this function");
    }
  }

  /** A frame of `f` is there as long as one of `g` that runs inside it. */
  private outlives(f: MonoFunc, g: MonoFunc): boolean {
    const seen = new Set<MonoFunc>();
    const visit = (x: MonoFunc): boolean => {
      if (x === g) return true;
      if (seen.has(x)) return false;
      seen.add(x);
      return [...(this.callees.get(x) ?? [])].some(visit);
    };
    return [...(this.callees.get(f) ?? [])].some(visit);
  }

  /** A variable of an async function, an argument or a result: its frame is there longer than a step. */
  private reportHeld(o: Made, stored: Loc, frame: string): void {
    const made = o.expr?.loc ?? stored;
    const what = o.k === "closure" ? "the function made here" : "the object made here";
    this.found.set(`${made.file}:${made.line}:${made.col}:${stored.line}:${stored.col}`, {
      code: "TMC1606",
      severity: "error",
      loc: made,
      length: 1,
      message: `${what} is on the stack, and the async function \`${frame}\` would keep it over a wait`,
      fix:
        o.k === "closure"
          ? "make the function in setup, or make it again after the wait"
          : "make it in setup (a field, a module constant) and fill it in here, or make it again after the wait",
      related: [{ loc: stored, message: "here" }],
    });
  }

  private report(o: Made, stored: Loc, how: string): void {
    const made = o.expr?.loc ?? stored;
    const what = o.k === "closure" ? "the function made here" : "the object made here";
    const key = `${made.file}:${made.line}:${made.col}:${stored.line}:${stored.col}`;
    this.found.set(key, {
      code: o.k === "closure" ? "TMC1602" : "TMC1601",
      severity: "error",
      loc: made,
      length: 1,
      message: `${what} escapes: ${how} (line ${stored.line})`,
      fix:
        o.k === "closure"
          ? "make the function in setup, or only pass it down"
          : "make it in setup (a field, a Pool) and fill in its fields here, or let the caller pass the object to fill",
      related: [
        ...(this.storing === undefined ? [] : this.way(o, this.storing.f, this.storing.value)),
        { loc: stored, message: "here" },
      ],
    });
  }
}

/** Every loop around the object is also around the place that keeps it. */
const within = (inner: readonly Stmt[], outer: readonly Stmt[]): boolean =>
  inner.every((l) => outer.includes(l));

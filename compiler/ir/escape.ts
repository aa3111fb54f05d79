/**
 * Lifetimes: an object that a handler makes lives in the frame of the function that made it, until that function ends
 * or, in a loop, until the next turn. One that a function returns, or that a constructor puts into its own fields,
 * lives in the frame of the caller, at the place of the call. Storing it where it would be found later is an error, with both places.
 * Works on the flow of references that `reachability.ts` solved; strings are the business of `borrow.ts`.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, Loc, LValue, Stmt } from "./nodes.js";
import { ObjectHomes, type Made } from "./object-homes.js";
import { functionName, type ReachableProgram } from "./reachability.js";
import { walkStmts } from "./walk.js";

export function checkEscapes(program: ReachableProgram): Diagnostic[] {
  return new EscapeCheck(program).run();
}

class EscapeCheck {
  private readonly found = new Map<string, Diagnostic>();
  /** What is being stored, and where: for the steps of a message. */
  private storing: { readonly f: MonoFunc; readonly value: Expr } | undefined;
  private readonly homes: ObjectHomes;

  constructor(private readonly program: ReachableProgram) {
    this.homes = new ObjectHomes(program);
  }

  run(): Diagnostic[] {
    for (const f of this.program.functions) this.check(f);
    return [...this.found.values()];
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
        for (const call of i < 0 ? [] : (this.homes.callsOf.get(f) ?? [])) {
          const a = "args" in call.e ? call.e.args[i] : undefined;
          if (a === undefined || !holds(a)) continue;
          return [
            ...this.way(o, call.from, a, inside),
            { loc: a.loc, message: `passed to \`${functionName(f)}\`` },
          ];
        }
        const init = i < 0 ? this.homes.inits.get(e.v) : undefined;
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
    return o.expr !== undefined && (this.homes.exprHomes.get(o.expr)?.loops.length ?? 0) > 0;
  }

  /** A function value takes no frame for what one of several functions returns; a method does. */
  private checkSeveral(e: Expr): void {
    const targets = this.program.targets(e);
    if (targets.length < 2) return;
    this.storing = undefined;
    for (const t of targets) {
      for (const o of this.homes.passesOn(t.func)) {
        if (o.k !== "made" || o.expr === undefined) continue;
        if (o.func !== t.func && !this.homes.outlives(t.func, o.func)) continue;
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
        const at = this.homes.varHomes.get(target.v);
        for (const o of this.made(value)) {
          for (const from of this.homes.homesFor(o, value, at?.func ?? f)) {
            // A variable of the function around a lambda outlives the lambda's frame.
            if (at === undefined || at.func !== from.func) {
              if (at !== undefined ? this.homes.outlives(from.func, at.func) : from.func !== f) continue;
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
          if (frame !== undefined && this.homes.of(o).length > 0) {
            this.reportHeld(o, loc, frame);
            continue;
          }
          const where = c.k === "snapshot" ? `\`${c.object.path}\`` : "an object";
          if (this.homes.of(o).length > 0) {
            this.report(o, loc, `it is stored in ${what} of ${where}, which outlives the handler`);
          }
          continue;
        }
        for (const at of this.homes.homesOf(c, container)) {
          for (const from of this.homes.homesFor(o, value, at.func)) {
            if (
              at.func === from.func ? within(from.loops, at.loops) : this.homes.outlives(from.func, at.func)
            )
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
    for (const o of this.homes.passesOn(f)) {
      if (o.k !== "closure" || o.expr === undefined) continue;
      if (this.homes.exprHomes.get(o.expr)?.func !== f) continue;
      this.report(o, value.loc, "it is returned, and its place ends with this function");
    }
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

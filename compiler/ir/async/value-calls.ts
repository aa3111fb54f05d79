/**
 * Calls of function values that are waited for. A `const` arrow function of the same function, or a value that can only be
 * one function, is called as if by its name; otherwise the caller has a frame for each function that the value may be,
 * leaves them in their slots, and the function that is called takes its own.
 */
import { findMethod } from "../hierarchy.js";
import type { Expr, ExprOf, FuncDecl, LocalVar, LValue, Program, Stmt } from "../nodes.js";
import { sameType, type Type } from "../types.js";
import { walkStmts } from "../walk.js";
import type { Frame } from "./frames.js";
import { FunctionValues } from "./function-values.js";
import { assign, declare, field, isVoid, local, number, STATE, stored } from "./make.js";
import { promised } from "./promise.js";
import { mapStmts } from "./rebuild.js";
import type { Started } from "./split.js";

type ValueCall = ExprOf<"callValue">;

/** What may be called at one place. */
export type Callee =
  | { readonly k: "known"; readonly f: FuncDecl }
  | { readonly k: "several"; readonly all: readonly FuncDecl[] };

export class ValueCalls {
  private readonly values: FunctionValues;
  /** Local constants that are arrow functions, with the function that declares them. */
  private readonly constants = new Map<LocalVar, { readonly f: FuncDecl; readonly within: FuncDecl }>();

  constructor(private readonly program: Program) {
    this.values = new FunctionValues(program);
  }

  /** Takes note of the arrow functions that a body gives names to. */
  note(f: FuncDecl): void {
    walkStmts(f.body, {
      stmt: (s) => {
        if (s.k === "let" && !s.v.mutable && s.init?.k === "lambda")
          this.constants.set(s.v, { f: s.init.f, within: f });
      },
    });
  }

  /** Of a call in `within`. Undefined: nothing that can be waited for comes here. */
  callee(call: ValueCall, within: FuncDecl): Callee | undefined {
    const own = call.fn.k === "local" ? this.constants.get(call.fn.v) : undefined;
    if (own?.within === within && takes(own.f, call)) return { k: "known", f: own.f };
    const all = this.values.of(call.fn).filter((f) => fits(f, call.fn.type));
    const [only] = all;
    if (only === undefined) return undefined;
    const isPlain = only.captures.length === 0 && !only.usesThis && only.kind !== "method";
    if (all.length === 1 && isPlain && takes(only, call)) return { k: "known", f: only };
    return { k: "several", all };
  }

  /** The body without arrow functions that nothing but a wait calls: they would be made on the stack. */
  withoutConstants(f: FuncDecl): readonly Stmt[] {
    const { body } = f;
    const used = new Set<LocalVar>();
    const calls = new Set<Expr>();
    const isUse = (e: Expr): boolean => e.k === "local" && this.constants.has(e.v) && !calls.has(e);
    walkStmts(body, {
      expr: (e) => {
        if (e.k === "await")
          for (const c of e.calls)
            if (c.k === "callValue" && this.callee(c, f)?.k === "known") calls.add(c.fn);
        if (e.k === "local" && isUse(e)) used.add(e.v);
        if (e.k === "lambda") for (const v of e.f.captures) used.add(v);
      },
    });
    return mapStmts(body, {
      expr: (e) => e,
      stmt: (s) => (s.k === "let" && this.constants.has(s.v) && !used.has(s.v) ? [] : undefined),
    });
  }

  /** A call of the one function of `target`, whose frame is `inner`. */
  known(call: ValueCall, target: Frame, inner: Started, self: Expr | undefined): Started {
    const begin = (values: readonly Expr[]): Stmt[] => {
      const [fn, ...given] = values;
      const args = given.slice(0, target.f.params.length);
      const captured = target.f.captures.map((v): Expr => local(v, call.loc));
      const all = [...(target.self === undefined || self === undefined ? [] : [self]), ...args, ...captured];
      const out: Stmt[] = fn === undefined || isQuiet(fn) ? [] : [{ k: "expr", loc: call.loc, e: fn }];
      inner.places.forEach((place, i) => {
        const value = all[i];
        if (value !== undefined) out.push(assign(place, inner.wrap(value, place.type)));
      });
      if (inner.frame !== undefined)
        out.push(assign(field(inner.frame, "state", STATE), number(0, STATE, call.loc)));
      return out;
    };
    return { ...inner, begin };
  }

  /** A call of one of several: `frames` with their places in the caller. */
  several(
    call: ValueCall,
    frames: readonly { readonly target: Frame; readonly inner: Expr }[],
    newLocal: (name: string, type: Type) => LocalVar,
  ): Started {
    const { loc } = call;
    const called = newLocal("called", call.type);
    const frame: LValue = local(called, loc);
    const begin = (values: readonly Expr[]): Stmt[] => {
      const [fn, ...args] = values;
      const init: Expr = { ...call, fn: fn ?? call.fn, args };
      return [
        ...frames.map(({ target, inner }) => assign(target.slotPlace(loc), stored(inner, target.type))),
        declare(called, init, loc),
        ...frames.map(({ target }) => {
          const place = target.slotPlace(loc);
          return assign(place, { k: "null", type: place.type, loc });
        }),
      ];
    };
    const type = promised(call.type);
    const value =
      call.type.k === "object" ? findMethod(this.program.classes, call.type, "value")?.f : undefined;
    const result: Expr | undefined =
      type === undefined || isVoid(type) || value === undefined
        ? undefined
        : { k: "method", type, loc, recv: frame, f: value, typeArgs: [], isSuper: false, args: [] };
    return { frame, places: [], wrap: (e) => e, result, receiver: undefined, others: [], begin };
  }
}

/** Reading it has no effect. */
const isQuiet = (e: Expr): boolean =>
  e.k === "local" || e.k === "global" || e.k === "staticField" || e.k === "funcref" || e.k === "lambda";

/** The arguments are just what the function takes. */
function takes(f: FuncDecl, call: ValueCall): boolean {
  return (
    f.params.length <= call.args.length &&
    f.params.every((p, i) => sameType(p.type, call.args[i]?.type ?? p.type)) &&
    sameType(f.ret, call.type)
  );
}

/** May it be a value of this type? Not told apart: types with parameters, classes above and below each other. */
function fits(f: FuncDecl, type: Type): boolean {
  const wanted = type.k === "nullable" ? type.of : type;
  if (wanted.k !== "func") return true;
  const [given, result] = [promised(f.ret), promised(wanted.ret)];
  if (given === undefined || f.params.length > wanted.params.length) return false;
  return result === undefined || !isScalar(given) || !isScalar(result) || sameType(given, result);
}

const isScalar = (t: Type): boolean => t.k === "num" || t.k === "bool" || t.k === "string" || t.k === "void";

/** A function that returns the promise of another call, as one that waits for it. */
export function asAsync(f: FuncDecl): void {
  f.isAsync = true;
  f.body = mapStmts(f.body, {
    expr: (e) => e,
    stmt: (s) => {
      if (s.k !== "return" || s.value === undefined) return undefined;
      const type = promised(s.value.type);
      if (type === undefined || s.value.k === "await") return undefined;
      return [{ ...s, value: { k: "await", type, loc: s.value.loc, calls: [s.value], all: false } }];
    },
  });
}

/**
 * Lengths of arrays that a constructor makes from its parameters: which parameters decide one, and the body with the
 * lengths filled in where the parameters are known. Sums, differences and products of constants; nothing else.
 */
import type { MonoFunc, Monomorphiser } from "./monomorphise.js";
import type { Expr, LocalVar, Stmt } from "./nodes.js";
import { walkExpr, walkStmts } from "./walk.js";

type Constants = ReadonlyMap<LocalVar, number>;

/** The parameters that a length of an array depends on, in the constructor or in one that it calls. */
export function lengthParameters(
  mono: Monomorphiser,
  ctor: MonoFunc,
  open: ReadonlySet<MonoFunc> = new Set(),
): ReadonlySet<LocalVar> {
  const found = new Set<LocalVar>();
  if (open.has(ctor)) return found;
  const inside = new Set([...open, ctor]);
  const mentioned = (e: Expr): void => {
    walkExpr(e, {
      expr: (x) => {
        if (x.k === "local" && ctor.params.some((p) => p === x.v)) found.add(x.v);
      },
    });
  };
  walkStmts(ctor.body, {
    expr: (e) => {
      const length = lengthOf(e);
      if (length !== undefined) mentioned(length);
      const type = e.k === "new" ? e.type : e.k === "superCall" ? e.superclass : undefined;
      const inner = type?.k === "object" ? mono.ctorOf(mono.classOf(type)) : undefined;
      if (inner === undefined || (e.k !== "new" && e.k !== "superCall")) return;
      const theirs = lengthParameters(mono, inner, inside);
      inner.params.forEach((p, i) => {
        const a = e.args[i];
        if (a !== undefined && theirs.has(p)) mentioned(a);
      });
    },
  });
  return found;
}

function lengthOf(e: Expr): Expr | undefined {
  return e.k === "newTyped" ? e.length : e.k === "newSlots" ? e.capacity : undefined;
}

/** The value of an integer expression, when it is constant. */
export function constantInteger(e: Expr, known: Constants): number | undefined {
  switch (e.k) {
    case "num":
      return Number.isInteger(e.value) ? e.value : undefined;
    case "local":
      return known.get(e.v);
    case "convert":
      return e.mode === "num" && e.arg.type.k === "num" && e.type.k === "num" && e.type.n === "i32"
        ? constantInteger(e.arg, known)
        : undefined;
    case "arith": {
      const l = constantInteger(e.l, known);
      const r = constantInteger(e.r, known);
      if (l === undefined || r === undefined || e.n !== "i32") return undefined;
      const value = e.op === "add" ? l + r : e.op === "sub" ? l - r : e.op === "mul" ? l * r : undefined;
      return value !== undefined && value === (value | 0) ? value : undefined;
    }
    default:
      return undefined;
  }
}

/** Fills the lengths into a body that was copied for it: its nodes belong to nobody else. */
export function withLengths(body: readonly Stmt[], known: Constants): readonly Stmt[] {
  walkStmts(body, {
    expr: (e) => {
      const length = lengthOf(e);
      const value = length === undefined ? undefined : constantInteger(length, known);
      if (length === undefined || value === undefined || length.k === "num") return;
      const constant: Expr = { k: "num", type: length.type, loc: length.loc, value };
      Object.assign(e, e.k === "newTyped" ? { length: constant } : { capacity: constant });
    },
  });
  return body;
}

/** Short names for the IR nodes that the transformation of async functions makes. */
import type { Expr, LocalVar, Loc, LValue, Stmt } from "../nodes.js";
import { BOOL, I32, num, VOID, type Type } from "../types.js";

export const STATE = num("u16");
/** The state of a frame that has ended. */
export const DONE = 0xffff;

export const local = (v: LocalVar, loc: Loc): LValue => ({ k: "local", type: v.type, loc, v });
export const number = (value: number, type: Type, loc: Loc): Expr => ({ k: "num", type, loc, value });
export const bool = (value: boolean, loc: Loc): Expr => ({ k: "bool", type: BOOL, loc, value });
export const field = (obj: Expr, name: string, type: Type): LValue => ({
  k: "field",
  type,
  loc: obj.loc,
  obj,
  name,
});
export const assign = (target: LValue, value: Expr): Stmt => ({
  k: "expr",
  loc: value.loc,
  e: { k: "assign", type: target.type, loc: value.loc, target, value },
});
export const declare = (v: LocalVar, init: Expr | undefined, loc: Loc): Stmt => ({ k: "let", loc, v, init });
export const not = (arg: Expr): Expr => ({
  k: "unary",
  type: BOOL,
  loc: arg.loc,
  op: "not",
  arg,
  wrap: false,
});
export const toI32 = (arg: Expr): Expr => ({ k: "convert", type: I32, loc: arg.loc, mode: "num", arg });
export const isVoid = (t: Type): boolean => t.k === VOID.k;

/** The place of a value in a frame: one that has no value yet is null there. */
export function storedType(t: Type): Type {
  switch (t.k) {
    case "num":
    case "bool":
    case "string":
    case "literals":
    case "nullable":
    case "null":
    case "void":
      return t;
    default:
      return { k: "nullable", of: t };
  }
}

const isWrapped = (t: Type): boolean => storedType(t) !== t;

/** A value of type `t` on its way into its place. */
export const stored = (value: Expr, t: Type): Expr =>
  isWrapped(t) ? { k: "convert", type: storedType(t), loc: value.loc, mode: "wrapNull", arg: value } : value;

/** What a place of type `storedType(t)` holds, or an assignment of it gives. */
export const loaded = (place: Expr, t: Type): Expr =>
  isWrapped(t) ? { k: "convert", type: t, loc: place.loc, mode: "unwrap", arg: place } : place;

/** What a place of a frame holds before anything is stored. */
export function initial(t: Type, loc: Loc): Expr {
  switch (t.k) {
    case "num":
      return t.n === "i64" || t.n === "u64" ? { k: "big", type: t, loc, value: 0n } : number(0, t, loc);
    case "bool":
      return bool(false, loc);
    case "string":
      return { k: "str", type: t, loc, value: "" };
    case "literals":
      return { k: "literal", type: t, loc, value: t.values[0] ?? "" };
    default:
      return { k: "null", type: t, loc };
  }
}

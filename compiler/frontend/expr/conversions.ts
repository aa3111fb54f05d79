/** Conversions between number kinds as calls, `i8(x)` and `sat.i8(x)`, of values and of constants. */
import { ts } from "ts-morph";
import type { Expr } from "../../ir/nodes.js";
import {
  F64,
  I32,
  intRange,
  isBig,
  isFloat,
  num,
  sameType,
  typeName,
  U32,
  type BigKind,
  type NumKind,
  type Type,
} from "../../ir/types.js";
import { untypedBigOf, untypedOf } from "../constants.js";
import type { Lowerer } from "../lowerer.js";
import { bigOfNumber, clampBig, convertBigConstant } from "./bigints.js";

/** `i32(x)` and its siblings. */
export function conversion(lw: Lowerer, node: ts.CallExpression, to: NumKind, argument: ts.Expression): Expr {
  const type = num(to);
  const e = lw.raw(argument);
  const loc = lw.loc(node);
  const c = untypedOf(e);
  if (c !== undefined) {
    return isBig(to)
      ? { k: "big", type, loc, value: bigOfNumber(c.value, to) }
      : { k: "num", type, loc, value: convertConstant(c.value, to) };
  }
  const big = untypedBigOf(e);
  if (big !== undefined) {
    const value = convertBigConstant(big, to);
    return typeof value === "bigint" ? { k: "big", type, loc, value } : { k: "num", type, loc, value };
  }
  switch (e.type.k) {
    case "num":
      return sameType(e.type, type) ? e : { k: "convert", type, loc, mode: "num", arg: e };
    case "bool":
      return { k: "convert", type, loc, mode: "num", arg: e };
    case "host": {
      const seen = lw.ctx.checker.getTypeAtLocation(argument);
      const isBigint = (seen.flags & ts.TypeFlags.BigIntLike) !== 0;
      const from = isBigint ? num(to === "u64" ? "u64" : "i64") : F64;
      const value = lw.convert("fromHost", e, from);
      return sameType(from, type) ? value : lw.convert("num", value, type);
    }
    case "nullable":
      return lw.ctx.fail("TMC1204", argument, "this may be null", "test it first: `if (x !== null)`");
    default:
      return lw.ctx.fail(
        "TMC1212",
        argument,
        `\`${typeName(e.type)}\` is not a number`,
        "give a number or a boolean",
      );
  }
}

/** An integer constant keeps its low bits; a fraction truncates and saturates. */
function convertConstant(value: number, to: Exclude<NumKind, BigKind>): number {
  if (to === "f64") return value;
  if (to === "f32") return Math.fround(value);
  const [lo, hi] = intRange[to];
  if (Number.isNaN(value)) return 0;
  if (Number.isInteger(value) && Math.abs(value) <= 4294967296) {
    const span = hi - lo + 1;
    const low = ((value % span) + span) % span;
    return low > hi ? low - span : low;
  }
  return Math.min(hi, Math.max(lo, Math.trunc(value))) + 0;
}

export function saturate(
  lw: Lowerer,
  node: ts.CallExpression,
  to: "i8" | "u8" | "i16" | "u16",
  argument: ts.Expression,
): Expr {
  const e = lw.raw(argument);
  const c = untypedOf(e);
  const [lo, hi] = intRange[to];
  const big = untypedBigOf(e);
  if (big !== undefined) return { k: "num", type: num(to), loc: lw.loc(node), value: clampBig(big, lo, hi) };
  if (c !== undefined && Number.isInteger(c.value)) {
    return { k: "num", type: num(to), loc: lw.loc(node), value: Math.min(hi, Math.max(lo, c.value)) };
  }
  if (e.type.k !== "num" || isFloat(e.type.n) || c !== undefined) {
    return lw.ctx.fail(
      "TMC1214",
      argument,
      "`sat` works on integers",
      `a float saturates by itself: \`${to}(x)\``,
    );
  }
  const from: Type = e.type.n === "u32" ? U32 : isBig(e.type.n) ? e.type : I32;
  return {
    k: "builtin",
    type: num(to),
    loc: lw.loc(node),
    name: "sat",
    n: from.k === "num" ? from.n : "i32",
    args: [lw.coerce(e, from, argument)],
  };
}

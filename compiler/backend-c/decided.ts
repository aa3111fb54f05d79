/**
 * Comparisons whose result is known from types and constants alone: `x === x`, `u8 < 256`, `u32 >= 0`. C compilers
 * warn about them, and TypeScript allows them.
 */
import type { CompareOp, Expr, ExprOf } from "../ir/nodes.js";
import { bigRange, intRange, isBig, type NumKind } from "../ir/types.js";
import type { CExpr } from "./c-ast.js";
import { sameExpr } from "./c-references.js";
import { isDroppableExpr } from "./tidy.js";

/** Numbers and bigints compare exactly with each other. */
type Range = readonly [lo: number | bigint, hi: number | bigint];

const kindRange = (n: NumKind): Range | undefined =>
  n === "f32" || n === "f64" ? undefined : isBig(n) ? bigRange[n] : intRange[n];

/** The values an integer expression can have, from its type. */
function rangeOf(e: Expr): Range | undefined {
  if (e.type.k !== "num") return undefined;
  const own = kindRange(e.type.n);
  if (own === undefined) return undefined;
  if (e.k === "num" || e.k === "big") return [e.value, e.value];
  if (e.k === "convert" && e.mode === "num" && e.arg.type.k === "num") {
    const inner = rangeOf(e.arg);
    if (inner !== undefined && inner[0] >= own[0] && inner[1] <= own[1]) return inner;
  }
  return own;
}

/** The result of comparing two ranges, if it is always the same. */
function compareRanges(op: CompareOp, [a, b]: Range, [x, y]: Range): boolean | undefined {
  switch (op) {
    case "lt":
      return b < x ? true : a >= y ? false : undefined;
    case "le":
      return b <= x ? true : a > y ? false : undefined;
    case "gt":
      return a > y ? true : b <= x ? false : undefined;
    case "ge":
      return a >= y ? true : b < x ? false : undefined;
    case "eq":
      return b < x || a > y ? false : undefined;
    case "ne":
      return b < x || a > y ? true : undefined;
  }
}

/** `(x & 16) === 10`, `(x | 16) === 3`: bits that can never be so. */
function impossibleBits(e: Expr, other: Expr): boolean {
  if (e.k === "arith" && other.k === "big" && (e.op === "and" || e.op === "or")) {
    const mask = e.r.k === "big" ? e.r.value : e.l.k === "big" ? e.l.value : undefined;
    if (mask === undefined) return false;
    return e.op === "and" ? (other.value & ~mask) !== 0n : (mask & ~other.value) !== 0n;
  }
  if (e.k !== "arith" || other.k !== "num" || (e.op !== "and" && e.op !== "or")) return false;
  const mask = e.r.k === "num" ? e.r.value : e.l.k === "num" ? e.l.value : undefined;
  if (mask === undefined) return false;
  return e.op === "and" ? (other.value & ~mask) !== 0 : (mask & ~other.value) !== 0;
}

/** @returns the result of the comparison when it does not depend on any variable. */
export function decided(e: ExprOf<"compare">, l: CExpr, r: CExpr): boolean | undefined {
  const t = e.l.type;
  const isFloat = t.k === "num" && (t.n === "f32" || t.n === "f64");
  if (!isFloat && isDroppableExpr(l) && sameExpr(l, r))
    return e.op === "eq" || e.op === "le" || e.op === "ge";
  if (e.l.k === "num" && e.r.k === "num") return undefined;
  if (e.op === "eq" || e.op === "ne") {
    if (impossibleBits(e.l, e.r) || impossibleBits(e.r, e.l)) return e.op === "ne";
  }
  const a = rangeOf(e.l);
  const b = rangeOf(e.r);
  return a === undefined || b === undefined ? undefined : compareRanges(e.op, a, b);
}

/**
 * `1 << n` beside a u32: the untyped constant takes the kind of its surroundings, and so does the shift (Go's rule).
 * Without surroundings it is an i32.
 */
import { ts } from "ts-morph";
import type { Expr } from "../ir/nodes.js";
import { U32 } from "../ir/types.js";
import { skipParentheses } from "./syntax.js";

/** `e`, lowered from `node`, in u32; undefined when it is not a shift of a constant, nor made of such by `& | ^ ~`. */
export function shiftInU32(e: Expr, node: ts.Node): Expr | undefined {
  const inner = ts.isExpression(node) ? skipParentheses(node) : node;
  if (e.k === "unary" && e.op === "bitnot" && ts.isPrefixUnaryExpression(inner)) {
    const arg = shiftInU32(e.arg, inner.operand);
    return arg === undefined ? undefined : { ...e, type: U32, arg };
  }
  if (e.k !== "arith" || e.n !== "i32" || !ts.isBinaryExpression(inner)) return undefined;
  if (e.op === "shl") {
    const literal = skipParentheses(inner.left);
    if (e.l.k !== "num" || !ts.isNumericLiteral(literal)) return undefined;
    return { ...e, type: U32, n: "u32", l: { ...e.l, type: U32, value: e.l.value >>> 0 } };
  }
  if (e.op !== "and" && e.op !== "or" && e.op !== "xor") return undefined;
  const l = shiftInU32(e.l, inner.left);
  const r = shiftInU32(e.r, inner.right);
  if (l === undefined && r === undefined) return undefined;
  const left = l ?? constantBits(e.l);
  const right = r ?? constantBits(e.r);
  return left === undefined || right === undefined
    ? undefined
    : { ...e, type: U32, n: "u32", l: left, r: right };
}

/** A constant beside a shift: its 32 bits. */
const constantBits = (e: Expr): Expr | undefined =>
  e.k === "num" ? { ...e, type: U32, value: e.value >>> 0 } : undefined;

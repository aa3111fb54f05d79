/** Untyped constants: numbers that take the type of what they meet, and the ranges of integer expressions. */
import type { Expr } from "../ir/nodes.js";
import { constantIn, I64, intRange, isBig, isFloat, num, type NumKind } from "../ir/types.js";
import type { UntypedConst } from "./context.js";

export { constantIn };

const untyped = new WeakMap<Expr, UntypedConst>();
const untypedBigs = new WeakSet<Expr>();

/** The expression with its default type (i32, f64 when written as a fraction, i64), remembered as untyped. */
export function untypedExpr(c: UntypedConst | bigint, loc: Expr["loc"]): Expr {
  if (typeof c === "bigint") {
    const big: Expr = { k: "big", type: I64, loc, value: c };
    untypedBigs.add(big);
    return big;
  }
  const n: NumKind = c.float || !Number.isInteger(c.value) ? "f64" : "i32";
  // There is no integer minus zero.
  const e: Expr = { k: "num", type: num(n), loc, value: n === "i32" ? c.value + 0 : c.value };
  untyped.set(e, c);
  return e;
}

/** An untyped number. */
export const untypedOf = (e: Expr): UntypedConst | undefined => untyped.get(e);
/** An untyped bigint. */
export const untypedBigOf = (e: Expr): bigint | undefined =>
  e.k === "big" && untypedBigs.has(e) ? e.value : undefined;
export const isUntyped = (e: Expr): boolean => untyped.has(e) || untypedBigs.has(e);

export type Range = readonly [lo: number, hi: number];

/** The values an integer expression of up to 32 bits can have; conservative. */
export function rangeOf(e: Expr): Range | undefined {
  if (e.type.k !== "num" || isFloat(e.type.n) || isBig(e.type.n)) return undefined;
  const all = intRange[e.type.n];
  const within = (r: Range | undefined): Range =>
    r !== undefined && r[0] >= all[0] && r[1] <= all[1] ? r : all;
  switch (e.k) {
    case "num":
      return [e.value, e.value];
    case "convert": {
      if (e.mode !== "num" && e.mode !== "fit") return all;
      const inner = e.arg.type.k === "bool" ? ([0, 1] as const) : rangeOf(e.arg);
      return within(inner);
    }
    case "cond": {
      const a = rangeOf(e.then);
      const b = rangeOf(e.else);
      return a === undefined || b === undefined ? all : within([Math.min(a[0], b[0]), Math.max(a[1], b[1])]);
    }
    case "length":
      return [0, intRange.i32[1]];
    case "arith":
      return within(arithRange(e.op, rangeOf(e.l), rangeOf(e.r), e.type.n));
    case "builtin":
      if (e.name === "min" || e.name === "max") {
        const a = e.args[0] === undefined ? undefined : rangeOf(e.args[0]);
        const b = e.args[1] === undefined ? undefined : rangeOf(e.args[1]);
        if (a === undefined || b === undefined) return all;
        const pick = e.name === "min" ? Math.min : Math.max;
        return [pick(a[0], b[0]), pick(a[1], b[1])];
      }
      if (e.name === "charCodeAt") return [0, 255];
      if (e.name === "clz32") return [0, 32];
      return all;
    default:
      return all;
  }
}

function arithRange(op: string, a: Range | undefined, b: Range | undefined, n: NumKind): Range | undefined {
  if (a === undefined || b === undefined) return undefined;
  switch (op) {
    case "add":
      return [a[0] + b[0], a[1] + b[1]];
    case "sub":
      return [a[0] - b[1], a[1] - b[0]];
    case "mul": {
      const p = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
      return [Math.min(...p), Math.max(...p)];
    }
    case "and":
      // A non-negative operand bounds the result from above.
      if (b[0] >= 0) return [0, a[0] >= 0 ? Math.min(a[1], b[1]) : b[1]];
      if (a[0] >= 0) return [0, a[1]];
      return undefined;
    case "or":
    case "xor":
      if (a[0] >= 0 && b[0] >= 0) {
        const bits = 2 ** (32 - Math.clz32(Math.max(a[1], b[1]))) - 1;
        return [0, bits];
      }
      return undefined;
    case "ushr":
      if (b[0] === b[1] && b[0] >= 0) {
        const s = b[0] & 31;
        const top = n === "u32" && a[0] >= 0 ? a[1] : 4294967295;
        return [0, Math.floor(top / 2 ** s)];
      }
      return undefined;
    case "shr":
      if (b[0] === b[1] && b[0] >= 0) return [a[0] >> (b[0] & 31), a[1] >> (b[0] & 31)];
      return a[0] >= 0 ? [0, a[1]] : undefined;
    case "shl":
      if (b[0] === b[1] && b[0] >= 0 && b[0] < 31 && a[0] >= 0) return [a[0] * 2 ** b[0], a[1] * 2 ** b[0]];
      return undefined;
    case "rem": {
      if (b[0] !== b[1] || b[0] === 0) return undefined;
      const m = Math.abs(b[0]) - 1;
      return [a[0] < 0 ? -m : 0, a[1] > 0 ? Math.min(m, a[1]) : 0];
    }
    case "div":
      if (b[0] === b[1] && b[0] > 0) return [Math.trunc(a[0] / b[0]), Math.trunc(a[1] / b[0])];
      return undefined;
    default:
      return undefined;
  }
}

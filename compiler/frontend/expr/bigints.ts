/**
 * What operators, conversions and `BigInt.asIntN` mean on `i64` and `u64`, which are `bigint` in JavaScript and never
 * mix with the other kinds. Operators of those are in `arithmetic.ts`.
 */
import { ts } from "ts-morph";
import type { ArithOp, Expr } from "../../ir/nodes.js";
import {
  bigRange,
  I64,
  intRange,
  isBig,
  num,
  sameType,
  typeName,
  wrapBig,
  type BigKind,
  type NumKind,
  type Type,
} from "../../ir/types.js";
import { isUntyped, untypedBigOf, untypedExpr, untypedOf } from "../constants.js";
import type { Lowerer } from "../lowerer.js";

interface Places {
  readonly left: ts.Node;
  readonly right: ts.Node;
}

export const isBigExpr = (e: Expr): boolean => e.type.k === "num" && isBig(e.type.n);

/** As `isBigExpr`, before it is lowered: every value of a 64-bit kind is a `bigint` to TypeScript. */
export function isBigNode(lw: Lowerer, node: ts.Expression): boolean {
  const { checker } = lw.ctx;
  const own = checker.getTypeAtLocation(node);
  const isBigint = (t: ts.Type): boolean =>
    t.isUnionOrIntersection() ? t.types.some(isBigint) : (t.flags & ts.TypeFlags.BigIntLike) !== 0;
  return isBigint(checker.getBaseConstraintOfType(own) ?? own);
}

/** The 64-bit kind both sides compute in, when one side has such a kind; constants take the other's. */
export function commonBig(lw: Lowerer, l: Expr, r: Expr, node: ts.Node): BigKind {
  const kind = (e: Expr): NumKind | undefined => (e.type.k === "num" ? e.type.n : undefined);
  const ln = kind(l);
  const rn = kind(r);
  const cl = untypedBigOf(l);
  const cr = untypedBigOf(r);
  if (cl !== undefined && cr !== undefined)
    return cl > bigRange.i64[1] || cr > bigRange.i64[1] ? "u64" : "i64";
  if (cl !== undefined && rn !== undefined && isBig(rn)) return rn;
  if (cr !== undefined && ln !== undefined && isBig(ln)) return ln;
  if (ln !== undefined && isBig(ln) && ln === rn) return ln;
  const literal = [l, r].map((e) => untypedOf(e)?.value).find((v) => v !== undefined);
  if (literal !== undefined) {
    return lw.ctx.fail(
      "TMC1210",
      node,
      "a `number` and a `bigint` have no common type",
      Number.isInteger(literal) ? `write \`${literal}n\`` : "convert the bigint: `f64(…)`",
    );
  }
  const big = cl ?? cr;
  if (big !== undefined) {
    return lw.ctx.fail(
      "TMC1210",
      node,
      "a `number` and a `bigint` have no common type",
      `write \`${big}\` without the \`n\``,
    );
  }
  const both = ln !== undefined && rn !== undefined && isBig(ln) && isBig(rn);
  const to = ln !== undefined && isBig(ln) ? ln : rn;
  return lw.ctx.fail(
    "TMC1210",
    node,
    both
      ? `${ln} and ${rn} have no common type without loss`
      : `\`${typeName(l.type)}\` and \`${typeName(r.type)}\` have no common type: one is a \`bigint\``,
    `convert one side: \`${to ?? "i64"}(…)\``,
  );
}

/** `l op r` where one side is an i64, a u64 or an untyped bigint. */
export function bigArith(
  lw: Lowerer,
  op: ArithOp,
  l: Expr,
  r: Expr,
  node: ts.Node,
  places: Places,
  wrap: boolean,
): Expr {
  const loc = lw.loc(node);
  if (op === "ushr") {
    return lw.ctx.fail(
      "TMC1215",
      node,
      "`>>>` has no meaning on a `bigint` in JavaScript",
      "write `>>`: on a u64 it brings in zeros",
    );
  }
  const cl = untypedBigOf(l);
  const cr = untypedBigOf(r);
  if (cl !== undefined && cr !== undefined) return untypedExpr(fold(lw, op, cl, cr, node), loc);
  if (op === "shl" || op === "shr") return shift(lw, op, l, r, node, places);
  const n = commonBig(lw, l, r, node);
  const type = num(n);
  return {
    k: "arith",
    type,
    loc,
    op,
    n,
    wrap: wrap || (op !== "add" && op !== "sub" && op !== "mul"),
    l: lw.coerce(l, type, places.left),
    r: lw.coerce(r, type, places.right),
  };
}

function shift(lw: Lowerer, op: "shl" | "shr", l: Expr, r: Expr, node: ts.Node, places: Places): Expr {
  if (!isBigExpr(l) || !isBigExpr(r)) commonBig(lw, l, r, node);
  // A constant on the left takes the kind of the count, as every other constant does.
  const type = untypedBigOf(l) !== undefined ? r.type : l.type;
  return {
    k: "arith",
    type,
    loc: lw.loc(node),
    op,
    n: type.k === "num" ? type.n : "i64",
    wrap: true,
    l: lw.coerce(l, type, places.left),
    r: isUntyped(r) ? lw.coerce(r, I64, places.right) : r,
  };
}

/** Larger constants would only make the compiler slow: nothing that they lead to fits. */
const mostBits = 4096n;
const largest = 1n << mostBits;
const isLarge = (v: bigint, than: bigint): boolean => v > than || v < -than;

function fold(lw: Lowerer, op: ArithOp, a: bigint, b: bigint, node: ts.Node): bigint {
  const isShift = op === "shl" || op === "shr";
  if (isLarge(a, largest) || isLarge(b, isShift ? mostBits : largest))
    return lw.ctx.fail("TMC1203", node, "this constant is far too large", "use values of up to 64 bits");
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
    case "rem":
      if (b === 0n)
        return lw.ctx.fail("TMC1213", node, "division by zero in a constant", "correct the divisor");
      return op === "div" ? a / b : a % b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    default:
      return op === "shl" ? a << b : a >> b;
  }
}

/** The constant of a kind that a conversion call makes of a constant. */
export function convertBigConstant(value: bigint, to: NumKind): number | bigint {
  if (isBig(to)) return wrapBig(value, to);
  if (to === "f64") return Number(value);
  if (to === "f32") return nearestF32(value);
  const [lo, hi] = intRange[to];
  const span = BigInt(hi - lo + 1);
  const low = ((value % span) + span) % span;
  return Number(low > BigInt(hi) ? low - span : low);
}

/** Rounded once: through f64 alone a tie could appear that was none. */
function nearestF32(value: bigint): number {
  const abs = value < 0n ? -value : value;
  const extra = abs.toString(2).length - 50;
  if (extra <= 0) return Math.fround(Number(value));
  const by = BigInt(extra);
  const sticky = (abs & ((1n << by) - 1n)) === 0n ? 0n : 1n;
  const rounded = Math.fround(Number(((abs >> by) << 1n) | sticky) * 2 ** (extra - 1));
  return value < 0n ? -rounded : rounded;
}

/** `i64(5.5)` of a constant number: an integer keeps its low bits, a fraction truncates, both as at run time. */
export function bigOfNumber(value: number, to: BigKind): bigint {
  if (Number.isNaN(value)) return 0n;
  const [lo, hi] = bigRange[to];
  if (Number.isSafeInteger(value)) return wrapBig(BigInt(value), to);
  if (value === Infinity) return hi;
  if (value === -Infinity) return lo;
  const whole = BigInt(Math.trunc(value));
  return whole < lo ? lo : whole > hi ? hi : whole;
}

/** `BigInt.asIntN(bits, x)` and `BigInt.asUintN(bits, x)`: the tree of + - * under it may wrap. */
export function asBits(lw: Lowerer, node: ts.CallExpression, name: "asIntN" | "asUintN"): Expr {
  const [bitsNode, valueNode] = node.arguments;
  const loc = lw.loc(node);
  if (bitsNode === undefined || valueNode === undefined)
    return lw.ctx.fail(
      "TMC1120",
      node,
      `\`BigInt.${name}\` takes two arguments`,
      `write \`BigInt.${name}(64, x)\``,
    );
  const bits = untypedOf(lw.raw(bitsNode))?.value;
  if (bits === undefined || !Number.isInteger(bits) || bits < 1 || bits > 64) {
    return lw.ctx.fail(
      "TMC1120",
      bitsNode,
      `\`BigInt.${name}\` takes a constant from 1 to 64 here`,
      `write \`BigInt.${name}(64, x)\``,
    );
  }
  const to: BigKind = name === "asIntN" ? "i64" : "u64";
  const type = num(to);
  const e = lw.raw(valueNode, undefined, true);
  const constant = untypedBigOf(e);
  if (constant !== undefined) return { k: "big", type, loc, value: BigInt[name](bits, constant) };
  if (!isBigExpr(e)) {
    return lw.ctx.fail(
      "TMC1212",
      valueNode,
      `\`BigInt.${name}\` works on i64 and u64, this is \`${typeName(e.type)}\``,
      `convert it: \`${to}(…)\``,
    );
  }
  const whole = sameType(e.type, type) ? e : lw.convert("num", e, type);
  if (bits === 64) return whole;
  const constantOf = (value: bigint, t: Type = type): Expr => ({ k: "big", type: t, loc, value });
  const op = (o: ArithOp, l: Expr, r: Expr): Expr => ({
    k: "arith",
    type,
    loc,
    op: o,
    n: to,
    wrap: true,
    l,
    r,
  });
  if (to === "u64") return op("and", whole, constantOf((1n << BigInt(bits)) - 1n));
  const by = constantOf(BigInt(64 - bits), I64);
  return op("shr", op("shl", whole, by), by);
}

const insteadOfMath: Readonly<Record<string, string>> = {
  abs: "write `x < 0n ? -x : x`",
  min: "write `a < b ? a : b`",
  max: "write `a > b ? a : b`",
  sign: "write `x < 0n ? -1 : x > 0n ? 1 : 0`",
  trunc: "leave it out: `/` of two bigints is the integer division",
  floor: "leave it out: `/` of two bigints is the integer division",
  ceil: "leave it out: `/` of two bigints is the integer division",
  round: "leave it out: a bigint has no fraction",
  imul: "write `BigInt.asIntN(64, a * b)`",
  clz32: "convert first: `Math.clz32(u32(x >> 32n))`",
  fround: "write `f32(x)`",
};

/** `Math` is defined on numbers only. */
export function refuseMath(lw: Lowerer, node: ts.Node, name: string): never {
  return lw.ctx.fail(
    "TMC1223",
    node,
    `\`Math.${name}\` takes a \`number\`, this is a \`bigint\``,
    insteadOfMath[name] ?? `convert first: \`Math.${name}(f64(x))\``,
  );
}

/** Refuses what has no meaning on a bigint, where an operand of another kind is needed. */
export function notBig(lw: Lowerer, e: Expr, node: ts.Node, what: string, fix: string): void {
  if (e.type.k === "num" && isBig(e.type.n))
    lw.ctx.fail("TMC1212", node, `${what} takes a \`number\`, this is ${e.type.n}`, fix);
}

/** What `sat.i8(x)` computes of a constant. */
export const clampBig = (value: bigint, lo: number, hi: number): number =>
  value < BigInt(lo) ? lo : value > BigInt(hi) ? hi : Number(value);

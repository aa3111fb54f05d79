/** What `+ - * / % & | ^ << >> >>>` mean: operand kinds, the errors with their fixes. Shared with `+=` and friends. */
import { ts } from "ts-morph";
import type { ArithOp, Expr } from "../../ir/nodes.js";
import { I32, isBig, isFloat, num, STRING, typeName, type NumKind, type Type } from "../../ir/types.js";
import { constantIn, untypedExpr, untypedOf } from "../constants.js";
import { commonKind, type Lowerer } from "../lowerer.js";
import { shiftInU32 } from "../untyped-shift.js";
import { bigArith, commonBig } from "./bigints.js";
import { printable } from "./templates.js";

const K = ts.SyntaxKind;

const arithOps = new Map<ts.SyntaxKind, ArithOp>([
  [K.PlusToken, "add"],
  [K.MinusToken, "sub"],
  [K.AsteriskToken, "mul"],
  [K.SlashToken, "div"],
  [K.PercentToken, "rem"],
  [K.AmpersandToken, "and"],
  [K.BarToken, "or"],
  [K.CaretToken, "xor"],
  [K.LessThanLessThanToken, "shl"],
  [K.GreaterThanGreaterThanToken, "shr"],
  [K.GreaterThanGreaterThanGreaterThanToken, "ushr"],
]);
export const arithOp = (token: ts.SyntaxKind): ArithOp | undefined => arithOps.get(token);

const bitwise = new Set<ArithOp>(["and", "or", "xor"]);
const shifts = new Set<ArithOp>(["shl", "shr", "ushr"]);

/** The value of two constants as ECMAScript computes it. */
function foldConstants(op: ArithOp, a: number, b: number): number | undefined {
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return a / b;
    case "rem":
      return b === 0 ? undefined : a % b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return a << b;
    case "shr":
      return a >> b;
    case "ushr":
      return a >>> b;
  }
}

/** `l op r`; `isDivisionToInteger`: inside `Math.trunc(…)` or `(…) | 0`. */
export function arith(
  lw: Lowerer,
  op: ArithOp,
  l: Expr,
  r: Expr,
  node: ts.Node,
  places: { readonly left: ts.Node; readonly right: ts.Node },
  options: { readonly wrap: boolean; readonly integerDivision?: boolean },
): Expr {
  const loc = lw.loc(node);
  const cl = untypedOf(l);
  const cr = untypedOf(r);
  if (cl !== undefined && cr !== undefined)
    return foldUntyped(lw, op, cl, cr, node, options.integerDivision === true);
  const isText = (t: Type): boolean => t.k === "string" || t.k === "literals";
  if (op === "add" && (isText(l.type) || isText(r.type))) {
    // `a + b + c` is one text: its parts in order.
    const parts = (e: Expr, at: ts.Node): readonly Expr[] =>
      e.k === "concat" ? e.parts : [printable(lw, e, at)];
    return { k: "concat", type: STRING, loc, parts: [...parts(l, places.left), ...parts(r, places.right)] };
  }
  if (l.type.k === "host" || r.type.k === "host") {
    return {
      k: "host",
      type: { k: "host", text: "number" },
      loc,
      recv: undefined,
      name: `op:${op}`,
      how: "call",
      args: [l, r],
    };
  }
  const ln = operand(lw, l, places.left);
  const rn = operand(lw, r, places.right);
  if (isBig(ln) || isBig(rn)) return bigArith(lw, op, l, r, node, places, options.wrap);
  if (shifts.has(op)) return shift(lw, op, l, r, ln, rn, node, places);
  if (bitwise.has(op)) return bits(lw, op, l, r, ln, rn, node, places);
  const n = commonOf(lw, l, r, ln, rn, node);
  if (op === "div" && !isFloat(n) && options.integerDivision !== true) {
    return lw.ctx.fail(
      "TMC1211",
      node,
      "`/` on integers would give a fraction in JavaScript and an integer in C",
      "write `Math.trunc(a / b)` or `(a / b) | 0` for the integer division, `f32(a) / f32(b)` for the fraction",
    );
  }
  const type = num(n);
  return {
    k: "arith",
    type,
    loc,
    op,
    n,
    wrap: options.wrap,
    l: lw.coerce(l, type, places.left),
    r: lw.coerce(r, type, places.right),
  };
}

function foldUntyped(
  lw: Lowerer,
  op: ArithOp,
  a: { value: number; float: boolean },
  b: { value: number; float: boolean },
  node: ts.Node,
  integerDivision: boolean,
): Expr {
  const folded = foldConstants(op, a.value, b.value);
  const whole = Number.isInteger(a.value) && Number.isInteger(b.value) && !a.float && !b.float;
  if (folded === undefined || (op === "div" && whole && b.value === 0)) {
    return lw.ctx.fail("TMC1213", node, "division by zero in a constant", "correct the divisor");
  }
  if (op === "div" && whole && integerDivision)
    return untypedExpr({ value: Math.trunc(folded), float: false }, lw.loc(node));
  return untypedExpr({ value: folded, float: a.float || b.float }, lw.loc(node));
}

function operand(lw: Lowerer, e: Expr, node: ts.Node): NumKind {
  if (e.type.k === "num") return e.type.n;
  if (e.type.k === "nullable") {
    return lw.ctx.fail("TMC1204", node, "this may be null", "test it first: `if (x !== null)`");
  }
  if (e.type.k === "param") {
    return lw.ctx.fail(
      "TMC1212",
      node,
      `\`${e.type.name}\` may be of any type: arithmetic needs a number`,
      `name the kinds, in a function: \`function f<${e.type.name} extends i32 | f32>(…)\``,
    );
  }
  const fix = e.type.k === "bool" ? "`i32(x)` gives 0 or 1" : "";
  return lw.ctx.fail("TMC1212", node, `arithmetic needs numbers, this is \`${typeName(e.type)}\``, fix);
}

/** The kind both sides compute in; constants take the other's. */
export function commonOf(lw: Lowerer, l: Expr, r: Expr, ln: NumKind, rn: NumKind, node: ts.Node): NumKind {
  if (isBig(ln) || isBig(rn)) return commonBig(lw, l, r, node);
  const cl = untypedOf(l);
  const cr = untypedOf(r);
  if (cl !== undefined) return constantMeets(rn, cl.value);
  if (cr !== undefined) return constantMeets(ln, cr.value);
  const n = commonKind(ln, rn);
  if (n !== undefined) return n;
  return lw.ctx.fail(
    "TMC1210",
    node,
    `${ln} and ${rn} have no common type without loss`,
    `convert one side: \`${suggestion(ln, rn)}(…)\``,
  );
}

function suggestion(a: NumKind, b: NumKind): NumKind {
  if (isFloat(a)) return a;
  if (isFloat(b)) return b;
  return "i32";
}

/** A narrow integer meets a constant in i32; a fraction keeps the integer's error for `coerce` to report. */
function constantMeets(n: NumKind, value: number): NumKind {
  const narrow = n === "i8" || n === "u8" || n === "i16" || n === "u16";
  if (!narrow) return n;
  return constantIn(value, "i32") !== undefined ? "i32" : "u32";
}

function shift(
  lw: Lowerer,
  op: ArithOp,
  l: Expr,
  r: Expr,
  ln: NumKind,
  rn: NumKind,
  node: ts.Node,
  places: { readonly left: ts.Node; readonly right: ts.Node },
): Expr {
  const left =
    untypedOf(l) === undefined
      ? ln
      : constantIn(untypedOf(l)?.value ?? 0, "i32") !== undefined
        ? "i32"
        : "u32";
  if (isFloat(left) || (isFloat(rn) && untypedOf(r) === undefined)) {
    return lw.ctx.fail("TMC1214", node, "shifts work on integers", "convert first: `i32(x)`");
  }
  const n: NumKind = left === "u32" ? "u32" : "i32";
  if (op === "shr" && n === "u32") {
    return lw.ctx.fail(
      "TMC1215",
      node,
      "`>>` on u32 would turn large values negative in JavaScript",
      "write `>>>`",
    );
  }
  const by: Type = rn === "u32" && untypedOf(r) === undefined ? num("u32") : I32;
  const type = op === "ushr" ? num("u32") : num(n);
  return {
    k: "arith",
    type,
    loc: lw.loc(node),
    op,
    n,
    wrap: true,
    l: lw.coerce(l, num(n), places.left),
    r: lw.coerce(r, by, places.right),
  };
}

function bits(
  lw: Lowerer,
  op: ArithOp,
  l: Expr,
  r: Expr,
  ln: NumKind,
  rn: NumKind,
  node: ts.Node,
  places: { readonly left: ts.Node; readonly right: ts.Node },
): Expr {
  for (const [e, n, at] of [
    [l, ln, places.left],
    [r, rn, places.right],
  ] as const) {
    const c = untypedOf(e);
    if (c === undefined ? isFloat(n) : !Number.isInteger(c.value)) {
      return lw.ctx.fail("TMC1214", at, "bitwise operators work on integers", "convert first: `i32(x)`");
    }
  }
  const wide = ln === "u32" && rn === "i32" ? shiftInU32(r, places.right) : undefined;
  if (wide !== undefined) return bits(lw, op, l, wide, ln, "u32", node, places);
  const wideLeft = rn === "u32" && ln === "i32" ? shiftInU32(l, places.left) : undefined;
  if (wideLeft !== undefined) return bits(lw, op, wideLeft, r, "u32", rn, node, places);
  const n = commonOf(lw, l, r, ln, rn, node);
  const type = num(n === "u32" ? "u32" : "i32");
  const side = (e: Expr, at: ts.Node): Expr => {
    // A mask written as 0x80000000 … 0xffffffff (or as a negative number) means its 32 bits.
    const c = untypedOf(e);
    if (c !== undefined && c.value >= -2147483648 && c.value <= 4294967295) {
      const value = n === "u32" ? c.value >>> 0 : c.value | 0;
      return { k: "num", type, loc: e.loc, value };
    }
    return lw.coerce(e, type, at);
  };
  return {
    k: "arith",
    type,
    loc: lw.loc(node),
    op,
    n: n === "u32" ? "u32" : "i32",
    wrap: true,
    l: side(l, places.left),
    r: side(r, places.right),
  };
}

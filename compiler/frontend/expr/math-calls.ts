/** Calls of `Math`: of constants, of numbers, and those that only setup may make. */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import type { BuiltinName, Expr } from "../../ir/nodes.js";
import { BOOL, F64, I32, isBig, isFloat, num, sameType, typeName, U32 } from "../../ir/types.js";
import { untypedExpr, untypedOf } from "../constants.js";
import { jsDocTag } from "../context.js";
import type { Lowerer } from "../lowerer.js";
import { refusedMember } from "../refusals.js";
import { arith, commonOf } from "./arithmetic.js";
import { isBigNode, refuseMath } from "./bigints.js";
import { conversion } from "./conversions.js";

const K = ts.SyntaxKind;
const roundings = new Set(["floor", "ceil", "trunc", "round"]);

export function mathCall(
  lw: Lowerer,
  node: ts.CallExpression,
  name: string,
  symbol: ts.Symbol | undefined,
): Expr {
  const loc = lw.loc(node);
  const [a, b] = node.arguments;
  const refusal = symbol === undefined ? refusedMember(name) : undefined;
  if (refusal !== undefined) return lw.refuse({ ...refusal, what: `\`Math.${name}\`` }, node.expression);
  if (a === undefined)
    return lw.ctx.fail("TMC1120", node, `\`Math.${name}\` needs an argument`, `write \`Math.${name}(x)\``);
  const declaration = symbol?.declarations?.[0];
  if (declaration !== undefined && jsDocTag(declaration, "setup") !== undefined) {
    const args = node.arguments.map((x) => {
      const e = lw.raw(x);
      return untypedOf(e) !== undefined || e.type.k !== "num"
        ? lw.coerce(e, F64, x)
        : sameType(e.type, F64)
          ? e
          : lw.convert("num", e, F64);
    });
    return { k: "host", type: F64, loc, recv: undefined, name: `Math.${name}`, how: "call", args };
  }
  for (const x of node.arguments) if (isBigNode(lw, x)) return refuseMath(lw, x, name);
  if (name === "fround") return conversion(lw, node, "f32", a);
  if (name === "imul" && b !== undefined) {
    const int = (x: ts.Expression): Expr => {
      const e = lw.raw(x);
      return e.type.k === "num" && e.type.n === "u32" && untypedOf(e) === undefined
        ? lw.convert("num", e, I32)
        : lw.coerce(e, I32, x);
    };
    return { k: "builtin", type: I32, loc, name: "imul", n: "i32", args: [int(a), int(b)] };
  }
  if (name === "clz32") {
    const e = lw.raw(a);
    const arg =
      e.type.k === "num" && !isFloat(e.type.n) && untypedOf(e) === undefined
        ? e.type.n === "u32"
          ? e
          : lw.convert("num", e, U32)
        : lw.coerce(e, U32, a);
    return { k: "builtin", type: I32, loc, name: "clz32", n: "u32", args: [arg] };
  }
  const inner = skipParentheses(a);
  if (name === "trunc" && ts.isBinaryExpression(inner) && inner.operatorToken.kind === K.SlashToken) {
    const quotient = arith(lw, "div", lw.raw(inner.left), lw.raw(inner.right), inner, inner, {
      wrap: true,
      integerDivision: true,
    });
    if (quotient.type.k === "num" && isBig(quotient.type.n)) return refuseMath(lw, a, name);
    if (quotient.type.k === "num" && !isFloat(quotient.type.n)) return quotient;
    return unary(lw, node, "trunc", quotient, a);
  }
  if (name === "min" || name === "max") return minMax(lw, node, name);
  return unary(lw, node, name, lw.raw(a), a);
}

function unary(lw: Lowerer, node: ts.CallExpression, name: string, e: Expr, at: ts.Expression): Expr {
  const loc = lw.loc(node);
  const c = untypedOf(e);
  if (c !== undefined) {
    const value = Math[name as "floor"](c.value);
    return untypedExpr({ value, float: name === "sqrt" || (c.float && !roundings.has(name)) }, loc);
  }
  if (e.type.k !== "num")
    return lw.ctx.fail(
      "TMC1212",
      at,
      `\`Math.${name}\` needs a number, this is \`${typeName(e.type)}\``,
      "give a number",
    );
  if (!isFloat(e.type.n)) {
    if (roundings.has(name)) return e;
    if (name === "sqrt") {
      return lw.ctx.fail(
        "TMC1222",
        at,
        "the square root of an integer is not an integer",
        "convert first: `Math.sqrt(f32(x))`",
      );
    }
    if (e.type.n === "u32")
      return name === "abs"
        ? e
        : {
            k: "builtin",
            type: I32,
            loc,
            name: "sign",
            n: "i32",
            args: [
              lw.convert(
                "num",
                { k: "compare", type: BOOL, loc, op: "ne", l: e, r: { k: "num", type: U32, loc, value: 0 } },
                I32,
              ),
            ],
          };
    return {
      k: "builtin",
      type: I32,
      loc,
      name: name as BuiltinName,
      n: "i32",
      args: [lw.coerce(e, I32, at)],
    };
  }
  return { k: "builtin", type: e.type, loc, name: name as BuiltinName, n: e.type.n, args: [e] };
}

function minMax(lw: Lowerer, node: ts.CallExpression, name: "min" | "max"): Expr {
  const loc = lw.loc(node);
  const nodes = node.arguments;
  if (nodes.length < 2 || nodes.some((a) => ts.isSpreadElement(a))) {
    return lw.ctx.fail(
      "TMC1120",
      node,
      `\`Math.${name}\` takes two or more numbers here`,
      `write them: \`Math.${name}(a, b)\`; of an array, loop over it`,
    );
  }
  const parts = nodes.map((at) => ({ at, e: lw.raw(at) }));
  // From the left, two at a time: the same result in any order, and every argument is evaluated in its place.
  const all = parts.reduce((l, r) => ({ at: node, e: larger(lw, node, name, l, r) }));
  return { ...all.e, loc };
}

interface Operand {
  readonly at: ts.Node;
  readonly e: Expr;
}

function larger(lw: Lowerer, node: ts.CallExpression, name: "min" | "max", a: Operand, b: Operand): Expr {
  const loc = lw.loc(node);
  const { e: l } = a;
  const { e: r } = b;
  const cl = untypedOf(l);
  const cr = untypedOf(r);
  if (cl !== undefined && cr !== undefined)
    return untypedExpr({ value: Math[name](cl.value, cr.value), float: cl.float || cr.float }, loc);
  if (l.type.k !== "num" || r.type.k !== "num") {
    const bad = l.type.k !== "num" ? l : r;
    return lw.ctx.fail(
      "TMC1212",
      node,
      `\`Math.${name}\` needs numbers, this is \`${typeName(bad.type)}\``,
      bad.type.k === "bool" ? "convert it: `i32(x)`" : "give it a number",
    );
  }
  const type = num(commonOf(lw, l, r, l.type.n, r.type.n, node));
  return {
    k: "builtin",
    type,
    loc,
    name,
    n: type.k === "num" ? type.n : "i32",
    args: [lw.coerce(l, type, a.at), lw.coerce(r, type, b.at)],
  };
}

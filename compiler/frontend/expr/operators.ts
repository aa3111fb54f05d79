/** Binary, unary, logical, comparing and conditional expressions (assignments are in `assign.ts`). */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import { isSubtype } from "../../ir/hierarchy.js";
import type { CompareOp, Expr } from "../../ir/nodes.js";
import {
  BOOL,
  I32,
  isBig,
  isFloat,
  num,
  isReference,
  sameType,
  typeName,
  U32,
  VOID,
  type Type,
} from "../../ir/types.js";
import { isUntyped, rangeOf, untypedBigOf, untypedExpr, untypedOf } from "../constants.js";
import { onExpr, type Hint, type Lowerer } from "../lowerer.js";
import { refusedOperator } from "../refusals.js";
import { arith, arithOp, commonOf } from "./arithmetic.js";
import { commonBig, notBig } from "./bigints.js";
import { coalesce } from "./optional.js";
import { assignment, isAssignmentToken } from "./assign.js";
import { tryConvert } from "../type-convert.js";

const K = ts.SyntaxKind;

const compareOps = new Map<ts.SyntaxKind, CompareOp>([
  [K.EqualsEqualsEqualsToken, "eq"],
  [K.ExclamationEqualsEqualsToken, "ne"],
  [K.LessThanToken, "lt"],
  [K.LessThanEqualsToken, "le"],
  [K.GreaterThanToken, "gt"],
  [K.GreaterThanEqualsToken, "ge"],
]);

export function registerOperators(): void {
  onExpr(K.BinaryExpression, ts.isBinaryExpression, binary);
  onExpr(K.PrefixUnaryExpression, ts.isPrefixUnaryExpression, prefix);
  onExpr(K.ConditionalExpression, ts.isConditionalExpression, conditional);
}

function binary(lw: Lowerer, node: ts.BinaryExpression, hint: Hint): Expr {
  const token = node.operatorToken.kind;
  if (isAssignmentToken(token)) return assignment(lw, node);
  if (token === K.AmpersandAmpersandToken || token === K.BarBarToken) {
    const l = lw.condition(node.left);
    const r = lw.condition(node.right);
    return { k: "logical", type: BOOL, loc: lw.loc(node), op: token === K.BarBarToken ? "or" : "and", l, r };
  }
  if (token === K.EqualsEqualsToken || token === K.ExclamationEqualsToken) {
    const strict = token === K.EqualsEqualsToken ? "===" : "!==";
    return lw.ctx.fail(
      "TMC1216",
      node.operatorToken,
      `\`${node.operatorToken.getText()}\` converts its operands`,
      `write \`${strict}\``,
    );
  }
  const compare = compareOps.get(token);
  if (compare !== undefined) return comparison(lw, compare, node);
  if (token === K.CommaToken) return sequence(lw, node, hint);
  if (token === K.AsteriskAsteriskToken) return power(lw, node);
  if (token === K.InstanceOfKeyword) return instanceOf(lw, node);
  if (token === K.BarToken || token === K.GreaterThanGreaterThanGreaterThanToken) {
    const forced = forceInteger(lw, node, token === K.BarToken);
    if (forced !== undefined) return forced;
  }
  if (token === K.QuestionQuestionToken) return coalesce(lw, node, hint.want);
  const op = arithOp(token);
  if (op === undefined) {
    const refusal = refusedOperator(token);
    if (refusal !== undefined) return lw.refuse(refusal, node);
    return lw.ctx.fail(
      "TMC1001",
      node,
      `\`${node.operatorToken.getText()}\` is not part of the subset`,
      "see docs/language.md",
    );
  }
  // Only + - * pass the permission to wrap on to their operands.
  const wrap = hint.wrap && (op === "add" || op === "sub" || op === "mul");
  const want = hint.want?.k === "num" && isFloat(hint.want.n) ? hint.want : undefined;
  const l = lw.raw(node.left, want, wrap);
  const r = lw.raw(node.right, want, wrap);
  return arith(lw, op, l, r, node, node, { wrap });
}

/** `a, b`: mostly the steps of a `for`. */
function sequence(lw: Lowerer, node: ts.BinaryExpression, hint: Hint): Expr {
  const l = lw.raw(node.left, VOID);
  const r = lw.raw(node.right, hint.want);
  if (r.type.k !== "void" && isReference(r.type)) {
    return lw.ctx.fail(
      "TMC1001",
      node,
      "the comma operator with an object, an array or a text as its value is not part of the subset",
      "write two statements",
    );
  }
  const before = l.k === "builtin" && l.name === "sequence" ? l.args : [l];
  return {
    k: "builtin",
    type: r.type,
    loc: lw.loc(node),
    name: "sequence",
    n: undefined,
    args: [...before, lw.coerce(r, r.type, node.right)],
  };
}

/** `2 ** 10`: of whole constants, where every bit of the result is known. */
function power(lw: Lowerer, node: ts.BinaryExpression): Expr {
  const l = lw.raw(node.left);
  const r = lw.raw(node.right);
  const a = untypedOf(l)?.value;
  const b = untypedOf(r)?.value;
  const loc = lw.loc(node);
  if (a !== undefined && b !== undefined && Number.isInteger(a) && Number.isInteger(b) && b >= 0) {
    const value = a ** b;
    if (Number.isSafeInteger(value)) return untypedExpr({ value, float: false }, loc);
  }
  const bigA = untypedBigOf(l);
  const bigB = untypedBigOf(r);
  if (
    bigA !== undefined &&
    bigB !== undefined &&
    bigB >= 0n &&
    bigB <= 64n &&
    bigA <= 1n << 64n &&
    bigA >= -(1n << 64n)
  )
    return untypedExpr(bigA ** bigB, loc);
  return lw.refuse(
    refusedOperator(K.AsteriskAsteriskToken) ?? { code: "TMC1001", what: "`**`", fix: "multiply" },
    node,
  );
}

/** `x | 0` and `x >>> 0`: an i32 / u32 of x; the tree of + - * under it may wrap; an integer `/` under it truncates. */
function forceInteger(lw: Lowerer, node: ts.BinaryExpression, toI32: boolean): Expr | undefined {
  if (!ts.isNumericLiteral(node.right) || Number(node.right.text) !== 0) return undefined;
  const inner = skipParentheses(node.left);
  let e: Expr;
  if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === K.SlashToken) {
    const l = lw.raw(inner.left);
    const r = lw.raw(inner.right);
    e = arith(lw, "div", l, r, inner, inner, { wrap: true, integerDivision: true });
    refuseBig(lw, e, node, toI32);
    if (e.type.k === "num" && !isFloat(e.type.n) && untypedOf(e) === undefined) return e;
  } else {
    e = lw.raw(node.left, undefined, true);
    refuseBig(lw, e, node, toI32);
  }
  const to: Type = toI32 ? I32 : U32;
  const c = untypedOf(e);
  if (c !== undefined) {
    return { k: "num", type: to, loc: lw.loc(node), value: toI32 ? c.value | 0 : c.value >>> 0 };
  }
  if (e.type.k === "host") return undefined;
  if (e.type.k !== "num") {
    return lw.ctx.fail(
      "TMC1212",
      node.left,
      `arithmetic needs numbers, this is \`${typeName(e.type)}\``,
      e.type.k === "bool" ? "`i32(x)` gives 0 or 1" : "",
    );
  }
  if (isFloat(e.type.n)) {
    const name = toI32 ? "toInt32" : "toUint32";
    return { k: "builtin", type: to, loc: lw.loc(node), name, n: e.type.n, args: [e] };
  }
  return sameType(e.type, to) ? e : lw.convert("num", e, to);
}

function refuseBig(lw: Lowerer, e: Expr, node: ts.BinaryExpression, toI32: boolean): void {
  const text = toI32 ? "| 0" : ">>> 0";
  const fix = `\`${toI32 ? "i32" : "u32"}(x)\` keeps the low 32 bits, \`BigInt.asIntN(64, x)\` wraps on purpose`;
  notBig(lw, e, node, `\`${text}\``, fix);
}

function comparison(lw: Lowerer, op: CompareOp, node: ts.BinaryExpression): Expr {
  const loc = lw.loc(node);
  const equality = op === "eq" || op === "ne";
  let l = lw.raw(node.left);
  // The other side's type helps literals ("a" of a union).
  const r = lw.raw(node.right, l.type.k === "literals" || l.type.k === "nullable" ? l.type : undefined);
  if (l.k === "str" && (r.type.k === "literals" || r.type.k === "nullable")) l = lw.raw(node.left, r.type);
  if (equality && (l.type.k === "null" || r.type.k === "null")) {
    // What narrowing proved is asked again: null is possible in the declared type.
    const arg = undoNarrow(l.type.k === "null" ? r : l);
    const test: Expr =
      arg.type.k === "nullable" || arg.type.k === "host"
        ? { k: "isNull", type: BOOL, loc, arg }
        : lw.ctx.fail(
            "TMC1217",
            node,
            `this is never null: its type is \`${typeName(arg.type)}\``,
            "remove the test, or declare it `| null`",
          );
    return op === "eq" ? test : { k: "unary", type: BOOL, loc, op: "not", arg: test, wrap: false };
  }
  if (l.type.k === "host" || r.type.k === "host") {
    return { k: "host", type: BOOL, loc, recv: undefined, name: `op:${op}`, how: "call", args: [l, r] };
  }
  const type = comparedType(lw, op, l, r, node, equality);
  return {
    k: "compare",
    type: BOOL,
    loc,
    op,
    l: lw.coerce(l, type, node.left),
    r: lw.coerce(r, type, node.right),
  };
}

const undoNarrow = (e: Expr): Expr =>
  e.k === "convert" &&
  (e.mode === "unwrap" || e.mode === "assertNull" || e.mode === "downcast" || e.mode === "literals")
    ? undoNarrow(e.arg)
    : e;

function comparedType(
  lw: Lowerer,
  op: CompareOp,
  l: Expr,
  r: Expr,
  node: ts.BinaryExpression,
  equality: boolean,
): Type {
  const a = l.type;
  const b = r.type;
  if (a.k === "num" && b.k === "num") {
    if (isBig(a.n) || isBig(b.n)) return num(commonBig(lw, l, r, node));
    const cl = untypedOf(l);
    const cr = untypedOf(r);
    if (cl !== undefined && cr !== undefined) return num("f64");
    // A fraction against an integer compares in f64.
    if (cl !== undefined && !Number.isInteger(cl.value) && !isFloat(b.n)) return num("f64");
    if (cr !== undefined && !Number.isInteger(cr.value) && !isFloat(a.n)) return num("f64");
    return num(commonOf(lw, l, r, a.n, b.n, node));
  }
  if (a.k === "nullable" || b.k === "nullable") {
    if (!equality)
      return lw.ctx.fail("TMC1204", node, "this may be null", "test it first: `if (x !== null)`");
    const joined = lw.join(l, r);
    if (joined !== undefined) return joined;
  }
  if (equality) {
    if (a.k === "bool" && b.k === "bool") return a;
    const text = (t: Type): boolean => t.k === "string" || t.k === "literals";
    if (text(a) && text(b)) {
      const joined = lw.joinTypes(a, b);
      if (joined !== undefined) return joined;
    }
    if (a.k === "object" && b.k === "object") {
      if (isSubtype(lw.ctx.classes, a, b)) return b;
      if (isSubtype(lw.ctx.classes, b, a)) return a;
    }
    if (a.k === "param" && sameType(a, b)) return a;
  } else if (a.k === "string" && b.k === "string") {
    return a;
  }
  const text = (t: Type): string => `\`${typeName(t)}\``;
  return lw.ctx.fail(
    "TMC1218",
    node,
    `${text(a)} and ${text(b)} cannot be compared with \`${node.operatorToken.getText()}\``,
    "compare numbers or texts of them: fields, elements, lengths",
  );
}

function instanceOf(lw: Lowerer, node: ts.BinaryExpression): Expr {
  const arg = lw.raw(node.left);
  const symbol = lw.ctx.symbolOf(node.right);
  const meaning = symbol === undefined ? undefined : lw.ctx.meaning(symbol);
  if (meaning?.k !== "class" || meaning.c.isInterface || meaning.c.typeParams.length > 0) {
    return lw.ctx.fail(
      "TMC1219",
      node.right,
      "`instanceof` needs a class without type parameters on the right",
      "test a class that is not generic, or keep the kind in a field",
    );
  }
  const type = arg.type.k === "nullable" ? arg.type.of : arg.type;
  if (type.k !== "object")
    return lw.ctx.fail(
      "TMC1219",
      node.left,
      "`instanceof` needs an object on the left",
      "test an object of a class",
    );
  return {
    k: "instanceof",
    type: BOOL,
    loc: lw.loc(node),
    arg,
    of: { k: "object", decl: meaning.c.id, args: [] },
  };
}

function prefix(lw: Lowerer, node: ts.PrefixUnaryExpression, hint: Hint): Expr {
  const loc = lw.loc(node);
  switch (node.operator) {
    case K.ExclamationToken:
      return { k: "unary", type: BOOL, loc, op: "not", arg: lw.condition(node.operand), wrap: false };
    case K.PlusToken: {
      const e = lw.raw(node.operand, hint.want);
      notBig(lw, e, node, "`+`", "leave it out");
      if (e.type.k === "num") return e;
      return lw.ctx.fail(
        "TMC1212",
        node,
        `\`+\` converts in JavaScript; this is \`${typeName(e.type)}\``,
        "use a conversion call",
      );
    }
    case K.MinusToken: {
      const e = lw.raw(node.operand, hint.want, hint.wrap);
      const big = untypedBigOf(e);
      if (big !== undefined) return untypedExpr(-big, loc);
      const c = untypedOf(e);
      if (c !== undefined) {
        // Minus zero stays until the constant meets an integer type.
        return untypedExpr({ value: -c.value, float: c.float }, loc);
      }
      return negate(lw, e, node, hint.wrap);
    }
    case K.TildeToken: {
      const e = lw.raw(node.operand);
      const big = untypedBigOf(e);
      if (big !== undefined) return untypedExpr(~big, loc);
      const c = untypedOf(e);
      if (c !== undefined && Number.isInteger(c.value))
        return untypedExpr({ value: ~c.value, float: false }, loc);
      if (e.type.k !== "num" || isFloat(e.type.n)) {
        return lw.ctx.fail("TMC1214", node, "`~` works on integers", "convert first: `i32(x)`");
      }
      const type = e.type.n === "u32" ? U32 : isBig(e.type.n) ? e.type : I32;
      return { k: "unary", type, loc, op: "bitnot", arg: lw.coerce(e, type, node.operand), wrap: true };
    }
    default:
      return assignment(lw, node);
  }
}

function negate(lw: Lowerer, e: Expr, node: ts.PrefixUnaryExpression, wrap: boolean): Expr {
  if (e.type.k !== "num")
    return lw.ctx.fail(
      "TMC1212",
      node,
      `arithmetic needs numbers, this is \`${typeName(e.type)}\``,
      "give a number",
    );
  if ((e.type.n === "u32" || e.type.n === "u64") && !wrap) {
    return lw.ctx.fail(
      "TMC1220",
      node,
      `a ${e.type.n} has no negative`,
      e.type.n === "u32"
        ? "write `i32(x)` first, or `(-x) >>> 0` to wrap on purpose"
        : "write `i64(x)` first, or `BigInt.asUintN(64, -x)` to wrap on purpose",
    );
  }
  const type: Type = isFloat(e.type.n) || isBig(e.type.n) || e.type.n === "u32" ? e.type : I32;
  const range = rangeOf(e);
  const safe = range !== undefined && range[0] > -2147483648;
  return {
    k: "unary",
    type,
    loc: lw.loc(node),
    op: "neg",
    arg: lw.coerce(e, type, node),
    wrap: wrap || safe,
  };
}

/** What the first side of a conditional asks of the second: nothing where that has other texts. */
function wantedAfter(lw: Lowerer, then: Type, whenFalse: ts.Expression): Type | undefined {
  if (then.k === "null") return undefined;
  if (then.k !== "literals") return then;
  const own = tryConvert(lw.ctx, lw.ctx.checker.getTypeAtLocation(whenFalse), whenFalse);
  const fits = own?.k === "literals" && own.values.every((v) => then.values.includes(v));
  return fits ? then : undefined;
}

function conditional(lw: Lowerer, node: ts.ConditionalExpression, hint: Hint): Expr {
  const test = lw.condition(node.condition);
  const loc = lw.loc(node);
  let then = lw.raw(node.whenTrue, hint.want);
  let other = lw.raw(node.whenFalse, hint.want ?? wantedAfter(lw, then.type, node.whenFalse));
  const want = hint.want;
  let type: Type | undefined;
  if (want !== undefined && want.k !== "void" && want.k !== "bool") {
    // The surroundings decide, where both sides can follow.
    type = want;
  } else {
    type = lw.join(then, other);
  }
  if (type === undefined) {
    return lw.ctx.fail(
      "TMC1221",
      node,
      `the two sides have no common type: \`${typeName(then.type)}\` and \`${typeName(other.type)}\``,
      "convert one of them",
    );
  }
  if (want !== undefined && type === want) {
    const joined = lw.join(then, other);
    // A number that the surroundings would narrow keeps its own type; the caller reports with the whole in view.
    if (
      joined !== undefined &&
      want.k === "num" &&
      joined.k === "num" &&
      !isUntyped(then) &&
      !isUntyped(other)
    ) {
      type = joined;
    }
  }
  then = lw.coerce(then, type, node.whenTrue);
  other = lw.coerce(other, type, node.whenFalse);
  return { k: "cond", type, loc, test, then, else: other };
}

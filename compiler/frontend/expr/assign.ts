/** `=`, `+=` and friends, `++`, `--`. */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import type { ArithOp, Expr, LValue } from "../../ir/nodes.js";
import { isBig, isFloat, sameType, typeName, type Type } from "../../ir/types.js";
import { constantIn, rangeOf, untypedExpr } from "../constants.js";
import { onExpr, type Lowerer } from "../lowerer.js";
import { refusedOperator } from "../refusals.js";
import { arith, arithOp } from "./arithmetic.js";

const K = ts.SyntaxKind;

const compound = new Map<ts.SyntaxKind, ts.SyntaxKind>([
  [K.PlusEqualsToken, K.PlusToken],
  [K.MinusEqualsToken, K.MinusToken],
  [K.AsteriskEqualsToken, K.AsteriskToken],
  [K.SlashEqualsToken, K.SlashToken],
  [K.PercentEqualsToken, K.PercentToken],
  [K.AmpersandEqualsToken, K.AmpersandToken],
  [K.BarEqualsToken, K.BarToken],
  [K.CaretEqualsToken, K.CaretToken],
  [K.LessThanLessThanEqualsToken, K.LessThanLessThanToken],
  [K.GreaterThanGreaterThanEqualsToken, K.GreaterThanGreaterThanToken],
  [K.GreaterThanGreaterThanGreaterThanEqualsToken, K.GreaterThanGreaterThanGreaterThanToken],
]);

export const isAssignmentToken = (token: ts.SyntaxKind): boolean =>
  token >= K.FirstAssignment && token <= K.LastAssignment;

export function registerAssign(): void {
  onExpr(K.PostfixUnaryExpression, ts.isPostfixUnaryExpression, (lw, node) => assignment(lw, node));
}

export function assignment(
  lw: Lowerer,
  node: ts.BinaryExpression | ts.PrefixUnaryExpression | ts.PostfixUnaryExpression,
): Expr {
  if (!ts.isBinaryExpression(node)) {
    const target = lvalue(lw, node.operand);
    const op: ArithOp = node.operator === K.PlusPlusToken ? "add" : "sub";
    const big = target.type.k === "num" && isBig(target.type.n);
    const one = untypedExpr(big ? 1n : { value: 1, float: false }, lw.loc(node));
    const result = ts.isPostfixUnaryExpression(node) ? "old" : "new";
    return update(lw, target, op, one, node, { left: node.operand, right: node }, result);
  }
  const token = node.operatorToken.kind;
  if (token === K.EqualsToken) {
    if (ts.isArrayLiteralExpression(node.left) || ts.isObjectLiteralExpression(node.left)) {
      return lw.ctx.fail(
        "TMC1003",
        node.left,
        "destructuring is not supported yet",
        "assign the parts one by one",
      );
    }
    const target = lvalue(lw, node.left);
    const value = lw.expr(node.right, target.type);
    return { k: "assign", type: target.type, loc: lw.loc(node), target, value };
  }
  const plain = compound.get(token);
  const op = plain === undefined ? undefined : arithOp(plain);
  if (op === undefined) {
    const refusal = refusedOperator(token);
    if (refusal !== undefined) return lw.refuse(refusal, node.operatorToken);
    throw new Error(`no meaning for ${node.operatorToken.getText()}`);
  }
  const target = lvalue(lw, node.left);
  return update(lw, target, op, lw.raw(node.right), node, node, "new");
}

/** `target op= value`: computed like `target op value`, then converted back to the target's type by itself. */
function update(
  lw: Lowerer,
  target: LValue,
  op: ArithOp,
  value: Expr,
  node: ts.Node,
  places: { readonly left: ts.Node; readonly right: ts.Node },
  result: "old" | "new",
): Expr {
  const loc = lw.loc(node);
  const hole: Expr = { k: "hole", type: target.type, loc };
  const t = target.type;
  const integer = t.k === "num" && !isFloat(t.n) && !isBig(t.n);
  if (op === "div" && integer) {
    return lw.ctx.fail(
      "TMC1211",
      node,
      "`/=` on an integer would leave a fraction in JavaScript",
      "write `x = Math.trunc(x / y)`",
    );
  }
  let computed = arith(lw, op, hole, value, node, places, { wrap: false });
  if (t.k === "num" && computed.type.k === "num" && !sameType(computed.type, t))
    computed = backTo(lw, computed, t, node);
  else computed = lw.coerce(computed, t, node);
  return { k: "update", type: t, loc, target, compute: computed, result };
}

function backTo(lw: Lowerer, e: Expr, t: Extract<Type, { k: "num" }>, node: ts.Node): Expr {
  if (e.type.k !== "num") return e;
  if (isFloat(e.type.n) && !isFloat(t.n)) {
    return lw.ctx.fail(
      "TMC1201",
      node,
      `the result is a ${e.type.n}, and ${t.n} has no fractions`,
      `write it out: \`x = ${t.n}(x + y)\` truncates`,
    );
  }
  if (isFloat(t.n) || isFloat(e.type.n)) return lw.convert("num", e, t);
  const range = rangeOf(e);
  const fits =
    range !== undefined && constantIn(range[0], t.n) !== undefined && constantIn(range[1], t.n) !== undefined;
  return lw.convert(fits ? "num" : "fit", e, t);
}

/** The target of an assignment: not narrowed, and allowed to be written. */
export function lvalue(lw: Lowerer, node: ts.Expression): LValue {
  const inner = skipParentheses(node);
  let e = lw.raw(inner);
  while (
    e.k === "convert" &&
    (e.mode === "unwrap" || e.mode === "assertNull" || e.mode === "literals" || e.mode === "downcast")
  )
    e = e.arg;
  switch (e.k) {
    case "local":
      e.v.mutable = true;
      return e;
    case "global":
    case "staticField":
      return e;
    case "field":
      return e;
    case "index":
      if (e.obj.type.k === "array" && e.obj.type.readonly) {
        return lw.ctx.fail(
          "TMC1230",
          node,
          "a RomArray is read-only: it may be in flash",
          "use a plain array",
        );
      }
      return e;
    default:
      return lw.ctx.fail(
        "TMC1231",
        node,
        `this cannot be assigned to (\`${typeName(e.type)}\`)`,
        "assign to a variable, a field or an element",
      );
  }
}

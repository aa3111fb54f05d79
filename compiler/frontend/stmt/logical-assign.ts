/** `x ??= v`, `x ||= v`, `x &&= v` as statements: the target is evaluated once, the value only when it is assigned. */
import { ts } from "ts-morph";
import type { Expr, LValue, Stmt } from "../../ir/nodes.js";
import { BOOL, typeName } from "../../ir/types.js";
import { lvalue } from "../expr/assign.js";
import type { Lowerer } from "../lowerer.js";
import { keep } from "./patterns.js";

const K = ts.SyntaxKind;

export const isLogicalAssignment = (token: ts.SyntaxKind): boolean =>
  token === K.QuestionQuestionEqualsToken ||
  token === K.BarBarEqualsToken ||
  token === K.AmpersandAmpersandEqualsToken;

export function logicalAssignment(lw: Lowerer, node: ts.BinaryExpression): Stmt[] {
  const loc = lw.loc(node);
  const out: Stmt[] = [];
  const target = evaluatedOnce(lw, lvalue(lw, node.left), out);
  const type = target.type;
  const token = node.operatorToken.kind;
  let test: Expr;
  if (token === K.QuestionQuestionEqualsToken) {
    if (type.k !== "nullable") {
      return lw.ctx.fail(
        "TMC1217",
        node.left,
        `this is never null: its type is \`${typeName(type)}\``,
        "write `=`, or declare it `| null`",
      );
    }
    test = { k: "isNull", type: BOOL, loc, arg: target };
  } else {
    if (type.k !== "bool") {
      return lw.ctx.fail(
        "TMC1202",
        node.left,
        `a condition must be a boolean, this is \`${typeName(type)}\``,
        "write it out with `if`",
      );
    }
    test =
      token === K.BarBarEqualsToken
        ? { k: "unary", type: BOOL, loc, op: "not", arg: target, wrap: false }
        : target;
  }
  const value = lw.expr(node.right, type);
  const set: Stmt = { k: "expr", loc, e: { k: "assign", type, loc, target, value } };
  const whole: Stmt = { k: "if", loc, test, then: [set], else: [] };
  return out.length === 0 ? [whole] : [{ k: "block", loc, body: [...out, whole] }];
}

/** The same place, its object and its index in variables. */
function evaluatedOnce(lw: Lowerer, t: LValue, out: Stmt[]): LValue {
  if (t.k === "field") return { ...t, obj: keep(lw, t.obj, out) };
  if (t.k === "index") {
    const obj = keep(lw, t.obj, out);
    return { ...t, obj, index: t.index.k === "num" ? t.index : keep(lw, t.index, out) };
  }
  return t;
}

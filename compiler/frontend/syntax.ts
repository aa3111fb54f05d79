/** Small questions about TypeScript's syntax tree. */
import { ts } from "ts-morph";

export function skipParentheses(node: ts.Expression): ts.Expression {
  let e = node;
  while (ts.isParenthesizedExpression(e)) e = e.expression;
  return e;
}

/** Template literals: parts for `log` and `TextBuffer.write`; a string of their own only in setup. */
import { ts } from "ts-morph";
import type { Expr } from "../../ir/nodes.js";
import { STRING, typeName } from "../../ir/types.js";
import { onExpr, type Lowerer } from "../lowerer.js";

export function registerTemplates(): void {
  onExpr(ts.SyntaxKind.TemplateExpression, ts.isTemplateExpression, (lw, node) => ({
    k: "concat",
    type: STRING,
    loc: lw.loc(node),
    parts: templateParts(lw, node),
  }));
}

/** Text pieces and substitutions in order; empty pieces are left out. */
export function templateParts(lw: Lowerer, node: ts.TemplateExpression): Expr[] {
  const parts: Expr[] = [];
  const text = (value: string, at: ts.Node): void => {
    if (value === "") return;
    if ([...value].some((c) => (c.codePointAt(0) ?? 0) > 127)) {
      lw.ctx.fail(
        "TMC1104",
        at,
        "strings are bytes: this text is not ASCII",
        'put it in with `${utf8("…")}`',
      );
    }
    parts.push({ k: "str", type: STRING, loc: lw.loc(at), value });
  };
  text(node.head.text, node.head);
  for (const span of node.templateSpans) {
    parts.push(printable(lw, lw.raw(span.expression), span.expression));
    text(span.literal.text, span.literal);
  }
  return parts;
}

/** Numbers, booleans and text can be printed. */
export function printable(lw: Lowerer, e: Expr, node: ts.Node): Expr {
  switch (e.type.k) {
    case "num":
      // An untyped constant is printed as its default type.
      return lw.coerce(e, e.type, node);
    case "bool":
    case "string":
    case "literals":
    case "host":
      return e;
    case "nullable":
      return lw.ctx.fail("TMC1204", node, "this may be null", "test it first: `if (x !== null)`");
    default:
      return lw.ctx.fail("TMC1114", node, `\`${typeName(e.type)}\` cannot be printed`, "print its fields");
  }
}

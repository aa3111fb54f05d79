/** Literals, parentheses and the assertions that change only TypeScript's view (`as`, `satisfies`, `!`). */
import { ts } from "ts-morph";
import type { Expr } from "../../ir/nodes.js";
import { BOOL, NULL, nullable, sameType, STRING, typeName } from "../../ir/types.js";
import { isUntyped, untypedExpr } from "../constants.js";
import { onExpr, type Hint, type Lowerer } from "../lowerer.js";
import { typeOfNode } from "../type-convert.js";

const K = ts.SyntaxKind;

export function registerLiterals(): void {
  onExpr(K.NumericLiteral, ts.isNumericLiteral, (lw, node) => {
    const text = node.getText();
    const float = !/^0[xXbBoO]/.test(text) && /[.eE]/.test(text);
    return untypedExpr({ value: Number(node.text), float }, lw.loc(node));
  });
  onExpr(K.BigIntLiteral, ts.isBigIntLiteral, (lw, node) =>
    // The text is `5n`, a prefix as `0x` included.
    untypedExpr(BigInt(node.text.slice(0, -1)), lw.loc(node)),
  );
  onExpr(K.StringLiteral, ts.isStringLiteral, (lw, node, hint) => stringLiteral(lw, node, node.text, hint));
  onExpr(K.NoSubstitutionTemplateLiteral, ts.isNoSubstitutionTemplateLiteral, (lw, node, hint) =>
    stringLiteral(lw, node, node.text, hint),
  );
  onExpr(
    K.TrueKeyword,
    (n): n is ts.TrueLiteral => n.kind === K.TrueKeyword,
    (lw, node) => ({
      k: "bool",
      type: BOOL,
      loc: lw.loc(node),
      value: true,
    }),
  );
  onExpr(
    K.FalseKeyword,
    (n): n is ts.FalseLiteral => n.kind === K.FalseKeyword,
    (lw, node) => ({
      k: "bool",
      type: BOOL,
      loc: lw.loc(node),
      value: false,
    }),
  );
  onExpr(
    K.NullKeyword,
    (n): n is ts.NullLiteral => n.kind === K.NullKeyword,
    (lw, node) => ({
      k: "null",
      type: NULL,
      loc: lw.loc(node),
    }),
  );
  onExpr(K.ParenthesizedExpression, ts.isParenthesizedExpression, (lw, node, hint) =>
    lw.raw(node.expression, hint.want, hint.wrap),
  );
  onExpr(K.NonNullExpression, ts.isNonNullExpression, (lw, node) => {
    const e = lw.raw(node.expression);
    return e.type.k === "nullable" ? lw.convert("assertNull", e, e.type.of) : e;
  });
  onExpr(K.SatisfiesExpression, ts.isSatisfiesExpression, (lw, node) =>
    lw.expr(node.expression, typeOfNode(lw.ctx, node.type)),
  );
  onExpr(K.AsExpression, ts.isAsExpression, (lw, node, hint) => {
    if (ts.isConstTypeReference(node.type)) return lw.raw(node.expression, hint.want);
    const to = typeOfNode(lw.ctx, node.type);
    const e = lw.raw(node.expression, to);
    if (sameType(e.type, to) || e.type.k === "null" || sameType(nullable(e.type), to))
      return lw.coerce(e, to, node);
    // A constant has no type yet; and to TypeScript `0` is not a `T extends i32 | f32` without it.
    if (e.type.k === "host" || (isUntyped(e) && to.k === "num")) return lw.coerce(e, to, node);
    const fix =
      to.k === "num"
        ? `convert the value: \`${to.n}(…)\``
        : "narrow it with a test, or declare it with that type";
    return lw.ctx.fail(
      "TMC1206",
      node,
      `\`as ${typeName(to)}\` would only rename a \`${typeName(e.type)}\`, not convert it`,
      fix,
    );
  });
}

function stringLiteral(lw: Lowerer, node: ts.Node, value: string, hint: Hint): Expr {
  const outside = [...value].find((c) => (c.codePointAt(0) ?? 0) > 127);
  if (outside !== undefined) {
    lw.ctx.fail(
      "TMC1104",
      node,
      `strings are bytes: the literal contains \`${outside}\`, which is not ASCII`,
      'write `utf8("…")` for its UTF-8 bytes',
    );
  }
  const want = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  if (want?.k === "literals" && want.values.includes(value)) {
    return { k: "literal", type: want, loc: lw.loc(node), value };
  }
  return { k: "str", type: STRING, loc: lw.loc(node), value };
}

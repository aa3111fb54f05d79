/** `const` declarations that need no storage: untyped numbers and `as const` objects. */
import { ts } from "ts-morph";
import { skipParentheses } from "./syntax.js";
import { untypedBigOf, untypedOf } from "./constants.js";
import type { ConstMember, Meaning, UntypedConst } from "./context.js";
import type { Lowerer } from "./lowerer.js";

/** The meaning of `const x = <number>` without annotation; undefined for every other declaration. */
export function constantMeaning(lw: Lowerer, d: ts.VariableDeclaration): Meaning | undefined {
  if (d.initializer === undefined || d.type !== undefined) return undefined;
  const init = skipParentheses(d.initializer);
  if (
    ts.isAsExpression(init) &&
    ts.isConstTypeReference(init.type) &&
    ts.isObjectLiteralExpression(init.expression)
  ) {
    return constObject(lw, init.expression);
  }
  if (!mayBeConstant(init)) return undefined;
  const before = lw.ctx.diagnostics.length;
  let value: UntypedConst | bigint | undefined;
  const ok = lw.ctx.guard(() => {
    value = untypedValue(lw, init);
  });
  // Whatever is wrong with it is reported when it is lowered as a variable.
  lw.ctx.diagnostics.length = before;
  return ok && value !== undefined ? { k: "const", value } : undefined;
}

function untypedValue(lw: Lowerer, node: ts.Expression): UntypedConst | bigint | undefined {
  const e = lw.raw(node);
  return untypedOf(e) ?? untypedBigOf(e);
}

function mayBeConstant(e: ts.Expression): boolean {
  const inner = skipParentheses(e);
  if (
    ts.isNumericLiteral(inner) ||
    ts.isBigIntLiteral(inner) ||
    ts.isIdentifier(inner) ||
    ts.isPropertyAccessExpression(inner)
  )
    return true;
  if (ts.isPrefixUnaryExpression(inner)) {
    return (
      inner.operator !== ts.SyntaxKind.PlusPlusToken &&
      inner.operator !== ts.SyntaxKind.MinusMinusToken &&
      mayBeConstant(inner.operand)
    );
  }
  if (ts.isBinaryExpression(inner)) return mayBeConstant(inner.left) && mayBeConstant(inner.right);
  if (ts.isCallExpression(inner))
    return inner.expression.getText().startsWith("Math.") && inner.arguments.every(mayBeConstant);
  return false;
}

function constObject(lw: Lowerer, node: ts.ObjectLiteralExpression): Meaning | undefined {
  const members = new Map<string, ConstMember>();
  for (const p of node.properties) {
    if (!ts.isPropertyAssignment(p) || (!ts.isIdentifier(p.name) && !ts.isStringLiteral(p.name)))
      return undefined;
    if (ts.isStringLiteralLike(p.initializer)) members.set(p.name.text, p.initializer.text);
    else if (p.initializer.kind === ts.SyntaxKind.TrueKeyword) members.set(p.name.text, true);
    else if (p.initializer.kind === ts.SyntaxKind.FalseKeyword) members.set(p.name.text, false);
    else {
      const value = mayBeConstant(p.initializer) ? untypedValue(lw, p.initializer) : undefined;
      if (value === undefined) {
        return lw.ctx.fail(
          "TMC1109",
          p,
          "an `as const` object holds numbers, strings and booleans",
          "write an interface and a constant of it",
        );
      }
      members.set(p.name.text, value);
    }
  }
  return { k: "constObject", members };
}

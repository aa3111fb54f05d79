/** The type of a setup-only expression: precise where TypeScript knows our types, else `host` (checked later). */
import { ts } from "ts-morph";
import type { Expr, ExprOf } from "../ir/nodes.js";
import { typeName, type Type } from "../ir/types.js";
import type { Lowerer } from "./lowerer.js";
import { tryConvert } from "./type-convert.js";

export function hostType(lw: Lowerer, node: ts.Node): Type {
  const t = lw.ctx.checker.getTypeAtLocation(node);
  if (mentionsBareNumber(lw.ctx.checker, t, 0)) return { k: "host", text: lw.ctx.checker.typeToString(t) };
  return tryConvert(lw.ctx, t, node) ?? { k: "host", text: lw.ctx.checker.typeToString(t) };
}

/** A value that host code computed: a number or text of a known type is checked when setup runs. */
export function hostResult(
  lw: Lowerer,
  node: ts.Node,
  parts: Pick<ExprOf<"host">, "recv" | "name" | "how" | "args">,
  type: Type = hostType(lw, node),
): Expr {
  const loc = lw.loc(node);
  if (!isScalar(type)) return { k: "host", type, loc, ...parts };
  return lw.convert(
    "fromHost",
    { k: "host", type: { k: "host", text: typeName(type) }, loc, ...parts },
    type,
  );
}

const isScalar = (t: Type): boolean =>
  t.k === "num" || t.k === "string" || t.k === "literals" || (t.k === "nullable" && isScalar(t.of));

/** Arguments of host code: numbers and texts take the type that the parameter has. */
export function hostArguments(lw: Lowerer, nodes: readonly ts.Expression[]): Expr[] {
  return nodes.map((node) => {
    const t = lw.ctx.checker.getContextualType(node);
    if (t === undefined || mentionsBareNumber(lw.ctx.checker, t, 0)) return lw.raw(node);
    const type = tryConvert(lw.ctx, t, node);
    return type !== undefined && isScalar(type) ? lw.expr(node, type) : lw.raw(node);
  });
}

/** TypeScript widened a number in it to `number` (or `bigint`): its kind is not known. */
export function mentionsBareNumber(checker: ts.TypeChecker, t: ts.Type, depth: number): boolean {
  if (depth > 4) return true;
  if ((t.flags & (ts.TypeFlags.NumberLike | ts.TypeFlags.BigIntLike)) !== 0) return true;
  if (t.isUnion()) return t.types.some((m) => mentionsBareNumber(checker, m, depth + 1));
  if ((t.flags & ts.TypeFlags.Object) !== 0 && checker.isArrayType(t)) {
    return checker
      .getTypeArguments(t as ts.TypeReference)
      .some((a) => mentionsBareNumber(checker, a, depth + 1));
  }
  return false;
}

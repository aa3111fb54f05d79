/** The type of a setup-only expression: precise where TypeScript knows our types, else `host` (checked later). */
import { ts } from "ts-morph";
import type { Type } from "../ir/types.js";
import type { Lowerer } from "./lowerer.js";
import { tryConvert } from "./type-convert.js";

export function hostType(lw: Lowerer, node: ts.Node): Type {
  const t = lw.ctx.checker.getTypeAtLocation(node);
  if (mentionsBareNumber(lw.ctx.checker, t, 0)) return { k: "host", text: lw.ctx.checker.typeToString(t) };
  return tryConvert(lw.ctx, t, node) ?? { k: "host", text: lw.ctx.checker.typeToString(t) };
}

/** TypeScript widened a number in it to `number`: the value may be an integer. */
function mentionsBareNumber(checker: ts.TypeChecker, t: ts.Type, depth: number): boolean {
  if (depth > 4) return true;
  if ((t.flags & ts.TypeFlags.NumberLike) !== 0) return true;
  if (t.isUnion()) return t.types.some((m) => mentionsBareNumber(checker, m, depth + 1));
  if ((t.flags & ts.TypeFlags.Object) !== 0 && checker.isArrayType(t)) {
    return checker
      .getTypeArguments(t as ts.TypeReference)
      .some((a) => mentionsBareNumber(checker, a, depth + 1));
  }
  return false;
}

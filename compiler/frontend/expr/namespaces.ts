/** `import * as m from …`: `m.x` is the `x` that the module exports; `m` itself is no value. */
import { ts } from "ts-morph";
import type { Meaning } from "../context.js";
import { Abort } from "../context.js";
import type { Lowerer } from "../lowerer.js";

/** Is this the name of an imported namespace? */
export function isNamespace(lw: Lowerer, node: ts.Node): boolean {
  if (!ts.isIdentifier(node)) return false;
  const declaration = lw.ctx.checker.getSymbolAtLocation(node)?.declarations?.[0];
  return declaration !== undefined && ts.isNamespaceImport(declaration);
}

/** What `m.x` means when `m` is a namespace; undefined when it is not. */
export function namespaceMember(lw: Lowerer, node: ts.PropertyAccessExpression): Meaning | undefined {
  if (!isNamespace(lw, node.expression)) return undefined;
  const symbol = lw.ctx.symbolOf(node.name);
  const meaning = symbol === undefined ? undefined : lw.ctx.meaning(symbol);
  if (meaning !== undefined) return meaning;
  if (symbol === undefined) throw new Abort("unresolved");
  return lw.ctx.fail(
    "TMC1106",
    node,
    `\`${node.getText()}\` has no value at run time`,
    "use a variable or a function",
  );
}

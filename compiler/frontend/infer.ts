/** Type arguments of generic calls: written, or found by matching parameter types with argument types. */
import { ts } from "ts-morph";
import type { Expr, LocalVar } from "../ir/nodes.js";
import { matchTypes, substitute, type Type } from "../ir/types.js";
import type { Lowerer } from "./lowerer.js";
import { mentionsBareNumber } from "./host-type.js";
import { tryConvert, typeOfNode } from "./type-convert.js";

export interface Inferred {
  readonly typeArgs: readonly Type[];
  /** Arguments that were lowered without a finding, to be used again: by position. */
  readonly lowered: ReadonlyMap<number, Expr>;
}

const nothing: ReadonlyMap<number, Expr> = new Map();

export function inferTypeArguments(
  lw: Lowerer,
  typeParams: readonly string[],
  params: readonly LocalVar[],
  ret: Type,
  node: ts.CallExpression | ts.NewExpression,
  want: Type | undefined,
  outer: ReadonlyMap<string, Type>,
): Inferred {
  if (typeParams.length === 0) return { typeArgs: [], lowered: nothing };
  if (node.typeArguments !== undefined)
    return { typeArgs: node.typeArguments.map((t) => typeOfNode(lw.ctx, t)), lowered: nothing };
  const kept = new Map<number, Expr>();
  const found = new Map<string, Type>();
  const names = new Set(typeParams);
  const bind = (pattern: Type, actual: Type): void =>
    matchTypes(substitute(pattern, outer), actual, names, found);
  const args = node.arguments ?? ts.factory.createNodeArray<ts.Expression>();
  // Lambdas last: their parameter types may depend on what the others fix.
  for (const lambdas of [false, true]) {
    params.forEach((p, i) => {
      const arg = args[i];
      if (arg === undefined || (ts.isArrowFunction(arg) || ts.isFunctionExpression(arg)) !== lambdas) return;
      if (!mentions(p.type, names)) return;
      const before = lw.ctx.diagnostics.length;
      const hint = substitute(substitute(p.type, outer), found);
      const lowered = lw.raw(arg, mentions(hint, names) && !lambdas ? undefined : hint);
      if (lw.ctx.diagnostics.length === before) kept.set(i, lowered);
      // Lowered again with the type known: report only then.
      lw.ctx.diagnostics.length = before;
      bind(p.type, lowered.type);
    });
  }
  if (want !== undefined && want.k !== "void") matchTypes(substitute(ret, outer), want, names, found);
  const typeArgs = typeParams.map(
    (p, i) =>
      found.get(p) ??
      defaulted(lw, node, i) ??
      lw.ctx.fail(
        "TMC1119",
        node,
        `the type argument \`${p}\` cannot be inferred`,
        `write it: \`${node.expression.getText()}<…>(…)\``,
      ),
  );
  return { typeArgs, lowered: kept };
}

/** The default of a class's type parameter, when no argument says more. */
function defaulted(lw: Lowerer, node: ts.CallExpression | ts.NewExpression, i: number): Type | undefined {
  if (!ts.isNewExpression(node)) return undefined;
  const { checker } = lw.ctx;
  const made = checker.getTypeAtLocation(node);
  if ((made.flags & ts.TypeFlags.Object) === 0) return undefined;
  const arg = checker.getTypeArguments(made as ts.TypeReference)[i];
  return arg === undefined || mentionsBareNumber(checker, arg, 0) ? undefined : tryConvert(lw.ctx, arg, node);
}

function mentions(t: Type, names: ReadonlySet<string>): boolean {
  switch (t.k) {
    case "param":
      return names.has(t.name);
    case "nullable":
      return mentions(t.of, names);
    case "array":
    case "slots":
      return mentions(t.elem, names);
    case "object":
      return t.args.some((a) => mentions(a, names));
    case "func":
      return mentions(t.ret, names) || t.params.some((p) => mentions(p, names));
    default:
      return false;
  }
}

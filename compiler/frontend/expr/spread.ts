/**
 * `...x` in array literals and in arguments of rest parameters. What has a length that is known when compiling (a
 * tuple, another literal) becomes its elements; an array stays a part of the literal, and handlers spread it when its
 * length is known (`ir/run-phase.ts`).
 */
import { ts } from "ts-morph";
import type { Expr } from "../../ir/nodes.js";
import { sameType, typeName, type Type } from "../../ir/types.js";
import { tupleField } from "../../ir/tuple.js";
import { walkExpr } from "../../ir/walk.js";
import type { Lowerer } from "../lowerer.js";
import { skipParentheses } from "../syntax.js";
import { isTuple } from "../tuples.js";

/** One element, or an array whose elements stand here. */
export interface Part {
  readonly e: Expr;
  readonly node: ts.Node;
  readonly isArray: boolean;
}

/** The elements in source order. `elem`: their type, when the surroundings know it. */
export function partsOf(lw: Lowerer, nodes: readonly ts.Expression[], elem: Type | undefined): Part[] {
  return nodes.flatMap((node): Part[] => {
    if (ts.isOmittedExpression(node))
      return lw.ctx.fail("TMC1124", node, "an array has no holes", "write the element");
    if (ts.isSpreadElement(node)) return spread(lw, node, elem);
    return [{ e: elem === undefined ? lw.raw(node) : lw.expr(node, elem), node, isArray: false }];
  });
}

function spread(lw: Lowerer, node: ts.SpreadElement, elem: Type | undefined): Part[] {
  const inner = skipParentheses(node.expression);
  if (ts.isArrayLiteralExpression(inner)) return partsOf(lw, inner.elements, elem);
  const source = lw.raw(inner);
  const t = source.type;
  if (isTuple(t)) {
    if (!isQuiet(source)) {
      return lw.ctx.fail(
        "TMC1003",
        node,
        "spread of a tuple that is made here is not supported yet",
        "keep it in a constant first: `const parts = …;`",
      );
    }
    return t.args.map((type, i) => {
      const e: Expr = { k: "field", type, loc: lw.loc(node), obj: source, name: tupleField(i) };
      return { e: elem === undefined ? e : lw.coerce(e, elem, node), node, isArray: false };
    });
  }
  if (t.k === "array" && (elem === undefined || sameType(t.elem, elem)))
    return [{ e: source, node, isArray: true }];
  return lw.ctx.fail(
    "TMC1124",
    node,
    `\`${typeName(t)}\` cannot be spread${elem === undefined ? "" : ` among elements of \`${typeName(elem)}\``}`,
    "spread an array of the same element type, or a tuple",
  );
}

const isQuiet = (e: Expr): boolean =>
  e.k === "this" ||
  e.k === "global" ||
  (e.k === "local" && !e.v.mutable) ||
  (e.k === "field" && isQuiet(e.obj)) ||
  (e.k === "convert" && e.mode === "unwrap" && isQuiet(e.arg));

/** The array of `type` that the parts make. */
export function arrayOfParts(
  lw: Lowerer,
  node: ts.Node,
  parts: readonly Part[],
  type: Extract<Type, { k: "array" }>,
): Expr {
  const loc = lw.loc(node);
  const elems = parts.map((p) => p.e);
  const first = parts.find((p) => p.isArray);
  if (first === undefined) return { k: "arrayLit", type, loc, elems };
  // The elements are those of before the wait: what is kept over it is one value for each operand.
  if (parts.slice(parts.indexOf(first) + 1).some((p) => hasWait(p.e))) {
    lw.ctx.fail(
      "TMC1003",
      first.node,
      "an array is not spread before an `await` in the same literal",
      "wait first: `const x = await …;`, then write the array",
    );
  }
  return { k: "arrayLit", type, loc, elems, spreads: parts.map((p) => p.isArray) };
}

function hasWait(e: Expr): boolean {
  let found = false;
  walkExpr(e, { expr: (x) => void (found ||= x.k === "await") });
  return found;
}

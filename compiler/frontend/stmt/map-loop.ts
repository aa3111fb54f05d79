/** `for … of` over a Map or Set. */
import { ts } from "ts-morph";
import { keyOf, valueOf } from "../../ir/map-type.js";
import type { Expr, LocalVar, Stmt } from "../../ir/nodes.js";
import { tupleField } from "../../ir/tuple.js";
import type { Type } from "../../ir/types.js";
import type { Lowerer } from "../lowerer.js";
import { tupleType } from "../tuples.js";
import { declarePattern } from "./patterns.js";

/** Over a Map (its entries, unless `over` says otherwise) or a Set. */
export function forOfMap(
  lw: Lowerer,
  node: ts.ForOfStatement,
  label: string | undefined,
  name: ts.BindingName,
  of: Expr,
  over: "mapKeys" | "mapValues" | "mapEntries" | undefined,
): Stmt[] {
  const loc = lw.loc(node);
  const key = keyOf(of.type);
  const value = valueOf(of.type);
  const parts: Stmt[] = [];
  const declare = (at: ts.BindingName | undefined, type: Type): LocalVar => {
    if (at !== undefined && ts.isIdentifier(at)) return lw.declareLocal(at, type, false);
    const v = lw.newLocal(`item${lw.fn.nextId}`, type, false);
    if (at !== undefined) declarePattern(lw, at, { k: "local", type, loc, v }, parts);
    return v;
  };
  const finish = (
    v: LocalVar,
    second: LocalVar | undefined,
    lengthOf: "mapKeys" | "mapValues" | "mapEntries",
  ): Stmt[] => [
    {
      k: "forOf",
      loc,
      label,
      v,
      second,
      of,
      get: undefined,
      lengthOf,
      body: [...parts, ...lw.body(node.statement)],
    },
  ];
  if (value === undefined || over === "mapKeys") return finish(declare(name, key), undefined, "mapKeys");
  if (over === "mapValues") return finish(declare(name, value), undefined, "mapValues");
  if (ts.isArrayBindingPattern(name) && name.elements.length <= 2) {
    const [first, second] = name.elements;
    const plain = (e: ts.ArrayBindingElement | undefined): ts.BindingName | undefined =>
      e === undefined || ts.isOmittedExpression(e) ? undefined : e.name;
    const simple = [first, second].every(
      (e) =>
        e === undefined ||
        ts.isOmittedExpression(e) ||
        (e.dotDotDotToken === undefined && e.initializer === undefined),
    );
    if (simple) return finish(declare(plain(first), key), declare(plain(second), value), "mapEntries");
  }
  // The entry as a whole: a tuple of this turn.
  const k = lw.newLocal(`key${lw.fn.nextId}`, key, false);
  const v = lw.newLocal(`value${lw.fn.nextId}`, value, false);
  const type = tupleType(lw.ctx, [key, value]);
  const entry = ts.isIdentifier(name)
    ? lw.declareLocal(name, type, false)
    : lw.newLocal(`item${lw.fn.nextId}`, type, false);
  const fields = [k, v].map((x, i) => ({
    name: tupleField(i),
    value: { k: "local", type: x.type, loc, v: x } as const,
  }));
  parts.push({ k: "let", loc, v: entry, init: { k: "objectLit", type, loc, fields } });
  if (!ts.isIdentifier(name)) declarePattern(lw, name, { k: "local", type, loc, v: entry }, parts);
  return finish(k, v, "mapEntries");
}

/** `Map` and `Set`: what handlers may do with them. Everything else about them is host code, for setup only. */
import { ts } from "ts-morph";
import type { BuiltinName, Expr } from "../../ir/nodes.js";
import { isMapOrSet, keyOf, mapType, setType, valueOf } from "../../ir/map-type.js";
import { arrayOf, BOOL, I32, nullable, type Type } from "../../ir/types.js";
import { hostArguments, hostResult, hostType } from "../host-type.js";
import type { Lowerer } from "../lowerer.js";
import { tupleType } from "../tuples.js";
import { typeOfNode } from "../type-convert.js";

const make = (lw: Lowerer, node: ts.Node, name: BuiltinName, type: Type, args: readonly Expr[]): Expr => ({
  k: "builtin",
  type,
  loc: lw.loc(node),
  name,
  n: undefined,
  args,
});

/** A call of a method of a Map or Set. */
export function mapCall(lw: Lowerer, node: ts.CallExpression, recv: Expr, name: string): Expr {
  const [key] = node.arguments;
  const value = valueOf(recv.type);
  if (key !== undefined && node.arguments.length === 1) {
    if (name === "has") return make(lw, node, "mapHas", BOOL, [recv, lw.expr(key, keyOf(recv.type))]);
    if (name === "get" && value !== undefined)
      return make(lw, node, "mapGet", nullable(value), [recv, lw.expr(key, keyOf(recv.type))]);
    if (name === "delete") return changed(lw, node, recv, name, [lw.expr(key, keyOf(recv.type))]);
    if (name === "add" && value === undefined)
      return changed(lw, node, recv, name, [lw.expr(key, keyOf(recv.type))]);
  }
  const [first, second] = node.arguments;
  if (name === "set" && first !== undefined && second !== undefined && value !== undefined)
    return changed(lw, node, recv, name, [lw.expr(first, keyOf(recv.type)), lw.expr(second, value)]);
  return hostResult(lw, node, { recv, name, how: "call", args: hostArguments(lw, node.arguments) });
}

/** `m.set(…)` is `m`, so that calls can be chained. */
function changed(lw: Lowerer, node: ts.Node, recv: Expr, name: string, args: readonly Expr[]): Expr {
  const type = name === "delete" ? BOOL : recv.type;
  return { k: "host", type, loc: lw.loc(node), recv, name, how: "call", args };
}

/** A property of a Map or Set. */
export function mapProperty(lw: Lowerer, node: ts.PropertyAccessExpression, recv: Expr): Expr {
  if (node.name.text === "size") return make(lw, node, "mapSize", I32, [recv]);
  return hostResult(lw, node, { recv, name: node.name.text, how: "get", args: [] });
}

/** `new Map<K, V>(entries?)`, `new Set<T>(values?)`; undefined when the types have no meaning on a device. */
export function newMap(
  lw: Lowerer,
  node: ts.NewExpression,
  name: string,
  want: Type | undefined,
): Expr | undefined {
  const wanted = want?.k === "nullable" ? want.of : want;
  const explicit = node.typeArguments?.map((t) => typeOfNode(lw.ctx, t));
  const [key, value] = explicit ?? [];
  const own =
    key === undefined
      ? wanted !== undefined && isMapOrSet(wanted)
        ? wanted
        : hostType(lw, node)
      : value !== undefined
        ? mapType(key, value)
        : setType(key);
  if (!isMapOrSet(own)) return undefined;
  const [first] = node.arguments ?? [];
  const v = valueOf(own);
  const elem = v === undefined ? keyOf(own) : tupleType(lw.ctx, [keyOf(own), v]);
  const isList = first !== undefined && ts.isArrayLiteralExpression(first);
  const args =
    first === undefined ? [] : isList ? [lw.expr(first, arrayOf(elem))] : hostArguments(lw, [first]);
  return { k: "host", type: own, loc: lw.loc(node), recv: undefined, name, how: "new", args };
}

/** What `for … of` goes over, when it is a Map or Set, or its keys, values or entries. */
export function mapIteration(
  lw: Lowerer,
  node: ts.Expression,
): { readonly map: Expr; readonly over: "mapKeys" | "mapValues" | "mapEntries" } | undefined {
  const parts =
    ts.isCallExpression(node) &&
    node.arguments.length === 0 &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.questionDotToken === undefined &&
    node.expression.questionDotToken === undefined
      ? node.expression
      : undefined;
  const name = parts?.name.text;
  if (parts === undefined || (name !== "keys" && name !== "values" && name !== "entries")) return undefined;
  const t = hostType(lw, parts.expression);
  if (!isMapOrSet(t)) return undefined;
  const map = lw.raw(parts.expression);
  if (!isMapOrSet(map.type)) return undefined;
  if (valueOf(map.type) === undefined) return name === "entries" ? undefined : { map, over: "mapKeys" };
  return { map, over: name === "keys" ? "mapKeys" : name === "values" ? "mapValues" : "mapEntries" };
}

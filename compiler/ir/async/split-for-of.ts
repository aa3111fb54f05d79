/**
 * `for … of` with a wait inside, as a loop over an index: of arrays, containers with `get`, Maps and Sets. The other
 * statements are in `split.ts`.
 */
import type { Expr, LValue, Stmt } from "../nodes.js";
import { BOOL, I32, type Type } from "../types.js";
import { declare, field, local, number } from "./make.js";
import type { SplitHost, Splitter } from "./split.js";

type ForOf = Extract<Stmt, { k: "forOf" }>;

/** By index, the length read on every turn. */
export function splitForOf(splitter: Splitter, s: ForOf): void {
  const { loc } = s;
  if (s.lengthOf === "host") {
    splitter.host.refuseLoop(loc);
    return;
  }
  const list = splitter.host.newLocal(`list of ${s.v.name}`, s.of.type);
  const i = splitter.host.newLocal(`index of ${s.v.name}`, I32);
  splitter.emit(declare(list, splitter.expr(s.of), loc));
  splitter.emit(declare(i, number(0, I32, loc), loc));
  const of = local(list, loc);
  const at = local(i, loc);
  const step: Expr = {
    k: "update",
    type: I32,
    loc,
    target: at,
    compute: {
      k: "arith",
      type: I32,
      loc,
      op: "add",
      n: "i32",
      wrap: true,
      l: { k: "hole", type: I32, loc },
      r: number(1, I32, loc),
    },
    result: "new",
  };
  const test: Expr = { k: "compare", type: BOOL, loc, op: "lt", l: at, r: lengthOf(splitter.host, s, of) };
  splitter.loop(s, test, step, false, () => {
    splitter.emit(declare(s.v, itemOf(s, of, at), loc));
    if (s.second !== undefined)
      splitter.emit(declare(s.second, entry("mapValueAt", s.second.type, of, at), loc));
    splitter.list(s.body);
  });
}

function lengthOf(host: SplitHost, s: ForOf, of: LValue): Expr {
  const { loc } = s;
  switch (s.lengthOf) {
    case "field":
      return field(of, "length", I32);
    case "method":
      return host.getter(of, "length", loc);
    case "mapKeys":
    case "mapValues":
    case "mapEntries":
      return { k: "builtin", type: I32, loc, name: "mapSize", n: undefined, args: [of] };
    default:
      return { k: "length", type: I32, loc, obj: of };
  }
}

/** What the variable of a loop is given; of the entries of a Map, their keys. */
function itemOf(s: ForOf, of: LValue, at: LValue): Expr {
  const { loc } = s;
  const { type } = s.v;
  if (s.lengthOf === "mapValues") return entry("mapValueAt", type, of, at);
  if (s.lengthOf === "mapKeys" || s.lengthOf === "mapEntries") return entry("mapKeyAt", type, of, at);
  return s.get === undefined
    ? { k: "index", type, loc, obj: of, index: at }
    : { k: "method", type, loc, recv: of, f: s.get, typeArgs: [], isSuper: false, args: [at] };
}

const entry = (name: "mapKeyAt" | "mapValueAt", type: Type, of: Expr, at: Expr): Expr => ({
  k: "builtin",
  type,
  loc: of.loc,
  name,
  n: undefined,
  args: [of, at],
});

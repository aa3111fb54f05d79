/**
 * Loops `for (let i = 0; i < a.length; i++)` whose body assigns neither `i` nor `a`: inside, `i` is an index of `a`
 * and needs no check. Only what one look at the loop proves; constant lengths are left to the C compiler.
 */
import type { Expr, LocalVar, Stmt } from "../ir/nodes.js";
import { walkExpr, walkStmts, type Visitor } from "../ir/walk.js";

export interface CountedLoop {
  readonly index: LocalVar;
  /** The array or string. */
  readonly of: LocalVar;
}

/** Could the body change the variable? A captured one that is assigned anywhere: yes. */
function isAssigned(v: LocalVar, body: readonly Stmt[], test: Expr): boolean {
  if (v.captured && v.mutable) return true;
  let found = false;
  const visitor: Visitor = {
    expr: (e) => {
      if ((e.k === "assign" || e.k === "update") && e.target.k === "local" && e.target.v === v) found = true;
    },
  };
  walkStmts(body, visitor);
  walkExpr(test, visitor);
  return found;
}

/** `i++`, `++i`, `i += 1`: as `i` is below a length, it does not wrap. */
function isIncrement(e: Expr, v: LocalVar): boolean {
  return (
    e.k === "update" &&
    e.target.k === "local" &&
    e.target.v === v &&
    e.compute.k === "arith" &&
    e.compute.op === "add" &&
    e.compute.l.k === "hole" &&
    e.compute.r.k === "num" &&
    e.compute.r.value === 1
  );
}

/** What the loop counts through; undefined when it is of another form. */
export function countedLoop(s: Extract<Stmt, { k: "for" }>): CountedLoop | undefined {
  const [first] = s.init;
  const { test, update } = s;
  if (s.init.length !== 1 || first?.k !== "let" || test === undefined || update === undefined)
    return undefined;
  const index = first.v;
  if (index.type.k !== "num" || index.type.n !== "i32") return undefined;
  if (first.init?.k !== "num" || first.init.value < 0) return undefined;
  if (test.k !== "compare" || test.op !== "lt" || test.l.k !== "local" || test.l.v !== index)
    return undefined;
  if (test.r.k !== "length" || test.r.obj.k !== "local" || !isIncrement(update, index)) return undefined;
  const of = test.r.obj.v;
  return isAssigned(index, s.body, test) || isAssigned(of, s.body, test) ? undefined : { index, of };
}

/** Is `index` proven to be inside `obj` by a loop around? */
export function isCounted(loops: readonly CountedLoop[], obj: Expr, index: Expr): boolean {
  return obj.k === "local" && index.k === "local" && loops.some((l) => l.of === obj.v && l.index === index.v);
}

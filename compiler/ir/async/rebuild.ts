/** Expressions and statements rebuilt with other parts: the mechanical half of the transformation of async functions. */
import type { Expr, LValue, Stmt } from "../nodes.js";
import { childrenOf } from "../walk.js";

/** A target with other operands, in the order of `targetOperands`. */
function withOperands(t: LValue, [a, b]: readonly Expr[]): LValue {
  if (t.k === "index" && a !== undefined && b !== undefined) return { ...t, obj: a, index: b };
  return t.k === "field" && a !== undefined ? { ...t, obj: a } : t;
}

/** The same expression with other children, in the order of `childrenOf`. */
export function withChildren(e: Expr, c: readonly Expr[]): Expr {
  const at = (i: number): Expr => {
    const x = c[i];
    if (x === undefined) throw new Error(`${e.k} has no child ${i}`);
    return x;
  };
  const last = c.length - 1;
  switch (e.k) {
    case "unary":
    case "isNull":
    case "instanceof":
    case "convert":
      return { ...e, arg: at(0) };
    case "arith":
    case "compare":
    case "logical":
      return { ...e, l: at(0), r: at(1) };
    case "cond":
      return { ...e, test: at(0), then: at(1), else: at(2) };
    case "bind":
      return { ...e, init: at(0), body: at(1) };
    case "call":
    case "superCall":
    case "builtin":
    case "new":
      return { ...e, args: c };
    case "method":
      return { ...e, recv: at(0), args: c.slice(1) };
    case "callValue":
      return { ...e, fn: at(0), args: c.slice(1) };
    case "newTyped":
      return { ...e, length: at(0) };
    case "newSlots":
      return { ...e, capacity: at(0) };
    case "filled":
      return { ...e, length: at(0), value: at(1) };
    case "arrayLit":
      return { ...e, elems: c };
    case "objectLit":
      return { ...e, fields: e.fields.map((f, i) => ({ name: f.name, value: at(i) })) };
    case "field":
    case "length":
      return { ...e, obj: at(0) };
    case "index":
      return { ...e, obj: at(0), index: at(1) };
    case "assign":
      return { ...e, target: withOperands(e.target, c), value: at(last) };
    case "update":
      return { ...e, target: withOperands(e.target, c), compute: at(last) };
    case "concat":
      return { ...e, parts: c };
    case "await":
      return { ...e, calls: c };
    case "host":
      return e.recv === undefined ? { ...e, args: c } : { ...e, recv: at(0), args: c.slice(1) };
    default:
      return e;
  }
}

/** `change` gives a replacement, which is final, or undefined: then the children are looked at. */
export function mapExpr(e: Expr, change: (e: Expr) => Expr | undefined): Expr {
  const changed = change(e);
  if (changed !== undefined) return changed;
  const children = childrenOf(e);
  return children.length === 0
    ? e
    : withChildren(
        e,
        children.map((c) => mapExpr(c, change)),
      );
}

export interface StmtMap {
  expr(e: Expr): Expr;
  /** A replacement, which is final, or undefined. */
  stmt(s: Stmt): readonly Stmt[] | undefined;
}

export function mapStmts(body: readonly Stmt[], m: StmtMap): Stmt[] {
  return body.flatMap((s) => m.stmt(s) ?? [mapStmt(s, m)]);
}

function mapStmt(s: Stmt, m: StmtMap): Stmt {
  const maybe = (e: Expr | undefined): Expr | undefined => (e === undefined ? undefined : m.expr(e));
  const inner = (b: readonly Stmt[]): Stmt[] => mapStmts(b, m);
  switch (s.k) {
    case "let":
    case "initGlobal":
      return { ...s, init: maybe(s.init) };
    case "expr":
      return { ...s, e: m.expr(s.e) };
    case "if":
      return { ...s, test: m.expr(s.test), then: inner(s.then), else: inner(s.else) };
    case "for":
      return {
        ...s,
        init: inner(s.init),
        test: maybe(s.test),
        update: maybe(s.update),
        body: inner(s.body),
      };
    case "doWhile":
      return { ...s, body: inner(s.body), test: m.expr(s.test) };
    case "forOf":
      return { ...s, of: m.expr(s.of), body: inner(s.body) };
    case "switch":
      return {
        ...s,
        subject: m.expr(s.subject),
        cases: s.cases.map((c) => ({ ...c, body: inner(c.body) })),
      };
    case "return":
      return { ...s, value: maybe(s.value) };
    case "try":
      return { ...s, body: inner(s.body), handler: inner(s.handler) };
    case "finally":
      return { ...s, body: inner(s.body), finalizer: inner(s.finalizer) };
    case "block":
      return { ...s, body: inner(s.body) };
    case "throw":
    case "break":
    case "continue":
      return s;
  }
}

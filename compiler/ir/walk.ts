/**
 * Walking the IR: children of expressions and statements in evaluation order, and one visitor over both. It does not
 * descend into the bodies of lambdas (a lambda is a function of its own); `lambdasOf` finds them.
 */
import type { Expr, FuncDecl, LocalVar, LValue, Stmt } from "./nodes.js";

/** The expressions evaluated by a target before the assigned value: none for variables. */
export function targetOperands(t: LValue): readonly Expr[] {
  switch (t.k) {
    case "index":
      return [t.obj, t.index];
    case "field":
      return [t.obj];
    default:
      return [];
  }
}

/**
 * Direct sub-expressions in evaluation order. For `assign` and `update` the operands of the target take the place of
 * the target itself, so that no child is a place that is only written.
 */
export function childrenOf(e: Expr): readonly Expr[] {
  switch (e.k) {
    case "num":
    case "big":
    case "bool":
    case "str":
    case "literal":
    case "null":
    case "local":
    case "global":
    case "this":
    case "funcref":
    case "lambda":
    case "staticField":
    case "hole":
      return [];
    case "unary":
    case "isNull":
    case "instanceof":
    case "convert":
      return [e.arg];
    case "arith":
    case "compare":
    case "logical":
      return [e.l, e.r];
    case "cond":
      return [e.test, e.then, e.else];
    case "bind":
      return [e.init, e.body];
    case "call":
    case "superCall":
    case "builtin":
    case "new":
      return e.args;
    case "method":
      return [e.recv, ...e.args];
    case "callValue":
      return [e.fn, ...e.args];
    case "newTyped":
      return [e.length];
    case "newSlots":
      return [e.capacity];
    case "filled":
      return [e.length, e.value];
    case "arrayLit":
      return e.elems;
    case "objectLit":
      return e.fields.map((f) => f.value);
    case "field":
      return [e.obj];
    case "index":
      return [e.obj, e.index];
    case "length":
      return [e.obj];
    case "assign":
      return [...targetOperands(e.target), e.value];
    case "update":
      return [...targetOperands(e.target), e.compute];
    case "concat":
      return e.parts;
    case "await":
      return e.calls;
    case "host":
      return e.recv === undefined ? e.args : [e.recv, ...e.args];
  }
}

/** The expressions directly in a statement (not those of nested statements), in source order. */
export function exprsOf(s: Stmt): readonly Expr[] {
  switch (s.k) {
    case "let":
    case "initGlobal":
      return s.init === undefined ? [] : [s.init];
    case "expr":
      return [s.e];
    case "if":
    case "doWhile":
      return [s.test];
    case "for":
      return [s.test, s.update].filter((e) => e !== undefined);
    case "forOf":
      return [s.of];
    case "switch":
      return [s.subject, ...s.cases.flatMap((c) => c.tests)];
    case "return":
      return s.value === undefined ? [] : [s.value];
    default:
      return [];
  }
}

/** Directly nested statements, in source order. */
export function stmtsOf(s: Stmt): readonly Stmt[] {
  switch (s.k) {
    case "if":
      return [...s.then, ...s.else];
    case "for":
      return [...s.init, ...s.body];
    case "doWhile":
    case "forOf":
    case "block":
      return s.body;
    case "switch":
      return s.cases.flatMap((c) => c.body);
    case "try":
      return [...s.body, ...s.handler];
    case "finally":
      return [...s.body, ...s.finalizer];
    default:
      return [];
  }
}

export interface Visitor {
  /** Called before the children. Return false to skip them. */
  readonly expr?: (e: Expr) => boolean | void;
  readonly stmt?: (s: Stmt) => boolean | void;
}

export function walkExpr(e: Expr, v: Visitor): void {
  if (v.expr?.(e) === false) return;
  for (const c of childrenOf(e)) walkExpr(c, v);
}

export function walkStmts(body: readonly Stmt[], v: Visitor): void {
  for (const s of body) {
    if (v.stmt?.(s) === false) continue;
    for (const e of exprsOf(s)) walkExpr(e, v);
    walkStmts(stmtsOf(s), v);
  }
}

/** The lambdas made directly in a body (not those inside other lambdas). */
export function lambdasOf(body: readonly Stmt[]): FuncDecl[] {
  const found: FuncDecl[] = [];
  walkStmts(body, {
    expr: (e) => {
      if (e.k === "lambda") found.push(e.f);
    },
  });
  return found;
}

/** The variables that statements declare, in source order. */
export function declaredIn(body: readonly Stmt[]): LocalVar[] {
  const found: LocalVar[] = [];
  walkStmts(body, {
    stmt: (s) => {
      if (s.k === "let" || s.k === "forOf") found.push(s.v);
      if (s.k === "forOf" && s.second !== undefined) found.push(s.second);
      if (s.k === "try" && s.v !== undefined) found.push(s.v);
    },
    expr: (e) => {
      if (e.k === "bind") found.push(e.v);
    },
  });
  return found;
}

/**
 * Copies of bodies with types and variables replaced: the mechanical half of monomorphisation. Declarations
 * (functions, classes, globals) stay the same objects; lambdas keep theirs and are instantiated by the caller.
 */
import type { Expr, LocalVar, LValue, Stmt } from "./nodes.js";
import { sameType, type Type } from "./types.js";

export interface CloneScope {
  type(t: Type): Type;
  local(v: LocalVar): LocalVar;
  /** A member of a value whose type was a type parameter: is it the same member in the type that took its place? */
  member(e: Extract<Expr, { k: "field" | "method" }>, actual: Type): void;
}

export function cloneBody(body: readonly Stmt[], s: CloneScope): Stmt[] {
  return body.map((stmt) => cloneStmt(stmt, s));
}

function cloneLValue(e: LValue, s: CloneScope): LValue {
  const base = { loc: e.loc, type: s.type(e.type) };
  switch (e.k) {
    case "local":
      return { ...base, k: "local", v: s.local(e.v) };
    case "global":
    case "staticField":
      return { ...e, ...base };
    case "field":
      if (e.obj.type.k === "param") s.member(e, s.type(e.obj.type));
      return { ...base, k: "field", obj: cloneExpr(e.obj, s), name: e.name };
    case "index":
      return { ...base, k: "index", obj: cloneExpr(e.obj, s), index: cloneExpr(e.index, s) };
  }
}

export function cloneExpr(e: Expr, s: CloneScope): Expr {
  const base = { loc: e.loc, type: s.type(e.type) };
  const all = (list: readonly Expr[]): Expr[] => list.map((x) => cloneExpr(x, s));
  switch (e.k) {
    case "num":
    case "big":
    case "bool":
    case "str":
    case "literal":
    case "null":
    case "this":
    case "lambda":
    case "hole":
      return { ...e, ...base };
    case "local":
    case "global":
    case "staticField":
    case "field":
    case "index":
      return cloneLValue(e, s);
    case "funcref":
      return { ...e, ...base, typeArgs: e.typeArgs.map((t) => s.type(t)) };
    case "convert": {
      const arg = cloneExpr(e.arg, s);
      // `T | null` of a `T` that is nullable itself.
      const nothing = (e.mode === "wrapNull" || e.mode === "unwrap") && sameType(arg.type, base.type);
      return nothing ? arg : { ...e, ...base, arg };
    }
    case "unary":
    case "isNull":
      return { ...e, ...base, arg: cloneExpr(e.arg, s) };
    case "instanceof":
      return { ...e, ...base, arg: cloneExpr(e.arg, s), of: s.type(e.of) };
    case "arith":
    case "compare":
    case "logical":
      return { ...e, ...base, l: cloneExpr(e.l, s), r: cloneExpr(e.r, s) };
    case "cond":
      return {
        ...e,
        ...base,
        test: cloneExpr(e.test, s),
        then: cloneExpr(e.then, s),
        else: cloneExpr(e.else, s),
      };
    case "bind":
      return { ...e, ...base, v: s.local(e.v), init: cloneExpr(e.init, s), body: cloneExpr(e.body, s) };
    case "call":
      return { ...e, ...base, typeArgs: e.typeArgs.map((t) => s.type(t)), args: all(e.args) };
    case "method":
      if (e.recv.type.k === "param") s.member(e, s.type(e.recv.type));
      return {
        ...e,
        ...base,
        recv: cloneExpr(e.recv, s),
        typeArgs: e.typeArgs.map((t) => s.type(t)),
        args: all(e.args),
      };
    case "superCall":
      return { ...e, ...base, superclass: s.type(e.superclass), args: all(e.args) };
    case "callValue":
      return { ...e, ...base, fn: cloneExpr(e.fn, s), args: all(e.args) };
    case "builtin":
    case "new":
      return { ...e, ...base, args: all(e.args) };
    case "newTyped":
      return { ...e, ...base, length: cloneExpr(e.length, s) };
    case "newSlots":
      return { ...e, ...base, capacity: cloneExpr(e.capacity, s) };
    case "filled":
      return { ...e, ...base, length: cloneExpr(e.length, s), value: cloneExpr(e.value, s) };
    case "arrayLit":
      return { ...e, ...base, elems: all(e.elems) };
    case "objectLit":
      return { ...e, ...base, fields: e.fields.map((f) => ({ name: f.name, value: cloneExpr(f.value, s) })) };
    case "length":
      return { ...e, ...base, obj: cloneExpr(e.obj, s) };
    case "assign":
      return { ...e, ...base, target: cloneLValue(e.target, s), value: cloneExpr(e.value, s) };
    case "update":
      return { ...e, ...base, target: cloneLValue(e.target, s), compute: cloneExpr(e.compute, s) };
    case "concat":
      return { ...e, ...base, parts: all(e.parts) };
    case "await":
      return { ...e, ...base, calls: all(e.calls) };
    case "host":
      return {
        ...e,
        ...base,
        recv: e.recv === undefined ? undefined : cloneExpr(e.recv, s),
        args: all(e.args),
      };
  }
}

function cloneStmt(stmt: Stmt, s: CloneScope): Stmt {
  const expr = (e: Expr): Expr => cloneExpr(e, s);
  const maybe = (e: Expr | undefined): Expr | undefined => (e === undefined ? undefined : cloneExpr(e, s));
  const body = (b: readonly Stmt[]): Stmt[] => cloneBody(b, s);
  switch (stmt.k) {
    case "let":
      return { ...stmt, v: s.local(stmt.v), init: maybe(stmt.init) };
    case "expr":
      return { ...stmt, e: expr(stmt.e) };
    case "if":
      return { ...stmt, test: expr(stmt.test), then: body(stmt.then), else: body(stmt.else) };
    case "for":
      return {
        ...stmt,
        init: body(stmt.init),
        test: maybe(stmt.test),
        update: maybe(stmt.update),
        body: body(stmt.body),
      };
    case "doWhile":
      return { ...stmt, body: body(stmt.body), test: expr(stmt.test) };
    case "forOf":
      return {
        ...stmt,
        v: s.local(stmt.v),
        second: stmt.second === undefined ? undefined : s.local(stmt.second),
        of: expr(stmt.of),
        body: body(stmt.body),
      };
    case "switch":
      return {
        ...stmt,
        subject: expr(stmt.subject),
        cases: stmt.cases.map((c) => ({ ...c, tests: c.tests.map(expr), body: body(c.body) })),
      };
    case "return":
      return { ...stmt, value: maybe(stmt.value) };
    case "throw":
      return { ...stmt, rethrow: stmt.rethrow === undefined ? undefined : s.local(stmt.rethrow) };
    case "try":
      return {
        ...stmt,
        body: body(stmt.body),
        v: stmt.v === undefined ? undefined : s.local(stmt.v),
        handler: body(stmt.handler),
      };
    case "finally":
      return { ...stmt, body: body(stmt.body), finalizer: body(stmt.finalizer) };
    case "block":
      return { ...stmt, body: body(stmt.body) };
    case "initGlobal":
      return { ...stmt, init: maybe(stmt.init) };
    case "break":
    case "continue":
      return stmt;
  }
}

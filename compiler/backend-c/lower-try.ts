/** `throw`, `try` and what a `catch` is given. */
import type { LocalVar, Loc, Stmt } from "../ir/nodes.js";
import { I32, STRING, type Type } from "../ir/types.js";
import { walkStmts } from "../ir/walk.js";
import {
  addressOf,
  assign,
  at,
  binary,
  call,
  dot,
  id,
  lit,
  member,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import type { FinallyExit, FuncContext } from "./func-context.js";
import { endsInJump, jump, returnValue } from "./lower-jump.js";
import { value } from "./lower-expr.js";
import { lowerStmts } from "./lower-stmt.js";
import { trapKinds } from "./unit.js";

export function lowerThrow(c: FuncContext, s: Extract<Stmt, { k: "throw" }>): void {
  if (s.rethrow !== undefined) {
    const boundary = c.caught.get(s.rethrow);
    if (boundary === undefined) {
      throwKept(c, s.rethrow, s.loc);
      return;
    }
    c.emit({ k: "expr", e: call("tmc_rethrow", addressOf(dot(id(boundary), "info"))) });
    return;
  }
  const message: CExpr = { k: "str", bytes: s.message };
  c.emit({ k: "expr", e: call("tmc_throw", message, c.site("throw", s.loc)) });
}

/** A trap that was made again from what a frame kept of it: no boundary knows it any more. */
function throwKept(c: FuncContext, v: LocalVar, loc: Loc): void {
  const part = (name: string, type: Type): CExpr =>
    value(c, { k: "field", type, loc, obj: { k: "local", type: v.type, loc, v }, name });
  const kind = part("kind", { k: "literals", values: [...trapKinds].sort() });
  const args = [kindTable(c), kind, part("site", I32), part("message", STRING)];
  c.emit({ k: "expr", e: call("tmc_rethrow_kept", ...args) });
}

/** The literals of the trap kinds by `tmc_trap_kind`. */
function kindTable(c: FuncContext): CExpr {
  return c.unit.data.table(
    "trap_kinds",
    "uint16_t",
    ["", ...trapKinds].map((k) =>
      k === "" ? lit("0") : { k: "note", arg: lit(String(c.unit.literal(k))), text: k },
    ),
  );
}

export function lowerTry(c: FuncContext, s: Extract<Stmt, { k: "try" }>): void {
  const name = c.names.takeForFunction("boundary");
  c.hoisted.push({ k: "decl", type: "tmc_boundary", name });
  const boundary = id(name);
  c.emit({ k: "expr", e: call("tmc_boundary_push", addressOf(boundary)) });
  c.tries.push({ boundary: name, finally: undefined });
  const body = c.block(() => lowerStmts(c, s.body));
  c.tries.pop();
  if (!endsInJump(body)) body.push({ k: "expr", e: call("tmc_boundary_pop", addressOf(boundary)) });
  const handler = c.block(() => {
    if (s.v !== undefined) {
      c.caught.set(s.v, name);
      if (mentions(s.handler, s.v)) declareCaught(c, s.v, boundary);
    }
    lowerStmts(c, s.handler);
  });
  c.emit({
    k: "if",
    test: binary("==", call("setjmp", dot(boundary, "env")), lit("0")),
    then: body,
    else: handler,
  });
}

/**
 * The finalizer stands once, after the body. `exit` says how the body was left: 0 by its end, -1 by a trap, else by one
 * of the jumps, which go on behind the finalizer.
 */
export function lowerFinally(c: FuncContext, s: Extract<Stmt, { k: "finally" }>): void {
  const name = c.names.takeForFunction("boundary");
  c.hoisted.push({ k: "decl", type: "tmc_boundary", name });
  const boundary = id(name);
  const exit = c.hoist("int32_t", "exit");
  const label = c.names.takeForFunction("finally");
  const exits: FinallyExit[] = [];
  c.emit(assign(exit, lit("-1")));
  c.emit({ k: "expr", e: call("tmc_boundary_push", addressOf(boundary)) });
  c.tries.push({ boundary: name, finally: { label, exit, exits } });
  const body = c.block(() => lowerStmts(c, s.body));
  c.tries.pop();
  const hasEnd = !endsInJump(body);
  if (hasEnd) {
    body.push({ k: "expr", e: call("tmc_boundary_pop", addressOf(boundary)) });
    body.push(assign(exit, lit("0")));
  }
  c.emit({
    k: "if",
    test: binary("==", call("setjmp", dot(boundary, "env")), lit("0")),
    then: body,
    else: [],
  });
  if (exits.length > 0) c.emit({ k: "label", name: label });
  c.emit({ k: "block", body: c.block(() => lowerStmts(c, s.finalizer)) });
  const goOn = (code: number, how: () => void): void =>
    c.emit({ k: "if", test: binary("==", exit, lit(String(code))), then: c.block(how), else: [] });
  const rethrow: CStmt = { k: "expr", e: call("tmc_rethrow", addressOf(dot(boundary, "info"))) };
  const follow = (x: FinallyExit): void =>
    x.k === "return" ? returnValue(c, c.result) : jump(c, x.k, x.label);
  // Without an end to the body, what is left when every jump has gone is the trap.
  exits.forEach((x, i) => goOn(i + 1, () => follow(x)));
  if (hasEnd) goOn(-1, () => c.emit(rethrow));
  else c.emit(rethrow);
}

/** Does the handler look at what it caught (other than to throw it again)? */
function mentions(handler: readonly Stmt[], v: LocalVar): boolean {
  let found = false;
  walkStmts(handler, {
    expr: (e) => {
      if (e.k === "local" && e.v === v) found = true;
      if (e.k === "lambda" && e.f.captures.includes(v)) found = true;
    },
  });
  return found;
}

/** The Trap object of a catch: kind as a literal, site, message. */
function declareCaught(c: FuncContext, v: LocalVar, boundary: CExpr): void {
  const { unit } = c;
  if (v.type.k !== "object") throw new Error("catch variable is not a Trap");
  const cls = unit.reachable.mono.classOf(v.type);
  const place = c.hoist(unit.layouts.layout(cls).struct, v.name);
  const info = dot(boundary, "info");
  const kinds = kindTable(c);
  const set = (field: string, v2: CExpr): void => {
    const found = unit.layouts.path(cls, field);
    if (found === undefined) return;
    const target = found.steps.reduce((at2, step) => member(at2, step), place);
    c.emit(assign(target, v2));
  };
  set("kind", at(kinds, dot(info, "kind")));
  set("site", dot(info, "site"));
  const message = dot(info, "message");
  const empty: CExpr = { k: "str", bytes: "" };
  const isNone = binary("==", dot(message, "ptr"), lit("NULL"));
  set("message", { k: "cond", test: isNone, then: empty, else: message });
  c.vars.set(v, { k: "object", place });
}

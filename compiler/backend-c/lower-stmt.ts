/** Statements in general, variables, and expressions for their effect only. */
import type { Expr, LocalVar, Stmt } from "../ir/nodes.js";
import { addressOf, assign, cast, id, lit, type CExpr } from "./c-ast.js";
import { isCell } from "./closures.js";
import { isPure } from "./effects.js";
import type { FuncContext } from "./func-context.js";
import { lowerArray, lowerNew, lowerObjectLiteral, newStorage } from "./lower-alloc.js";
import { assignValue, updateValue } from "./lower-assign.js";
import { coerce } from "./lower-convert.js";
import { value } from "./lower-expr.js";
import { jump, lowerReturn } from "./lower-jump.js";
import { lowerFor, lowerDoWhile, lowerForOf } from "./lower-loop.js";
import { lowerSwitch } from "./lower-switch.js";
import { lowerFinally, lowerThrow, lowerTry } from "./lower-try.js";
import { notExpr } from "./places.js";
import { constantOf } from "./static-data.js";

export function lowerStmts(c: FuncContext, body: readonly Stmt[]): void {
  for (const s of body) lowerStmt(c, s);
}

function lowerStmt(c: FuncContext, s: Stmt): void {
  c.mark(s.loc);
  switch (s.k) {
    case "let":
      lowerLet(c, s.v, s.init);
      return;
    case "expr":
      lowerEffect(c, s.e);
      return;
    case "if": {
      const test = value(c, s.test);
      const then = c.block(() => lowerStmts(c, s.then));
      const other = c.block(() => lowerStmts(c, s.else));
      c.emit({ k: "if", test, then, else: other });
      return;
    }
    case "for":
      lowerFor(c, s);
      return;
    case "doWhile":
      lowerDoWhile(c, s);
      return;
    case "forOf":
      lowerForOf(c, s);
      return;
    case "switch":
      lowerSwitch(c, s);
      return;
    case "return":
      lowerReturn(c, s.value);
      return;
    case "break":
    case "continue":
      jump(c, s.k, s.label);
      return;
    case "throw":
      lowerThrow(c, s);
      return;
    case "try":
      lowerTry(c, s);
      return;
    case "finally":
      lowerFinally(c, s);
      return;
    case "block":
      c.emit({ k: "block", body: c.block(() => lowerStmts(c, s.body)) });
      return;
    case "initGlobal":
      throw new Error(`${c.func.key}: a module's declaration in run-phase code`);
  }
}

/** An expression whose value nobody uses. */
export function lowerEffect(c: FuncContext, e: Expr): void {
  switch (e.k) {
    case "assign":
      assignValue(c, e, false);
      return;
    case "update":
      updateValue(c, e, false);
      return;
    case "builtin":
      if (e.name === "sequence") for (const x of e.args) lowerEffect(c, x);
      else discard(c, e, value(c, e));
      return;
    case "logical": {
      const test = value(c, e.l);
      const then = c.block(() => lowerEffect(c, e.r));
      if (then.length > 0) c.emit({ k: "if", test: e.op === "and" ? test : notExpr(test), then, else: [] });
      else discard(c, e.l, test);
      return;
    }
    case "cond": {
      const test = value(c, e.test);
      const then = c.block(() => lowerEffect(c, e.then));
      const other = c.block(() => lowerEffect(c, e.else));
      c.emit({ k: "if", test, then, else: other });
      return;
    }
    default:
      discard(c, e, value(c, e));
  }
}

export function discard(c: FuncContext, e: Expr, v: CExpr): void {
  if (v.k === "lit" || v.k === "id" || (v.k === "cast" && v.type === "void")) return;
  if (v.k === "call" && e.type.k === "void") c.emit({ k: "expr", e: v });
  else if (v.k === "call" && v.fn.k === "id" && /^tmc_(log_end|trap|throw)$/.test(v.fn.name))
    c.emit({ k: "expr", e: v });
  else if (!isPure(c.unit.effects.of(e))) c.emit({ k: "expr", e: cast("void", v) });
}

// ---- variables -----------------------------------------------------------------------------------------------------

function qualified(c: FuncContext, v: LocalVar, type: string): string {
  if (!v.mutable) return constantOf(type);
  return c.volatileLocals.has(v) ? (type.endsWith("*") ? `${type}volatile` : `volatile ${type}`) : type;
}

/** Declares a variable with a C initialiser in the current scope. */
export function declareLocal(c: FuncContext, v: LocalVar, init: CExpr | undefined): void {
  const type = c.type(v.type);
  if (isCell(v)) {
    // A lambda may be called after this C scope has ended.
    const place = c.hoist(type, v.name);
    c.vars.set(v, { k: "value", place });
    const zero = zeroInit(c, v);
    c.emit(
      assign(
        place,
        init ??
          (zero.k === "list" ? { k: "compound", type, init: zero } : zero.k === "bytes" ? lit("0") : zero),
      ),
    );
    return;
  }
  const name = c.names.take(v.name);
  c.vars.set(v, { k: "value", place: id(name) });
  c.emit({ k: "decl", type: qualified(c, v, type), name, init: init ?? zeroInit(c, v) });
}

function zeroInit(c: FuncContext, v: LocalVar) {
  const zero = c.unit.data.zero(v.type);
  return zero.k === "list" ? c.unit.data.zeroOf(v.type) : zero;
}

export function lowerLet(c: FuncContext, v: LocalVar, init: Expr | undefined): void {
  if (init !== undefined && !v.mutable) {
    switch (init.k) {
      case "newTyped":
      case "newSlots":
      case "filled":
      case "arrayLit": {
        const place = lowerArray(c, init, v.name);
        c.vars.set(v, { k: "array", ptr: place.ptr, length: place.length ?? 0 });
        return;
      }
      case "new":
      case "objectLit": {
        const place = newStorage(c, init, v.name);
        if (init.k === "new") lowerNew(c, init, place);
        else lowerObjectLiteral(c, init, place);
        // Stored in place only under its own type; through another type it is a pointer.
        if (
          c.type(init.type) === c.type(v.type) &&
          c.unit.classOfType(v.type) === c.unit.classOfType(init.type)
        ) {
          c.vars.set(v, { k: "object", place });
        } else {
          declareLocal(c, v, cast(c.type(v.type), addressOf(place)));
        }
        return;
      }
      default:
    }
  }
  declareLocal(c, v, init === undefined ? undefined : coerce(c, value(c, init), init.type, v.type));
}

/** Loops: `for`, `while`, `do`, `for … of`. */
import type { Expr, LocalVar, Stmt } from "../ir/nodes.js";
import { isMapOrSet } from "../ir/map-type.js";
import { assign, at, binary, id, lit, type CExpr, type CStmt } from "./c-ast.js";
import { countedLoop } from "./counted-loops.js";
import { isPure } from "./effects.js";
import type { FuncContext } from "./func-context.js";
import { invoke } from "./lower-call.js";
import { coerce } from "./lower-convert.js";
import { value } from "./lower-expr.js";
import { enterLoop, leaveLoop } from "./lower-jump.js";
import { mapTables } from "./lower-map.js";
import { lowerStmts, lowerEffect, declareLocal } from "./lower-stmt.js";
import { arrayPlace, notExpr, stableArray } from "./places.js";

type For = Extract<Stmt, { k: "for" }>;

/** A `for` head without statements of its own stays a C `for`. */
export function lowerFor(c: FuncContext, s: For): void {
  const inner = c.block(() => {
    c.mark(s.loc);
    const init = c.collect(() => lowerStmts(c, s.init)).stmts;
    const head =
      init.length === 1 && (init[0]?.k === "decl" || init[0]?.k === "assign") ? init[0] : undefined;
    if (head === undefined) c.append(init);
    const test = c.collect(() => (s.test === undefined ? undefined : value(c, s.test)));
    const update = c.collect(() => {
      if (s.update !== undefined) lowerEffect(c, s.update);
    }).stmts;
    const step =
      update.length === 1 && (update[0]?.k === "assign" || update[0]?.k === "expr") ? update[0] : undefined;
    const simple = test.stmts.length === 0 && (update.length === 0 || step !== undefined);
    const scope = enterLoop(c, s.label, "loop", !simple && update.length > 0);
    const counted = countedLoop(s);
    if (counted !== undefined) c.counted.push(counted);
    const loc = s.loc;
    if (simple) {
      const body = c.block(() => {
        lowerStmts(c, s.body);
        if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
      });
      c.mark(loc);
      if (head === undefined && step === undefined)
        c.emit({ k: "while", test: test.result ?? lit("true"), body });
      else
        c.emit({
          k: "for",
          init: head === undefined ? undefined : { ...head, loc: undefined },
          test: test.result,
          update: step,
          body,
        });
    } else {
      const body = c.block(() => {
        c.append(test.stmts);
        if (test.result !== undefined) {
          c.emit({ k: "if", test: notExpr(test.result), then: [{ k: "break" }], else: [] });
        }
        c.append([{ k: "block", body: c.block(() => lowerStmts(c, s.body)) }]);
        if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
        c.append(update);
      });
      c.mark(loc);
      c.emit({
        k: "for",
        init: head === undefined ? undefined : { ...head, loc: undefined },
        test: undefined,
        update: undefined,
        body,
      });
    }
    if (counted !== undefined) c.counted.pop();
    leaveLoop(c, scope);
  });
  // The variables of the head are already scoped by the C `for`.
  if (inner.length === 1) c.append(inner);
  else c.emit({ k: "block", body: inner });
}

export function lowerDoWhile(c: FuncContext, s: Extract<Stmt, { k: "doWhile" }>): void {
  const effects = c.unit.effects.of(s.test);
  const pure = isPure(effects);
  const scope = enterLoop(c, s.label, "loop", !pure);
  let test: CExpr = lit("true");
  const body = c.block(() => {
    const inner = c.block(() => lowerStmts(c, s.body));
    const plain = c.collect(() => value(c, s.test));
    if (plain.stmts.length === 0 && pure) {
      c.append(inner);
      if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
      test = plain.result;
      return;
    }
    c.emit({ k: "block", body: inner });
    if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
    c.append(plain.stmts);
    c.emit({ k: "if", test: notExpr(plain.result), then: [{ k: "break" }], else: [] });
  });
  c.emit({ k: "doWhile", body, test });
  leaveLoop(c, scope);
}

export function lowerForOf(c: FuncContext, s: Extract<Stmt, { k: "forOf" }>): void {
  const outer = c.block(() => {
    c.mark(s.loc);
    const name = c.names.take(`${s.v.name}_index`);
    const i = id(name);
    const scope = enterLoop(c, s.label, "loop", false);
    let test: CExpr;
    let body: CStmt[];
    if (isMapOrSet(s.of.type)) {
      const table = mapTables(c, s.of);
      const first = table(s.lengthOf === "mapValues" ? "values" : "keys");
      test = binary("<", i, first.len);
      body = c.block(() => {
        declareLocal(c, s.v, coerce(c, at(first.ptr, i), first.elem, s.v.type));
        if (s.second !== undefined) {
          const second = table("values");
          declareLocal(c, s.second, coerce(c, at(second.ptr, i), second.elem, s.second.type));
        }
        lowerStmts(c, s.body);
        if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
      });
    } else if (s.get === undefined) {
      const array = stableArray(c, arrayPlace(c, s.of), s.of.type);
      test = binary("<", i, array.len);
      body = c.block(() => {
        declareLocal(c, s.v, coerce(c, at(array.ptr, i), array.elem, s.v.type));
        lowerStmts(c, s.body);
        if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
      });
    } else {
      const parts = overObject(c, s, i);
      test = parts.test;
      body = c.block(() => {
        declareLocal(c, s.v, parts.element());
        lowerStmts(c, s.body);
        if (scope.continueLabel !== undefined) c.emit({ k: "label", name: scope.continueLabel });
      });
    }
    c.emit({
      k: "for",
      init: { k: "decl", type: "int32_t", name, init: lit("0") },
      test,
      update: assign(i, binary("+", i, lit("1"))),
      body,
    });
    leaveLoop(c, scope);
  });
  if (outer.length === 1) c.append(outer);
  else c.emit({ k: "block", body: outer });
}

/** `for … of` over an object with `length` and `get(i)`. */
function overObject(
  c: FuncContext,
  s: Extract<Stmt, { k: "forOf" }>,
  i: CExpr,
): { readonly test: CExpr; readonly element: () => CExpr } {
  const { of, get } = s;
  if (get === undefined) throw new Error("no get");
  // The object is evaluated once: a temporary stands for it afterwards.
  const pointer = c.temp(c.type(of.type), value(c, of), "list");
  const v: LocalVar = { id: -1, name: "list", type: of.type, mutable: false, captured: false };
  c.vars.set(v, { k: "value", place: pointer });
  const list: Expr = { k: "local", v, type: of.type, loc: s.loc };
  const index: LocalVar = { id: -2, name: "i", type: { k: "num", n: "i32" }, mutable: true, captured: false };
  c.vars.set(index, { k: "value", place: i });
  const at: Expr = { k: "local", v: index, type: index.type, loc: s.loc };
  const i32 = { k: "num", n: "i32" } as const;
  const length: CExpr =
    s.lengthOf === "method"
      ? invokeAs(c, of, list, "length", [], i32, s.loc)
      : value(c, { k: "field", obj: list, name: "length", type: i32, loc: s.loc });
  return {
    test: binary("<", i, length),
    element: () => invokeAs(c, of, list, get.name, [at], s.v.type, s.loc),
  };
}

/** A method call whose targets were found for `site`. */
function invokeAs(
  c: FuncContext,
  site: Expr,
  recv: Expr,
  name: string,
  args: readonly Expr[],
  type: Expr["type"],
  loc: Expr["loc"],
): CExpr {
  const targets = c.unit.reachable.targets(site).filter((t) => t.func.decl.name === name);
  return invoke(c, { ...site, type, loc }, recv, name, args, targets);
}

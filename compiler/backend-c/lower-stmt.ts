/** Statements: control flow, variables, try. Expressions for their effect only are lowered here too. */
import type { Expr, LocalVar, Stmt } from "../ir/nodes.js";
import { isInteger } from "../ir/types.js";
import { walkStmts } from "../ir/walk.js";
import {
  addressOf,
  assign,
  at,
  binary,
  call,
  cast,
  dot,
  id,
  lit,
  member,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { printExpr } from "./c-print.js";
import { isCell } from "./closures.js";
import { isPure } from "./effects.js";
import type { FuncContext, LoopScope } from "./func-context.js";
import { lowerArray, lowerNew, lowerObjectLiteral, newStorage } from "./lower-alloc.js";
import { assignValue, updateValue } from "./lower-assign.js";
import { invoke } from "./lower-call.js";
import { coerce } from "./lower-convert.js";
import { value } from "./lower-expr.js";
import { arrayPlace, notExpr, stableArray } from "./places.js";
import { constantOf } from "./static-data.js";
import { trapKinds } from "./unit.js";

export function lowerStmts(c: FuncContext, body: readonly Stmt[]): void {
  for (const s of body) lowerStmt(c, s);
}

/** Does control never reach the end of these statements? */
export function endsInJump(body: readonly CStmt[]): boolean {
  const last = body[body.length - 1];
  switch (last?.k) {
    case "return":
    case "break":
    case "continue":
    case "goto":
      return true;
    case "if":
      return last.else.length > 0 && endsInJump(last.then) && endsInJump(last.else);
    case "block":
      return endsInJump(last.body);
    case "switch":
      return (
        last.cases.some((x) => x.isDefault) && last.cases.every((x) => endsInJump(x.body) && !breaks(x.body))
      );
    case "expr":
      return (
        last.e.k === "call" &&
        last.e.fn.k === "id" &&
        (last.e.fn.name === "tmc_throw" || last.e.fn.name === "tmc_trap" || last.e.fn.name === "tmc_rethrow")
      );
    default:
      return false;
  }
}

/** Is there a `break` that leaves the switch around? */
function breaks(body: readonly CStmt[]): boolean {
  return body.some((s) => {
    if (s.k === "break") return true;
    if (s.k === "if") return breaks(s.then) || breaks(s.else);
    return s.k === "block" && breaks(s.body);
  });
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

function discard(c: FuncContext, e: Expr, v: CExpr): void {
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

// ---- jumps ---------------------------------------------------------------------------------------------------------

/** Leaves the try bodies opened inside the loop (or function) that a jump leaves. */
function popBoundaries(c: FuncContext, depth: number): void {
  for (let i = c.tries.length - 1; i >= depth; i--) {
    c.emit({ k: "expr", e: call("tmc_boundary_pop", addressOf(id(c.tries[i] ?? ""))) });
  }
}

function jump(c: FuncContext, k: "break" | "continue", label: string | undefined): void {
  let crossed = false;
  for (let i = c.loops.length - 1; i >= 0; i--) {
    const scope = c.loops[i];
    if (scope === undefined) break;
    const mine = label !== undefined ? scope.label === label : k === "break" || scope.kind === "loop";
    if (!mine) {
      // A C `break` would leave this one instead; a C `continue` only minds loops.
      crossed ||= scope.kind === "loop" || (k === "break" && scope.kind === "switch");
      continue;
    }
    popBoundaries(c, scope.tryDepth);
    if (k === "break") {
      if (!crossed && scope.kind !== "chain") c.emit({ k: "break" });
      else c.emit({ k: "goto", label: (scope.breakLabel ??= c.names.takeForFunction("done")) });
    } else if (!crossed && !scope.continueByGoto) {
      c.emit({ k: "continue" });
    } else {
      c.emit({ k: "goto", label: (scope.continueLabel ??= c.names.takeForFunction("next")) });
    }
    return;
  }
  throw new Error(`${c.func.key}: ${k} outside a loop`);
}

function lowerReturn(c: FuncContext, e: Expr | undefined): void {
  let v = e === undefined ? undefined : value(c, e);
  if (e !== undefined && e.type.k === "void") {
    if (v !== undefined) discard(c, e, v);
    v = undefined;
  } else if (e !== undefined && v !== undefined) {
    v = coerce(c, v, e.type, c.func.ret);
    if (c.tries.length > 0) v = c.temp(c.type(c.func.ret), v, "result");
  }
  popBoundaries(c, 0);
  c.emit({ k: "return", value: c.func.ret.k === "void" ? undefined : v });
}

// ---- loops ---------------------------------------------------------------------------------------------------------

function enterLoop(
  c: FuncContext,
  label: string | undefined,
  kind: LoopScope["kind"],
  continueByGoto: boolean,
): LoopScope {
  const scope: LoopScope = {
    label,
    kind,
    breakLabel: undefined,
    continueLabel: undefined,
    continueByGoto,
    tryDepth: c.tries.length,
  };
  c.loops.push(scope);
  return scope;
}

function leaveLoop(c: FuncContext, scope: LoopScope): void {
  c.loops.pop();
  if (scope.breakLabel !== undefined) c.emit({ k: "label", name: scope.breakLabel });
}

type For = Extract<Stmt, { k: "for" }>;

/** A `for` head without statements of its own stays a C `for`. */
function lowerFor(c: FuncContext, s: For): void {
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
    leaveLoop(c, scope);
  });
  // The variables of the head are already scoped by the C `for`.
  if (inner.length === 1) c.append(inner);
  else c.emit({ k: "block", body: inner });
}

function lowerDoWhile(c: FuncContext, s: Extract<Stmt, { k: "doWhile" }>): void {
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

function lowerForOf(c: FuncContext, s: Extract<Stmt, { k: "forOf" }>): void {
  const outer = c.block(() => {
    c.mark(s.loc);
    const name = c.names.take(`${s.v.name}_index`);
    const i = id(name);
    const scope = enterLoop(c, s.label, "loop", false);
    let test: CExpr;
    let body: CStmt[];
    if (s.get === undefined) {
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

// ---- switch --------------------------------------------------------------------------------------------------------

type Switch = Extract<Stmt, { k: "switch" }>;

function lowerSwitch(c: FuncContext, s: Switch): void {
  const t = s.subject.type;
  const integral = t.k === "literals" || (t.k === "num" && isInteger(t.n));
  if (integral) lowerIntegerSwitch(c, s);
  else lowerChainSwitch(c, s);
}

function lowerIntegerSwitch(c: FuncContext, s: Switch): void {
  const subject = value(c, s.subject);
  const scope = enterLoop(c, undefined, "switch", false);
  const seen = new Set<string>(); // a repeated test never matches, and C refuses it
  const cases = s.cases.map((k) => {
    const body = c.block(() => {
      lowerStmts(c, k.body);
    });
    if (!endsInJump(body)) body.push({ k: "break" });
    const tests = k.tests
      .map((x) => value(c, x))
      .filter((x) => !seen.has(printExpr(x)) && seen.add(printExpr(x)));
    return { tests, isDefault: k.isDefault, body };
  });
  // The frontend proved a switch over literals without default to be exhaustive.
  const subjectType = s.subject.type;
  const covered = s.cases.flatMap((k) => k.tests).length;
  const last = cases[cases.length - 1];
  if (
    subjectType.k === "literals" &&
    !cases.some((k) => k.isDefault) &&
    covered === subjectType.values.length &&
    last !== undefined
  ) {
    cases[cases.length - 1] = { ...last, isDefault: true };
  }
  c.emit({ k: "switch", subject, cases: cases.filter((k) => k.tests.length > 0 || k.isDefault) });
  leaveLoop(c, scope);
}

/** Strings, floats, booleans: an if chain. The default comes last whatever its place. */
function lowerChainSwitch(c: FuncContext, s: Switch): void {
  const type = s.subject.type;
  const subject = c.temp(c.type(type), value(c, s.subject), "subject");
  const v: LocalVar = { id: -1, name: "subject", type, mutable: false, captured: false };
  c.vars.set(v, { k: "value", place: subject });
  const scope = enterLoop(c, undefined, "chain", false);
  const lower = (i: number): CStmt[] => {
    const k = s.cases.filter((x) => x.tests.length > 0)[i];
    if (k === undefined) {
      const other = s.cases.find((x) => x.isDefault && x.tests.length === 0);
      return other === undefined ? [] : c.block(() => lowerStmts(c, other.body));
    }
    const tests = k.tests.map((x) =>
      value(c, {
        k: "compare",
        op: "eq",
        l: { k: "local", v, type, loc: x.loc },
        r: x,
        type: { k: "bool" },
        loc: x.loc,
      }),
    );
    const test = tests.reduce((a, b) => binary("||", a, b));
    const then = c.block(() => lowerStmts(c, k.body));
    if (k.isDefault && s.cases.filter((x) => x.tests.length > 0).length === i + 1) return then;
    return [{ k: "if", test, then, else: lower(i + 1) }];
  };
  c.append(lower(0));
  leaveLoop(c, scope);
}

// ---- throw, try ----------------------------------------------------------------------------------------------------

function lowerThrow(c: FuncContext, s: Extract<Stmt, { k: "throw" }>): void {
  if (s.rethrow !== undefined) {
    const boundary = c.caught.get(s.rethrow);
    if (boundary === undefined)
      throw new Error(`${c.func.key}: rethrow of a variable that is not of a catch`);
    c.emit({ k: "expr", e: call("tmc_rethrow", addressOf(dot(id(boundary), "info"))) });
    return;
  }
  const message: CExpr = { k: "str", bytes: s.message };
  c.emit({ k: "expr", e: call("tmc_throw", message, c.site("throw", s.loc)) });
}

function lowerTry(c: FuncContext, s: Extract<Stmt, { k: "try" }>): void {
  const name = c.names.takeForFunction("boundary");
  c.hoisted.push({ k: "decl", type: "tmc_boundary", name });
  const boundary = id(name);
  c.emit({ k: "expr", e: call("tmc_boundary_push", addressOf(boundary)) });
  c.tries.push(name);
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
  const kinds = unit.data.table(
    "trap_kinds",
    "uint16_t",
    ["", ...trapKinds].map((k) =>
      k === "" ? lit("0") : { k: "note", arg: lit(String(unit.literal(k))), text: k },
    ),
  );
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

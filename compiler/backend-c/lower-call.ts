/** Calls: direct, dispatched by class id, of function values; and making function values. */
import type { MonoClass, MonoFunc } from "../ir/monomorphise.js";
import type { Expr, ExprOf, LocalVar } from "../ir/nodes.js";
import type { CallTarget } from "../ir/reachability.js";
import { typeKey, type Type } from "../ir/types.js";
import { UserError } from "../diagnostics/user-error.js";
import {
  addressOf,
  assign,
  call,
  cast,
  deref,
  dot,
  id,
  lit,
  NULL_PTR,
  ret,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { envOf, functionPointer, isCell } from "./closures.js";
import { isPure } from "./effects.js";
import type { FuncContext } from "./func-context.js";
import { adapt, coerce } from "./lower-convert.js";
import { operands, type Operand } from "./lower-expr.js";
import { pointerTo } from "./static-data.js";
import { asClass, sliceOf } from "./places.js";

/** The arguments as operands of the types that the target takes. */
export function callArguments(args: readonly Expr[], to: MonoFunc | undefined): Operand[] {
  return args.map((e, i): Operand => ({ e, as: "value", to: to?.params[i]?.type ?? e.type }));
}

/** The caller-side storage of what the callee returns fresh. */
export function frameArgument(c: FuncContext, site: Expr, to: MonoFunc): CExpr[] {
  return c.frames.frameOf(to) === undefined ? [] : callFrameArgument(c, site);
}

/** The storage for whatever the targets of a call return fresh. */
function callFrameArgument(c: FuncContext, site: Expr): CExpr[] {
  const type = c.frames.callFrame(site);
  if (type === undefined) return [];
  const member = c.frame?.inner.get(site);
  if (member !== undefined) {
    return [addressOf({ k: "member", obj: id("frame"), name: member.name, arrow: true })];
  }
  return [addressOf(c.hoist(type, "made"))];
}

/** Calls of unknown functions cannot pass a frame. */
function refuseFrames(c: FuncContext, e: Expr, targets: readonly MonoFunc[]): void {
  const framed = targets.find((t) => c.frames.frameOf(t) !== undefined);
  if (framed === undefined) return;
  throw new UserError(
    "TMC1951",
    `${e.loc.file}:${e.loc.line}:${e.loc.col}: this call can reach several functions, and ${framed.decl.name} returns a fresh object`,
    "return an object that setup made, or pass one in to be filled",
  );
}

/** What an expression that can never be evaluated becomes: a trap. */
function unreachable(c: FuncContext, e: Expr, parts: readonly Expr[]): CExpr {
  for (const v of operands(
    c,
    parts.map((x): Operand => ({ e: x, as: "value" })),
  )) {
    if (!isTrivial(v.value)) c.emit({ k: "expr", e: cast("void", v.value) });
  }
  c.emit({ k: "expr", e: call("tmc_trap", id("TMC_TRAP_NULL"), c.site("null", e.loc)) });
  if (e.type.k === "void") return cast("void", lit("0"));
  const zero = c.unit.data.zero(e.type);
  return zero.k === "list"
    ? { k: "compound", type: c.type(e.type), init: zero }
    : zero.k === "bytes"
      ? NULL_PTR
      : zero;
}

const isTrivial = (e: CExpr): boolean => e.k === "id" || e.k === "lit";

function direct(c: FuncContext, site: Expr, to: MonoFunc, args: readonly CExpr[]): CExpr {
  const name = c.unit.functionName(to);
  c.unit.noteCall(c.cName, name, false);
  const result = call(name, ...args, ...(to.decl.kind === "extern" ? [] : frameArgument(c, site, to)));
  return site.type.k === "void" || to.ret.k === "void" ? result : coerce(c, result, to.ret, site.type);
}

export function lowerCall(c: FuncContext, e: ExprOf<"call">): CExpr {
  const to = c.unit.reachable.targets(e)[0]?.func ?? c.unit.reachable.mono.func(e.f, e.typeArgs);
  const args = operands(c, callArguments(e.args, to)).map((o) => o.value);
  return direct(c, e, to, args);
}

export function lowerSuperCall(c: FuncContext, e: ExprOf<"superCall">): CExpr {
  const to = c.unit.reachable.targets(e)[0]?.func;
  const args = operands(c, callArguments(e.args, to)).map((o) => o.value);
  if (to === undefined) return cast("void", lit("0"));
  const cls = c.func.owner;
  if (cls === undefined || to.owner === undefined) throw new Error(`${c.func.key}: super outside a class`);
  const self = asClass(c, { expr: deref(c.self()), stable: true, cls }, to.owner);
  return direct(c, e, to, [addressOf(self.expr), ...args]);
}

export function lowerMethod(c: FuncContext, e: ExprOf<"method">): CExpr {
  return invoke(c, e, e.recv, e.f.name, e.args);
}

/** A method call by name; also the `get` and `length` of a `for … of`. */
export function invoke(
  c: FuncContext,
  site: Expr,
  recv: Expr,
  name: string,
  args: readonly Expr[],
  targets: readonly CallTarget[] = c.unit.reachable.targets(site),
): CExpr {
  const first = targets[0]?.func;
  if (first === undefined) return unreachable(c, site, [recv, ...args]);
  if (targets.length === 1) {
    const [self, ...rest] = operands(c, [{ e: recv, as: "object" }, ...callArguments(args, first)]);
    if (self?.object === undefined || first.owner === undefined)
      throw new Error(`${c.func.key}: no receiver`);
    const place = asClass(c, self.object, first.owner);
    const pointer = objectAddress(c, place.expr, first.owner);
    return direct(c, site, first, [pointer, ...rest.map((o) => o.value)]);
  }
  const framed = targets.some((t) => c.frames.frameOf(t.func) !== undefined);
  const cls = c.unit.classOfType(recv.type);
  if (cls === undefined) throw new Error(`${c.func.key}: method of ${recv.type.k}`);
  const fn = dispatcher(c, cls, name, first, site.type, targets, framed);
  const made = operands(c, [{ e: recv, as: "value" }, ...callArguments(args, first)]).map((o) => o.value);
  c.unit.noteCall(c.cName, fn, false);
  return call(fn, ...made, ...(framed ? callFrameArgument(c, site) : []));
}

/** The address of a place as a pointer to the struct of `cls`, without const. */
function objectAddress(c: FuncContext, place: CExpr, cls: MonoClass): CExpr {
  const address = addressOf(place);
  const root = (x: CExpr): CExpr => (x.k === "member" && !x.arrow ? root(x.obj) : x);
  const base = root(place);
  const constant = base.k === "id" && c.unit.data.isConstantName(base.name);
  return constant ? cast(`${c.unit.types.structName(cls)} *`, address) : address;
}

/** A function that calls the method of the receiver's class. */
function dispatcher(
  c: FuncContext,
  cls: MonoClass,
  name: string,
  like: MonoFunc,
  result: Type,
  targets: readonly CallTarget[],
  framed: boolean,
): string {
  const { unit } = c;
  const struct = unit.types.structName(unit.types.representative(cls));
  const args = [...like.typeMap.values()].map(typeKey).join(",");
  const key = `dispatch ${cls.key} ${name} ${like.decl.typeParams.length > 0 ? args : ""} ${unit.types.tag(result)} ${like.madeFor}${framed ? ` ${targets.map((t) => t.func.key).join(" ")}` : ""}`;
  return unit.helper(key, `${struct}_${name}_any`, (fn) => {
    const params = like.params.map((p, i) => ({ type: unit.types.type(p.type), name: `a${i + 1}` }));
    const cases: { tests: CExpr[]; isDefault: boolean; body: CStmt[] }[] = [];
    const byTarget = new Map<MonoFunc, CExpr[]>();
    for (const concrete of unit.types.concreteOf(cls)) {
      const found = unit.reachable.mono.findMethod(concrete, name);
      if (found === undefined) continue;
      const own = found.f.typeParams.map((p) => like.typeMap.get(p)).filter((t) => t !== undefined);
      const plain = unit.reachable.mono.method(found.f, found.owner, own);
      // A copy that was made for the functions it is called with here.
      const to = targets.find((t) => t.func.decl === found.f && t.func.owner === found.owner)?.func ?? plain;
      // The storage that the caller passes has room for the targets of this call.
      if (!unit.isReached(to) || (framed && !targets.some((t) => t.func === to))) continue;
      const tests = byTarget.get(to) ?? [];
      tests.push(lit(String(unit.layouts.classId(concrete))));
      byTarget.set(to, tests);
    }
    for (const [to, tests] of byTarget) {
      const target = unit.functionName(to);
      unit.noteCall(fn, target, false);
      const owner = to.owner === undefined ? struct : unit.types.structName(to.owner);
      const passed = to.params.map((p, i): CExpr => {
        return adapt(unit, id(`a${i + 1}`), like.params[i]?.type ?? p.type, p.type);
      });
      const frame = c.frames.frameOf(to);
      const storage = frame === undefined ? [] : [cast(pointerTo(frame.type), id("frame"))];
      const made = call(target, cast(`${owner} *`, id("self")), ...passed, ...storage);
      const converted = adapt(unit, made, to.ret, result);
      const body: CStmt[] =
        result.k === "void"
          ? [
              { k: "expr", e: made },
              { k: "return", value: undefined },
            ]
          : [ret(converted)];
      cases.push({ tests, isDefault: false, body });
    }
    const trap: CStmt = { k: "expr", e: call("tmc_trap", id("TMC_TRAP_NULL"), lit("0")) };
    cases.push({ tests: [], isDefault: true, body: [trap] });
    return {
      comment: undefined,
      storage: "static",
      ret: unit.types.type(result),
      name: fn,
      params: [
        { type: `${struct} *`, name: "self" },
        ...params,
        ...(framed ? [{ type: "void *", name: "frame" }] : []),
      ],
      body: [{ k: "switch", subject: call("tmc_class_of", id("self")), cases }],
      loc: undefined,
    };
  });
}

// ---- function values ---------------------------------------------------------------------------------------------

export function lowerCallValue(c: FuncContext, e: ExprOf<"callValue">): CExpr {
  const targets = c.unit.reachable.targets(e).map((t) => t.func);
  const first = targets[0];
  if (first === undefined) return unreachable(c, e, [e.fn, ...e.args]);
  const fnType = e.fn.type;
  if (fnType.k !== "func") throw new Error(`${c.func.key}: call of ${fnType.k}`);
  if (targets.length === 1 && e.args.slice(first.params.length).every((a) => isPure(c.unit.effects.of(a)))) {
    const used = e.args.slice(0, first.params.length);
    const env = envOf(c.unit, first);
    const known = isPure(c.unit.effects.of(e.fn));
    if (env === undefined && known) {
      const args = operands(c, callArguments(used, first)).map((o) => o.value);
      return direct(c, e, first, first.decl.kind === "lambda" ? [NULL_PTR, ...args] : args);
    }
    const [fn, ...args] = operands(c, [{ e: e.fn, as: "value" }, ...callArguments(used, first)]);
    if (first.decl.kind !== "lambda") {
      c.emit({ k: "expr", e: cast("void", fn?.value ?? NULL_PTR) });
      return direct(
        c,
        e,
        first,
        args.map((o) => o.value),
      );
    }
    return direct(c, e, first, [dot(fn?.value ?? NULL_PTR, "env"), ...args.map((o) => o.value)]);
  }
  refuseFrames(c, e, targets);
  const list: Operand[] = e.args.map((a, i): Operand => ({
    e: a,
    as: "value",
    to: fnType.params[i] ?? a.type,
  }));
  const [fn, ...args] = operands(c, [{ e: e.fn, as: "twice" }, ...list]);
  const f = fn?.value ?? NULL_PTR;
  for (const t of targets) {
    const pointer = functionPointer(c.unit, t, fnType);
    if (pointer.k === "id") c.unit.noteCall(c.cName, pointer.name, true);
  }
  return coerce(c, call(dot(f, "fn"), dot(f, "env"), ...args.map((o) => o.value)), fnType.ret, e.type);
}

export function funcrefValue(c: FuncContext, e: ExprOf<"funcref">): CExpr {
  const as = functionType(e.type);
  const f = c.unit.reachable.mono.func(e.f, e.typeArgs);
  return functionValue(c, functionPointer(c.unit, f, as), NULL_PTR, as);
}

function functionType(t: Type): Extract<Type, { k: "func" }> {
  const of = t.k === "nullable" ? t.of : t;
  if (of.k !== "func") throw new Error(`function expected, got ${of.k}`);
  return of;
}

function functionValue(c: FuncContext, fn: CExpr, env: CExpr, as: Type): CExpr {
  return { k: "compound", type: c.type(as), init: { k: "list", items: [{ value: fn }, { value: env }] } };
}

export function lambdaValue(c: FuncContext, e: ExprOf<"lambda">): CExpr {
  const as = functionType(e.type);
  const f = c.unit.reachable.mono.lambda(e.f, c.func);
  const fn = functionPointer(c.unit, f, as);
  const env = envOf(c.unit, f);
  if (env === undefined || !c.unit.isReached(f)) return functionValue(c, fn, NULL_PTR, as);
  const storage = c.hoist(env.type, "captured");
  const captures = e.f.captures;
  const offset = e.f.usesThis ? 1 : 0;
  const items = env.members.map((m, i) => {
    if (m.v === undefined) return { name: m.name, value: c.self() };
    const outer = captures[i - offset];
    if (outer === undefined) throw new Error(`${c.func.key}: captures of ${e.f.id}`);
    return { name: m.name, value: capturedValue(c, c.func.local(outer), m.v.type) };
  });
  c.emit(assign(storage, { k: "compound", type: env.type, init: { k: "list", items } }));
  return functionValue(c, fn, addressOf(storage), as);
}

function capturedValue(c: FuncContext, v: LocalVar, t: Type): CExpr {
  const form = c.varForm(v);
  switch (form.k) {
    case "value":
      return isCell(v) ? addressOf(form.place) : form.place;
    case "array": {
      const elem = t.k === "array" || t.k === "slots" ? t.elem : t;
      return sliceOf(
        c,
        { ptr: form.ptr, len: lit(String(form.length)), length: form.length, stable: true, elem },
        t,
      );
    }
    case "object":
      return cast(c.type(t), addressOf(form.place));
  }
}

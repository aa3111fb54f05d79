/**
 * Where things are: objects as C struct places, arrays as pointer and length, variables and fields as lvalues. Known
 * objects of the snapshot are named directly, so that lengths and addresses are constants for the C compiler.
 */
import type { MonoClass } from "../ir/monomorphise.js";
import type { Expr, ExprOf } from "../ir/nodes.js";
import type { SnapObject, SnapValue } from "../ir/snapshot.js";
import type { Type } from "../ir/types.js";
import {
  addressOf,
  call,
  cast,
  deref,
  dot,
  id,
  lit,
  member,
  unary,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { isPure } from "./effects.js";
import type { FuncContext } from "./func-context.js";
import { onlySnapshotObject, type FieldPlace } from "./layout.js";
import { adapt } from "./lower-convert.js";
import { value } from "./lower-expr.js";
import { identifier } from "./names.js";
import { bigConstant, numberConstant } from "./numbers.js";
import { fieldPath, pointerTo } from "./static-data.js";

/** An array: `ptr` is a pointer or a C array. */
export interface ArrayPlace {
  readonly ptr: CExpr;
  readonly len: CExpr;
  /** Set when `len` is a constant. */
  readonly length: number | undefined;
  /** Cannot change and may be evaluated again. */
  readonly stable: boolean;
  readonly elem: Type;
}

/** A struct: `expr` is an lvalue. */
export interface ObjectPlace {
  readonly expr: CExpr;
  readonly stable: boolean;
  readonly cls: MonoClass;
}

const isPureExpr = (c: FuncContext, e: Expr): boolean => isPure(c.unit.effects.of(e));

/** A reference that can be evaluated twice with the same result and no cost. */
export function isStableReference(e: Expr): boolean {
  return e.k === "this" || (e.k === "local" && !e.v.mutable);
}

/** The object of the snapshot that an expression always is, if it is always the same. */
export function knownObject(c: FuncContext, e: Expr): SnapObject | undefined {
  if (e.type.k === "nullable" || !isPureExpr(c, e)) return undefined;
  return onlySnapshotObject(c.objects(e));
}

// ---- objects ---------------------------------------------------------------------------------------------------

/** The object a non-null reference refers to. */
export function objectPlace(c: FuncContext, e: Expr): ObjectPlace {
  const t = e.type;
  if (t.k !== "object") throw new Error(`${c.func.key}: object expected, got ${t.k}`);
  const known = knownObject(c, e);
  if (known?.k === "object") {
    return { expr: c.unit.data.place(known), stable: true, cls: c.unit.reachable.mono.classOf(known.type) };
  }
  const cls = c.unit.types.representative(c.unit.reachable.mono.classOf(t));
  if (e.k === "local") {
    const form = c.varForm(e.v);
    if (form.k === "object") return { expr: form.place, stable: true, cls };
  }
  if (e.k === "field") {
    const at = embeddedField(c, e);
    if (at?.field.form.k === "embeddedObject") {
      return { expr: at.expr, stable: at.stable, cls: at.field.form.cls };
    }
  }
  return { expr: deref(value(c, e)), stable: isStableReference(e), cls };
}

/** A field whose object's struct is known: its place, with how it is stored. */
function embeddedField(
  c: FuncContext,
  e: ExprOf<"field">,
): { readonly expr: CExpr; readonly stable: boolean; readonly field: FieldPlace } | undefined {
  const t = e.obj.type;
  if (t.k !== "object") return undefined;
  const cls = c.unit.types.representative(c.unit.reachable.mono.classOf(t));
  const known = knownObject(c, e.obj);
  const real = known?.k === "object" ? c.unit.reachable.mono.classOf(known.type) : cls;
  const found = c.unit.layouts.path(real, e.name);
  if (found === undefined || found.place.form.k === "plain") return undefined;
  const obj = objectPlace(c, e.obj);
  return { expr: fieldPath(obj.expr, found.steps), stable: obj.stable, field: found.place };
}

/** The class whose struct can be accessed directly through an expression; undefined when it depends on the class id. */
export function accessClass(c: FuncContext, e: Expr): MonoClass | undefined {
  const known = knownObject(c, e);
  if (known?.k === "object") return c.unit.reachable.mono.classOf(known.type);
  if (e.type.k !== "object") return undefined;
  const cls = c.unit.reachable.mono.classOf(e.type);
  if (!cls.decl.isInterface) return cls;
  const concrete = c.unit.types.concreteOf(cls);
  return concrete.length === 1 ? concrete[0] : undefined;
}

/** The value that a field has in every object it may be read from, when none of them is ever written. */
export function constantField(c: FuncContext, e: ExprOf<"field">): SnapValue | undefined {
  const of = e.type;
  if (of.k !== "num" && of.k !== "bool" && of.k !== "literals") return undefined;
  if (!isPureExpr(c, e.obj) || e.obj.type.k !== "object") return undefined;
  const objects = c.objects(e.obj);
  if (objects === undefined || objects.size === 0) return undefined;
  let found: SnapValue | undefined;
  for (const o of objects) {
    if (o.k !== "snapshot" || o.object.k !== "object") return undefined;
    if (c.unit.reachable.isFieldWritten(o, e.name)) return undefined;
    const v = o.object.fields.get(e.name);
    if (v === undefined || (v.k !== "num" && v.k !== "big" && v.k !== "bool" && v.k !== "str"))
      return undefined;
    if (found !== undefined && !(found.k === v.k && "value" in found && Object.is(found.value, v.value)))
      return undefined;
    found = v;
  }
  return found;
}

export function constantValue(c: FuncContext, v: SnapValue, t: Type): CExpr {
  if (v.k === "num" && t.k === "num") return numberConstant(t.n, v.value);
  if (v.k === "big") return bigConstant(t.k === "num" && t.n === "u64" ? "u64" : "i64", v.value);
  if (v.k === "bool") return lit(v.value ? "true" : "false");
  if (v.k === "str") return literalConstant(c, v.value);
  throw new Error(`no constant of ${v.k}`);
}

/** A member of a string-literal union. */
export function literalConstant(c: FuncContext, text: string): CExpr {
  return { k: "note", arg: lit(String(c.unit.literal(text))), text: JSON.stringify(text) };
}

/** The lvalue of a field of a known struct. */
export function fieldPlace(
  c: FuncContext,
  obj: ObjectPlace,
  name: string,
): { readonly expr: CExpr; readonly field: FieldPlace } {
  const found = c.unit.layouts.path(obj.cls, name);
  if (found === undefined) throw new Error(`${obj.cls.key} has no field ${name}`);
  return { expr: fieldPath(obj.expr, found.steps), field: found.place };
}

/** The object place seen as the struct of a class that it is known to be. */
export function asClass(c: FuncContext, place: ObjectPlace, cls: MonoClass): ObjectPlace {
  const here = c.unit.types.structName(place.cls);
  const there = c.unit.types.structName(cls);
  if (here === there) return place;
  c.unit.layouts.layout(cls);
  // A struct of a base class is the first member of the derived one: `base` once per step.
  let at: MonoClass | undefined = place.cls;
  let expr = place.expr;
  while (at !== undefined && at !== cls) {
    at = at.superclass;
    expr = member(expr, "base");
  }
  if (at === cls && !place.cls.decl.isInterface) return { ...place, expr, cls };
  return { ...place, expr: deref(cast(`${there} *`, addressOf(place.expr))), cls };
}

// ---- arrays ----------------------------------------------------------------------------------------------------

function elementType(t: Type): Type {
  if (t.k === "array" || t.k === "slots") return t.elem;
  throw new Error(`array expected, got ${t.k}`);
}

function fixed(ptr: CExpr, length: number, elem: Type): ArrayPlace {
  return { ptr, len: lit(String(length)), length, stable: true, elem };
}

/** A non-null array or slots. */
export function arrayPlace(c: FuncContext, e: Expr): ArrayPlace {
  const elem = elementType(e.type);
  if (e.k === "convert" && (e.mode === "readonly" || e.mode === "unwrap") && e.arg.type.k !== "nullable") {
    return arrayPlace(c, e.arg);
  }
  const known = knownObject(c, e);
  if (known !== undefined && (known.k === "array" || known.k === "slots")) {
    const { ptr, length } = c.unit.data.elements(known);
    return fixed(ptr, length, known.type.elem);
  }
  if (e.k === "local") {
    const form = c.varForm(e.v);
    if (form.k === "array") return fixed(form.ptr, form.length, elem);
  }
  if (e.k === "field") {
    const at = embeddedField(c, e);
    const form = at?.field.form;
    if (at !== undefined && (form?.k === "embeddedArray" || form?.k === "fixedPointer")) {
      return { ...fixed(at.expr, form.length, elem), stable: at.stable };
    }
  }
  const slice = value(c, e);
  const length = c.unit.reachable.commonLength(e);
  if (length !== undefined)
    return { ...fixed(dot(slice, "ptr"), length, elem), stable: isStableReference(e) };
  return {
    ptr: dot(slice, "ptr"),
    len: dot(slice, "len"),
    length: undefined,
    stable: isStableReference(e),
    elem,
  };
}

/** The array as a {ptr, len} value. */
export function sliceOf(c: FuncContext, a: ArrayPlace, t: Type): CExpr {
  if (a.length === undefined && a.ptr.k === "member" && a.len.k === "member" && a.ptr.obj === a.len.obj)
    return a.ptr.obj;
  const pointer = pointerTo(c.type(a.elem));
  return {
    k: "compound",
    type: c.type(t),
    init: { k: "list", items: [{ value: cast(pointer, a.ptr) }, { value: a.len }] },
  };
}

/** Makes an array place that can be evaluated again. */
export function stableArray(c: FuncContext, a: ArrayPlace, t: Type): ArrayPlace {
  if (a.stable || (a.length !== undefined && isAddressConstant(a.ptr))) return { ...a, stable: true };
  if (a.length !== undefined) {
    const ptr = c.temp(pointerTo(c.type(a.elem)), cast(pointerTo(c.type(a.elem)), a.ptr), "elements");
    return { ...a, ptr, stable: true };
  }
  const slice = c.temp(c.type(t), sliceOf(c, a, t), "array");
  return { ptr: dot(slice, "ptr"), len: dot(slice, "len"), length: undefined, stable: true, elem: a.elem };
}

/** A path of members from a variable by name: the same address whenever it is evaluated. */
function isAddressConstant(e: CExpr): boolean {
  return e.k === "id" || (e.k === "member" && !e.arrow && isAddressConstant(e.obj));
}

/** Makes an object place that can be evaluated again. */
export function stableObject(c: FuncContext, o: ObjectPlace): ObjectPlace {
  if (o.stable || isAddressConstant(o.expr)) return { ...o, stable: true };
  const ptr = c.temp(`${c.unit.types.structName(o.cls)} *`, addressOf(o.expr), "object");
  return { expr: deref(ptr), stable: true, cls: o.cls };
}

/** A pointer to an object place, as the C type of `t`. */
export function objectPointer(c: FuncContext, o: ObjectPlace, type: string): CExpr {
  const address = addressOf(o.expr);
  const same = `${c.unit.types.structName(o.cls)} *` === type && !mayBeConstant(o.expr, c);
  return same ? address : cast(type, address);
}

/** Is the place inside a variable that was declared const? */
function mayBeConstant(e: CExpr, c: FuncContext): boolean {
  if (e.k === "member" && !e.arrow) return mayBeConstant(e.obj, c);
  return e.k === "id" && c.unit.data.isConstantName(e.name);
}

/** How a field is accessed by class id: its value, or a pointer to assign through. */
export type AccessHow = "get" | "at";

/** A function that reads (or finds) a field of an object whose class is known only at run time. */
export function fieldAccessor(
  c: FuncContext,
  t: Extract<Type, { k: "object" }>,
  name: string,
  type: Type,
  how: AccessHow,
): string {
  const { unit } = c;
  const cls = unit.reachable.mono.classOf(t);
  const struct = unit.types.structName(unit.types.representative(cls));
  const cType = unit.types.type(type);
  return unit.helper(`${how} ${cls.key} ${name}`, `${struct}_${how}_${identifier(name)}`, (fn) => {
    const cases: { tests: CExpr[]; isDefault: boolean; body: CStmt[] }[] = [];
    for (const concrete of unit.types.concreteOf(cls)) {
      const found = unit.layouts.path(concrete, name);
      if (found === undefined) continue;
      const place = fieldPath(
        deref(cast(`${unit.layouts.layout(concrete).struct} *`, id("self"))),
        found.steps,
      );
      const own = found.place.field.type;
      const value = how === "at" ? addressOf(place) : adapt(unit, place, own, type);
      if (how === "at" && unit.types.type(own) !== cType) {
        throw new Error(`${concrete.key}.${name} is not ${cType}: it cannot be assigned through ${cls.key}`);
      }
      const tests = [lit(String(unit.layouts.classId(concrete)))];
      cases.push({ tests, isDefault: false, body: [{ k: "return", value }] });
    }
    const trap: CStmt = { k: "expr", e: call("tmc_trap", id("TMC_TRAP_NULL"), lit("0")) };
    cases.push({ tests: [], isDefault: true, body: [trap] });
    return {
      comment: undefined,
      storage: "static",
      ret: how === "at" ? pointerTo(cType) : cType,
      name: fn,
      params: [{ type: `${struct} *`, name: "self" }],
      body: [{ k: "switch", subject: call("tmc_class_of", id("self")), cases }],
      loc: undefined,
    };
  });
}

/** `!e`; comparisons for equality are turned round instead. */
export function notExpr(e: CExpr): CExpr {
  if (e.k === "unary" && e.op === "!") return e.arg;
  if (e.k === "binary" && (e.op === "==" || e.op === "!=")) return { ...e, op: e.op === "==" ? "!=" : "==" };
  return unary("!", e);
}

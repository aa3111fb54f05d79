/** Assignments and updates (`x = v`, `x += v`, `x++`) of variables, globals, fields and elements. */
import type { Expr, ExprOf, LValue } from "../ir/nodes.js";
import type { Type } from "../ir/types.js";
import { assign, at, call, deref, lit, type CExpr } from "./c-ast.js";
import type { FuncContext } from "./func-context.js";
import { fillArray, fillObject } from "./lower-alloc.js";
import { coerce } from "./lower-convert.js";
import { checkedIndex, operands, value, type Operand } from "./lower-expr.js";
import { accessClass, asClass, fieldAccessor, fieldPlace, stableArray, stableObject } from "./places.js";

/** Lowers `target = value`; `wanted`: the value of the whole is used. */
export function assignValue(c: FuncContext, e: ExprOf<"assign">, wanted: boolean): CExpr {
  const t = e.target;
  if (t.k === "index") return assignElement(c, t, e.value, wanted);
  if (t.k === "field") return assignField(c, t, e.value, wanted);
  const v = coerce(c, value(c, e.value), e.value.type, t.type);
  const result = wanted && !isReusable(v) ? c.temp(c.type(t.type), v) : v;
  c.emit(assign(variablePlace(c, t), result));
  return result;
}

const isReusable = (v: CExpr): boolean => v.k === "lit" || (v.k === "note" && v.arg.k === "lit");

function variablePlace(c: FuncContext, t: Exclude<LValue, { k: "index" | "field" }>): CExpr {
  if (t.k === "local") {
    const form = c.varForm(t.v);
    if (form.k !== "value") throw new Error(`${c.func.key}: ${t.v.name} is assigned but stored in place`);
    return form.place;
  }
  return c.unit.data.globalVariable(t.g);
}

function assignElement(c: FuncContext, t: ExprOf<"index">, v: Expr, wanted: boolean): CExpr {
  const list: Operand[] = [
    { e: t.obj, as: "array" },
    { e: t.index, as: "value" },
    { e: v, as: "value", to: elementOf(t) },
  ];
  // The check comes after all three.
  const [obj, index, made] = operands(c, list, true);
  if (obj?.array === undefined || index === undefined || made === undefined)
    throw new Error("operands expected");
  const result = wanted && !isReusable(made.value) ? c.temp(c.type(t.type), made.value) : made.value;
  const place = at(obj.array.ptr, checkedIndex(c, obj.array, t.obj, t.index, index.value, t.loc));
  c.emit(assign(place, result));
  return result;
}

const elementOf = (t: ExprOf<"index">): Type =>
  t.obj.type.k === "array" || t.obj.type.k === "slots" ? t.obj.type.elem : t.type;

/** The lvalue of a field as it is assigned: `obj` is evaluated by now. */
function assignField(c: FuncContext, t: ExprOf<"field">, v: Expr, wanted: boolean): CExpr {
  if (t.obj.type.k !== "object") throw new Error(`${c.func.key}: field of ${t.obj.type.k}`);
  const cls = accessClass(c, t.obj);
  if (cls === undefined) {
    const [obj, made] = operands(c, [
      { e: t.obj, as: "value" },
      { e: v, as: "value", to: t.type },
    ]);
    const result =
      wanted && made !== undefined ? c.temp(c.type(t.type), made.value) : (made?.value ?? lit("0"));
    const fn = fieldAccessor(c, t.obj.type, t.name, t.type, "at");
    c.emit(assign(deref(call(fn, obj?.value ?? lit("0"))), result));
    return result;
  }
  const found = c.unit.layouts.path(cls, t.name);
  const form = found?.place.form;
  const fieldType = found?.place.field.type ?? t.type;
  if (form?.k === "embeddedArray" || form?.k === "embeddedObject") {
    c.frames.markInPlace(v);
    const place = fieldPlace(c, asClass(c, objectOperand(c, t.obj), cls), t.name).expr;
    if (form.k === "embeddedObject") fillObject(c, v, place);
    else fillArray(c, v, place, form.length);
    return place;
  }
  const [obj, made] = operands(c, [
    { e: t.obj, as: "object" },
    { e: v, as: "value", to: fieldType },
  ]);
  if (obj?.object === undefined || made === undefined) throw new Error("operands expected");
  const result = wanted && !isReusable(made.value) ? c.temp(c.type(fieldType), made.value) : made.value;
  c.emit(assign(fieldPlace(c, asClass(c, obj.object, cls), t.name).expr, result));
  return result;
}

function objectOperand(c: FuncContext, e: Expr) {
  const object = operands(c, [{ e, as: "object" }])[0]?.object;
  if (object === undefined) throw new Error("object expected");
  return object;
}

/** Lowers an update; `wanted`: its value (`old` or `new`) is used. */
export function updateValue(c: FuncContext, e: ExprOf<"update">, wanted: boolean): CExpr {
  const { place, type } = updatePlace(c, e);
  const later = c.unit.effects.of(e.compute);
  // The old value is read before anything else of the computation.
  const keepOld = (wanted && e.result === "old") || later.writes || later.writtenLocals.size > 0;
  const old = keepOld ? c.temp(c.type(type), place, "old") : place;
  c.holes.push(old);
  const made = coerce(c, value(c, e.compute), e.compute.type, type);
  c.holes.pop();
  if (!wanted || e.result === "old") {
    c.emit(assign(place, made));
    return old;
  }
  const result = isReusable(made) ? made : c.temp(c.type(type), made);
  c.emit(assign(place, result));
  return result;
}

/** The lvalue of an update, its operands evaluated and its index checked. */
function updatePlace(c: FuncContext, e: ExprOf<"update">): { readonly place: CExpr; readonly type: Type } {
  const t = e.target;
  switch (t.k) {
    case "index": {
      const later = c.unit.effects.of(e.compute);
      const disturbed = later.writes || later.writtenLocals.size > 0;
      const [obj, index] = operands(c, [
        { e: t.obj, as: "array" },
        { e: t.index, as: "value" },
      ]);
      if (obj?.array === undefined || index === undefined) throw new Error("operands expected");
      const array = disturbed && !obj.array.stable ? stableArray(c, obj.array, t.obj.type) : obj.array;
      const checked = checkedIndex(c, array, t.obj, t.index, index.value, t.loc);
      const i = checked.k === "lit" ? checked : c.temp("int32_t", checked, "i");
      return { place: at(array.ptr, i), type: array.elem };
    }
    case "field": {
      if (t.obj.type.k !== "object") throw new Error(`${c.func.key}: field of ${t.obj.type.k}`);
      const cls = accessClass(c, t.obj);
      if (cls === undefined) {
        const fn = fieldAccessor(c, t.obj.type, t.name, t.type, "at");
        const pointer = c.temp(`${c.type(t.type)} *`, call(fn, value(c, t.obj)), "field");
        return { place: deref(pointer), type: t.type };
      }
      const object = stableObject(c, asClass(c, objectOperand(c, t.obj), cls));
      const { expr, field } = fieldPlace(c, object, t.name);
      return { place: expr, type: field.field.type };
    }
    default:
      return { place: variablePlace(c, t), type: t.type };
  }
}

/**
 * Expressions: `value` gives a C expression and emits the statements that must run before it. The order of evaluation
 * is ECMAScript's: `operands` puts earlier operands into temporaries when a later one could disturb them.
 */
import type { Expr, ExprOf } from "../ir/nodes.js";
import { isInteger, type Type } from "../ir/types.js";
import { at, call, cast, dot, lit, type CExpr } from "./c-ast.js";
import { isCounted } from "./counted-loops.js";
import { mustPrecede } from "./effects.js";
import type { FuncContext } from "./func-context.js";
import { lowerNew, lowerArray, lowerObjectLiteral } from "./lower-alloc.js";
import { assignValue, updateValue } from "./lower-assign.js";
import { lowerBuiltin } from "./lower-builtin.js";
import {
  lowerCall,
  lowerCallValue,
  lowerMethod,
  lowerSuperCall,
  lambdaValue,
  funcrefValue,
} from "./lower-call.js";
import { lowerLet } from "./lower-stmt.js";
import { coerce, lowerConvert, nullValue } from "./lower-convert.js";
import {
  lowerUnary,
  lowerArith,
  lowerCompare,
  isNull,
  lowerInstanceof,
  lowerLogical,
  lowerCond,
} from "./lower-operators.js";
import { bigConstant, numberConstant } from "./numbers.js";
import {
  accessClass,
  arrayPlace,
  knownObject,
  asClass,
  constantField,
  constantValue,
  fieldAccessor,
  fieldPlace,
  literalConstant,
  objectPlace,
  objectPointer,
  sliceOf,
  stableArray,
  stableObject,
  type ArrayPlace,
  type ObjectPlace,
} from "./places.js";

/** How an operand is needed. `twice`: its C expression will be evaluated more than once. */
export type OperandAs = "value" | "twice" | "array" | "object";
export interface Operand {
  readonly e: Expr;
  readonly as: OperandAs;
  /** The type it is passed as, when that differs from its own. */
  readonly to?: Type | undefined;
}

export interface LoweredOperand {
  readonly value: CExpr;
  readonly array: ArrayPlace | undefined;
  readonly object: ObjectPlace | undefined;
}

const isSimple = (e: CExpr): boolean =>
  e.k === "id" ||
  e.k === "lit" ||
  (e.k === "note" && isSimple(e.arg)) ||
  (e.k === "member" && isSimple(e.obj));

/** `alone`: something with effects of its own happens after all operands (a check, a store of an update). */
export function operands(c: FuncContext, list: readonly Operand[], alone = false): LoweredOperand[] {
  const effects = list.map((o) => c.unit.effects.of(o.e));
  return list.map((o, i) => {
    const own = effects[i];
    const disturbed =
      own !== undefined &&
      (effects.slice(i + 1).some((later) => mustPrecede(own, later)) ||
        (alone && (own.writes || own.traps || own.writtenLocals.size > 0)));
    if (o.as === "array") {
      const place = arrayPlace(c, o.e);
      // Base and length are evaluated in two places.
      const simple = place.length !== undefined ? isSimple(place.ptr) : isSimple(place.len);
      const array = disturbed || !simple ? stableArray(c, place, o.e.type) : place;
      return { value: array.ptr, array, object: undefined };
    }
    if (o.as === "object") {
      const place = objectPlace(c, o.e);
      const object = disturbed ? stableObject(c, place) : place;
      return { value: object.expr, array: undefined, object };
    }
    const made = o.to === undefined ? value(c, o.e) : coerce(c, value(c, o.e), o.e.type, o.to);
    const type = o.to ?? o.e.type;
    const spill = (disturbed && !isConstantExpr(made)) || (o.as === "twice" && !isSimple(made));
    return { value: spill ? c.temp(c.type(type), made) : made, array: undefined, object: undefined };
  });
}

/** An expression whose value nothing can change. */
function isConstantExpr(e: CExpr): boolean {
  switch (e.k) {
    case "lit":
    case "str":
      return true;
    case "note":
    case "cast":
      return isConstantExpr(e.arg);
    default:
      return false;
  }
}

export function values(c: FuncContext, list: readonly Expr[]): CExpr[] {
  return operands(
    c,
    list.map((e) => ({ e, as: "value" })),
  ).map((o) => o.value);
}

export function pair(c: FuncContext, l: Expr, r: Expr): [CExpr, CExpr] {
  const [a, b] = values(c, [l, r]);
  if (a === undefined || b === undefined) throw new Error("two operands expected");
  return [a, b];
}

/** The value of an expression as the C type of its IR type. */
export function value(c: FuncContext, e: Expr): CExpr {
  switch (e.k) {
    case "num":
      return e.type.k === "num" ? numberConstant(e.type.n, e.value) : lit(String(e.value));
    case "big":
      return bigConstant(e.type.k === "num" && e.type.n === "u64" ? "u64" : "i64", e.value);
    case "bool":
      return lit(e.value ? "true" : "false");
    case "str":
      return { k: "str", bytes: e.value };
    case "literal":
      return literalConstant(c, e.value);
    case "null":
      return nullValue(c, e.type);
    case "local": {
      const form = c.varForm(e.v);
      if (form.k === "value") return form.place;
      if (form.k === "array") return sliceOf(c, arrayPlace(c, e), e.type);
      return objectPointer(c, objectPlace(c, e), c.type(e.type));
    }
    case "global":
    case "staticField":
      return globalValue(c, e);
    case "this":
      return thisValue(c, e);
    case "funcref":
      return funcrefValue(c, e);
    case "lambda":
      return lambdaValue(c, e);
    case "unary":
      return lowerUnary(c, e);
    case "arith":
      return lowerArith(c, e);
    case "compare":
      return lowerCompare(c, e);
    case "isNull":
      return isNull(c, e.arg);
    case "instanceof":
      return lowerInstanceof(c, e);
    case "logical":
      return lowerLogical(c, e);
    case "cond":
      return lowerCond(c, e);
    case "bind":
      lowerLet(c, e.v, e.init);
      return value(c, e.body);
    case "convert":
      return lowerConvert(c, e);
    case "call":
      return lowerCall(c, e);
    case "method":
      return lowerMethod(c, e);
    case "superCall":
      return lowerSuperCall(c, e);
    case "callValue":
      return lowerCallValue(c, e);
    case "builtin":
      return lowerBuiltin(c, e);
    case "new":
      return lowerNew(c, e);
    case "newTyped":
    case "newSlots":
    case "filled":
    case "arrayLit":
      return sliceOf(c, lowerArray(c, e), e.type);
    case "objectLit":
      return lowerObjectLiteral(c, e);
    case "field":
      return fieldValue(c, e);
    case "index":
      return indexValue(c, e);
    case "length": {
      const t = e.obj.type;
      if (t.k === "array" || t.k === "slots") return operandArray(c, e.obj).len;
      return dot(value(c, e.obj), "len");
    }
    case "assign":
      return assignValue(c, e, true);
    case "update":
      return updateValue(c, e, true);
    case "await":
      throw new Error("await outside of an async function");
    case "hole": {
      const hole = c.holes[c.holes.length - 1];
      if (hole === undefined) throw new Error("hole outside an update");
      return hole;
    }
    case "concat":
    case "host":
      throw new Error(`${c.func.key}: ${e.k} in run-phase code`);
  }
}

/** One array operand. */
export function operandArray(c: FuncContext, e: Expr): ArrayPlace {
  const array = operands(c, [{ e, as: "array" }])[0]?.array;
  if (array === undefined) throw new Error("array expected");
  return array;
}

function globalValue(c: FuncContext, e: ExprOf<"global" | "staticField">): CExpr {
  const { data, reachable } = c.unit;
  const known = reachable.snapshot.globals.get(e.g.id)?.value;
  if (known?.k === "ref" && !reachable.isGlobalWritten(e.g)) {
    const o = known.to;
    if (o.k === "object") return data.pointer(o, c.type(e.type));
    if (e.type.k === "array" || e.type.k === "slots") {
      const init = data.init(known, e.type);
      if (init.k === "list") return { k: "compound", type: c.type(e.type), init };
    }
  }
  return data.globalVariable(e.g);
}

function thisValue(c: FuncContext, e: ExprOf<"this">): CExpr {
  const known = [...(c.objects(e) ?? [])];
  const only = known[0];
  const type = c.type(e.type);
  if (known.length === 1 && only?.k === "snapshot" && only.object.k === "object")
    return c.unit.data.pointer(only.object, type);
  const self = c.self();
  if (c.func.decl.kind === "lambda") return cast(type, self);
  const own = c.func.owner;
  return own !== undefined && type !== `${c.unit.types.structName(own)} *` ? cast(type, self) : self;
}

// ---- members -------------------------------------------------------------------------------------------------------

function fieldValue(c: FuncContext, e: ExprOf<"field">): CExpr {
  const constant = constantField(c, e);
  if (constant !== undefined) return constantValue(c, constant, e.type);
  if (e.obj.type.k !== "object") throw new Error(`${c.func.key}: field ${e.name} of ${e.obj.type.k}`);
  const known = knownObject(c, e);
  if (known?.k === "array" || known?.k === "slots") return sliceOf(c, arrayPlace(c, e), e.type);
  const cls = accessClass(c, e.obj);
  if (cls === undefined) {
    return call(fieldAccessor(c, e.obj.type, e.name, e.type, "get"), value(c, e.obj));
  }
  const obj = asClass(c, objectPlace(c, e.obj), cls);
  const { expr, field } = fieldPlace(c, obj, e.name);
  switch (field.form.k) {
    case "plain":
      return coerce(c, expr, field.field.type, e.type);
    case "embeddedObject":
      return objectPointer(c, { expr, stable: obj.stable, cls: field.form.cls }, c.type(e.type));
    default:
      return sliceOf(
        c,
        {
          ptr: expr,
          len: lit(String(field.form.length)),
          length: field.form.length,
          stable: false,
          elem: field.form.elem,
        },
        e.type,
      );
  }
}

/** A checked index of `obj` as a C expression; a constant inside a constant length needs no check. */
export function checkedIndex(
  c: FuncContext,
  a: ArrayPlace,
  obj: Expr,
  index: Expr,
  made: CExpr,
  loc: Expr["loc"],
): CExpr {
  if (isCounted(c.counted, obj, index)) return made;
  if (index.k === "num" && a.length !== undefined && index.value >= 0 && index.value < a.length) return made;
  const unsigned = index.type.k === "num" && index.type.n === "u32";
  const narrow = index.type.k === "num" && isInteger(index.type.n) && !unsigned;
  const i = unsigned || !narrow ? cast("int32_t", made) : made;
  return call("tmc_index", i, a.len, c.site("index", loc));
}

function indexValue(c: FuncContext, e: ExprOf<"index">): CExpr {
  const [obj, index] = operands(c, [
    { e: e.obj, as: "array" },
    { e: e.index, as: "value" },
  ]);
  if (obj?.array === undefined || index === undefined) throw new Error("array and index expected");
  return coerce(
    c,
    at(obj.array.ptr, checkedIndex(c, obj.array, e.obj, e.index, index.value, e.loc)),
    obj.array.elem,
    e.type,
  );
}

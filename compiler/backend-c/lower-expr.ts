/**
 * Expressions: `value` gives a C expression and emits the statements that must run before it. The order of evaluation
 * is ECMAScript's: `operands` puts earlier operands into temporaries when a later one could disturb them.
 */
import type { Expr, ExprOf } from "../ir/nodes.js";
import { isInteger, type Type } from "../ir/types.js";
import {
  at,
  binary,
  call,
  cast,
  dot,
  id,
  lit,
  NULL_PTR,
  unary,
  type CBinaryOp,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { decided } from "./decided.js";
import { nullForm } from "./c-types.js";
import { isPure, mustPrecede } from "./effects.js";
import { isDroppableExpr } from "./tidy.js";
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
import { numberConstant } from "./numbers.js";
import {
  accessClass,
  arrayPlace,
  asClass,
  constantField,
  constantValue,
  fieldAccessor,
  fieldPlace,
  literalConstant,
  notExpr,
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

// ---- operators ---------------------------------------------------------------------------------------------------

function lowerUnary(c: FuncContext, e: ExprOf<"unary">): CExpr {
  const arg = value(c, e.arg);
  if (e.op === "not") return notExpr(arg);
  if (e.op === "bitnot") return unary("~", arg);
  const n = e.type.k === "num" ? e.type.n : "f64";
  if (n === "f32" || n === "f64") return unary("-", arg);
  if (c.unit.checked && !e.wrap) {
    const zero = lit(n === "u32" ? "0U" : "0");
    return call(
      n === "u32" ? "tmc_sub_u32_checked" : "tmc_sub_i32_checked",
      zero,
      arg,
      c.site("overflow", e.loc),
    );
  }
  return n === "u32" ? binary("-", lit("0U"), arg) : call("tmc_neg_i32", arg);
}

const plainOps: Readonly<Record<string, CBinaryOp>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  and: "&",
  or: "|",
  xor: "^",
};

function lowerArith(c: FuncContext, e: ExprOf<"arith">): CExpr {
  const [l, r] = pair(c, e.l, e.r);
  const { op, n } = e;
  const plain = plainOps[op];
  if (op === "and" || op === "or" || op === "xor") return binary(plain ?? "&", l, r);
  if (op === "shl" || op === "shr" || op === "ushr") return shift(e, l, r);
  if (n === "f32" || n === "f64") {
    return op === "rem" ? call(`tmc_${n}_rem`, l, r) : binary(plain ?? "+", l, r);
  }
  const sign = n === "u32" ? "u32" : "i32";
  if (op === "div" || op === "rem") {
    const harmless = e.r.k === "num" && e.r.value !== 0 && e.r.value !== -1;
    if (harmless) return binary(op === "div" ? "/" : "%", l, r);
    return call(`tmc_${op}_${sign}`, l, r, c.site("division", e.loc));
  }
  if (c.unit.checked && !e.wrap) return call(`tmc_${op}_${sign}_checked`, l, r, c.site("overflow", e.loc));
  return sign === "u32" ? binary(plain ?? "+", l, r) : call(`tmc_${op}_i32`, l, r);
}

function shift(e: ExprOf<"arith">, l: CExpr, r: CExpr): CExpr {
  const unsigned = e.n === "u32" || e.op === "ushr";
  const left = e.op === "ushr" && e.n === "i32" ? cast("uint32_t", l) : l;
  const count = e.r.k === "num" ? ((e.r.value % 32) + 32) % 32 : undefined;
  if (count !== undefined && (unsigned || e.op === "shr")) {
    return binary(e.op === "shl" ? "<<" : ">>", left, lit(String(count)));
  }
  const right = e.r.type.k === "num" && e.r.type.n === "u32" ? cast("int32_t", r) : r;
  const name = `tmc_${e.op === "shl" ? "shl" : "shr"}_${unsigned ? "u32" : "i32"}`;
  return call(name, left, right);
}

const compareOps: Readonly<Record<string, CBinaryOp>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

function lowerCompare(c: FuncContext, e: ExprOf<"compare">): CExpr {
  const op = compareOps[e.op] ?? "==";
  if (e.r.k === "null" || e.l.k === "null") {
    const test = isNull(c, e.r.k === "null" ? e.l : e.r);
    return e.op === "ne" ? notExpr(test) : test;
  }
  const t = e.l.type;
  const of = t.k === "nullable" ? t.of : t;
  if (t.k === "nullable" && nullForm(of).k === "optional") return compareOptional(c, e, of);
  const [l, r] = pair(c, e.l, e.r);
  switch (of.k) {
    case "string":
      if (op === "==" || op === "!=") {
        const same = call(
          t.k === "nullable" || e.r.type.k === "nullable" ? "tmc_str_same" : "tmc_str_equal",
          l,
          r,
        );
        return op === "==" ? same : notExpr(same);
      }
      return binary(op, call("tmc_str_compare", l, r), lit("0"));
    case "object": {
      const same = c.type(e.l.type) === c.type(e.r.type);
      const known = decidedValue(c, e, l, r);
      if (known !== undefined) return known;
      return same ? binary(op, l, r) : binary(op, cast("const void *", l), cast("const void *", r));
    }
    case "array":
    case "slots":
      return decidedValue(c, e, l, r) ?? binary(op, dot(l, "ptr"), dot(r, "ptr"));
    case "func": {
      const a = c.temp(c.type(t), l);
      const b = c.temp(c.type(t), r);
      const same = binary(
        "&&",
        binary("==", dot(a, "fn"), dot(b, "fn")),
        binary("==", dot(a, "env"), dot(b, "env")),
      );
      return op === "==" ? same : notExpr(same);
    }
    default:
      return decidedValue(c, e, l, r) ?? binary(op, l, r);
  }
}

/** `true` or `false` when the comparison always gives that; operands with effects still run. */
function decidedValue(c: FuncContext, e: ExprOf<"compare">, l: CExpr, r: CExpr): CExpr | undefined {
  const known = decided(e, l, r);
  if (known === undefined) return undefined;
  for (const side of [l, r]) if (!isDroppableExpr(side)) c.emit({ k: "expr", e: cast("void", side) });
  return lit(String(known));
}

/** Nullable numbers, bools and literals: equal when both are null, or neither is and the values are equal. */
function compareOptional(c: FuncContext, e: ExprOf<"compare">, of: Type): CExpr {
  const [l, r] = operands(c, [
    { e: e.l, as: "twice" },
    { e: e.r, as: "twice" },
  ]).map((o) => o.value);
  if (l === undefined || r === undefined) throw new Error("two operands expected");
  const equal = binary("==", dot(l, "value"), dot(r, "value"));
  const same = binary(
    "&&",
    binary("==", dot(l, "has"), dot(r, "has")),
    binary("||", notExpr(dot(l, "has")), equal),
  );
  if (e.op !== "eq" && e.op !== "ne") throw new Error(`${e.op} on nullable ${of.k}`);
  return e.op === "eq" ? same : notExpr(same);
}

function isNull(c: FuncContext, arg: Expr): CExpr {
  const t = arg.type;
  if (t.k !== "nullable") {
    const v = value(c, arg);
    if (!isPure(c.unit.effects.of(arg))) c.emit({ k: "expr", e: cast("void", v) });
    return lit(t.k === "null" ? "true" : "false");
  }
  const form = nullForm(t.of);
  const v = value(c, arg);
  if (form.k === "pointer") return binary("==", v, NULL_PTR);
  if (form.k === "member") return binary("==", dot(v, form.name), NULL_PTR);
  return notExpr(dot(v, "has"));
}

function lowerInstanceof(c: FuncContext, e: ExprOf<"instanceof">): CExpr {
  const { unit } = c;
  const from = unit.classOfType(e.arg.type);
  const to = unit.classOfType(e.of);
  if (from === undefined || to === undefined) throw new Error("instanceof of something else than objects");
  const possible = unit.types.concreteOf(from);
  const yes = possible.filter((x) => x.ancestors.has(to.key));
  const [made] = operands(c, [{ e: e.arg, as: "twice" }]);
  const arg = made?.value ?? NULL_PTR;
  const notNull = e.arg.type.k === "nullable" ? binary("!=", arg, NULL_PTR) : undefined;
  if (yes.length === 0) return lit("false");
  if (yes.length === possible.length) return notNull ?? lit("true");
  const tests = yes.map((x) => binary("==", call("tmc_class_of", arg), lit(String(unit.layouts.classId(x)))));
  const any = tests.reduce((a, b) => binary("||", a, b));
  return notNull === undefined ? any : binary("&&", notNull, any);
}

function lowerLogical(c: FuncContext, e: ExprOf<"logical">): CExpr {
  const l = value(c, e.l);
  const name = c.names.take("t");
  const right = branch(c, e.r, e.type);
  if (right.before.length === 0) {
    c.names.release(name);
    return binary(e.op === "and" ? "&&" : "||", l, right.value);
  }
  const t = id(name);
  c.emit({ k: "decl", type: "bool", name, init: l });
  const then: CStmt[] = [...right.before, { k: "assign", target: t, value: right.value }];
  c.emit({ k: "if", test: e.op === "and" ? t : notExpr(t), then, else: [] });
  return t;
}

/** An operand that is evaluated only sometimes: its statements in a scope of their own, and its value. */
function branch(
  c: FuncContext,
  e: Expr,
  to: Type,
): { readonly before: readonly CStmt[]; readonly value: CExpr } {
  let made: CExpr | undefined;
  const before = c.block(() => {
    made = coerce(c, value(c, e), e.type, to);
  });
  if (made === undefined) throw new Error("no value");
  return { before, value: made };
}

function lowerCond(c: FuncContext, e: ExprOf<"cond">): CExpr {
  const test = value(c, e.test);
  const name = c.names.take("t");
  const then = branch(c, e.then, e.type);
  const other = branch(c, e.else, e.type);
  if (then.before.length === 0 && other.before.length === 0) {
    c.names.release(name);
    return { k: "cond", test, then: then.value, else: other.value };
  }
  const t = id(name);
  c.emit({ k: "decl", type: c.type(e.type), name });
  c.emit({
    k: "if",
    test,
    then: [...then.before, { k: "assign", target: t, value: then.value }],
    else: [...other.before, { k: "assign", target: t, value: other.value }],
  });
  return t;
}

// ---- members -------------------------------------------------------------------------------------------------------

function fieldValue(c: FuncContext, e: ExprOf<"field">): CExpr {
  const constant = constantField(c, e);
  if (constant !== undefined) return constantValue(c, constant, e.type);
  if (e.obj.type.k !== "object") throw new Error(`${c.func.key}: field ${e.name} of ${e.obj.type.k}`);
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

/** A checked index as a C expression; a constant inside a constant length needs no check. */
export function checkedIndex(
  c: FuncContext,
  a: ArrayPlace,
  index: Expr,
  made: CExpr,
  loc: Expr["loc"],
): CExpr {
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
    at(obj.array.ptr, checkedIndex(c, obj.array, e.index, index.value, e.loc)),
    obj.array.elem,
    e.type,
  );
}

/** Built-in operations: one function per family, each on the runtime's functions. */
import type { BuiltinName, Expr, ExprOf } from "../ir/nodes.js";
import { intRange, isBig, isFloat, type NumKind, type Type } from "../ir/types.js";
import { assign, at, binary, call, cast, dot, id, lit, type CExpr } from "./c-ast.js";
import { isCounted } from "./counted-loops.js";
import { numTypes } from "./c-types.js";
import type { FuncContext } from "./func-context.js";
import { coerce } from "./lower-convert.js";
import { checkedIndex, operandArray, operands, value, values, type Operand } from "./lower-expr.js";
import { lowerMap } from "./lower-map.js";
import { lowerEffect } from "./lower-stmt.js";
import { sliceOf, type ArrayPlace } from "./places.js";
import { pointerTo } from "./static-data.js";

const VOID_VALUE = cast("void", lit("0"));
const zero = lit("0");

const stringFunctions: Partial<Record<BuiltinName, string>> = {
  strSlice: "tmc_str_slice",
  startsWith: "tmc_str_starts_with",
  endsWith: "tmc_str_ends_with",
};

function arg(e: ExprOf<"builtin">, i: number): Expr {
  const a = e.args[i];
  if (a === undefined) throw new Error(`${e.name}: argument ${i + 1} is missing`);
  return a;
}

function charCodeAt(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const [s, i] = values(c, e.args);
  if (s === undefined || i === undefined) throw new Error("string and index expected");
  return isCounted(c.counted, arg(e, 0), arg(e, 1))
    ? cast("int32_t", at(c.part(s, "ptr"), i))
    : call("tmc_str_char_code_at", s, i, c.site("index", e.loc));
}

/** A literal of one byte is searched by memchr. */
function indexOf(c: FuncContext, text: Expr, needle: Expr, from: Expr | undefined): CExpr {
  const rest = from === undefined ? [] : [from];
  if (needle.k === "str" && needle.value.length === 1) {
    const [s, start] = values(c, [text, ...rest]);
    return call("tmc_str_index_of_byte", s ?? zero, lit(String(needle.value.charCodeAt(0))), start ?? zero);
  }
  const [s, n, start] = values(c, [text, needle, ...rest]);
  return call("tmc_str_index_of", s ?? zero, n ?? zero, start ?? zero);
}

export function lowerBuiltin(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  switch (e.name) {
    case "abs":
    case "min":
    case "max":
    case "floor":
    case "ceil":
    case "trunc":
    case "round":
    case "sign":
    case "sqrt":
      return math(c, e);
    case "imul":
      return call("tmc_mul_i32", ...values(c, e.args));
    case "clz32":
      return call("tmc_clz32", ...values(c, e.args));
    case "toInt32":
    case "toUint32": {
      const fn = e.name === "toInt32" ? "tmc_f64_to_int32_wrap" : "tmc_f64_to_uint32_wrap";
      const from = arg(e, 0);
      const v = value(c, from);
      return call(fn, from.type.k === "num" && from.type.n === "f32" ? cast("double", v) : v);
    }
    case "sat":
      return saturate(c, e);
    case "f32Bits":
      return call("tmc_f32_bits", ...values(c, e.args));
    case "f32FromBits":
      return call("tmc_f32_from_bits", ...values(c, e.args));
    case "f64Bits":
      return call("tmc_f64_bits", ...values(c, e.args));
    case "f64FromBits":
      return call("tmc_f64_from_bits", ...values(c, e.args));
    case "charCodeAt":
      return charCodeAt(c, e);
    case "strSlice":
      return stringSlice(c, e);
    case "strIndexOf":
      return indexOf(c, arg(e, 0), arg(e, 1), e.args[2]);
    case "startsWith":
    case "endsWith":
      return call(stringFunctions[e.name] ?? "", ...values(c, e.args));
    case "strIncludes":
      return binary(">=", indexOf(c, arg(e, 0), arg(e, 1), undefined), zero);
    case "textView": {
      const [bytes, start, end] = operands(c, [
        { e: arg(e, 0), as: "array" },
        ...e.args.slice(1).map((x): Operand => ({ e: x, as: "value" })),
      ]);
      if (bytes?.array === undefined) throw new Error("bytes expected");
      const to = end?.value ?? bytes.array.len;
      return call("tmc_str_from_bytes", sliceOf(c, bytes.array, arg(e, 0).type), start?.value ?? zero, to);
    }
    case "arrayFill":
      return arrayFill(c, e);
    case "arraySet":
      return arraySet(c, e);
    case "subarray":
      return subarray(c, e);
    case "mapGet":
    case "mapHas":
    case "mapSize":
    case "mapKeyAt":
    case "mapValueAt":
      return lowerMap(c, e);
    case "slotsGet":
    case "slotsSet":
      return slots(c, e);
    case "slotsCapacity":
      return operandArray(c, arg(e, 0)).len;
    case "assert": {
      const test = value(c, arg(e, 0));
      const trap = call("tmc_trap", id("TMC_TRAP_ASSERT"), c.site("assert", e.loc));
      c.emit({ k: "if", test: { k: "unary", op: "!", arg: test }, then: [{ k: "expr", e: trap }], else: [] });
      return VOID_VALUE;
    }
    case "sequence": {
      for (const x of e.args.slice(0, -1)) lowerEffect(c, x);
      return value(c, arg(e, e.args.length - 1));
    }
    case "trapCapacity":
      return call("tmc_trap", id("TMC_TRAP_CAPACITY"), c.site("capacity", e.loc));
    case "log":
      return log(c, e);
  }
}

function math(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const args = values(c, e.args);
  const n = e.n ?? (e.type.k === "num" ? e.type.n : "f64");
  if (n === "f32" || n === "f64") return call(`tmc_${n}_${e.name}`, ...args);
  const first = args[0] ?? zero;
  if (e.name === "abs" && n === "u32") return first;
  if (e.name === "floor" || e.name === "ceil" || e.name === "trunc" || e.name === "round") return first;
  return call(`tmc_${e.name}_${n === "u32" ? "u32" : "i32"}`, ...args);
}

function saturate(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const from = arg(e, 0);
  const v = value(c, from);
  const to: NumKind = e.type.k === "num" ? e.type.n : "i32";
  if (isFloat(to) || isBig(to)) throw new Error(`sat to ${to}`);
  const [lo, hi] = intRange[to];
  if (from.type.k === "num" && isBig(from.type.n)) {
    return from.type.n === "u64"
      ? cast(numTypes[to], call("tmc_min_u64", v, lit(`${hi}U`)))
      : cast(numTypes[to], call("tmc_clamp_i64", v, lit(String(lo)), lit(String(hi))));
  }
  if (from.type.k === "num" && from.type.n === "u32") {
    return cast(numTypes[to], call("tmc_min_u32", v, lit(`${hi}U`)));
  }
  if (to !== "i32" && to !== "u32") return call(`tmc_sat_${to}`, v);
  return cast(
    numTypes[to],
    call("tmc_clamp_i32", v, lit(lo === -2147483648 ? "INT32_MIN" : String(lo)), lit(String(hi))),
  );
}

function stringSlice(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const [s, start, end] = operands(
    c,
    e.args.map((x, i): Operand => ({ e: x, as: i === 0 && e.args.length < 3 ? "twice" : "value" })),
  );
  const text = s?.value ?? zero;
  return call("tmc_str_slice", text, start?.value ?? zero, end?.value ?? dot(text, "len"));
}

function elementType(t: Type): Type {
  if (t.k === "array" || t.k === "slots") return t.elem;
  throw new Error(`array expected, got ${t.k}`);
}

/** `for (i = start; i < end; ++i) array[i] = value` with the bounds clamped. */
function arrayFill(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const target = arg(e, 0);
  const elem = elementType(target.type);
  const [a, v, start, end] = operands(c, [
    { e: target, as: "array" },
    { e: arg(e, 1), as: "twice", to: elem },
    ...e.args.slice(2).map((x): Operand => ({ e: x, as: "value" })),
  ]);
  if (a?.array === undefined || v === undefined) throw new Error("array and value expected");
  const bound = (b: CExpr | undefined, otherwise: CExpr): CExpr => {
    if (b === undefined) return otherwise;
    return b.k === "lit" && b.text === "0" ? b : call("tmc_relative", b, a.array?.len ?? zero);
  };
  const from = bound(start?.value, zero);
  const last = end === undefined ? a.array.len : c.temp("int32_t", bound(end.value, a.array.len), "end");
  const name = c.names.take("i");
  c.emit({
    k: "for",
    init: { k: "decl", type: "int32_t", name, init: from },
    test: binary("<", id(name), last),
    update: assign(id(name), binary("+", id(name), lit("1"))),
    body: [assign(at(a.array.ptr, id(name)), v.value)],
  });
  return sliceOf(c, a.array, e.type.k === "void" ? target.type : e.type);
}

function arraySet(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const [a, source, offset] = operands(
    c,
    [
      { e: arg(e, 0), as: "array" },
      { e: arg(e, 1), as: "array" },
      ...e.args.slice(2).map((x): Operand => ({ e: x, as: "value" })),
    ],
    true,
  );
  if (a?.array === undefined || source?.array === undefined) throw new Error("arrays expected");
  const to = call(
    "tmc_set_offset",
    offset?.value ?? zero,
    source.array.len,
    a.array.len,
    c.site("index", e.loc),
  );
  // What never fits traps always; GCC would warn of the copy after it.
  if ((source.array.length ?? 0) > (a.array.length ?? Infinity)) {
    c.emit({ k: "expr", e: cast("void", to) });
    return VOID_VALUE;
  }
  const size = binary("*", cast("size_t", source.array.len), call("sizeof", id(c.type(a.array.elem))));
  return call("memmove", { k: "unary", op: "&", arg: at(a.array.ptr, to) }, source.array.ptr, size);
}

function subarray(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const [a, start, end] = operands(c, [
    { e: arg(e, 0), as: "array" },
    ...e.args.slice(1).map((x): Operand => ({ e: x, as: "value" })),
  ]);
  if (a?.array === undefined) throw new Error("array expected");
  const { array } = a;
  const relative = (b: CExpr): CExpr => call("tmc_relative", b, array.len);
  const from = start === undefined ? zero : c.temp("int32_t", relative(start.value), "start");
  const last = end === undefined ? array.len : relative(end.value);
  const length = call("tmc_max_i32", binary("-", last, from), zero);
  return view(c, array, from, length, e.type);
}

function view(c: FuncContext, a: ArrayPlace, from: CExpr, length: CExpr, t: Type): CExpr {
  const pointer = pointerTo(c.type(a.elem));
  return {
    k: "compound",
    type: c.type(t),
    init: { k: "list", items: [{ value: binary("+", cast(pointer, a.ptr), from) }, { value: length }] },
  };
}

function slots(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const storage = arg(e, 0);
  const index = arg(e, 1);
  const list: Operand[] = [
    { e: storage, as: "array" },
    { e: index, as: "value" },
  ];
  if (e.name === "slotsSet") list.push({ e: arg(e, 2), as: "value", to: elementType(storage.type) });
  const [a, i, v] = operands(c, list, true);
  if (a?.array === undefined || i === undefined) throw new Error("slots and index expected");
  const place = at(a.array.ptr, checkedIndex(c, a.array, arg(e, 0), index, i.value, e.loc));
  if (v === undefined) return coerce(c, place, a.array.elem, e.type);
  c.emit(assign(place, v.value));
  return VOID_VALUE;
}

// ---- log -----------------------------------------------------------------------------------------------------------

/** All arguments are evaluated, then printed. */
function log(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  const parts = e.args.flatMap((a) => (a.k === "concat" ? a.parts : [a]));
  const made = operands(
    c,
    parts.map((x): Operand => ({ e: x, as: "value" })),
    parts.length > 1,
  );
  let i = 0;
  for (const a of e.args) {
    const list = a.k === "concat" ? a.parts : [a];
    if (list.length === 0) c.emit({ k: "expr", e: call("tmc_log_str", { k: "str", bytes: "" }) });
    list.forEach((part, n) => {
      if (n > 0) c.emit({ k: "expr", e: call("tmc_log_glue") });
      c.emit({ k: "expr", e: printed(c, part.type, made[i++]?.value ?? zero) });
    });
  }
  return call("tmc_log_end");
}

function printed(c: FuncContext, t: Type, v: CExpr): CExpr {
  switch (t.k) {
    case "string":
      return call("tmc_log_str", v);
    case "literals":
      c.unit.usesLiteralTexts = true;
      return call("tmc_log_str", at(id("tmc_literals"), v));
    case "bool":
      return call("tmc_log_bool", v);
    case "num":
      if (t.n === "f32" || t.n === "f64") return call("tmc_log_f64", t.n === "f32" ? cast("double", v) : v);
      if (isBig(t.n)) return call(`tmc_log_${t.n}`, v);
      return call(t.n === "u32" ? "tmc_log_u32" : "tmc_log_i32", v);
    default:
      throw new Error(`${c.func.key}: log of ${t.k}`);
  }
}

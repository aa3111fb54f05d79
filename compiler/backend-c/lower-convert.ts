/** Conversions: between numbers, to and from null, between object types; and making C types agree. */
import type { ExprOf } from "../ir/nodes.js";
import { sameType, type Type } from "../ir/types.js";
import {
  assign,
  at,
  binary,
  call,
  cast,
  dot,
  id,
  lit,
  NULL_PTR,
  ret,
  type CExpr,
  type CStmt,
} from "./c-ast.js";
import { nullForm } from "./c-types.js";
import type { FuncContext } from "./func-context.js";
import { operands, value } from "./lower-expr.js";
import { convertNumber, fitNumber } from "./numbers.js";
import { pointerTo } from "./static-data.js";
import type { Unit } from "./unit.js";

/** Null as a value of a nullable type. */
export function nullValue(c: FuncContext, t: Type): CExpr {
  if (t.k !== "nullable") return NULL_PTR;
  if (nullForm(t.of).k === "pointer") return NULL_PTR;
  return { k: "compound", type: c.type(t), init: c.unit.data.zeroOf(t) };
}

/**
 * The same value as another IR type: a class may declare a member more narrowly than its interface. Object references
 * are cast; numbers widen; members of string-literal unions become text and back; values become nullable.
 * `e` is evaluated once.
 */
export function adapt(unit: Unit, e: CExpr, from: Type, to: Type): CExpr {
  if (from === to || to.k === "void") return e;
  const type = unit.types.type(to);
  const own = unit.types.type(from);
  const isText = (t: Type): boolean => t.k === "string" || (t.k === "nullable" && t.of.k === "string");
  if (from.k === "literals" && isText(to)) {
    unit.usesLiteralTexts = true;
    return at(id("tmc_literals"), e);
  }
  if (from.k === "string" && to.k === "literals") return call(literalOf(unit), e);
  if (own === type) return e;
  if (own.endsWith("*") && type.endsWith("*")) return cast(type, e);
  if (from.k === "num" && to.k === "num") return convertNumber(e, from.n, to.n);
  if (to.k === "nullable" && nullForm(to.of).k === "optional" && from.k !== "nullable") {
    const value = adapt(unit, e, from, to.of);
    return { k: "compound", type, init: { k: "list", items: [{ value: lit("true") }, { value }] } };
  }
  throw new Error(`${own} where ${type} is expected`);
}

/** A function that finds the number of a literal by its text. */
function literalOf(unit: Unit): string {
  unit.usesLiteralTexts = true;
  return unit.helper("literal of", "literal_of", (name) => {
    const i = id("i");
    const same = call("tmc_str_equal", at(id("tmc_literals"), i), id("text"));
    const found: CStmt = { k: "if", test: same, then: [ret(i)], else: [] };
    return {
      comment: undefined,
      storage: "static",
      ret: "uint16_t",
      name,
      params: [{ type: "tmc_str", name: "text" }],
      body: [
        {
          k: "for",
          init: { k: "decl", type: "uint16_t", name: "i", init: lit("0") },
          test: binary("<", i, lit(String(unit.literals.length))),
          update: assign(i, binary("+", i, lit("1"))),
          body: [found],
        },
        { k: "expr", e: call("tmc_trap", id("TMC_TRAP_ASSERT"), lit("0")) },
      ],
      loc: undefined,
    };
  });
}

/** `adapt` inside a function; arrays of different element classes are rebuilt too. */
export function coerce(c: FuncContext, e: CExpr, from: Type, to: Type): CExpr {
  if (from.k === "null" && to.k !== "null") return nullValue(c, to);
  const elements = (t: Type): Type | undefined =>
    t.k === "array" || t.k === "slots" ? t.elem : t.k === "nullable" ? elements(t.of) : undefined;
  const elem = elements(to);
  if (elem === undefined || elements(from) === undefined || c.type(from) === c.type(to))
    return adapt(c.unit, e, from, to);
  const slice = c.temp(c.type(from), e);
  const ptr = cast(pointerTo(c.type(elem)), dot(slice, "ptr"));
  return {
    k: "compound",
    type: c.type(to),
    init: { k: "list", items: [{ value: ptr }, { value: dot(slice, "len") }] },
  };
}

export function lowerConvert(c: FuncContext, e: ExprOf<"convert">): CExpr {
  const from = e.arg.type;
  const to = e.type;
  switch (e.mode) {
    case "num": {
      const v = value(c, e.arg);
      if (to.k !== "num") throw new Error(`num conversion to ${to.k}`);
      if (from.k === "bool") return convertNumber(v, "bool", to.n);
      if (from.k !== "num") throw new Error(`num conversion of ${from.k}`);
      return convertNumber(v, from.n, to.n);
    }
    case "fit": {
      const v = value(c, e.arg);
      if (to.k !== "num" || from.k !== "num") throw new Error("fit of something else than numbers");
      return c.unit.checked
        ? fitNumber(v, from.n, to.n, c.site("overflow", e.loc))
        : convertNumber(v, from.n, to.n);
    }
    case "wrapNull": {
      if (to.k !== "nullable" || from.k === "nullable" || from.k === "null")
        return coerce(c, value(c, e.arg), from, to);
      if (nullForm(to.of).k !== "optional") return coerce(c, value(c, e.arg), from, to.of);
      return {
        k: "compound",
        type: c.type(to),
        init: { k: "list", items: [{ value: lit("true") }, { value: value(c, e.arg) }] },
      };
    }
    case "unwrap":
      if (from.k !== "nullable" || to.k === "nullable") return coerce(c, value(c, e.arg), from, to);
      if (nullForm(from.of).k === "optional") return dot(value(c, e.arg), "value");
      return coerce(c, value(c, e.arg), from.of, to);
    case "assertNull":
      return assertNotNull(c, e);
    case "text": {
      c.unit.usesLiteralTexts = true;
      return at(id("tmc_literals"), value(c, e.arg));
    }
    case "upcast":
    case "downcast":
    case "readonly":
    case "literals":
      return coerce(c, value(c, e.arg), from, to);
    case "fromHost":
      throw new Error(`${c.func.key}: a setup-only value in run-phase code`);
  }
}

function assertNotNull(c: FuncContext, e: ExprOf<"convert">): CExpr {
  const from = e.arg.type;
  if (from.k !== "nullable" || e.type.k === "nullable") return value(c, e.arg);
  const made = operands(c, [{ e: e.arg, as: "twice" }])[0]?.value ?? NULL_PTR;
  const form = nullForm(from.of);
  const test: CExpr =
    form.k === "pointer"
      ? binary("==", made, NULL_PTR)
      : form.k === "member"
        ? binary("==", dot(made, form.name), NULL_PTR)
        : { k: "unary", op: "!", arg: dot(made, "has") };
  const trap = call("tmc_trap", id("TMC_TRAP_NULL"), c.site("null", e.loc));
  c.emit({ k: "if", test, then: [{ k: "expr", e: trap }], else: [] });
  if (form.k === "optional") return dot(made, "value");
  return sameType(from.of, e.type) ? made : coerce(c, made, from.of, e.type);
}

/** Reading Maps and Sets that setup made: look-ups by `tmc/maps.h`, sizes, and the tables that a loop goes over. */
import type { Expr, ExprOf } from "../ir/nodes.js";
import { keyOf, mapFields, valueOf } from "../ir/map-type.js";
import { I32, num, type Type } from "../ir/types.js";
import { binary, call, deref, dot, lit, type CExpr } from "./c-ast.js";
import { nullForm } from "./c-types.js";
import type { FuncContext } from "./func-context.js";
import { coerce, nullValue } from "./lower-convert.js";
import { operands, type Operand } from "./lower-expr.js";
import { fieldPlace, knownObject, type ArrayPlace } from "./places.js";
import { numberConstant } from "./numbers.js";

/** One table; `what` is the field's name. */
type Table = (what: "keys" | "values" | "slots") => ArrayPlace;

interface MapPlace {
  readonly table: Table;
  readonly number: (what: "mul" | "shift") => CExpr;
  /** The values of the other operands. */
  readonly rest: readonly CExpr[];
}

/** Evaluates a Map or Set, and what comes after it. */
function mapPlace(c: FuncContext, map: Expr, rest: readonly Operand[]): MapPlace {
  const elem = (what: "keys" | "values" | "slots"): Type =>
    what === "keys" ? keyOf(map.type) : what === "values" ? (valueOf(map.type) ?? num("u16")) : num("u16");
  const known = knownObject(c, map);
  if (known?.k === "object") {
    const values = operands(c, rest).map((o) => o.value);
    return {
      rest: values,
      table: (what) => {
        const v = known.fields.get(mapFields[what]);
        if (v?.k !== "ref" || v.to.k !== "array") throw new Error(`no ${what} in ${known.path}`);
        const { ptr, length } = c.unit.data.elements(v.to);
        return { ptr, len: lit(String(length)), length, stable: true, elem: v.to.type.elem };
      },
      number: (what) => {
        const v = known.fields.get(mapFields[what]);
        return numberConstant(what === "mul" ? "u32" : "i32", v?.k === "num" ? v.value : 0);
      },
    };
  }
  const [pointer, ...others] = operands(c, [{ e: map, as: "twice" }, ...rest]).map((o) => o.value);
  const cls = c.unit.classOfType(map.type);
  if (pointer === undefined || cls === undefined) throw new Error("a Map or Set is expected");
  const place = { expr: deref(pointer), stable: true, cls };
  return {
    rest: others,
    table: (what) => {
      const { expr, field } = fieldPlace(c, place, mapFields[what]);
      const { form } = field;
      if (form.k === "embeddedArray" || form.k === "fixedPointer")
        return {
          ptr: expr,
          len: lit(String(form.length)),
          length: form.length,
          stable: true,
          elem: elem(what),
        };
      return {
        ptr: dot(expr, "ptr"),
        len: dot(expr, "len"),
        length: undefined,
        stable: true,
        elem: elem(what),
      };
    },
    number: (what) => fieldPlace(c, place, mapFields[what]).expr,
  };
}

/** The keys or values of a Map or Set, evaluated once. */
export function mapTables(c: FuncContext, map: Expr): Table {
  return mapPlace(c, map, []).table;
}

function argument(e: ExprOf<"builtin">, i: number): Expr {
  const a = e.args[i];
  if (a === undefined) throw new Error(`${e.name}: argument ${i + 1} is missing`);
  return a;
}

function find(c: FuncContext, e: ExprOf<"builtin">): { readonly place: MapPlace; readonly entry: CExpr } {
  const key = keyOf(argument(e, 0).type);
  const place = mapPlace(c, argument(e, 0), [{ e: argument(e, 1), as: "value", to: key }]);
  const tag = key.k === "literals" ? "u16" : key.k === "string" ? "str" : key.k === "num" ? key.n : "bool";
  const entry = call(
    `tmc_map_find_${tag}`,
    place.table("keys").ptr,
    place.table("slots").ptr,
    place.number("mul"),
    place.number("shift"),
    place.rest[0] ?? lit("0"),
  );
  return { place, entry };
}

export function lowerMap(c: FuncContext, e: ExprOf<"builtin">): CExpr {
  if (e.name === "mapSize") return mapPlace(c, argument(e, 0), []).table("keys").len;
  if (e.name === "mapKeyAt" || e.name === "mapValueAt") {
    const place = mapPlace(c, argument(e, 0), [{ e: argument(e, 1), as: "value", to: I32 }]);
    const table = place.table(e.name === "mapKeyAt" ? "keys" : "values");
    const i = place.rest[0] ?? lit("0");
    // Of an empty table C compilers see that any index is outside.
    const index = table.length === 0 ? call("tmc_index", i, table.len, c.site("index", e.loc)) : i;
    const stored: CExpr = { k: "index", obj: table.ptr, index };
    return coerce(c, stored, table.elem, e.type);
  }
  const { place, entry } = find(c, e);
  if (e.name === "mapHas") return binary(">=", entry, lit("0"));
  const values = place.table("values");
  const at = c.temp("int32_t", entry, "entry");
  const stored: CExpr = { k: "index", obj: values.ptr, index: at };
  const type = e.type;
  if (type.k !== "nullable") throw new Error("get gives a nullable value");
  const found: CExpr =
    values.elem.k !== "nullable" && nullForm(type.of).k === "optional"
      ? {
          k: "compound",
          type: c.type(type),
          init: { k: "list", items: [{ value: lit("true") }, { value: stored }] },
        }
      : coerce(c, stored, values.elem, type);
  return { k: "cond", test: binary("<", at, lit("0")), then: nullValue(c, type), else: found };
}

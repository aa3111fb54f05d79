/** Objects and arrays made in the run phase: C variables at the top of the function, or in the caller's frame. */
import type { MonoClass } from "../ir/monomorphise.js";
import type { Expr, ExprOf } from "../ir/nodes.js";
import type { FlowObject } from "../ir/flow-graph.js";
import type { Type } from "../ir/types.js";
import { addressOf, assign, at, call, cast, id, lit, NULL_PTR, type CExpr, type CInit } from "./c-ast.js";
import { isPure } from "./effects.js";
import { storageShape } from "./frames.js";
import type { FuncContext } from "./func-context.js";
import { callArguments, frameArgument } from "./lower-call.js";
import { operands, type Operand } from "./lower-expr.js";
import { asClass, objectPointer, type ArrayPlace } from "./places.js";

/** Evaluates operands so that writing over the storage of an earlier evaluation cannot change them. */
function settled(c: FuncContext, list: readonly Operand[]): CExpr[] {
  return operands(c, list).map((o, i) => {
    const operand = list[i];
    const reads = operand !== undefined && c.unit.effects.of(operand.e).reads;
    return reads && operand !== undefined ? c.temp(c.type(operand.to ?? operand.e.type), o.value) : o.value;
  });
}

/** `new C(…)` as a pointer. */
export function lowerNew(c: FuncContext, e: ExprOf<"new">, at?: CExpr): CExpr {
  if (e.inSetup === true) {
    c.emit({ k: "expr", e: call("tmc_trap", id("TMC_TRAP_NULL"), c.site("null", e.loc)) });
    return cast(c.type(e.type), NULL_PTR);
  }
  const place = at ?? newStorage(c, e);
  const cls = classOf(c, e.type);
  newInto(c, e, cls, place);
  return objectPointer(c, { expr: place, stable: true, cls }, c.type(e.type));
}

/** The storage of a `new` or an object literal. */
export function newStorage(c: FuncContext, e: Expr, wanted?: string): CExpr {
  const shape = storageShape(c.unit, e);
  if (shape === undefined) throw new Error(`${c.func.key}: no storage for ${e.k}`);
  return c.storage(e, shape.type, wanted ?? shape.wanted, shape.length);
}

function classOf(c: FuncContext, t: Type): MonoClass {
  if (t.k !== "object") throw new Error(`${c.func.key}: new of ${t.k}`);
  return c.unit.reachable.mono.classOf(t);
}

/** Zeroes the struct, sets its class id and runs the constructor. */
function newInto(c: FuncContext, e: ExprOf<"new">, cls: MonoClass, place: CExpr): void {
  const { unit } = c;
  const ctor = unit.reachable.targets(e)[0]?.func ?? unit.reachable.mono.ctorOf(cls);
  const args = settled(c, callArguments(e.args, ctor));
  const struct = unit.layouts.layout(cls).struct;
  const items: { name: string; value: CInit }[] = unit.layouts.hasId(cls)
    ? [{ name: unit.layouts.idPath(cls).join("."), value: lit(String(unit.layouts.classId(cls))) }]
    : [];
  c.emit(assign(place, { k: "compound", type: struct, init: { k: "list", items } }));
  if (ctor === undefined) return;
  const self = addressOf(asClass(c, { expr: place, stable: true, cls }, ctor.owner ?? cls).expr);
  const name = unit.functionName(ctor);
  unit.noteCall(c.cName, name, false);
  c.emit({ k: "expr", e: call(name, self, ...args, ...frameArgument(c, e, ctor)) });
}

/** Fills an embedded object field from its constructor. */
export function fillObject(c: FuncContext, e: Expr, place: CExpr): void {
  if (e.k !== "new") throw new Error(`${c.func.key}: embedded object made by ${e.k}`);
  newInto(c, e, classOf(c, e.type), place);
}

export function lowerObjectLiteral(c: FuncContext, e: ExprOf<"objectLit">, place = newStorage(c, e)): CExpr {
  const { unit } = c;
  const cls = classOf(c, e.type);
  const l = unit.layouts.layout(cls);
  const fields = e.fields.map((f) => ({ f, at: unit.layouts.path(cls, f.name) }));
  const made = operands(
    c,
    fields.map(({ f, at: found }): Operand => ({
      e: f.value,
      as: "value",
      to: found?.place.field.type ?? f.value.type,
    })),
  );
  const items: { name: string; value: CInit }[] = [];
  if (unit.layouts.hasId(cls))
    items.push({ name: "tmc_class", value: lit(String(unit.layouts.classId(cls))) });
  fields.forEach(({ at: found }, i) => {
    const v = made[i]?.value;
    if (found !== undefined && v !== undefined) items.push({ name: found.steps.join("."), value: v });
  });
  c.emit(assign(place, { k: "compound", type: l.struct, init: { k: "list", items } }));
  return objectPointer(c, { expr: place, stable: true, cls }, c.type(e.type));
}

// ---- arrays ------------------------------------------------------------------------------------------------------

type ArrayMaker = ExprOf<"newTyped" | "newSlots" | "filled" | "arrayLit">;

function isWritten(c: FuncContext, e: Expr): boolean {
  return [...(c.objects(e) ?? [])].some((o: FlowObject) => c.unit.reachable.isArrayWritten(o));
}

export function lowerArray(c: FuncContext, e: ArrayMaker, wanted?: string): ArrayPlace {
  const t = e.type;
  if (t.k !== "array" && t.k !== "slots") throw new Error(`${c.func.key}: array of ${t.k}`);
  const shape = storageShape(c.unit, e);
  if (shape === undefined) {
    if (e.k !== "arrayLit" && !(lengthOf(e)?.k === "num")) {
      throw new Error(`${c.func.key}: the length of an array made in the run phase must be constant`);
    }
    if (e.k === "arrayLit") e.elems.forEach((x) => evaluateArray(c, x));
    return { ptr: c.unit.data.nothing(t.elem), len: lit("0"), length: 0, stable: true, elem: t.elem };
  }
  const length = shape.length ?? 0;
  const place = (ptr: CExpr): ArrayPlace => ({
    ptr,
    len: lit(String(length)),
    length,
    stable: true,
    elem: t.elem,
  });
  if (e.k === "arrayLit" && !isWritten(c, e)) {
    const constants = e.elems.map((x) => constantInit(c, x));
    if (constants.every((x) => x !== undefined)) {
      return place(c.unit.data.table(`${c.cName}_${wanted ?? "table"}`, shape.type, constants));
    }
  }
  const storage = c.storage(e, shape.type, wanted ?? shape.wanted, length);
  fillArray(c, e, storage, length, false);
  return place(storage);
}

function lengthOf(e: ArrayMaker): Expr | undefined {
  if (e.k === "newSlots") return e.capacity;
  return e.k === "arrayLit" ? undefined : e.length;
}

/** `zeroed`: the storage is known to be zero. */
export function fillArray(c: FuncContext, e: Expr, storage: CExpr, length: number, zeroed = true): void {
  const elem = e.type.k === "array" || e.type.k === "slots" ? e.type.elem : e.type;
  switch (e.k) {
    case "newTyped":
    case "newSlots":
      if (!zeroed) c.emit({ k: "expr", e: call("memset", storage, lit("0"), call("sizeof", storage)) });
      return;
    case "filled": {
      const [v] = settled(c, [{ e: e.value, as: "twice", to: elem }]);
      const i = id(c.names.take("i"));
      c.emit({
        k: "for",
        init: { k: "decl", type: "int32_t", name: i.k === "id" ? i.name : "i", init: lit("0") },
        test: { k: "binary", op: "<", l: i, r: lit(String(length)) },
        update: assign(i, { k: "binary", op: "+", l: i, r: lit("1") }),
        body: [assign(at(storage, i), v ?? lit("0"))],
      });
      return;
    }
    case "arrayLit": {
      if (e.spreads !== undefined) {
        fillWithSpread(c, e, e.spreads, storage, length);
        return;
      }
      const constants = e.elems.map((x) => constantInit(c, x));
      if (e.elems.length > 8 && constants.every((x) => x !== undefined)) {
        const table = c.unit.data.table(`${c.cName}_table`, c.type(elem), constants);
        c.emit({ k: "expr", e: call("memcpy", storage, table, call("sizeof", storage)) });
        return;
      }
      const made = settled(
        c,
        e.elems.map((x): Operand => ({ e: x, as: "value", to: elem })),
      );
      made.forEach((v, i) => c.emit(assign(at(storage, lit(String(i))), v)));
      return;
    }
    default:
      throw new Error(`${c.func.key}: an array made by ${e.k}`);
  }
}

/** Part by part, because a later one may change an array that an earlier one copied. */
function fillWithSpread(
  c: FuncContext,
  e: ExprOf<"arrayLit">,
  spreads: readonly boolean[],
  storage: CExpr,
  length: number,
): void {
  const elem = e.type.k === "array" ? e.type.elem : e.type;
  const quiet = e.elems.slice(1).every((x) => isPath(x) || !c.unit.effects.of(x).reads);
  const to = quiet ? storage : c.hoist(c.type(elem), "spread", length);
  let next = 0;
  e.elems.forEach((x, i) => {
    if (spreads[i] !== true) {
      const [v] = operands(c, [{ e: x, as: "value", to: elem }]);
      c.emit(assign(at(to, lit(String(next))), v?.value ?? lit("0")));
      next++;
      return;
    }
    const n = c.unit.reachable.commonLength(x) ?? 0;
    const from = evaluateArray(c, x);
    if (n <= 4) {
      for (let j = 0; j < n; j++) {
        c.emit(assign(at(to, lit(String(next + j))), at(from, lit(String(j)))));
      }
    } else {
      const bytes = { k: "binary", op: "*", l: lit(String(n)), r: call("sizeof", at(to, lit("0"))) } as const;
      c.emit({ k: "expr", e: call("memcpy", addressOf(at(to, lit(String(next)))), from, bytes) });
    }
    next += n;
  });
  if (to !== storage) c.emit({ k: "expr", e: call("memcpy", storage, to, call("sizeof", to)) });
}

/** The pointer of a spread array; evaluated here even when it has no elements. */
function evaluateArray(c: FuncContext, e: Expr): CExpr {
  const from = operands(c, [{ e, as: "array" }], true)[0]?.array?.ptr;
  if (from === undefined) throw new Error(`${c.func.key}: an array expected`);
  if (c.unit.reachable.commonLength(e) === 0 && !isPure(c.unit.effects.of(e))) {
    c.emit({ k: "expr", e: cast("void", from) });
  }
  return from;
}

/** A variable, or fields of one: reading it reads no elements. */
const isPath = (e: Expr): boolean =>
  e.k === "local" ||
  e.k === "global" ||
  e.k === "staticField" ||
  e.k === "this" ||
  (e.k === "field" && isPath(e.obj)) ||
  (e.k === "convert" && isPath(e.arg));

/** A constant element as a static initialiser. */
function constantInit(c: FuncContext, e: Expr): CInit | undefined {
  switch (e.k) {
    case "num":
      return c.unit.data.init({ k: "num", value: e.value }, e.type);
    case "big":
      return c.unit.data.init({ k: "big", value: e.value }, e.type);
    case "bool":
      return c.unit.data.init({ k: "bool", value: e.value }, e.type);
    case "str":
    case "literal":
      return c.unit.data.init({ k: "str", value: e.value }, e.type);
    default:
      return undefined;
  }
}

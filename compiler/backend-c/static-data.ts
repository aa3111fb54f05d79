/**
 * Objects of the snapshot and globals as static C data, printed only when something refers to them. An object that is
 * embedded in another has the other's name with a member path.
 */
import type { GlobalVar } from "../ir/nodes.js";
import type { SnapObject, SnapValue } from "../ir/snapshot.js";
import { isBig, typeName, type Type } from "../ir/types.js";
import {
  addressOf,
  cast,
  id,
  list,
  lit,
  member,
  NULL_PTR,
  type CDecl,
  type CExpr,
  type CInit,
  type CInitList,
} from "./c-ast.js";
import { printInit } from "./c-print.js";
import { closureInit, envOf, staticEnv } from "./closures.js";
import { nullForm } from "./c-types.js";
import type { ClassLayout } from "./layout.js";
import { identifier, moduleName } from "./names.js";
import { bigConstant, numberConstant } from "./numbers.js";
import type { Unit } from "./unit.js";

type SnapArray = Extract<SnapObject, { k: "array" | "slots" }>;
type SnapStruct = Extract<SnapObject, { k: "object" }>;

export interface DataSymbol {
  readonly cName: string;
  readonly tsName: string;
  readonly file: string;
  readonly line: number;
  /** As TypeScript writes it. */
  readonly type: string;
}

/** What it is, for whoever reads the memory report. */
const objectTypeName = (o: SnapObject): string =>
  o.k === "object" && o.cls.frameOf !== undefined ? `frame of ${o.cls.frameOf}` : typeName(o.type);

export class StaticData {
  readonly #names = new Map<SnapObject, string>();
  readonly #globalNames = new Map<string, string>();
  readonly #envNames = new Map<SnapValue, string>();
  readonly #printed: CDecl[] = [];
  readonly #state = new Map<unknown, "begun" | "done">();
  readonly symbols: DataSymbol[] = [];
  readonly #constantNames = new Set<string>();
  readonly #tables = new Map<string, string>();
  #usesNothing = false;

  constructor(private readonly unit: Unit) {
    // Names first, so that no local variable takes one of them.
    for (const g of unit.reachable.globals) {
      this.#globalNames.set(g.id, unit.names.take(`${moduleName(g.module)}_${identifier(g.name)}`));
    }
    for (const o of unit.reachable.snapshot.objects) {
      if (unit.layouts.home(o) !== undefined) continue;
      const name = unit.names.take(pathName(o));
      this.#names.set(o, name);
      if (unit.layouts.isConstant(o)) this.#constantNames.add(name);
    }
  }

  // ---- references ------------------------------------------------------------------------------------------------

  /** The object itself as a C place. */
  place(o: SnapObject): CExpr {
    const home = this.unit.layouts.home(o);
    if (home === undefined) {
      this.#need(o);
      return id(this.#names.get(o) ?? "missing");
    }
    const cls = this.unit.reachable.mono.classOf(home.owner.type);
    return fieldPath(this.place(home.owner), this.unit.layouts.path(cls, home.field)?.steps ?? []);
  }

  isConstant(o: SnapObject): boolean {
    return this.unit.layouts.isConstant(o);
  }

  /** A pointer to an object, as `type`. */
  pointer(o: SnapObject, type: string): CExpr {
    const struct =
      o.k === "object" ? this.unit.types.structName(this.unit.reachable.mono.classOf(o.type)) : "";
    const address = addressOf(this.place(o));
    return this.isConstant(o) || `${struct} *` !== type ? cast(type, address) : address;
  }

  /** The elements of an array as a pointer, and how many. */
  elements(o: SnapArray): { readonly ptr: CExpr; readonly length: number } {
    if (o.elems.length === 0) return { ptr: this.nothing(o.type.elem), length: 0 };
    return { ptr: this.place(o), length: o.elems.length };
  }

  /** A pointer to no element that is not NULL. */
  nothing(elem: Type): CExpr {
    this.#usesNothing = true;
    return cast(pointerTo(this.unit.types.type(elem)), id("tmc_no_elements"));
  }

  get usesNothing(): boolean {
    return this.#usesNothing;
  }

  globalName(g: GlobalVar): string {
    return this.#globalNames.get(g.id) ?? "missing";
  }

  /** The variable of a global that is written in the run phase, or holds a number, bool or string. */
  globalVariable(g: GlobalVar): CExpr {
    const name = this.globalName(g);
    this.#once(g, () => {
      const value = this.unit.reachable.snapshot.globals.get(g.id)?.value;
      const written = this.unit.reachable.isGlobalWritten(g);
      const type = this.unit.types.type(g.type);
      const init = value === undefined ? undefined : this.init(value, g.type);
      this.#print({
        k: "decl",
        type: written ? `static ${type}` : `static ${constantOf(type)}`,
        name,
        init: init === undefined || (written && isZero(init)) ? undefined : init,
      });
      this.symbols.push({
        cName: name,
        tsName: g.name,
        file: g.loc.file,
        line: g.loc.line,
        type: typeName(g.type),
      });
    });
    return id(name);
  }

  /** Was the variable of this name declared const? */
  isConstantName(name: string): boolean {
    return this.#constantNames.has(name);
  }

  // ---- printing --------------------------------------------------------------------------------------------------

  get declarations(): readonly CDecl[] {
    return this.#printed;
  }

  #print(d: CDecl): void {
    this.#printed.push(d);
  }

  #once(key: unknown, make: () => void): void {
    if (this.#state.has(key)) return;
    this.#state.set(key, "begun");
    make();
    this.#state.set(key, "done");
  }

  #need(o: SnapObject): void {
    const state = this.#state.get(o);
    if (state === "done") return;
    const name = this.#names.get(o) ?? "missing";
    const shape = this.#shape(o);
    const type = `static ${this.isConstant(o) ? constantOf(shape.type) : shape.type}`;
    if (state === "begun") {
      // Referred to while its own initialiser is being made: a tentative definition comes first.
      const tentative = `tentative ${name}`;
      if (!this.#state.has(tentative)) {
        this.#state.set(tentative, "done");
        this.#print({ k: "decl", type, name, length: shape.length });
      }
      return;
    }
    this.#once(o, () => {
      const init = this.#objectInit(o);
      this.#print({ k: "decl", type, name, length: shape.length, init: isZero(init) ? undefined : init });
      this.symbols.push({ cName: name, tsName: o.path, file: "", line: 0, type: objectTypeName(o) });
    });
  }

  #shape(o: SnapObject): { readonly type: string; readonly length: number | undefined } {
    switch (o.k) {
      case "object":
        return {
          type: this.unit.layouts.layout(this.unit.reachable.mono.classOf(o.type)).struct,
          length: undefined,
        };
      case "cell":
        return { type: this.unit.types.type(o.type), length: undefined };
      default:
        return { type: this.unit.types.type(o.type.elem), length: o.elems.length };
    }
  }

  #objectInit(o: SnapObject): CInit {
    switch (o.k) {
      case "object":
        return this.#structInit(o);
      case "cell":
        return this.init(o.value, o.type);
      default:
        return this.#arrayInit(o);
    }
  }

  #arrayInit(o: SnapArray): CInitList {
    const elem = o.type.elem;
    const values = o.elems.map((v) => (v === undefined ? this.zero(elem) : this.init(v, elem)));
    // Trailing zeros are implied.
    let end = values.length;
    while (end > 1 && isZero(values[end - 1])) end--;
    return list(...(values.every((v) => isZero(v)) ? [] : values.slice(0, end)));
  }

  #structInit(o: SnapStruct): CInitList {
    const cls = this.unit.reachable.mono.classOf(o.type);
    const build = (l: ClassLayout): CInitList => {
      const items: { name: string; value: CInit }[] = [];
      if (l.hasId) items.push({ name: "tmc_class", value: lit(String(this.unit.layouts.classId(cls))) });
      if (l.cls.superclass !== undefined) {
        items.push({ name: "base", value: build(this.unit.layouts.layout(l.cls.superclass)) });
      }
      for (const p of l.own) {
        const v = o.fields.get(p.field.name) ?? { k: "null" };
        items.push({ name: p.cName, value: this.#fieldInit(v, p.form.k, p.field.type) });
      }
      return { k: "list", items: items.filter((i) => !isZero(i.value)) };
    };
    return build(this.unit.layouts.layout(cls));
  }

  #fieldInit(v: SnapValue, form: string, type: Type): CInit {
    if (v.k !== "ref" || form === "plain") return this.init(v, type);
    const o = v.to;
    if (form === "embeddedObject" && o.k === "object") return this.#structInit(o);
    if (o.k !== "array" && o.k !== "slots") return this.init(v, type);
    if (form === "embeddedArray") return this.#arrayInit(o);
    const { ptr } = this.elements(o);
    return this.isConstant(o) ? cast(pointerTo(this.unit.types.type(o.type.elem)), ptr) : ptr;
  }

  /** The initialiser of a value of a type. */
  init(v: SnapValue, type: Type): CInit {
    const of = type.k === "nullable" ? type.of : type;
    if (v.k === "null") return this.zero(type);
    if (type.k === "nullable" && nullForm(of).k === "optional") {
      return list(lit("true"), this.init(v, of));
    }
    switch (v.k) {
      case "num":
        return of.k === "num" ? numberConstant(of.n, v.value) : lit(String(v.value));
      case "big":
        return bigConstant(of.k === "num" && of.n === "u64" ? "u64" : "i64", v.value);
      case "bool":
        return lit(v.value ? "true" : "false");
      case "str":
        return of.k === "literals"
          ? { k: "note", arg: lit(String(this.unit.literal(v.value))), text: JSON.stringify(v.value) }
          : list({ k: "bytes", bytes: v.value }, lit(String(v.value.length)));
      case "closure":
        return closureInit(this.unit, v, of, (make) => this.#env(v, make));
      case "ref": {
        const o = v.to;
        if (o.k === "object") return this.pointer(o, this.unit.types.type(of));
        if (o.k === "cell") return addressOf(this.place(o));
        const { ptr, length } = this.elements(o);
        const pointer = pointerTo(this.unit.types.type(o.type.elem));
        return list(length > 0 && this.isConstant(o) ? cast(pointer, ptr) : ptr, lit(String(length)));
      }
    }
  }

  /** The pointer to the environment that an entry's closure is called with; undefined when it takes none. */
  closureEnv(v: Extract<SnapValue, { k: "closure" }>): CExpr | undefined {
    const f = this.unit.reachable.mono.closure(v.f, v.typeArgs);
    if (f.decl.kind !== "lambda") return undefined;
    const env = envOf(this.unit, f);
    return env === undefined ? NULL_PTR : addressOf(id(this.#env(v, () => staticEnv(this.unit, f, env, v))));
  }

  /** The static environment of a closure: made once. */
  #env(
    v: SnapValue,
    make: () => { readonly type: string; readonly wanted: string; readonly init: CInit },
  ): string {
    const known = this.#envNames.get(v);
    if (known !== undefined) return known;
    const { type, wanted, init } = make();
    const name = this.unit.names.take(wanted);
    this.#envNames.set(v, name);
    this.#print({ k: "decl", type: `static const ${type}`, name, init });
    return name;
  }

  /** A constant table that comes from code; equal ones are printed once. */
  table(wanted: string, type: string, values: readonly CInit[]): CExpr {
    const key = `table ${type} ${values.map(printInit).join(",")}`;
    const known = this.#tables.get(key);
    if (known !== undefined) return id(known);
    const name = this.unit.names.take(wanted);
    this.#tables.set(key, name);
    this.#constantNames.add(name);
    this.#print({
      k: "decl",
      type: `static ${constantOf(type)}`,
      name,
      length: values.length,
      init: list(...values),
    });
    return id(name);
  }

  /** The zero of a type that is a struct in C. */
  zeroOf(type: Type): CInitList {
    const zero = this.zero(type);
    return zero.k === "list" ? zero : list(zero);
  }

  /** The zero value of a type: null, 0, false, an empty string. */
  zero(type: Type): CInit {
    switch (type.k) {
      case "num":
        return isBig(type.n) ? bigConstant(type.n, 0n) : numberConstant(type.n, 0);
      case "bool":
        return lit("false");
      case "literals":
        return lit("0");
      case "object":
      case "null":
        return NULL_PTR;
      case "nullable":
        return nullForm(type.of).k === "pointer" ? NULL_PTR : list();
      default:
        return list();
    }
  }
}

/** Is an initialiser all zero bits, so that it can be left out? */
export function isZero(i: CInit | undefined): boolean {
  if (i === undefined) return true;
  if (i.k === "list") return i.items.every((x) => isZero(x.value));
  if (i.k === "note") return isZero(i.arg);
  return i.k === "lit" && /^(0U?|U?INT64_C\(0\)|0\.0f?|NULL|false)$/.test(i.text);
}

export const pointerTo = (type: string): string => (type.endsWith("*") ? `${type}*` : `${type} *`);

/** `const T`, or `T *const` for pointers. */
export const constantOf = (type: string): string => (type.endsWith("*") ? `${type}const` : `const ${type}`);

export function fieldPath(place: CExpr, steps: readonly string[]): CExpr {
  return steps.reduce((at, step) => member(at, step), place);
}

/** `app.router.table` → `app_router_table`. */
function pathName(o: SnapObject): string {
  return identifier(o.path === "" ? `object_${o.id}` : o.path);
}

/**
 * Reads the object graph that setup left and gives each value its type: from the declared types downwards, the class
 * of an object from its constructor. What has no representation is a problem with the path that leads to it.
 */
import * as support from "../backend-js/support.js";
import { isCell } from "../backend-js/expressions.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { allFields, allSupertypes, type ObjectType } from "../ir/hierarchy.js";
import type { ClassDecl, FuncDecl, Loc, Program } from "../ir/nodes.js";
import type { Entry, Snapshot, SnapObject, SnapValue } from "../ir/snapshot.js";
import { Monomorphiser } from "../ir/monomorphise.js";
import { isTupleDecl, tupleIndex } from "../ir/tuple.js";
import { isLookupKey, isMapOrSet, keyOf, mapFields, slotCount, valueOf } from "../ir/map-type.js";
import {
  bigIn,
  constantIn,
  isBig,
  matchTypes,
  num,
  substitute,
  typeName,
  unionMembers,
  type Type,
} from "../ir/types.js";
import { refusedEntryName } from "./entry-names.js";
import type { LoadedProgram } from "./run-setup.js";

export interface SnapshotResult {
  readonly snapshot: Snapshot;
  readonly diagnostics: readonly Diagnostic[];
  /** Globals without a representation, with the reason: an error only if run-phase code reads them. */
  readonly unrepresentable: ReadonlyMap<string, string>;
}

class Unrepresentable extends Error {}

/** Entries of a Map or Set: an index of 16 bits tells them apart. */
const largestMap = 65535;

const keyText = (k: unknown): string =>
  typeof k === "string" || typeof k === "number"
    ? JSON.stringify(k)
    : typeof k === "boolean"
      ? String(k)
      : "…";

export function takeSnapshot(loaded: LoadedProgram): SnapshotResult {
  return new Walk(loaded).run();
}

class Walk {
  private readonly known = new Map<object, SnapObject>();
  private readonly objects: SnapObject[] = [];
  private readonly classByConstructor = new Map<unknown, ClassDecl>();
  private readonly functionByValue = new Map<unknown, FuncDecl>();
  private readonly program: Program;
  private readonly mono: Monomorphiser;
  /** Objects whose contents are still to be read: no recursion, a list may be long. */
  private readonly pending: (() => void)[] = [];

  constructor(private readonly loaded: LoadedProgram) {
    this.program = loaded.program;
    this.mono = new Monomorphiser(loaded.program);
    for (const c of this.program.classes.values()) {
      if (c.isInterface) continue;
      const made = loaded.exports.get(c.module)?.[c.name];
      if (made !== undefined) this.classByConstructor.set(made, c);
      for (const m of c.methods) {
        if (m.isStatic && typeof made === "function") this.functionByValue.set(Reflect.get(made, m.name), m);
      }
    }
    for (const f of this.program.functions.values()) {
      if (f.kind === "function") this.functionByValue.set(loaded.exports.get(f.module)?.[f.name], f);
    }
  }

  run(): SnapshotResult {
    const diagnostics: Diagnostic[] = [];
    const unrepresentable = new Map<string, string>();
    const entries = this.entries(diagnostics);
    const globals = new Map<string, Snapshot["globals"] extends ReadonlyMap<string, infer V> ? V : never>();
    for (const m of this.program.modules) {
      for (const g of m.globals) {
        const dot = g.name.indexOf(".");
        const exports = this.loaded.exports.get(m.path) ?? {};
        const raw =
          dot < 0
            ? exports[g.name]
            : (exports[g.name.slice(0, dot)] as Record<string, unknown> | undefined)?.[g.name.slice(dot + 1)];
        const objectsBefore = this.objects.length;
        try {
          globals.set(g.id, { g, value: this.root(raw, g.type, g.name) });
        } catch (e) {
          if (!(e instanceof Unrepresentable)) throw e;
          unrepresentable.set(g.id, e.message);
          const dropped = new Set<SnapObject>(this.objects.splice(objectsBefore));
          for (const [k, v] of this.known) if (dropped.has(v)) this.known.delete(k);
        }
      }
    }
    return { snapshot: { globals, objects: this.objects, entries }, diagnostics, unrepresentable };
  }

  private entries(diagnostics: Diagnostic[]): Entry[] {
    const out: Entry[] = [];
    const add = (name: string, handler: unknown, fallback: Loc): void => {
      try {
        const f = this.functionOf(handler);
        if (f === undefined)
          throw new Unrepresentable(`the handler of \`${name}\` is not a function of the program`);
        const type = { k: "func" as const, params: f.params.map((p) => p.type), ret: f.ret };
        const closure = this.root(handler, type, name);
        if (closure.k === "closure") out.push({ name, type, closure });
      } catch (e) {
        if (!(e instanceof Unrepresentable)) throw e;
        diagnostics.push(problem(fallback, e.message));
      }
    };
    const start: Loc = { file: this.program.entryModule, line: 1, col: 1 };
    const taken = new Set<string>();
    for (const e of this.loaded.entries) {
      const refused = refusedEntryName(e.name, taken);
      if (refused === undefined) add(e.name, e.handler, start);
      else diagnostics.push({ ...problem(start, refused.message), code: "TMC2012", fix: refused.fix });
      taken.add(e.name);
    }
    const main = this.program.functions.get(`${this.program.entryModule}#main`);
    if (main !== undefined && main.kind === "function") {
      add("main", this.loaded.exports.get(main.module)?.[main.name], main.loc);
    }
    return out;
  }

  private functionOf(v: unknown): FuncDecl | undefined {
    if (typeof v !== "function") return undefined;
    const tag = support.lambdaTag(v);
    return tag === undefined ? this.functionByValue.get(v) : this.program.functions.get(tag.id);
  }

  private fail(path: string, type: Type, why: string): never {
    throw new Unrepresentable(`\`${path}\` is a \`${typeName(type)}\`: ${why}`);
  }

  /** A value and everything it leads to. */
  private root(v: unknown, type: Type, path: string): SnapValue {
    this.pending.length = 0;
    const value = this.value(v, type, path);
    // Breadth first: the path of an object is the shortest one.
    for (let i = 0; i < this.pending.length; i++) this.pending[i]?.();
    return value;
  }

  private value(v: unknown, type: Type, path: string): SnapValue {
    switch (type.k) {
      case "num": {
        if (isBig(type.n)) {
          if (typeof v !== "bigint") return this.fail(path, type, "setup left no value in it");
          if (bigIn(v, type.n)) return { k: "big", value: v };
          return this.fail(path, type, `setup left ${v}n in it, which is not a value of that type`);
        }
        if (typeof v !== "number") return this.fail(path, type, "setup left no value in it");
        const exact = constantIn(v, type.n);
        if (exact === undefined || (exact !== v && !Number.isNaN(v)))
          return this.fail(path, type, `setup left ${v} in it, which is not a value of that type`);
        return { k: "num", value: exact };
      }
      case "bool":
        return typeof v === "boolean"
          ? { k: "bool", value: v }
          : this.fail(path, type, "setup left no value in it");
      case "string":
      case "literals":
        if (typeof v !== "string") return this.fail(path, type, "setup left no value in it");
        if (/[^\u0000-\u00ff]/.test(v))
          return this.fail(path, type, `setup left ${JSON.stringify(v)} in it, and strings are bytes`);
        if (type.k === "literals" && !type.values.includes(v))
          return this.fail(
            path,
            type,
            `setup left ${JSON.stringify(v)} in it, which is not a value of that type`,
          );
        return { k: "str", value: v };
      case "nullable":
        return v === null || v === undefined ? { k: "null" } : this.value(v, type.of, path);
      case "null":
        return { k: "null" };
      case "func":
        return this.closure(v, type, path);
      case "array":
        return { k: "ref", to: this.array(v, type, path) };
      case "slots":
        return { k: "ref", to: this.slots(v, type, path) };
      case "object":
        return { k: "ref", to: this.object(v, type, path) };
      case "param":
        return this.fail(path, type, "its type argument is not known when setup ends");
      case "host":
        return this.fail(path, type, "a value of setup only has no representation on a device");
      case "void":
        return this.fail(path, type, "it has no value");
    }
  }

  private keep<T extends SnapObject>(v: object, o: T): T {
    this.known.set(v, o);
    this.objects.push(o);
    return o;
  }

  private array(v: unknown, type: Extract<Type, { k: "array" }>, path: string): SnapObject {
    if (!Array.isArray(v) && !ArrayBuffer.isView(v))
      return this.fail(path, type, "setup left no array in it");
    const known = this.known.get(v);
    if (known?.k === "array") {
      // Reached as a writable array somewhere: it is one.
      if (known.type.readonly && !type.readonly) Object.assign(known, { type });
      return known;
    }
    const elements = v as ArrayLike<unknown>;
    if (ArrayBuffer.isView(v) && v.buffer.byteLength !== v.byteLength) {
      return this.fail(
        path,
        type,
        "it is a view of another array (`subarray`), and the connection would be lost",
      );
    }
    const o = this.keep(v, { k: "array", id: this.objects.length, type, elems: [] as SnapValue[], path });
    this.pending.push(() => {
      for (let i = 0; i < elements.length; i++)
        o.elems.push(this.value(elements[i], type.elem, `${path}[${i}]`));
    });
    return o;
  }

  private slots(v: unknown, type: Extract<Type, { k: "slots" }>, path: string): SnapObject {
    if (!(v instanceof support.Slots)) return this.fail(path, type, "setup left no slots in it");
    const known = this.known.get(v);
    if (known !== undefined) return known;
    const o = this.keep(v, {
      k: "slots",
      id: this.objects.length,
      type,
      elems: [] as (SnapValue | undefined)[],
      path,
    });
    this.pending.push(() => {
      v.items.forEach((item, i) =>
        o.elems.push(item === undefined ? undefined : this.value(item, type.elem, `${path}[${i}]`)),
      );
    });
    return o;
  }

  /** The entries in insertion order, and room for the index. */
  private map(v: unknown, type: ObjectType, path: string): SnapObject {
    const value = valueOf(type);
    const wanted = value === undefined ? "[object Set]" : "[object Map]";
    if (typeof v !== "object" || v === null || Object.prototype.toString.call(v) !== wanted)
      return this.fail(path, type, "setup left none in it");
    const known = this.known.get(v);
    if (known !== undefined) return known;
    const entries = [...(v as Map<unknown, unknown> | Set<unknown>).entries()];
    if (entries.length > largestMap)
      return this.fail(path, type, `it has ${entries.length} entries, and ${largestMap} is the limit`);
    const cls = this.program.classes.get(type.decl);
    if (cls === undefined) return this.fail(path, type, "its class is not part of the program");
    const fields = new Map<string, SnapValue>();
    const o = this.keep(v, { k: "object", id: this.objects.length, cls, type, fields, path });
    const table = (name: string, elem: Type, elems: SnapValue[]): SnapValue[] => {
      const array: SnapObject = {
        k: "array",
        id: this.objects.length,
        type: { k: "array", elem, typed: false, readonly: true },
        elems,
        path: `${path}.${name.slice(1)}`,
      };
      this.objects.push(array);
      fields.set(name, { k: "ref", to: array });
      return elems;
    };
    const zero: SnapValue = { k: "num", value: 0 };
    const keys = table(mapFields.keys, keyOf(type), []);
    const values = value === undefined ? [] : table(mapFields.values, value, []);
    const slots = isLookupKey(keyOf(type)) ? slotCount(entries.length) : 0;
    table(
      mapFields.slots,
      num("u16"),
      Array.from({ length: slots }, () => zero),
    );
    fields.set(mapFields.mul, zero);
    fields.set(mapFields.shift, zero);
    this.pending.push(() => {
      for (const [k, item] of entries) {
        keys.push(this.value(k, keyOf(type), `a key of ${path}`));
        if (value !== undefined) values.push(this.value(item, value, `${path}.get(${keyText(k)})`));
      }
    });
    return o;
  }

  private object(v: unknown, type: ObjectType, path: string): SnapObject {
    if (isMapOrSet(type)) return this.map(v, type, path);
    if (typeof v !== "object" || v === null) return this.fail(path, type, "setup left no object in it");
    const known = this.known.get(v);
    if (known !== undefined) return known;
    const made = this.classByConstructor.get(v.constructor);
    const declared = made === undefined ? (support.literalTag(v) ?? type.decl) : made.id;
    const cls = this.program.classes.get(declared);
    if (cls === undefined) return this.fail(path, type, "its class is not part of the program");
    const actual = this.actualType(cls, type, v, path);
    const o = this.keep(v, {
      k: "object",
      id: this.objects.length,
      cls,
      type: actual,
      fields: new Map<string, SnapValue>(),
      path,
    });
    const record = v as Record<string, unknown>;
    const key = (name: string): string => (isTupleDecl(actual.decl) ? String(tupleIndex(name)) : name);
    this.pending.push(() => {
      for (const f of allFields(this.program.classes, actual)) {
        o.fields.set(f.field.name, this.value(record[key(f.field.name)], f.type, `${path}.${f.field.name}`));
      }
    });
    return o;
  }

  /** The class's type arguments, from the declared type through the hierarchy. */
  private actualType(cls: ClassDecl, declared: ObjectType, v: object, path: string): ObjectType {
    if (cls.id === declared.decl) return declared;
    if (cls.typeParams.length === 0) return { k: "object", decl: cls.id, args: [] };
    const members = unionMembers(declared);
    if (members !== undefined) {
      const own = members.filter((m) => m.decl === cls.id);
      const fitting = own.length > 1 ? own.filter((m) => this.fitsTexts(v, m)) : own;
      const [only] = fitting;
      if (only !== undefined && fitting.length === 1) return only;
      return this.fail(
        path,
        declared,
        `its value fits ${fitting.length === 0 ? "no member" : "several members"} of the union`,
      );
    }
    const open: ObjectType = {
      k: "object",
      decl: cls.id,
      args: cls.typeParams.map((name) => ({ k: "param", name })),
    };
    const above = allSupertypes(this.program.classes, open).find((s) => s.decl === declared.decl);
    const bound = new Map<string, Type>();
    above?.args.forEach((a, i) => {
      const given = declared.args[i];
      if (a.k === "param" && given !== undefined) bound.set(a.name, given);
    });
    this.argumentsByFields(v, open, bound);
    const args = cls.typeParams.map(
      (p) =>
        bound.get(p) ??
        this.fail(path, declared, `the type argument \`${p}\` of \`${cls.name}\` is not known here`),
    );
    return { k: "object", decl: cls.id, args };
  }

  /** Type arguments that the classes of field values tell: `input: Values<I>`, where a class of `Values<Float32Array>` is. */
  private argumentsByFields(v: object, open: ObjectType, bound: Map<string, Type>): void {
    const { classes } = this.program;
    const names = new Set(open.args.flatMap((a) => (a.k === "param" && !bound.has(a.name) ? [a.name] : [])));
    if (names.size === 0) return;
    const record = v as Readonly<Record<string, unknown>>;
    for (const f of allFields(classes, open)) {
      const value = record[f.field.name];
      if (f.type.k !== "object" || typeof value !== "object" || value === null) continue;
      const made = this.classByConstructor.get(value.constructor);
      if (made === undefined || made.typeParams.length > 0) continue;
      const { decl } = f.type;
      const above = allSupertypes(classes, { k: "object", decl: made.id, args: [] });
      const as = above.find((s) => s.decl === decl);
      if (as !== undefined) matchTypes(f.type, as, names, bound);
    }
  }

  /** Do the string-literal fields of the value have texts that the type allows? */
  private fitsTexts(v: object, t: ObjectType): boolean {
    const record = v as Readonly<Record<string, unknown>>;
    return allFields(this.program.classes, t).every((f) => {
      const value = record[f.field.name];
      return f.type.k !== "literals" || (typeof value === "string" && f.type.values.includes(value));
    });
  }

  private closure(v: unknown, type: Type, path: string): SnapValue {
    if (typeof v !== "function") return this.fail(path, type, "setup left no function in it");
    const tag = support.lambdaTag(v);
    if (tag === undefined) {
      const f = this.functionByValue.get(v);
      if (f === undefined)
        return this.fail(path, type, "a function of the host has no representation on a device");
      return { k: "closure", f, typeArgs: [], env: [], self: undefined };
    }
    const f = this.program.functions.get(tag.id);
    if (f === undefined) return this.fail(path, type, "the function is not part of the program");
    const values = tag.captures();
    const self = f.usesThis ? this.self(tag.self, path) : undefined;
    const bound = this.typeArguments(f, type, self, path);
    const env = f.captures.map((c, i): SnapValue => {
      const at = `${path}.${c.name}`;
      const captured = substitute(c.type, bound);
      if (!isCell(c)) return this.value(values[i], captured, at);
      return { k: "ref", to: this.cell(values[i], captured, at) };
    });
    return { k: "closure", f, typeArgs: [...bound.values()], env, self };
  }

  /** The type parameters around a lambda, known from its type, its `this` and nothing else. */
  private typeArguments(
    f: FuncDecl,
    type: Type,
    self: SnapValue | undefined,
    path: string,
  ): ReadonlyMap<string, Type> {
    const names = this.mono.typeParamsInScope(f);
    const found = new Map<string, Type>();
    if (names.length === 0) return found;
    const own: Type = { k: "func", params: f.params.map((p) => p.type), ret: f.ret };
    matchTypes(own, type, new Set(names), found);
    if (self?.k === "ref" && self.to.k === "object") {
      const { cls, type: actual } = self.to;
      cls.typeParams.forEach((p, i) => {
        const arg = actual.args[i];
        if (arg !== undefined) found.set(p, arg);
      });
    }
    return new Map(
      names.map((name) => [
        name,
        found.get(name) ??
          this.fail(path, type, `the type argument \`${name}\` of the function around it is not known here`),
      ]),
    );
  }

  private self(v: unknown, path: string): SnapValue {
    const made = typeof v === "object" && v !== null ? this.classByConstructor.get(v.constructor) : undefined;
    const known = typeof v === "object" && v !== null ? this.known.get(v) : undefined;
    if (known !== undefined) return { k: "ref", to: known };
    if (made === undefined)
      throw new Unrepresentable(`\`${path}\`: the \`this\` of the function is not an object of the program`);
    if (made.typeParams.length > 0) {
      throw new Unrepresentable(
        `\`${path}\`: the type arguments of \`${made.name}\` are not known here; keep the object in a field first`,
      );
    }
    return { k: "ref", to: this.object(v, { k: "object", decl: made.id, args: [] }, `${path}.this`) };
  }

  private cell(v: unknown, type: Type, path: string): SnapObject {
    if (typeof v !== "object" || v === null)
      return this.fail(path, type, "the captured variable has no cell");
    const known = this.known.get(v);
    if (known !== undefined) return known;
    const o = this.keep(v, {
      k: "cell",
      id: this.objects.length,
      type,
      value: { k: "null" } as SnapValue,
      path,
    });
    this.pending.push(() => {
      o.value = this.value((v as { v: unknown }).v, type, path);
    });
    return o;
  }
}

function problem(loc: Loc, message: string): Diagnostic {
  return {
    code: "TMC2002",
    severity: "error",
    loc,
    length: 1,
    message,
    fix: "keep it out of what handlers reach, or use a representable type",
    related: [],
  };
}

/**
 * Decides how each field of each class is stored and which objects of the snapshot are constant. Arrays whose length
 * is the same in every instance are embedded in the struct (or become a plain pointer with a known length), so that
 * the C compiler sees constant lengths; unshared objects are embedded by value. Printing the structs is here too.
 */
import type { FlowObject } from "../ir/flow-graph.js";
import { isSubclass, type MonoClass, type MonoField } from "../ir/monomorphise.js";
import type { Expr } from "../ir/nodes.js";
import type { ReachableProgram } from "../ir/reachability.js";
import type { SnapObject, SnapValue } from "../ir/snapshot.js";
import type { Type } from "../ir/types.js";
import { walkStmts } from "../ir/walk.js";
import { declarator } from "./c-print.js";
import type { CTypes } from "./c-types.js";
import { FileNames, identifier } from "./names.js";

export type FieldForm =
  /** The C type of its type. */
  | { readonly k: "plain" }
  /** `T name[length]` inside the struct. */
  | { readonly k: "embeddedArray"; readonly length: number; readonly elem: Type }
  /** `T *name`, always to `length` elements. */
  | { readonly k: "fixedPointer"; readonly length: number; readonly elem: Type }
  /** The struct of `cls` inside the struct. */
  | { readonly k: "embeddedObject"; readonly cls: MonoClass };

export interface FieldPlace {
  readonly field: MonoField;
  readonly form: FieldForm;
  readonly cName: string;
}

export interface ClassLayout {
  readonly cls: MonoClass;
  readonly struct: string;
  /** The fields this class adds. */
  readonly own: readonly FieldPlace[];
  /** The struct starts with `uint16_t tmc_class`. Only in classes without a superclass. */
  readonly hasId: boolean;
}

/** Where an embedded object or array of the snapshot lives. */
export interface Home {
  readonly owner: SnapObject & { k: "object" };
  readonly field: string;
}

interface FieldFacts {
  readonly initialisers: (number | MonoClass | undefined)[];
  /** Assigned outside its own constructor, or accessed by class id. */
  assignedElsewhere: boolean;
}

const plain: FieldForm = { k: "plain" };

/** Written arrays of zeros with more elements than this live apart from their owner. */
const largestEmbeddedZeros = 16;

function isZeroed(o: SnapObject): boolean {
  if (o.k === "slots") return o.elems.every((e) => e === undefined);
  return (
    o.k === "array" &&
    o.elems.every((e) => (e.k === "num" && Object.is(e.value, 0)) || (e.k === "big" && e.value === 0n))
  );
}

export class Layouts {
  readonly #layouts = new Map<MonoClass, ClassLayout>();
  readonly #facts = new Map<MonoField, FieldFacts>();
  readonly #references = new Map<SnapObject, number>();
  readonly #instances = new Map<MonoClass, (SnapObject & { k: "object" })[]>();
  readonly #madeClasses = new Set<MonoClass>();
  readonly #literalClasses = new Set<MonoClass>();
  readonly #forms = new Map<MonoField, FieldForm>();
  readonly #homes = new Map<SnapObject, Home>();
  readonly #constant = new Map<SnapObject, boolean>();
  readonly #needsId = new Set<MonoClass>();
  readonly #ids = new Map<MonoClass, number>();

  constructor(
    private readonly reachable: ReachableProgram,
    private readonly types: CTypes,
  ) {
    for (const c of reachable.classes) {
      for (const a of this.#chain(c)) this.#instances.set(a, this.#instances.get(a) ?? []);
    }
    this.#countReferences();
    this.#collectFacts();
    for (const c of reachable.classes) for (const f of c.fields) this.#decide(f);
    this.#findHomes();
    this.#findIds();
    types.defineStruct = (c) => void this.layout(c);
  }

  /** The class and its superclasses. */
  #chain(c: MonoClass): MonoClass[] {
    const out: MonoClass[] = [];
    for (let at: MonoClass | undefined = c; at !== undefined; at = at.superclass) out.push(at);
    return out;
  }

  #countReferences(): void {
    const count = (v: SnapValue | undefined): void => {
      if (v?.k === "ref") this.#references.set(v.to, (this.#references.get(v.to) ?? 0) + 1);
      if (v?.k === "closure") {
        v.env.forEach(count);
        count(v.self);
      }
    };
    const { snapshot } = this.reachable;
    for (const o of snapshot.objects) {
      if (o.k === "object") {
        o.fields.forEach(count);
        for (const c of this.#chain(this.reachable.mono.classOf(o.type))) this.#instances.get(c)?.push(o);
      } else if (o.k === "cell") {
        count(o.value);
      } else {
        o.elems.forEach(count);
      }
    }
    for (const g of snapshot.globals.values()) count(g.value);
    for (const e of snapshot.entries) count(e.closure);
  }

  /** Every assignment of a field in run-phase code: by its own constructor with a fresh object, or otherwise. */
  #collectFacts(): void {
    for (const f of this.reachable.functions) {
      walkStmts(f.body, {
        expr: (e) => {
          if (e.k === "new" && e.type.k === "object") {
            for (const c of this.#chain(this.reachable.mono.classOf(e.type))) this.#madeClasses.add(c);
          }
          if (e.k === "objectLit" && e.type.k === "object") {
            this.#literalClasses.add(this.reachable.mono.classOf(e.type));
          }
          if (e.k === "field" && e.obj.type.k === "object") {
            const cls = this.reachable.mono.classOf(e.obj.type);
            const concrete = cls.decl.isInterface ? this.types.concreteOf(cls) : [];
            if (concrete.length > 1) {
              for (const c of concrete) {
                const field = c.fields.find((x) => x.name === e.name);
                if (field !== undefined) this.#factsOf(field).assignedElsewhere = true;
              }
            }
          }
          if (e.k !== "assign" && e.k !== "update") return;
          const t = e.target;
          if (t.k !== "field" || t.obj.type.k !== "object") return;
          const cls = this.reachable.mono.classOf(t.obj.type);
          const affected = cls.decl.isInterface ? this.types.concreteOf(cls) : [cls];
          for (const c of affected) {
            const field = c.fields.find((x) => x.name === t.name);
            if (field === undefined) continue;
            const facts = this.#factsOf(field);
            const ownConstructor =
              e.k === "assign" &&
              f.decl.kind === "constructor" &&
              f.owner === field.declaredIn &&
              t.obj.k === "this";
            if (ownConstructor && e.k === "assign") facts.initialisers.push(this.#fresh(e.value));
            else facts.assignedElsewhere = true;
          }
        },
      });
    }
  }

  #factsOf(f: MonoField): FieldFacts {
    let facts = this.#facts.get(f);
    if (facts === undefined) this.#facts.set(f, (facts = { initialisers: [], assignedElsewhere: false }));
    return facts;
  }

  #fresh(e: Expr): number | MonoClass | undefined {
    if (e.k === "new" && e.type.k === "object") return this.reachable.mono.classOf(e.type);
    return this.reachable.madeLength(e);
  }

  // ---- the form of a field -------------------------------------------------------------------------------------

  #decide(f: MonoField): FieldForm {
    const known = this.#forms.get(f);
    if (known !== undefined) return known;
    this.#forms.set(f, plain); // while deciding: a class that contains itself is not embedded
    const form = this.#arrayForm(f) ?? this.#objectForm(f) ?? plain;
    this.#forms.set(f, form);
    return form;
  }

  /** The values of the field in the snapshot; undefined when some made object or assignment forbids to embed. */
  #settled(f: MonoField): readonly SnapObject[] | undefined {
    const facts = this.#facts.get(f);
    if (facts?.assignedElsewhere === true || this.#literalClasses.has(f.declaredIn)) return undefined;
    const values: SnapObject[] = [];
    for (const o of this.#instances.get(f.declaredIn) ?? []) {
      const v = o.fields.get(f.name);
      if (v?.k !== "ref") return undefined;
      values.push(v.to);
    }
    return values;
  }

  #arrayForm(f: MonoField): FieldForm | undefined {
    if (f.type.k !== "array" && f.type.k !== "slots") return undefined;
    const values = this.#settled(f);
    if (values === undefined) return undefined;
    const initialisers = this.#madeClasses.has(f.declaredIn) ? (this.#facts.get(f)?.initialisers ?? []) : [];
    if (this.#madeClasses.has(f.declaredIn) && initialisers.length !== 1) return undefined;
    const lengths = new Set<unknown>(initialisers);
    for (const v of values) lengths.add(v.k === "array" || v.k === "slots" ? v.elems.length : undefined);
    const length = [...lengths][0];
    if (lengths.size !== 1 || typeof length !== "number" || length === 0) return undefined;
    const elem = f.type.elem;
    const shared = values.some((v) => this.#references.get(v) !== 1);
    if (initialisers.length > 0) return shared ? undefined : { k: "embeddedArray", length, elem };
    const written = values.some((v) => this.reachable.isArrayWritten(this.reachable.flowObject(v)));
    const together = written === this.#isClassWritten(f.declaredIn);
    // A large array of zeros belongs in .bss: inside an object with other initial values it would cost flash.
    const apart = written && length > largestEmbeddedZeros && values.every(isZeroed);
    return { k: shared || !together || apart ? "fixedPointer" : "embeddedArray", length, elem };
  }

  #objectForm(f: MonoField): FieldForm | undefined {
    if (f.type.k !== "object" || !f.readonly) return undefined;
    const values = this.#settled(f);
    if (values === undefined || this.#madeClasses.has(f.declaredIn)) return undefined;
    const classes = new Set<MonoClass>();
    for (const v of values) {
      if (v.k !== "object" || this.#references.get(v) !== 1) return undefined;
      classes.add(this.reachable.mono.classOf(v.type));
    }
    const cls = [...classes][0];
    if (cls === undefined || classes.size !== 1 || this.#contains(cls, f.declaredIn, new Set()))
      return undefined;
    if (this.#isClassWritten(cls) !== this.#isClassWritten(f.declaredIn)) return undefined;
    return { k: "embeddedObject", cls };
  }

  /** Would a struct of `outer` contain one of `inner` (or of a class derived from it)? */
  #contains(outer: MonoClass, inner: MonoClass, seen: Set<MonoClass>): boolean {
    if (isSubclass(outer, inner) || isSubclass(inner, outer)) return true;
    if (seen.has(outer)) return false;
    seen.add(outer);
    return outer.fields.some((f) => {
      const form = this.#decide(f);
      return form.k === "embeddedObject" && this.#contains(form.cls, inner, seen);
    });
  }

  /** Is any object of the class written in the run phase? */
  #isClassWritten(c: MonoClass): boolean {
    return (this.#instances.get(c) ?? []).some((o) => this.#isWritten(o));
  }

  #isWritten(o: SnapObject): boolean {
    const flow = this.reachable.flowObject(o);
    if (o.k === "object")
      return [...o.fields.keys()].some((name) => this.reachable.isFieldWritten(flow, name));
    return o.k === "cell" || this.reachable.isArrayWritten(flow);
  }

  #findHomes(): void {
    for (const o of this.reachable.snapshot.objects) {
      if (o.k !== "object") continue;
      for (const f of this.reachable.mono.classOf(o.type).fields) {
        const form = this.#forms.get(f);
        const v = o.fields.get(f.name);
        if (v?.k === "ref" && (form?.k === "embeddedArray" || form?.k === "embeddedObject")) {
          this.#homes.set(v.to, { owner: o, field: f.name });
        }
      }
    }
  }

  /** The struct that contains this object; undefined when it stands alone. */
  home(o: SnapObject): Home | undefined {
    return this.#homes.get(o);
  }

  /** Can the object be in flash? Decided for the outermost owner of an embedded one. */
  isConstant(o: SnapObject): boolean {
    const home = this.#homes.get(o);
    return home === undefined ? this.#isConstantHere(o) : this.isConstant(home.owner);
  }

  #isConstantHere(o: SnapObject): boolean {
    const known = this.#constant.get(o);
    if (known !== undefined) return known;
    let constant = !this.#isWritten(o);
    if (constant && o.k === "object") {
      for (const v of o.fields.values()) {
        if (v.k === "ref" && this.#homes.get(v.to)?.owner === o && !this.#isConstantHere(v.to))
          constant = false;
      }
    }
    this.#constant.set(o, constant);
    return constant;
  }

  // ---- class ids -------------------------------------------------------------------------------------------------

  /** Classes between which run-phase code must tell at run time. */
  #findIds(): void {
    const need = (classes: Iterable<MonoClass>): void => {
      for (const c of classes) for (const a of this.#chain(c)) this.#needsId.add(a);
    };
    const several = (t: Type): readonly MonoClass[] => {
      const of = t.k === "nullable" ? t.of : t;
      return of.k === "object" ? this.types.concreteOf(this.reachable.mono.classOf(of)) : [];
    };
    for (const f of this.reachable.functions) {
      walkStmts(f.body, {
        stmt: (s) => {
          if (s.k === "forOf" && s.get !== undefined) need(several(s.of.type));
        },
        expr: (e) => {
          if (e.k === "method" && !e.isSuper && this.reachable.targets(e).length > 1)
            need(several(e.recv.type));
          if (e.k === "instanceof") need(several(e.arg.type));
          if ((e.k === "field" || e.k === "length") && isInterface(this.reachable, e.obj.type)) {
            const classes = several(e.obj.type);
            if (classes.length > 1) need(classes);
          }
          if ((e.k === "assign" || e.k === "update") && e.target.k === "field") {
            const t = e.target.obj.type;
            const classes = isInterface(this.reachable, t) ? several(t) : [];
            if (classes.length > 1) need(classes);
          }
        },
      });
    }
    this.reachable.classes.forEach((c, i) => this.#ids.set(c, i + 1));
  }

  /** A hierarchy has ids as a whole: the first member of its root. */
  hasId(c: MonoClass): boolean {
    return this.#chain(c).some((a) => a.superclass === undefined && this.#needsId.has(a));
  }

  /** The class id: 1 … number of classes. */
  classId(c: MonoClass): number {
    return this.#ids.get(c) ?? 0;
  }

  // ---- structs ---------------------------------------------------------------------------------------------------

  layout(c: MonoClass): ClassLayout {
    const known = this.#layouts.get(c);
    if (known !== undefined) return known;
    const struct = this.types.structName(c);
    this.types.forward(struct);
    const members = new FileNames();
    members.claim("base");
    members.claim("tmc_class");
    const own = c.ownFields.map((field): FieldPlace => {
      const form = this.#forms.get(field) ?? plain;
      return { field, form, cName: members.take(identifier(field.name)) };
    });
    const made: ClassLayout = { cls: c, struct, own, hasId: this.hasId(c) && c.superclass === undefined };
    this.#layouts.set(c, made);
    this.#define(made);
    return made;
  }

  #define(l: ClassLayout): void {
    const needs: string[] = [];
    const lines: string[] = [];
    if (l.hasId) lines.push("uint16_t tmc_class;");
    if (l.cls.superclass !== undefined) {
      const base = this.layout(l.cls.superclass).struct;
      needs.push(base);
      lines.push(`${base} base;`);
    }
    for (const p of l.own) {
      const member = this.#member(p);
      needs.push(member.type);
      lines.push(`${declarator(member.type, p.cName)}${member.suffix};`);
    }
    if (lines.length === 0) lines.push("uint8_t empty;");
    this.types.define(l.struct, needs, `struct ${l.struct} {\n    ${lines.join("\n    ")}\n};`);
  }

  #member(p: FieldPlace): { readonly type: string; readonly suffix: string } {
    switch (p.form.k) {
      case "plain":
        return { type: this.types.type(p.field.type), suffix: "" };
      case "embeddedArray":
        return { type: this.types.type(p.form.elem), suffix: `[${p.form.length}]` };
      case "fixedPointer": {
        const elem = this.types.type(p.form.elem);
        return { type: elem.endsWith("*") ? `${elem}*` : `${elem} *`, suffix: "" };
      }
      case "embeddedObject":
        return { type: this.layout(p.form.cls).struct, suffix: "" };
    }
  }

  /** The member path from a struct of class `c` to a field: `base` once per superclass in between, then the member. */
  path(
    c: MonoClass,
    name: string,
  ): { readonly steps: readonly string[]; readonly place: FieldPlace } | undefined {
    const steps: string[] = [];
    for (let at: MonoClass | undefined = c; at !== undefined; at = at.superclass) {
      const place = this.layout(at).own.find((p) => p.field.name === name);
      if (place !== undefined) return { steps: [...steps, place.cName], place };
      steps.push("base");
    }
    return undefined;
  }

  /** The path to the class id of a struct of class `c`. */
  idPath(c: MonoClass): readonly string[] {
    return [
      ...this.#chain(c)
        .slice(1)
        .map(() => "base"),
      "tmc_class",
    ];
  }
}

function isInterface(reachable: ReachableProgram, t: Type): boolean {
  return t.k === "object" && reachable.mono.classOf(t).decl.isInterface;
}

/** The one object of the snapshot that all of `objects` are; undefined for none, several or others. */
export function onlySnapshotObject(objects: ReadonlySet<FlowObject> | undefined): SnapObject | undefined {
  if (objects?.size !== 1) return undefined;
  for (const o of objects) if (o.k === "snapshot") return o.object;
  return undefined;
}

/**
 * Fresh objects that a function returns (or that a constructor puts into fields) live in the caller's frame: the
 * caller passes a pointer to a struct of them. Which objects that are is read from the value flow.
 */
import type { FlowObject } from "../ir/flow-graph.js";
import type { MonoFunc } from "../ir/monomorphise.js";
import type { Expr } from "../ir/nodes.js";
import { walkStmts } from "../ir/walk.js";
import { declarator } from "./c-print.js";
import { LocalNames } from "./names.js";
import type { Unit } from "./unit.js";

export interface FrameMember {
  readonly name: string;
  readonly expr: Expr;
}

export interface Frame {
  readonly type: string;
  /** Storage of the objects that the function makes. */
  readonly members: ReadonlyMap<Expr, FrameMember>;
  /** Frames of the functions it calls whose objects it passes on. */
  readonly inner: ReadonlyMap<Expr, FrameMember>;
  readonly objects: ReadonlySet<FlowObject>;
}

export class Frames {
  readonly #frames = new Map<MonoFunc, Frame | undefined>();
  readonly #inPlace = new Set<Expr>();
  readonly #unions = new Map<string, string>();

  constructor(private readonly unit: Unit) {}

  /** Made objects that outlive a call of `f`. */
  #escaping(f: MonoFunc): Set<FlowObject> {
    const r = this.unit.reachable;
    const found = new Set<FlowObject>();
    const visit = (o: FlowObject): void => {
      if (o.k !== "made" || found.has(o)) return;
      found.add(o);
      contents(o);
    };
    const contents = (o: FlowObject): void => {
      if (o.k !== "made") return;
      for (const field of o.cls?.fields ?? []) r.objectsOfField(o, field.name).forEach(visit);
      r.objectsOfElements(o).forEach(visit);
    };
    if (f.decl.kind === "constructor") r.objectsOfThis(f).forEach(contents);
    else r.objectsOfResult(f).forEach(visit);
    return found;
  }

  /** An expression that fills an embedded field needs no storage of its own. */
  markInPlace(e: Expr): void {
    this.#inPlace.add(e);
  }

  frameOf(f: MonoFunc): Frame | undefined {
    if (this.#frames.has(f)) return this.#frames.get(f);
    this.#frames.set(f, undefined);
    const frame = this.#build(f);
    this.#frames.set(f, frame);
    return frame;
  }

  /** The type of what a call passes for the fresh objects of its targets: of several, a union of their frames. */
  callFrame(site: Expr): string | undefined {
    const types = new Set<string>();
    for (const t of this.unit.reachable.targets(site)) {
      const frame = this.frameOf(t.func);
      if (frame !== undefined) types.add(frame.type);
    }
    const all = [...types].sort();
    const [only] = all;
    if (all.length < 2) return only;
    const known = this.#unions.get(all.join(" "));
    if (known !== undefined) return known;
    const name = this.unit.names.take(`${only ?? ""}_any`);
    const members = all.map((type, i) => `${type} of${i + 1};`).join("\n    ");
    this.unit.types.define(name, all, `typedef union {\n    ${members}\n} ${name};`);
    this.#unions.set(all.join(" "), name);
    return name;
  }

  #build(f: MonoFunc): Frame | undefined {
    const { unit } = this;
    const escaping = this.#escaping(f);
    if (escaping.size === 0) return undefined;
    const names = new LocalNames(unit.names);
    const members = new Map<Expr, FrameMember>();
    const innerFrames = new Map<Expr, FrameMember>();
    const objects = new Set<FlowObject>();
    const lines: string[] = [];
    const needs: string[] = [];
    const add = (
      to: Map<Expr, FrameMember>,
      expr: Expr,
      wanted: string,
      type: string,
      length: number | undefined,
    ): void => {
      const name = names.take(wanted);
      needs.push(type);
      to.set(expr, { name, expr });
      lines.push(`${declarator(type, name)}${length === undefined ? "" : `[${length}]`};`);
    };
    walkStmts(f.body, {
      expr: (e) => {
        if (e.k === "assign" && this.#fillsEmbedded(f, e)) this.#inPlace.add(e.value);
        const made = [...(unit.reachable.objectsOf(e) ?? [])].filter((o) => o.k === "made" && o.expr === e);
        const own = made[0];
        if (own !== undefined && escaping.has(own) && !this.#inPlace.has(e)) {
          const shape = storageShape(unit, e);
          if (shape !== undefined) {
            objects.add(own);
            add(members, e, shape.wanted, shape.type, shape.length);
          }
        }
        let passesOn = false;
        for (const t of unit.reachable.targets(e)) {
          const inner = this.frameOf(t.func);
          if (inner === undefined || ![...inner.objects].some((o) => escaping.has(o))) continue;
          inner.objects.forEach((o) => objects.add(o));
          passesOn = true;
        }
        const type = passesOn ? this.callFrame(e) : undefined;
        if (type !== undefined) add(innerFrames, e, "inner", type, undefined);
      },
    });
    if (members.size + innerFrames.size === 0) return undefined;
    const type = unit.names.take(`${unit.functionName(f)}_frame`);
    unit.types.define(type, needs, `typedef struct {\n    ${lines.join("\n    ")}\n} ${type};`);
    return { type, members, inner: innerFrames, objects };
  }

  #fillsEmbedded(f: MonoFunc, e: Extract<Expr, { k: "assign" }>): boolean {
    const t = e.target;
    if (f.decl.kind !== "constructor" || t.k !== "field" || t.obj.k !== "this" || f.owner === undefined)
      return false;
    const form = this.unit.layouts.path(f.owner, t.name)?.place.form.k;
    return form === "embeddedArray" || form === "embeddedObject";
  }
}

export interface StorageShape {
  readonly type: string;
  readonly length: number | undefined;
  readonly wanted: string;
}

/** The C storage of an expression that makes an object; undefined when it needs none (no elements). */
export function storageShape(unit: Unit, e: Expr): StorageShape | undefined {
  const type = e.type;
  if (type.k === "object") {
    const cls = unit.reachable.mono.classOf(type);
    const struct = unit.layouts.layout(cls).struct;
    return { type: struct, length: undefined, wanted: lowerFirst(cls.decl.name) };
  }
  if (type.k !== "array" && type.k !== "slots") return undefined;
  const length = unit.reachable.madeLength(e);
  if (length === undefined || length === 0) return undefined;
  return { type: unit.types.type(type.elem), length, wanted: "elements" };
}

const lowerFirst = (s: string): string => s.charAt(0).toLowerCase() + s.slice(1);

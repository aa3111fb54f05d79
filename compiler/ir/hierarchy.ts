/** Questions about classes and interfaces: members by name through the superclasses, subtyping, implementers. */
import type { ClassDecl, Field, FuncDecl } from "./nodes.js";
import { sameType, substitute, type Type } from "./types.js";

export type ObjectType = Extract<Type, { k: "object" }>;
type Classes = ReadonlyMap<string, ClassDecl>;

/** The class stands for a union of object types. */
export const isUnionDecl = (decl: string): boolean => decl.startsWith("tmc/union#");

/** Type parameters of the class of `t` → its arguments. */
export function argumentMap(classes: Classes, t: ObjectType): ReadonlyMap<string, Type> {
  const c = classOf(classes, t);
  return new Map(c.typeParams.map((p, i) => [p, t.args[i] ?? { k: "param", name: p }]));
}

export function classOf(classes: Classes, t: ObjectType): ClassDecl {
  const c = classes.get(t.decl);
  if (c === undefined) throw new Error(`no class ${t.decl}`);
  return c;
}

/** Direct supertypes, with `t`'s arguments filled in; the superclass first. */
export function supertypes(classes: Classes, t: ObjectType): ObjectType[] {
  const c = classOf(classes, t);
  const map = argumentMap(classes, t);
  const list = c.superclass === undefined ? c.implements : [c.superclass, ...c.implements];
  return list.map((s) => substitute(s, map)).filter((s): s is ObjectType => s.k === "object");
}

/** `t` and everything above it, nearest first, without repetitions. */
export function allSupertypes(classes: Classes, t: ObjectType): ObjectType[] {
  const found: ObjectType[] = [];
  const visit = (x: ObjectType): void => {
    if (found.some((f) => sameType(f, x))) return;
    found.push(x);
    supertypes(classes, x).forEach(visit);
  };
  visit(t);
  return found;
}

export const isSubtype = (classes: Classes, t: ObjectType, of: ObjectType): boolean =>
  allSupertypes(classes, t).some((s) => sameType(s, of));

/** All fields of an instance, superclass first; interfaces contribute their supertypes' fields too. */
export function allFields(classes: Classes, t: ObjectType): { readonly field: Field; readonly type: Type }[] {
  const c = classOf(classes, t);
  const map = argumentMap(classes, t);
  const above = c.isInterface
    ? supertypes(classes, t)
        // A union's fields are those of its members already.
        .filter((s) => !isUnionDecl(s.decl))
        .flatMap((s) => allFields(classes, s))
    : c.superclass === undefined
      ? []
      : allFields(classes, substitute(c.superclass, map) as ObjectType);
  const own = c.fields.map((field) => ({ field, type: substitute(field.type, map) }));
  return [...above.filter((a) => !own.some((o) => o.field.name === a.field.name)), ...own];
}

export interface FoundMethod {
  readonly f: FuncDecl;
  /** The supertype (or `t` itself) that declares it. */
  readonly on: ObjectType;
  /** The class's type parameters → arguments, for the method's signature. */
  readonly map: ReadonlyMap<string, Type>;
}

/** A method, getter or signature by name, nearest declaration first. */
export function findMethod(classes: Classes, t: ObjectType, name: string): FoundMethod | undefined {
  for (const s of allSupertypes(classes, t)) {
    const c = classOf(classes, s);
    const f =
      c.methods.find((m) => m.name === name && !m.isStatic) ?? c.signatures.find((m) => m.name === name);
    if (f !== undefined) return { f, on: s, map: argumentMap(classes, s) };
  }
  return undefined;
}

export function findField(
  classes: Classes,
  t: ObjectType,
  name: string,
): { readonly field: Field; readonly type: Type } | undefined {
  for (const s of allSupertypes(classes, t)) {
    const field = classOf(classes, s).fields.find((f) => f.name === name);
    if (field !== undefined) return { field, type: substitute(field.type, argumentMap(classes, s)) };
  }
  return undefined;
}

/** Questions about classes and interfaces: members by name through the superclasses, subtyping, implementers. */
import type { ClassDecl, Field, FuncDecl } from "./nodes.js";
import {
  nullable,
  sameType,
  substitute,
  typeName,
  unionMembers,
  type ObjectType,
  type Type,
} from "./types.js";
import { isUnionDecl, unionDeclaration } from "./union.js";

export type { ObjectType } from "./types.js";
type Classes = ReadonlyMap<string, ClassDecl>;

/** Type parameters of the class of `t` → its arguments. */
export function argumentMap(classes: Classes, t: ObjectType): ReadonlyMap<string, Type> {
  const c = classOf(classes, t);
  return new Map(c.typeParams.map((p, i) => [p, t.args[i] ?? { k: "param", name: p }]));
}

export function classOf(classes: Classes, t: ObjectType): ClassDecl {
  const c = isUnionDecl(t.decl) ? unionDeclaration(t.decl) : classes.get(t.decl);
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

/** A union is a subtype of what all its members are; a type is one of a union when it is one of a member. */
export function isSubtype(classes: Classes, t: ObjectType, of: ObjectType): boolean {
  const parts = unionMembers(t);
  if (parts !== undefined) return sameType(t, of) || parts.every((m) => isSubtype(classes, m, of));
  const members = unionMembers(of);
  if (members !== undefined) return members.some((m) => isSubtype(classes, t, m));
  return allSupertypes(classes, t).some((s) => sameType(s, of));
}

export interface TypedField {
  readonly field: Field;
  readonly type: Type;
}

/**
 * All fields of an instance, superclass first; interfaces contribute their supertypes' fields too. Of a union, what
 * all members have.
 */
export function allFields(classes: Classes, t: ObjectType): TypedField[] {
  const members = unionMembers(t);
  if (members !== undefined) return commonFields(classes, members);
  const c = classOf(classes, t);
  const map = argumentMap(classes, t);
  const above = c.isInterface
    ? supertypes(classes, t).flatMap((s) => allFields(classes, s))
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

/** A method, getter or signature by name, nearest declaration first; of a union, one that all members have alike. */
export function findMethod(classes: Classes, t: ObjectType, name: string): FoundMethod | undefined {
  const members = unionMembers(t);
  if (members !== undefined) return commonMethod(classes, members, name);
  for (const s of allSupertypes(classes, t)) {
    const c = classOf(classes, s);
    const f =
      c.methods.find((m) => m.name === name && !m.isStatic) ?? c.signatures.find((m) => m.name === name);
    if (f !== undefined) return { f, on: s, map: argumentMap(classes, s) };
  }
  return undefined;
}

export function findField(classes: Classes, t: ObjectType, name: string): TypedField | undefined {
  const members = unionMembers(t);
  if (members !== undefined) return commonFields(classes, members).find((f) => f.field.name === name);
  for (const s of allSupertypes(classes, t)) {
    const field = classOf(classes, s).fields.find((f) => f.name === name);
    if (field !== undefined) return { field, type: substitute(field.type, argumentMap(classes, s)) };
  }
  return undefined;
}

/** A type that holds the values of both, for reading. */
function joinRead(a: Type, b: Type): Type | undefined {
  if (sameType(a, b)) return a;
  if (a.k === "literals" && b.k === "literals") {
    return { k: "literals", values: [...new Set([...a.values, ...b.values])].sort() };
  }
  if (a.k === "nullable" || b.k === "nullable") {
    const inner = joinRead(a.k === "nullable" ? a.of : a, b.k === "nullable" ? b.of : b);
    return inner === undefined ? undefined : nullable(inner);
  }
  return undefined;
}

function commonFields(classes: Classes, list: readonly ObjectType[]): TypedField[] {
  const [first, ...rest] = list;
  if (first === undefined) return [];
  const others = rest.map((m) => allFields(classes, m));
  return allFields(classes, first).flatMap(({ field, type }) => {
    let joined: Type | undefined = type;
    let readonly = field.readonly;
    for (const fields of others) {
      const found = fields.find((f) => f.field.name === field.name);
      if (joined === undefined || found === undefined) return [];
      joined = joinRead(joined, found.type);
      // Writing through the union could break a member's own type.
      readonly ||= found.field.readonly || (joined !== undefined && !sameType(joined, found.type));
    }
    if (joined === undefined) return [];
    readonly ||= !sameType(joined, type);
    return [{ field: { ...field, type: joined, readonly }, type: joined }];
  });
}

function commonMethod(classes: Classes, list: readonly ObjectType[], name: string): FoundMethod | undefined {
  const found = list.map((m) => findMethod(classes, m, name));
  const [first] = found;
  const signature = (m: FoundMethod): string =>
    [...m.f.params.map((p) => p.type), m.f.ret].map((t) => typeName(substitute(t, m.map))).join();
  return first !== undefined && found.every((m) => m !== undefined && signature(m) === signature(first))
    ? first
    : undefined;
}

/**
 * Unions of object types (`Circle | Square`): an interface that its members implement. Its fields are what all
 * members have; which member an object is, its class says.
 */
import { allFields, findMethod, type ObjectType } from "../ir/hierarchy.js";
import type { ClassDecl, Field, FuncDecl } from "../ir/nodes.js";
import { nullable, sameType, typeName, type Type } from "../ir/types.js";
import type { Context } from "./context.js";

const members = new WeakMap<ClassDecl, readonly ObjectType[]>();

/** The members, when the class stands for a union. */
export const unionMembers = (c: ClassDecl): readonly ObjectType[] | undefined => members.get(c);

/** The type of the union; undefined when a member has open type parameters. */
export function unionType(ctx: Context, list: readonly ObjectType[]): ObjectType | undefined {
  if (list.some((m) => m.args.length > 0)) return undefined;
  const flat = new Map<string, ObjectType>();
  for (const m of list) {
    const c = ctx.classes.get(m.decl);
    for (const x of (c === undefined ? undefined : members.get(c)) ?? [m]) flat.set(x.decl, x);
  }
  const ids = [...flat.keys()].sort();
  const id = `tmc/union#${ids.map((i) => i.slice(i.lastIndexOf("#") + 1)).join(" | ")}`;
  const type: ObjectType = { k: "object", decl: id, args: [] };
  if (!ctx.classes.has(id)) declare(ctx, type, [...flat.values()]);
  return type;
}

function declare(ctx: Context, type: ObjectType, list: readonly ObjectType[]): void {
  const first = ctx.classes.get(list[0]?.decl ?? "");
  const c: ClassDecl = {
    id: type.decl,
    name: type.decl.slice("tmc/union#".length),
    module: "tmc/union",
    isInterface: true,
    isAbstract: false,
    exported: false,
    typeParams: [],
    // Members may still be being declared: looked up when asked for.
    get fields() {
      return commonFields(ctx, list);
    },
    ctor: undefined,
    methods: [],
    get signatures() {
      return commonMethods(ctx, list);
    },
    superclass: undefined,
    implements: [],
    iterable: false,
    loc: first?.loc ?? { file: "tmc/union", line: 1, col: 1 },
  };
  members.set(c, list);
  ctx.classes.set(c.id, c);
  for (const m of list) ctx.classes.get(m.decl)?.implements.push(type);
  // A union of some members is a subtype of one of more.
  for (const other of ctx.classes.values()) {
    const theirs = members.get(other);
    if (theirs === undefined || other === c) continue;
    const has = (a: readonly ObjectType[], b: readonly ObjectType[]): boolean =>
      b.every((x) => a.some((y) => y.decl === x.decl));
    if (has(list, theirs)) other.implements.push(type);
    if (has(theirs, list)) c.implements.push({ k: "object", decl: other.id, args: [] });
  }
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

function commonFields(ctx: Context, list: readonly ObjectType[]): Field[] {
  const [first, ...rest] = list;
  if (first === undefined) return [];
  const out: Field[] = [];
  for (const { field, type } of allFields(ctx.classes, first)) {
    let joined: Type | undefined = type;
    let readonly = field.readonly;
    for (const m of rest) {
      const found = allFields(ctx.classes, m).find((f) => f.field.name === field.name);
      const before: Type | undefined = joined;
      joined = found === undefined || before === undefined ? undefined : joinRead(before, found.type);
      // Writing through the union could break a member's own type.
      readonly ||=
        found?.field.readonly === true ||
        (joined !== undefined && found !== undefined && !sameType(joined, found.type));
    }
    if (joined !== undefined)
      out.push({ ...field, type: joined, readonly: readonly || !sameType(joined, type) });
  }
  return out;
}

function commonMethods(ctx: Context, list: readonly ObjectType[]): FuncDecl[] {
  const [first, ...rest] = list;
  const c = first === undefined ? undefined : ctx.classes.get(first.decl);
  if (c === undefined) return [];
  const signature = (f: FuncDecl): string =>
    `${f.params.map((p) => typeName(p.type)).join()}:${typeName(f.ret)}`;
  return c.methods
    .filter((m) => !m.isStatic)
    .filter((m) =>
      rest.every((t) => {
        const found = findMethod(ctx.classes, t, m.name);
        return found !== undefined && signature(found.f) === signature(m);
      }),
    );
}

/**
 * How `Map` and `Set` stand in the IR: object types of two classes that no module declares. On the host they are
 * JavaScript's own; the snapshot keeps their entries in insertion order, with an index for look-ups that the C backend
 * fills. Handlers read them through the builtins `mapGet`, `mapHas`, `mapSize` and `for … of`, and never write them.
 */
import type { ClassDecl, Field } from "./nodes.js";
import { arrayOf, I32, num, U32, type Type } from "./types.js";

type ObjectType = Extract<Type, { k: "object" }>;

const mapDecl = "tmc/core#Map";
const setDecl = "tmc/core#Set";

/** The fields of both classes; `values` is not in a Set. No program can name them. */
export const mapFields = {
  /** RomArray<K> in insertion order. */
  keys: "$keys",
  values: "$values",
  /** Open addressing: the number of an entry + 1, 0 where there is none; the length is a power of two. */
  slots: "$slots",
  /** A key starts at `(hash * mul) >>> shift`. */
  mul: "$mul",
  shift: "$shift",
} as const;

export const mapType = (key: Type, value: Type): ObjectType => ({
  k: "object",
  decl: mapDecl,
  args: [key, value],
});
export const setType = (key: Type): ObjectType => ({ k: "object", decl: setDecl, args: [key] });

type MapOrSet = ObjectType & { readonly decl: typeof mapDecl | typeof setDecl };

export const isMapOrSet = (t: Type): t is MapOrSet =>
  t.k === "object" && (t.decl === mapDecl || t.decl === setDecl);

/** What a Map or Set is asked for. */
export function keyOf(t: Type): Type {
  const key = isMapOrSet(t) ? t.args[0] : undefined;
  if (key === undefined) throw new Error("a Map or Set is expected");
  return key;
}

/** Undefined for a Set. */
export const valueOf = (t: Type): Type | undefined => (isMapOrSet(t) ? t.args[1] : undefined);

/** Can a handler look up keys of this type? The others can only be iterated over. */
export function isLookupKey(t: Type): boolean {
  switch (t.k) {
    case "num":
      return t.n !== "f32" && t.n !== "f64";
    case "bool":
    case "string":
    case "literals":
      return true;
    default:
      return false;
  }
}

/** Slots for `size` entries: a power of two, at least a third of them free. */
export function slotCount(size: number): number {
  let count = 2;
  while (count * 2 < size * 3 + 2) count *= 2;
  return count;
}

export function mapClasses(): readonly ClassDecl[] {
  const loc = { file: "tmc/core.d.ts", line: 1, col: 1 };
  const field = (name: string, type: Type): Field => ({ name, type, readonly: true, optional: false, loc });
  const make = (id: string, typeParams: readonly string[]): ClassDecl => ({
    id,
    name: id.slice(id.indexOf("#") + 1),
    module: "tmc/core",
    isInterface: false,
    isAbstract: false,
    exported: false,
    typeParams,
    fields: [
      field(mapFields.keys, arrayOf({ k: "param", name: "K" }, false, true)),
      ...(typeParams.length > 1
        ? [field(mapFields.values, arrayOf({ k: "param", name: "V" }, false, true))]
        : []),
      field(mapFields.slots, arrayOf(num("u16"), false, true)),
      field(mapFields.mul, U32),
      field(mapFields.shift, I32),
    ],
    ctor: undefined,
    methods: [],
    signatures: [],
    superclass: undefined,
    implements: [],
    iterable: false,
    loc,
  });
  return [make(mapDecl, ["K", "V"]), make(setDecl, ["K"])];
}

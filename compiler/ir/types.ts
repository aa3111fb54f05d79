/**
 * The types of the IR: closed, structural values. Every expression has one; no compiler stage after the frontend
 * knows TypeScript's checker. Type parameters (`param`) appear only before monomorphisation (`ir/monomorphise.ts`).
 */

import { isRecordDecl, recordFields } from "./record.js";
import { promiseDecl } from "./async/promise.js";
import { isTupleDecl } from "./tuple.js";
import { isUnionDecl, unionId } from "./union.js";

/** 64-bit integers: a `bigint` on the host, never mixed with the other kinds. */
export type BigKind = "i64" | "u64";
export type NumKind = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | BigKind | "f32" | "f64";

export type Type =
  | { readonly k: "num"; readonly n: NumKind }
  | { readonly k: "bool" }
  | { readonly k: "void" }
  /** A byte string. */
  | { readonly k: "string" }
  /** A union of string literals, sorted; a small integer in C, the string itself on the host. */
  | { readonly k: "literals"; readonly values: readonly string[] }
  /** The type of the expression `null` (and `undefined`) before it meets a nullable type. */
  | { readonly k: "null" }
  /** `T | null`. `of` is never nullable. */
  | { readonly k: "nullable"; readonly of: Type }
  /** `T[]`, `RomArray<T>` (`readonly`) and typed arrays (`typed`). The length is fixed when setup ends. */
  | { readonly k: "array"; readonly elem: Type; readonly typed: boolean; readonly readonly: boolean }
  /** `Slots<T>`: the storage of bounded containers. */
  | { readonly k: "slots"; readonly elem: Type }
  /** An instance of a class or interface; `decl` is `ClassDecl.id`. References are nominal. */
  | { readonly k: "object"; readonly decl: string; readonly args: readonly Type[] }
  | { readonly k: "func"; readonly params: readonly Type[]; readonly ret: Type }
  | { readonly k: "param"; readonly name: string }
  /** A value of setup only (Map, Set, the result of a setup-only call). `text` is TypeScript's name of it. */
  | { readonly k: "host"; readonly text: string };

export type ObjectType = Extract<Type, { k: "object" }>;

export const num = (n: NumKind): Type => ({ k: "num", n });
export const I32 = num("i32");
export const U32 = num("u32");
export const I64 = num("i64");
export const F64 = num("f64");
export const BOOL: Type = { k: "bool" };
export const VOID: Type = { k: "void" };
export const STRING: Type = { k: "string" };
export const NULL: Type = { k: "null" };

export const arrayOf = (elem: Type, typed = false, readonly = false): Type => ({
  k: "array",
  elem,
  typed,
  readonly,
});
export const nullable = (of: Type): Type => (of.k === "nullable" ? of : { k: "nullable", of });

/** The canonical text of a type: equal types have equal keys. Also what messages show. */
export function typeName(t: Type): string {
  switch (t.k) {
    case "num":
      return t.n;
    case "bool":
      return "boolean";
    case "void":
    case "null":
    case "string":
      return t.k;
    case "literals":
      return t.values.map((v) => JSON.stringify(v)).join(" | ");
    case "nullable":
      return `${t.of.k === "func" ? `(${typeName(t.of)})` : typeName(t.of)} | null`;
    case "array":
      return arrayName(t.elem, t.typed, t.readonly);
    case "slots":
      return `Slots<${typeName(t.elem)}>`;
    case "object": {
      if (isTupleDecl(t.decl)) return `[${t.args.map(typeName).join(", ")}]`;
      if (isUnionDecl(t.decl)) return t.args.map(typeName).join(" | ");
      if (isRecordDecl(t.decl)) {
        const fields = recordFields(t.decl).map(
          (f, i) => `${f.name}${f.optional ? "?" : ""}: ${typeName(t.args[i] ?? VOID)}`,
        );
        return fields.length === 0 ? "{}" : `{ ${fields.join("; ")} }`;
      }
      if (t.decl === promiseDecl) return `Promise<${t.args.map(typeName).join(", ")}>`;
      const name = t.decl.slice(t.decl.lastIndexOf("#") + 1);
      return t.args.length === 0 ? name : `${name}<${t.args.map(typeName).join(", ")}>`;
    }
    case "func":
      return `(${t.params.map(typeName).join(", ")}) => ${typeName(t.ret)}`;
    case "param":
      return t.name;
    case "host":
      return t.text;
  }
}

const typedArrayNames: Readonly<Record<NumKind, string>> = {
  i8: "Int8Array",
  u8: "Uint8Array",
  i16: "Int16Array",
  u16: "Uint16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  i64: "BigInt64Array",
  u64: "BigUint64Array",
  f32: "Float32Array",
  f64: "Float64Array",
};

function arrayName(elem: Type, typed: boolean, readonly: boolean): string {
  if (typed && elem.k === "num") return typedArrayNames[elem.n];
  if (readonly) return `RomArray<${typeName(elem)}>`;
  return elem.k === "func" || elem.k === "nullable" || elem.k === "literals"
    ? `(${typeName(elem)})[]`
    : `${typeName(elem)}[]`;
}

/** Unlike typeName, distinguishes declarations of the same name in two modules. */
export function typeKey(t: Type): string {
  switch (t.k) {
    case "object":
      return t.args.length === 0 ? t.decl : `${t.decl}<${t.args.map(typeKey).join(",")}>`;
    case "nullable":
      return `(${typeKey(t.of)})?`;
    case "array":
      return `${t.readonly ? "rom " : ""}${t.typed ? "typed " : ""}[${typeKey(t.elem)}]`;
    case "slots":
      return `slots[${typeKey(t.elem)}]`;
    case "func":
      return `(${t.params.map(typeKey).join(",")})=>${typeKey(t.ret)}`;
    default:
      return typeName(t);
  }
}

/** The members of a union of object types, when `t` is one. */
export const unionMembers = (t: ObjectType): readonly ObjectType[] | undefined =>
  isUnionDecl(t.decl) ? t.args.filter((a): a is ObjectType => a.k === "object") : undefined;

/** The union of these types, unions among them taken apart; of one type, that type. The order has no meaning. */
export function unionOf(list: readonly ObjectType[]): ObjectType {
  const flat = new Map<string, ObjectType>();
  for (const t of list) for (const m of unionMembers(t) ?? [t]) flat.set(typeKey(m), m);
  const args = [...flat].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, t]) => t);
  const [only] = args;
  return only !== undefined && args.length === 1 ? only : { k: "object", decl: unionId(args.length), args };
}

export const sameType = (a: Type, b: Type): boolean => a === b || typeKey(a) === typeKey(b);

export const isInteger = (n: NumKind): boolean => n !== "f32" && n !== "f64";
export const isFloat = (n: NumKind): n is "f32" | "f64" => n === "f32" || n === "f64";
export const isBig = (n: NumKind): n is BigKind => n === "i64" || n === "u64";

/** Integer kinds of up to 32 bits. */
export type IntKind = Exclude<NumKind, BigKind | "f32" | "f64">;

/** Inclusive ranges of the integer kinds of up to 32 bits. */
export const intRange: Readonly<Record<IntKind, readonly [lo: number, hi: number]>> = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-2147483648, 2147483647],
  u32: [0, 4294967295],
};

/** Inclusive ranges of the 64-bit kinds. */
export const bigRange: Readonly<Record<BigKind, readonly [lo: bigint, hi: bigint]>> = {
  i64: [-(1n << 63n), (1n << 63n) - 1n],
  u64: [0n, (1n << 64n) - 1n],
};

/** What each kind widens into without loss (beside itself). */
export const widensTo: Readonly<Record<NumKind, readonly NumKind[]>> = {
  i8: ["i16", "i32", "f32", "f64"],
  u8: ["i16", "u16", "i32", "u32", "f32", "f64"],
  i16: ["i32", "f32", "f64"],
  u16: ["i32", "u32", "f32", "f64"],
  i32: ["f64"],
  u32: ["f64"],
  i64: [],
  u64: [],
  f32: ["f64"],
  f64: [],
};

/** Replaces type parameters. Unknown names stay. */
export function substitute(t: Type, map: ReadonlyMap<string, Type>): Type {
  if (map.size === 0) return t;
  switch (t.k) {
    case "param":
      return map.get(t.name) ?? t;
    case "nullable":
      return nullable(substitute(t.of, map));
    case "array":
      return { ...t, elem: substitute(t.elem, map) };
    case "slots":
      return { ...t, elem: substitute(t.elem, map) };
    case "object":
      return t.args.length === 0 ? t : substituteArgs(t, map);
    case "func":
      return { ...t, params: t.params.map((p) => substitute(p, map)), ret: substitute(t.ret, map) };
    default:
      return t;
  }
}

function substituteArgs(t: ObjectType, map: ReadonlyMap<string, Type>): ObjectType {
  const args = t.args.map((a) => substitute(a, map));
  return isUnionDecl(t.decl) ? unionOf(args.filter((a) => a.k === "object")) : { ...t, args };
}

/** True for what C passes as a reference into storage: its lifetime matters (escape analysis). */
export function isReference(t: Type): boolean {
  switch (t.k) {
    case "nullable":
      return isReference(t.of);
    case "string":
    case "array":
    case "slots":
    case "object":
    case "func":
    case "param":
      return true;
    default:
      return false;
  }
}

/** The value in kind `n`, or undefined when it does not fit (no number is an i64). f32 and f64 constants are rounded. */
export function constantIn(value: number, n: NumKind): number | undefined {
  if (n === "f64") return value;
  if (n === "f32") return Math.fround(value);
  if (isBig(n) || !Number.isInteger(value)) return undefined;
  const [lo, hi] = intRange[n];
  return value >= lo && value <= hi ? value + 0 : undefined;
}

export function bigIn(value: bigint, n: BigKind): boolean {
  const [lo, hi] = bigRange[n];
  return value >= lo && value <= hi;
}

/** The low 64 bits as a value of the kind. */
export const wrapBig = (value: bigint, n: BigKind): bigint =>
  n === "i64" ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);

/** Binds the parameters `names` that `pattern` mentions to what `actual` has in their places. */
export function matchTypes(
  pattern: Type,
  actual: Type,
  names: ReadonlySet<string>,
  found: Map<string, Type>,
): void {
  if (pattern.k === "param" && names.has(pattern.name)) {
    if (!found.has(pattern.name) && actual.k !== "null" && actual.k !== "void")
      found.set(pattern.name, actual);
    return;
  }
  if (pattern.k === "nullable") {
    matchTypes(pattern.of, actual.k === "nullable" ? actual.of : actual, names, found);
  } else if (
    (pattern.k === "array" && actual.k === "array") ||
    (pattern.k === "slots" && actual.k === "slots")
  ) {
    matchTypes(pattern.elem, actual.elem, names, found);
  } else if (pattern.k === "object" && actual.k === "object" && pattern.decl === actual.decl) {
    pattern.args.forEach((a, i) => {
      const b = actual.args[i];
      if (b !== undefined) matchTypes(a, b, names, found);
    });
  } else if (pattern.k === "func" && actual.k === "func") {
    pattern.params.forEach((p, i) => {
      const b = actual.params[i];
      if (b !== undefined) matchTypes(p, b, names, found);
    });
    matchTypes(pattern.ret, actual.ret, names, found);
  }
}

/** TypeScript's types → IR types. Structural types without a name have no meaning in the subset and are refused. */
import { ts } from "ts-morph";
import {
  arrayOf,
  BOOL,
  F64,
  I64,
  NULL,
  nullable,
  num,
  STRING,
  VOID,
  sameType,
  unionOf,
  type NumKind,
  type ObjectType,
  type Type,
} from "../ir/types.js";
import { mapType, setType } from "../ir/map-type.js";
import { isRecordShape, recordType } from "./records.js";
import { promiseOf } from "../ir/async/promise.js";
import { isTuple, tupleType } from "./tuples.js";
import type { Context } from "./context.js";
import { isCoreDeclaration } from "./context.js";

const numKinds = new Set<string>(["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"]);
const typedElements: Readonly<Record<string, NumKind>> = {
  Int8Array: "i8",
  Uint8Array: "u8",
  Int16Array: "i16",
  Uint16Array: "u16",
  Int32Array: "i32",
  Uint32Array: "u32",
  BigInt64Array: "i64",
  BigUint64Array: "u64",
  Float32Array: "f32",
  Float64Array: "f64",
};
export const typedArrayElement = (name: string): NumKind | undefined =>
  Object.hasOwn(typedElements, name) ? typedElements[name] : undefined;

const flags = ts.TypeFlags;

/** Converts, or reports at `node` and unwinds. */
export function convertType(ctx: Context, t: ts.Type, node: ts.Node): Type {
  const found = tryConvert(ctx, t, node);
  if (found !== undefined) return found;
  const text = ctx.checker.typeToString(t);
  if ((t.flags & flags.Any) !== 0) {
    return ctx.fail("TMC1101", node, "`any` has no meaning on a device", "give the value a type");
  }
  if (ctx.checker.isTupleType(t)) {
    return ctx.fail(
      "TMC1003",
      node,
      "tuples are not supported yet",
      "declare an interface with named fields",
    );
  }
  const objects = t.isUnion() ? t.types.filter((m) => (m.flags & flags.Object) !== 0) : [];
  const [only] = objects;
  if (only !== undefined && objects.length === 1) convertType(ctx, only, node);
  const literal = (t.symbol as ts.Symbol | undefined)?.flags ?? 0;
  if ((t.flags & flags.Object) !== 0 && (literal & ts.SymbolFlags.TypeLiteral) !== 0) {
    return ctx.fail(
      "TMC1103",
      node,
      `the type \`${text}\` has no name, and references are nominal`,
      "declare an interface, and use its name",
    );
  }
  if (objects.length > 0) {
    return ctx.fail(
      "TMC1103",
      node,
      `the union \`${text}\` mixes objects with other values`,
      'make each member an object: `{ kind: "text"; text: string } | …`',
    );
  }
  return ctx.fail(
    "TMC1103",
    node,
    `the type \`${text}\` has no representation on a device`,
    "use a number type, boolean, string, a class or interface, an array, or one of these `| null`",
  );
}

/** Deeper than anyone writes: a type that contains itself without a name in between. */
const deepest = 60;
let depth = 0;

/** Undefined when the subset has no such type. */
export function tryConvert(ctx: Context, t: ts.Type, node: ts.Node): Type | undefined {
  if (depth > deepest) {
    return ctx.fail(
      "TMC1103",
      node,
      "this type contains itself",
      "give the part that repeats a name: an interface",
    );
  }
  depth++;
  try {
    return converted(ctx, t, node);
  } finally {
    depth--;
  }
}

function converted(ctx: Context, t: ts.Type, node: ts.Node): Type | undefined {
  const alias = t.aliasSymbol;
  if (alias !== undefined && numKinds.has(alias.name) && isCoreDeclaration(alias.declarations?.[0]))
    return num(alias.name as NumKind);
  if ((t.flags & (flags.Void | flags.Never)) !== 0) return VOID;
  if ((t.flags & (flags.Null | flags.Undefined)) !== 0) return NULL;
  if ((t.flags & flags.BooleanLike) !== 0) return BOOL;
  if ((t.flags & flags.EnumLike) !== 0) return enumType(t);
  if ((t.flags & flags.NumberLike) !== 0) return F64;
  // Only where TypeScript infers it: written, it is refused (`typeOfNode`).
  if ((t.flags & flags.BigIntLike) !== 0) return I64;
  if ((t.flags & flags.StringLiteral) !== 0)
    return { k: "literals", values: [(t as ts.StringLiteralType).value] };
  if ((t.flags & flags.String) !== 0) return STRING;
  if ((t.flags & flags.TypeParameter) !== 0) {
    const bound = ctx.boundTypes.get(t.symbol);
    if (bound !== undefined) return bound;
    return (t as { isThisType?: boolean }).isThisType === true && t.getConstraint() !== undefined
      ? tryConvert(ctx, t.getConstraint() as ts.Type, node)
      : { k: "param", name: t.symbol.name };
  }
  if (t.isUnion()) return union(ctx, t, node);
  if (t.isIntersection()) return intersection(ctx, t);
  if ((t.flags & flags.Object) !== 0) return objectType(ctx, t, node);
  return undefined;
}

function enumType(t: ts.Type): Type | undefined {
  // Numeric enums are i32; enums of strings are unions of their literals.
  const members = t.isUnion() ? t.types : [t];
  if (members.some((m) => (m.flags & flags.StringLiteral) !== 0)) {
    if (!members.every((m) => (m.flags & flags.StringLiteral) !== 0)) return undefined;
    return literals(members.map((m) => (m as ts.StringLiteralType).value));
  }
  return num("i32");
}

const literals = (values: readonly string[]): Type => ({
  k: "literals",
  values: [...new Set(values)].sort(),
});

/** `number & { __num?: … }` that lost its alias: found by the tag's first literal, which names the kind. */
function intersection(ctx: Context, t: ts.IntersectionType): Type | undefined {
  const tag = t.getProperty("__num");
  if (tag === undefined) return undefined;
  const text = ctx.checker.typeToString(ctx.checker.getTypeOfSymbol(tag));
  const listed = new Set([...text.matchAll(/"(\w+)"/g)].map((m) => m[1]));
  for (const n of ["f64", "f32", "i64", "u64", "i32", "u32", "i16", "u16", "i8", "u8"] as const) {
    if (listed.has(n)) return num(n);
  }
  return undefined;
}

function union(ctx: Context, t: ts.UnionType, node: ts.Node): Type | undefined {
  const isNullish = (m: ts.Type): boolean => (m.flags & (flags.Null | flags.Undefined | flags.Void)) !== 0;
  const rest = t.types.filter((m) => !isNullish(m));
  const has = rest.length < t.types.length;
  if (rest.length === 0) return NULL;
  let of: Type | undefined;
  if (rest.every((m) => (m.flags & flags.StringLiteral) !== 0)) {
    of = literals(rest.map((m) => (m as ts.StringLiteralType).value));
  } else if (rest.every((m) => (m.flags & flags.BooleanLike) !== 0)) {
    of = BOOL;
  } else {
    const converted = rest.map((m) => tryConvert(ctx, m, node));
    const first = converted[0];
    if (first !== undefined && converted.every((c) => c !== undefined && sameType(c, first))) of = first;
    else if (converted.every((c): c is ObjectType => c?.k === "object" && !isTuple(c)))
      of = unionOf(converted);
  }
  if (of === undefined) return undefined;
  return has ? nullable(of) : of;
}

function objectType(ctx: Context, t: ts.Type, node: ts.Node): Type | undefined {
  const symbol = t.symbol as ts.Symbol | undefined;
  const name = symbol?.name ?? "";
  const args = (): Type[] =>
    ctx.checker.getTypeArguments(t as ts.TypeReference).map((a) => convertType(ctx, a, node));
  const core = isCoreDeclaration(symbol?.declarations?.[0]);
  if (core) {
    if (name === "Array" || name === "ReadonlyArray") {
      const elem = args()[0];
      return elem === undefined ? undefined : arrayOf(elem, false, name === "ReadonlyArray");
    }
    const element = typedArrayElement(name);
    if (element !== undefined) return arrayOf(num(element), true, false);
    if (name === "Slots") {
      const elem = args()[0];
      return elem === undefined ? undefined : { k: "slots", elem };
    }
    if (name === "Promise") {
      const result = args()[0];
      return result === undefined ? undefined : promiseOf(result);
    }
    if (name === "Trap") return { k: "object", decl: "tmc/core#Trap", args: [] };
    if (/^(Readonly)?(Map|Set)$/.test(name)) {
      // A key or value without a meaning on a device: setup may still use it.
      const given = ctx.checker.getTypeArguments(t as ts.TypeReference).map((a) => tryConvert(ctx, a, node));
      const [key, value] = given;
      if (key !== undefined && key.k !== "host" && key.k !== "void") {
        if (name.endsWith("Set")) return setType(key);
        if (value !== undefined && value.k !== "host" && value.k !== "void") return mapType(key, value);
      }
      return { k: "host", text: ctx.checker.typeToString(t) };
    }
    if (name === "IterableIterator") {
      return { k: "host", text: ctx.checker.typeToString(t) };
    }
  }
  const signatures = t.getCallSignatures();
  if (signatures.length === 1 && t.getProperties().length === 0) {
    const s = signatures[0] as ts.Signature;
    if (s.typeParameters !== undefined && s.typeParameters.length > 0) return undefined;
    return {
      k: "func",
      params: s.parameters.map((p) => convertType(ctx, ctx.checker.getTypeOfSymbolAtLocation(p, node), node)),
      ret: convertType(ctx, s.getReturnType(), node),
    };
  }
  if (ctx.checker.isTupleType(t)) return tupleType(ctx, args());
  if (core) return undefined;
  const declared =
    t.aliasSymbol !== undefined && (symbol === undefined || (symbol.flags & ts.SymbolFlags.TypeLiteral) !== 0)
      ? t.aliasSymbol
      : symbol;
  if (declared === undefined) return undefined;
  const meaning = ctx.meaning(declared);
  if (meaning?.k !== "class") return record(ctx, t, node);
  const own = meaning.c.typeParams.length;
  const given =
    declared === t.aliasSymbol
      ? (t.aliasTypeArguments ?? []).map((a) => convertType(ctx, a, node))
      : own === 0
        ? []
        : args().slice(0, own);
  return { k: "object", decl: meaning.c.id, args: given };
}

/** An object type without a name. */
function record(ctx: Context, t: ts.Type, node: ts.Node): Type | undefined {
  const anonymous = ts.SymbolFlags.TypeLiteral | ts.SymbolFlags.ObjectLiteral;
  const symbol = t.symbol as ts.Symbol | undefined;
  if (symbol === undefined || (symbol.flags & anonymous) === 0 || !isRecordShape(t)) return undefined;
  return recordType(
    ctx,
    t.getProperties().map((p) => {
      const optional = (p.flags & ts.SymbolFlags.Optional) !== 0;
      const type = convertType(ctx, ctx.checker.getTypeOfSymbolAtLocation(p, node), node);
      return { name: p.name, optional, type: optional ? nullable(type) : type };
    }),
  );
}

const findNode = (node: ts.Node, is: (n: ts.Node) => boolean): ts.Node | undefined =>
  is(node) ? node : ts.forEachChild(node, (n) => findNode(n, is));

/** The type written in an annotation. */
export function typeOfNode(ctx: Context, node: ts.TypeNode): Type {
  if (ts.isTypePredicateNode(node)) {
    return ctx.fail(
      "TMC1003",
      node,
      "a function that narrows its argument is not supported yet",
      "return boolean, and test `x !== null` or `instanceof` where it is used",
    );
  }
  const unsized = findNode(node, (n) => n.kind === ts.SyntaxKind.BigIntKeyword);
  if (unsized !== undefined) {
    return ctx.fail(
      "TMC1102",
      unsized,
      "a `bigint` has no size: an integer on a device has one",
      "write `i64` or `u64`",
    );
  }
  const t = ctx.checker.getTypeFromTypeNode(node);
  const members = t.isUnion() ? t.types : [t];
  if (
    members.some(
      (m) =>
        (m.flags & (flags.NumberLiteral | flags.BigIntLiteral)) !== 0 && (m.flags & flags.EnumLiteral) === 0,
    )
  ) {
    return ctx.fail(
      "TMC1103",
      node,
      `\`${ctx.checker.typeToString(t)}\`: a number is no type`,
      "use a number type (`i32`), or an `enum`",
    );
  }
  return convertType(ctx, t, node);
}

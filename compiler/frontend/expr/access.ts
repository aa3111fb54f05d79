/** `a.b` and `a[i]`. */
import { ts } from "ts-morph";
import {
  allSupertypes,
  classOf,
  findField,
  findMethod,
  isSubtype,
  type ObjectType,
} from "../../ir/hierarchy.js";
import type { Expr } from "../../ir/nodes.js";
import { BOOL, I32, isBig, isFloat, STRING, substitute, typeName, type Type } from "../../ir/types.js";
import { tupleField } from "../../ir/tuple.js";
import { isTuple } from "../tuples.js";
import { untypedExpr, untypedOf } from "../constants.js";
import { Abort, isCoreDeclaration, jsDocTag } from "../context.js";
import { onExpr, type Lowerer } from "../lowerer.js";
import { hostResult } from "../host-type.js";
import { isMapOrSet } from "../../ir/map-type.js";
import { mapProperty } from "./maps.js";
import { valueOf } from "./names.js";
import { namespaceMember } from "./namespaces.js";
import { refusedMember } from "../refusals.js";
import { tryConvert } from "../type-convert.js";

const K = ts.SyntaxKind;

export function registerAccess(): void {
  onExpr(K.PropertyAccessExpression, ts.isPropertyAccessExpression, property);
  onExpr(K.ElementAccessExpression, ts.isElementAccessExpression, element);
}

/** What the name stands for without its object: an enum member, a constant, a static field. */
function staticProperty(
  lw: Lowerer,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): Expr | undefined {
  const name = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression;
  // `E["a"]` is `E.a`; other indices stand for elements.
  if (!ts.isMemberName(name) && !ts.isStringLiteralLike(name)) return undefined;
  const symbol = lw.ctx.symbolOf(name);
  const declaration = symbol?.declarations?.[0];
  if (symbol !== undefined && declaration !== undefined) {
    if (
      isCoreDeclaration(declaration) &&
      node.expression.getText() === "Math" &&
      ts.isPropertySignature(declaration)
    ) {
      const value = Math[name.text as "PI"];
      return untypedExpr({ value, float: true }, lw.loc(node));
    }
    if (ts.isEnumMember(declaration)) {
      const meaning = lw.ctx.meaning(symbol);
      if (meaning?.k === "const") return untypedExpr(meaning.value, lw.loc(node));
      const value = lw.ctx.checker.getConstantValue(declaration);
      if (typeof value === "string") {
        return { k: "literal", type: { k: "literals", values: [value] }, loc: lw.loc(node), value };
      }
    }
    if (
      ts.isPropertyDeclaration(declaration) &&
      ts.getModifiers(declaration)?.some((m) => m.kind === K.StaticKeyword) === true
    ) {
      const meaning = lw.ctx.meaning(symbol);
      const owner = lw.ctx.symbolOf(node.expression);
      const cls = owner === undefined ? undefined : lw.ctx.meaning(owner);
      if (meaning?.k === "const") return untypedExpr(meaning.value, lw.loc(node));
      if (meaning?.k === "global" && cls?.k === "class") {
        return lw.narrow(
          { k: "staticField", type: meaning.g.type, loc: lw.loc(node), cls: cls.c, g: meaning.g },
          node,
        );
      }
    }
  }
  if (ts.isIdentifier(node.expression)) {
    const base = lw.ctx.symbolOf(node.expression);
    const meaning =
      base === undefined || isCoreDeclaration(base.declarations?.[0]) ? undefined : lw.ctx.meaning(base);
    if (meaning?.k === "constObject") {
      const member = meaning.members.get(name.text);
      if (typeof member === "boolean") return { k: "bool", type: BOOL, loc: lw.loc(node), value: member };
      if (typeof member === "string") return { k: "str", type: STRING, loc: lw.loc(node), value: member };
      if (member !== undefined) return untypedExpr(member, lw.loc(node));
    }
  }
  return undefined;
}

function property(lw: Lowerer, node: ts.PropertyAccessExpression): Expr {
  const fixed = staticProperty(lw, node);
  if (fixed !== undefined) return fixed;
  const exported = namespaceMember(lw, node);
  if (exported !== undefined) return valueOf(lw, exported, node);
  const obj = lw.raw(node.expression);
  return memberOf(lw, obj, node);
}

function memberOf(lw: Lowerer, obj: Expr, node: ts.PropertyAccessExpression): Expr {
  const name = node.name.text;
  const loc = lw.loc(node);
  const t = obj.type;
  switch (t.k) {
    case "array":
    case "string":
      if (name === "length") return { k: "length", type: I32, loc, obj };
      break;
    case "literals":
      if (name === "length") return { k: "length", type: I32, loc, obj: lw.convert("text", obj, STRING) };
      break;
    case "slots":
      if (name === "capacity")
        return { k: "builtin", type: I32, loc, name: "slotsCapacity", n: undefined, args: [obj] };
      break;
    case "host":
      return hostResult(lw, node, { recv: obj, name, how: "get", args: [] });
    case "nullable":
      return lw.ctx.fail("TMC1204", node.expression, "this may be null", "test it first: `if (x !== null)`");
    case "param": {
      const of = constraintOf(lw, obj, node.expression, name);
      const field = findField(lw.ctx.classes, of, name);
      if (field !== undefined) return lw.narrow({ k: "field", type: field.type, loc, obj, name }, node);
      const method = findMethod(lw.ctx.classes, of, name);
      if (method?.f.isGetter === true) {
        const type: Type = substitute(lw.ctx.returnType(method.f, node), method.map);
        return { k: "method", type, loc, recv: obj, f: method.f, typeArgs: [], isSuper: false, args: [] };
      }
      break;
    }
    case "object": {
      if (isMapOrSet(t)) return mapProperty(lw, node, obj);
      if (isTuple(t) && name === "length") return untypedExpr({ value: t.args.length, float: false }, loc);
      const field = findField(lw.ctx.classes, t, name);
      if (field !== undefined) return lw.narrow({ k: "field", type: field.type, loc, obj, name }, node);
      const method = findMethod(lw.ctx.classes, t, name);
      if (method?.f.isGetter === true) {
        const type: Type = substitute(lw.ctx.returnType(method.f, node), method.map);
        return { k: "method", type, loc, recv: obj, f: method.f, typeArgs: [], isSuper: false, args: [] };
      }
      if (method !== undefined) {
        return lw.ctx.fail(
          "TMC1110",
          node,
          `the method \`${name}\` can only be called`,
          `wrap it: \`(…) => x.${name}(…)\``,
        );
      }
      skipBroken(lw, t, name);
      const c = classOf(lw.ctx.classes, t);
      const seen = tryConvert(lw.ctx, lw.ctx.checker.getTypeAtLocation(node.expression), node);
      if (seen?.k === "object" && seen.decl !== t.decl && isSubtype(lw.ctx.classes, seen, t)) {
        return lw.ctx.fail(
          "TMC1207",
          node.expression,
          `this may be another object than the one \`instanceof ${typeName(seen)}\` tested`,
          "keep it in a constant before the test: `const x = …; if (x instanceof …)`",
        );
      }
      return lw.ctx.fail(
        "TMC1111",
        node.name,
        `\`${c.name}\` has no \`${name}\``,
        "correct the name, or declare it",
      );
    }
    default:
      break;
  }
  const declaration = lw.ctx.symbolOf(node.name)?.declarations?.[0];
  if (declaration !== undefined && jsDocTag(declaration, "setup") !== undefined) {
    return hostResult(lw, node, { recv: obj, name, how: "get", args: [] });
  }
  const refusal = refusedMember(name);
  if (refusal !== undefined) return lw.refuse(refusal, node.name);
  return lw.ctx.fail("TMC1111", node.name, `\`${typeName(t)}\` has no \`${name}\``, "see docs/language.md");
}

function element(lw: Lowerer, node: ts.ElementAccessExpression): Expr {
  const fixed = staticProperty(lw, node);
  if (fixed !== undefined) return fixed;
  const base = ts.isIdentifier(node.expression) ? lw.ctx.symbolOf(node.expression) : undefined;
  if (base !== undefined && (base.flags & ts.SymbolFlags.Enum) !== 0) {
    return lw.ctx.fail(
      "TMC1112",
      node,
      "the names of an enum are not kept on a device",
      'write a `switch` that gives the text, or an enum of texts: `On = "on"`',
    );
  }
  if (base !== undefined && lw.ctx.meaning(base)?.k === "constObject") {
    return lw.ctx.fail(
      "TMC1112",
      node,
      "an `as const` object has no storage: which member this is must be known here",
      "write a `switch`, or make it an array",
    );
  }
  const obj = lw.raw(node.expression);
  const loc = lw.loc(node);
  const t = obj.type;
  if (t.k === "array") {
    return lw.narrow(
      { k: "index", type: t.elem, loc, obj, index: indexOf(lw, node.argumentExpression) },
      node,
    );
  }
  if (isTuple(t)) {
    const index = untypedOf(lw.raw(node.argumentExpression, I32))?.value;
    const found = index === undefined ? undefined : findField(lw.ctx.classes, t, tupleField(index));
    if (found === undefined) {
      return lw.ctx.fail(
        "TMC1112",
        node,
        `a tuple is indexed by a constant from 0 to ${t.args.length - 1}`,
        "use an array where the index varies",
      );
    }
    return lw.narrow({ k: "field", type: found.type, loc, obj, name: found.field.name }, node);
  }
  if (t.k === "host") {
    const index = lw.raw(node.argumentExpression);
    return hostResult(lw, node, { recv: obj, name: "[]", how: "get", args: [index] });
  }
  if (t.k === "nullable")
    return lw.ctx.fail("TMC1204", node.expression, "this may be null", "test it first: `if (x !== null)`");
  if (t.k === "string") {
    return lw.ctx.fail(
      "TMC1112",
      node,
      "a string has no characters, only bytes",
      "write `s.charCodeAt(i)`, or `s.slice(i, i + 1)`",
    );
  }
  return lw.ctx.fail(
    "TMC1112",
    node,
    `\`${typeName(t)}\` cannot be indexed`,
    "index an array, or call a method",
  );
}

/** An index: any integer; a u32 above 2^31 is out of range of every array, as its i32 is. */
function indexOf(lw: Lowerer, node: ts.Expression): Expr {
  const e = lw.raw(node, I32);
  if (e.type.k === "num" && isBig(e.type.n)) {
    return lw.ctx.fail(
      "TMC1113",
      node,
      `an index is a \`number\`, this is ${e.type.n}`,
      "convert it: `i32(x)`",
    );
  }
  if (e.type.k === "num" && !isFloat(e.type.n) && untypedOf(e) === undefined) {
    return e.type.n === "i32" ? e : lw.convert("num", e, I32);
  }
  if (e.type.k === "num" && isFloat(e.type.n) && untypedOf(e) === undefined) {
    return lw.ctx.fail("TMC1113", node, "an index must be an integer", "convert it: `i32(x)` truncates");
  }
  return lw.coerce(e, I32, node);
}

/** A member that has an error where it is declared is not reported again. */
export function skipBroken(lw: Lowerer, t: ObjectType, name: string): void {
  const all = allSupertypes(lw.ctx.classes, t);
  if (all.some((s) => lw.ctx.brokenMembers.has(`${s.decl}.${name}`))) throw new Abort("broken member");
}

/**
 * The object type that says what the member `name` of a value of a type parameter is: its constraint, or the part of
 * an intersection (`T extends A & B`) that has it.
 */
export function constraintOf(lw: Lowerer, obj: Expr, node: ts.Expression, name: string): ObjectType {
  const { checker, classes } = lw.ctx;
  const t = checker.getBaseConstraintOfType(checker.getNonNullableType(checker.getTypeAtLocation(node)));
  const parts = t === undefined ? [] : t.isIntersection() ? t.types : [t];
  const objects = parts
    .map((part) => tryConvert(lw.ctx, part, node))
    .filter((part): part is ObjectType => part?.k === "object");
  const found = objects.find(
    (o) => findField(classes, o, name) !== undefined || findMethod(classes, o, name) !== undefined,
  );
  const [first] = objects;
  if (found !== undefined) return found;
  if (first !== undefined && objects.length === parts.length) return first;
  return lw.ctx.fail(
    "TMC1212",
    node,
    `a value of the type parameter \`${typeName(obj.type)}\` has no members here`,
    "constrain it to an interface: `<T extends Named>`",
  );
}

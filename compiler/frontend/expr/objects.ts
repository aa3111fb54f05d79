/** Array and object literals. */
import { ts } from "ts-morph";
import { allFields, classOf, type ObjectType } from "../../ir/hierarchy.js";
import { tupleField } from "../../ir/tuple.js";
import { isTuple } from "../tuples.js";
import type { Expr, Field } from "../../ir/nodes.js";
import {
  arrayOf,
  I32,
  nullable,
  sameType,
  typeKey,
  typeName,
  unionMembers,
  type Type,
} from "../../ir/types.js";
import { onExpr, type Hint, type Lowerer } from "../lowerer.js";
import { recordType, type RecordMember } from "../records.js";
import { tryConvert } from "../type-convert.js";
import { valueOf } from "./names.js";
import { arrayOfParts, partsOf, type Part } from "./spread.js";

const K = ts.SyntaxKind;

export function registerObjects(): void {
  onExpr(K.ArrayLiteralExpression, ts.isArrayLiteralExpression, arrayLiteral);
  onExpr(K.ObjectLiteralExpression, ts.isObjectLiteralExpression, objectLiteral);
}

function arrayLiteral(lw: Lowerer, node: ts.ArrayLiteralExpression, hint: Hint): Expr {
  const want = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  const loc = lw.loc(node);
  if (want !== undefined && isTuple(want)) {
    const { args } = want;
    const parts = node.elements.some(ts.isSpreadElement) ? partsOf(lw, node.elements, undefined) : undefined;
    if ((parts ?? node.elements).length !== args.length || parts?.some((x) => x.isArray) === true) {
      return lw.ctx.fail(
        "TMC1124",
        node,
        `the tuple has ${args.length} elements, this has ${parts?.some((x) => x.isArray) === true ? "an unknown number of them" : (parts ?? node.elements).length}`,
        "give as many as the type has",
      );
    }
    const values = args.map((type, i) => {
      const part = parts?.[i];
      return part === undefined
        ? lw.expr(node.elements[i] ?? node, type)
        : lw.coerce(part.e, type, part.node);
    });
    return {
      k: "objectLit",
      type: want,
      loc,
      fields: values.map((value, i) => ({ name: tupleField(i), value })),
    };
  }
  if (want?.k === "array" && !want.typed) {
    return arrayOfParts(lw, node, partsOf(lw, node.elements, want.elem), want);
  }
  if (want?.k === "array") {
    return lw.ctx.fail(
      "TMC1123",
      node,
      `an array literal is not a \`${typeName(want)}\``,
      `write \`new ${typeName(want)}([…])\``,
    );
  }
  if (node.elements.length === 0) {
    return { k: "arrayLit", type: { k: "host", text: "never[]" }, loc, elems: [] };
  }
  const parts = partsOf(lw, node.elements, undefined);
  // Of a spread array, one element stands for all.
  const lowered = parts.map(({ e, isArray }): Expr => {
    if (!isArray || e.type.k !== "array") return e;
    return { k: "index", type: e.type.elem, loc, obj: e, index: { k: "num", type: I32, loc, value: 0 } };
  });
  let elem: Type | undefined;
  let before = lowered[0];
  for (const e of lowered) {
    elem = before === undefined ? undefined : lw.join(before, e);
    if (elem === undefined)
      return lw.ctx.fail(
        "TMC1124",
        node,
        "the elements have no common type",
        "annotate the array: `const a: i32[] = …`",
      );
    // A stand-in of the joined type; constants stay untyped until a typed element comes.
    before = before !== undefined && lw.join(before, e) === before.type ? before : { ...e, type: elem };
  }
  const type = elem ?? { k: "host" as const, text: "never" };
  const converted = parts.map((p): Part => {
    if (!p.isArray) return { ...p, e: lw.coerce(p.e, type, p.node) };
    if (p.e.type.k === "array" && sameType(p.e.type.elem, type)) return p;
    return lw.ctx.fail(
      "TMC1124",
      p.node,
      `\`${typeName(p.e.type)}\` cannot be spread among elements of \`${typeName(type)}\``,
      "spread an array of the same element type, or a tuple",
    );
  });
  const made = arrayOf(type);
  return made.k === "array" ? arrayOfParts(lw, node, converted, made) : lw.raw(node);
}

function objectLiteral(lw: Lowerer, node: ts.ObjectLiteralExpression, hint: Hint): Expr {
  const loc = lw.loc(node);
  let want = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  if (want?.k !== "object") {
    const contextual = lw.ctx.checker.getContextualType(node);
    const converted = contextual === undefined ? undefined : tryConvert(lw.ctx, contextual, node);
    want = converted?.k === "nullable" ? converted.of : converted;
  }
  if (want?.k !== "object") return anonymousLiteral(lw, node);
  want = memberMeant(lw, node, want);
  const c = classOf(lw.ctx.classes, want);
  if (!c.isInterface) {
    return lw.ctx.fail(
      "TMC1205",
      node,
      `an object literal is not an instance of the class \`${c.name}\``,
      `write \`new ${c.name}(…)\``,
    );
  }
  if (c.signatures.length > 0) {
    return lw.ctx.fail(
      "TMC1241",
      node,
      `\`${c.name}\` has methods; an object literal has only fields`,
      `declare the member as a function: \`${c.signatures[0]?.name ?? "f"}: (…) => …\`, or write a class that implements it`,
    );
  }
  const types = allFields(lw.ctx.classes, want);
  const fields: { name: string; value: Expr }[] = [];
  for (const p of node.properties) {
    if (ts.isSpreadAssignment(p)) {
      spreadFields(lw, p, types, fields);
      continue;
    }
    if (!ts.isPropertyAssignment(p) && !ts.isShorthandPropertyAssignment(p)) {
      return lw.ctx.fail(
        "TMC1241",
        p,
        "an object literal has only fields",
        "write a function-valued field: `f: (…) => …`",
      );
    }
    if (!ts.isIdentifier(p.name) && !ts.isStringLiteral(p.name)) {
      return lw.ctx.fail("TMC1242", p.name, "a field's name must be plain", "write letters and digits");
    }
    const name = p.name.text;
    const field = types.find((f) => f.field.name === name);
    if (field === undefined)
      return lw.ctx.fail(
        "TMC1111",
        p.name,
        `\`${typeName(want)}\` has no field \`${name}\``,
        "correct the name, or declare it",
      );
    const earlier = fields.findIndex((f) => f.name === name);
    if (earlier >= 0) fields.splice(earlier, 1);
    if (ts.isPropertyAssignment(p)) {
      fields.push({ name, value: lw.expr(p.initializer, field.type) });
    } else {
      const symbol = lw.ctx.symbolOf(p.name);
      const meaning = symbol === undefined ? undefined : lw.ctx.meaning(symbol);
      if (meaning === undefined)
        return lw.ctx.fail("TMC1106", p, `\`${name}\` is not a value of the subset`, "use a variable");
      fields.push({ name, value: lw.coerce(valueOf(lw, meaning, p.name), field.type, p) });
    }
  }
  for (const f of types) {
    if (fields.some((g) => g.name === f.field.name)) continue;
    if (!f.field.optional)
      return lw.ctx.fail(
        "TMC1243",
        node,
        `the field \`${f.field.name}\` is missing`,
        `add \`${f.field.name}: …\``,
      );
    fields.push({ name: f.field.name, value: { k: "null", type: nullable(f.type), loc } });
  }
  return { k: "objectLit", type: want, loc, fields };
}

/** `...o`: reads the fields of `o` in its place; `o` is a name, so that nothing is evaluated out of order. */
function spreadParts(lw: Lowerer, node: ts.SpreadAssignment): { name: string; value: Expr }[] {
  const from = lw.raw(node.expression);
  if (from.type.k !== "object" || !isName(from)) {
    return lw.ctx.fail(
      "TMC1244",
      node,
      "only a named object can be spread",
      "put it in a constant first: `const o = …`",
    );
  }
  return allFields(lw.ctx.classes, from.type).map((f) => ({
    name: f.field.name,
    value: { k: "field", type: f.type, loc: lw.loc(node), obj: from, name: f.field.name },
  }));
}

/** The fields of `...o` that the literal's type has. */
function spreadFields(
  lw: Lowerer,
  node: ts.SpreadAssignment,
  types: readonly { readonly field: Field; readonly type: Type }[],
  fields: { name: string; value: Expr }[],
): void {
  for (const { name, value } of spreadParts(lw, node)) {
    const target = types.find((t) => t.field.name === name);
    if (target === undefined) continue;
    const earlier = fields.findIndex((x) => x.name === name);
    if (earlier >= 0) fields.splice(earlier, 1);
    fields.push({ name, value: lw.coerce(value, target.type, node) });
  }
}

const isName = (e: Expr): boolean =>
  e.k === "local" ||
  e.k === "global" ||
  e.k === "this" ||
  (e.k === "field" && isName(e.obj)) ||
  (e.k === "convert" && isName(e.arg));

/** A literal without a declared type: a record of what its fields are. */
function anonymousLiteral(lw: Lowerer, node: ts.ObjectLiteralExpression): Expr {
  const fields: { name: string; value: Expr }[] = [];
  const members = new Map<string, RecordMember>();
  const add = (name: string, value: Expr): void => {
    const earlier = fields.findIndex((f) => f.name === name);
    if (earlier >= 0) fields.splice(earlier, 1);
    fields.push({ name, value });
    members.set(name, { name, optional: false, type: value.type });
  };
  for (const p of node.properties) {
    if (ts.isSpreadAssignment(p)) {
      for (const { name, value } of spreadParts(lw, p)) add(name, value);
      continue;
    }
    const named = ts.isPropertyAssignment(p) || ts.isShorthandPropertyAssignment(p);
    if (!named || !ts.isIdentifier(p.name)) {
      return lw.ctx.fail(
        "TMC1240",
        p,
        "an object literal of this kind needs a declared type",
        "declare an interface and annotate: `const p: Point = { … }`",
      );
    }
    const name = p.name.text;
    const value = lw.settled(ts.isPropertyAssignment(p) ? p.initializer : p.name);
    const { type } = value;
    if (type.k === "null" || type.k === "void" || type.k === "host") {
      return lw.ctx.fail(
        "TMC1240",
        p,
        `the type of \`${name}\` is not known here`,
        "declare an interface and annotate: `const p: Point = { … }`",
      );
    }
    add(name, value);
  }
  return { k: "objectLit", type: recordType(lw.ctx, [...members.values()]), loc: lw.loc(node), fields };
}

/** The member of a union that a literal is: the one TypeScript assigns it to. */
function memberMeant(lw: Lowerer, node: ts.ObjectLiteralExpression, want: ObjectType): ObjectType {
  const members = unionMembers(want);
  if (members === undefined) return want;
  const { checker } = lw.ctx;
  const context = checker.getContextualType(node);
  const literal = checker.getTypeAtLocation(node);
  const fits = (t: ts.Type): boolean =>
    checker.isTypeAssignableTo(literal, t) &&
    literal.getProperties().every((p) => t.getProperty(p.name) !== undefined);
  const fitting = new Map<string, ObjectType>();
  for (const t of context?.isUnion() === true ? context.types : []) {
    if ((t.flags & ts.TypeFlags.Object) === 0 || !fits(t)) continue;
    const converted = tryConvert(lw.ctx, t, node);
    if (converted?.k === "object" && classOf(lw.ctx.classes, converted).isInterface)
      fitting.set(typeKey(converted), converted);
  }
  const [first, second] = fitting.values();
  if (first === undefined || second !== undefined) {
    return lw.ctx.fail(
      "TMC1245",
      node,
      `this fits ${first === undefined ? "no member" : "several members"} of \`${typeName(want)}\``,
      "annotate a constant with the member's type",
    );
  }
  return first;
}

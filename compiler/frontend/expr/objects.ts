/** Array and object literals. */
import { ts } from "ts-morph";
import { allFields, classOf } from "../../ir/hierarchy.js";
import type { Expr } from "../../ir/nodes.js";
import { arrayOf, nullable, typeName, type Type } from "../../ir/types.js";
import { onExpr, type Hint, type Lowerer } from "../lowerer.js";
import { tryConvert } from "../type-convert.js";
import { valueOf } from "./names.js";

const K = ts.SyntaxKind;

export function registerObjects(): void {
  onExpr(K.ArrayLiteralExpression, ts.isArrayLiteralExpression, arrayLiteral);
  onExpr(K.ObjectLiteralExpression, ts.isObjectLiteralExpression, objectLiteral);
}

function arrayLiteral(lw: Lowerer, node: ts.ArrayLiteralExpression, hint: Hint): Expr {
  const want = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  const loc = lw.loc(node);
  if (want?.k === "array" && !want.typed) {
    return { k: "arrayLit", type: want, loc, elems: arrayElements(lw, node, want.elem) };
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
  const lowered = node.elements.map((e) => (ts.isSpreadElement(e) ? spread(lw, e) : lw.raw(e)));
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
  return {
    k: "arrayLit",
    type: arrayOf(type),
    loc,
    elems: lowered.map((e, i) => lw.coerce(e, type, node.elements[i] ?? node)),
  };
}

function spread(lw: Lowerer, node: ts.SpreadElement): never {
  return lw.ctx.fail(
    "TMC1003",
    node,
    "spread is not supported yet",
    "copy the elements in a loop, or use `concat` in setup",
  );
}

export function arrayElements(lw: Lowerer, node: ts.ArrayLiteralExpression, elem: Type): Expr[] {
  return node.elements.map((e) => {
    if (ts.isSpreadElement(e)) return spread(lw, e);
    if (ts.isOmittedExpression(e))
      return lw.ctx.fail("TMC1124", e, "an array has no holes", "write the element");
    return lw.expr(e, elem);
  });
}

function objectLiteral(lw: Lowerer, node: ts.ObjectLiteralExpression, hint: Hint): Expr {
  const loc = lw.loc(node);
  let want = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  if (want?.k !== "object") {
    const contextual = lw.ctx.checker.getContextualType(node);
    const converted = contextual === undefined ? undefined : tryConvert(lw.ctx, contextual, node);
    want = converted?.k === "nullable" ? converted.of : converted;
  }
  if (want?.k !== "object") {
    return lw.ctx.fail(
      "TMC1240",
      node,
      "an object literal needs a declared type",
      "declare an interface and annotate: `const p: Point = { … }`",
    );
  }
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
    if (ts.isSpreadAssignment(p))
      return lw.ctx.fail("TMC1003", p, "spread is not supported yet", "write the fields");
    if (!ts.isPropertyAssignment(p) && !ts.isShorthandPropertyAssignment(p)) {
      return lw.ctx.fail(
        "TMC1241",
        p,
        "an object literal has only fields",
        "write a function-valued field: `f: (…) => …`",
      );
    }
    if (!ts.isIdentifier(p.name) && !ts.isStringLiteral(p.name)) {
      return lw.ctx.fail("TMC1242", p.name, "a field's name must be plain", "");
    }
    const name = p.name.text;
    const field = types.find((f) => f.field.name === name);
    if (field === undefined)
      return lw.ctx.fail("TMC1111", p.name, `\`${c.name}\` has no field \`${name}\``, "");
    if (ts.isPropertyAssignment(p)) {
      fields.push({ name, value: lw.expr(p.initializer, field.type) });
    } else {
      const symbol = lw.ctx.symbolOf(p.name);
      const meaning = symbol === undefined ? undefined : lw.ctx.meaning(symbol);
      if (meaning === undefined)
        return lw.ctx.fail("TMC1106", p, `\`${name}\` is not a value of the subset`, "");
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

/** Destructuring: a pattern becomes one declaration (or assignment) per name, in source order. */
import { ts } from "ts-morph";
import { findField, findMethod } from "../../ir/hierarchy.js";
import type { Expr, Stmt } from "../../ir/nodes.js";
import { isTupleDecl, tupleField } from "../../ir/tuple.js";
import { BOOL, I32, substitute, typeName } from "../../ir/types.js";
import { lvalue } from "../expr/assign.js";
import type { Lowerer } from "../lowerer.js";

/** Declares the names of the pattern from `source`, which is evaluated once. */
export function declarePattern(lw: Lowerer, pattern: ts.BindingPattern, source: Expr, out: Stmt[]): void {
  const from = keep(lw, source, out);
  pattern.elements.forEach((e, i) => {
    if (ts.isOmittedExpression(e)) return;
    if (e.dotDotDotToken !== undefined) {
      lw.ctx.fail("TMC1003", e, "a rest element is not supported yet", "read the parts you need by name");
    }
    const whole = ts.isObjectBindingPattern(pattern) ? member(lw, from, e) : item(lw, from, i, e);
    const part = e.initializer === undefined ? whole : withDefault(lw, whole, e, e.initializer);
    if (!ts.isIdentifier(e.name)) {
      declarePattern(lw, e.name, part, out);
      return;
    }
    out.push({ k: "let", loc: lw.loc(e), v: lw.declareLocal(e.name, part.type, false), init: part });
  });
}

/** `{ x = 5 }`: of an optional field that is absent. To JavaScript null is a value. */
function withDefault(lw: Lowerer, part: Expr, e: ts.BindingElement, value: ts.Expression): Expr {
  const loc = lw.loc(e);
  const whole = part.type;
  if (whole.k !== "nullable") {
    return lw.ctx.fail(
      "TMC1217",
      e.initializer ?? e,
      `this is never absent: its type is \`${typeName(whole)}\``,
      "remove the default, or make the field optional: `x?: …`",
    );
  }
  const seen = lw.ctx.checker.getTypeAtLocation(e.name);
  if ((seen.isUnion() ? seen.types : [seen]).some((t) => (t.flags & ts.TypeFlags.Null) !== 0)) {
    return lw.ctx.fail(
      "TMC1217",
      e.initializer ?? e,
      "a default replaces what is absent, and this may be null",
      "write `x.y ?? value`",
    );
  }
  const v = lw.newLocal(`tested${lw.fn.nextId}`, whole, false);
  const tested: Expr = { k: "local", type: whole, loc, v };
  const body: Expr = {
    k: "cond",
    type: whole.of,
    loc,
    test: { k: "isNull", type: BOOL, loc, arg: tested },
    then: lw.expr(value, whole.of),
    else: lw.convert("unwrap", tested, whole.of),
  };
  return { k: "bind", type: whole.of, loc, v, init: part, body };
}

/** A name for the source, so that it is evaluated once. */
export function keep(lw: Lowerer, source: Expr, out: Stmt[]): Expr {
  if (source.k === "this" || (source.k === "local" && !source.v.mutable)) return source;
  const v = lw.newLocal(`parts${lw.fn.nextId}`, source.type, false);
  out.push({ k: "let", loc: source.loc, v, init: source });
  return { k: "local", type: source.type, loc: source.loc, v };
}

function member(lw: Lowerer, from: Expr, e: ts.BindingElement): Expr {
  const key = e.propertyName ?? e.name;
  if (!ts.isIdentifier(key))
    return lw.ctx.fail("TMC1242", key, "a field's name must be plain", "name the field");
  return memberNamed(lw, from, key.text, key);
}

function memberNamed(lw: Lowerer, from: Expr, name: string, at: ts.Node): Expr {
  const t = from.type;
  const loc = lw.loc(at);
  if (t.k === "nullable")
    return lw.ctx.fail("TMC1204", at, "this may be null", "test it first: `if (x !== null)`");
  if (t.k === "array" && name === "length") return { k: "length", type: I32, loc, obj: from };
  if (t.k !== "object")
    return lw.ctx.fail("TMC1111", at, `\`${typeName(t)}\` has no \`${name}\``, "correct the name");
  const field = findField(lw.ctx.classes, t, name);
  if (field !== undefined) return { k: "field", type: field.type, loc, obj: from, name };
  const getter = findMethod(lw.ctx.classes, t, name);
  if (getter?.f.isGetter === true) {
    const type = substitute(lw.ctx.returnType(getter.f, at), getter.map);
    return { k: "method", type, loc, recv: from, f: getter.f, typeArgs: [], isSuper: false, args: [] };
  }
  return lw.ctx.fail(
    "TMC1111",
    at,
    `\`${typeName(t)}\` has no field \`${name}\``,
    "correct the name, or declare it",
  );
}

/** Element `i` of an array (checked) or a tuple. */
function item(lw: Lowerer, from: Expr, i: number, at: ts.Node): Expr {
  const t = from.type;
  const loc = lw.loc(at);
  if (t.k === "array")
    return { k: "index", type: t.elem, loc, obj: from, index: { k: "num", type: I32, loc, value: i } };
  if (t.k === "object" && isTupleDecl(t.decl)) return memberNamed(lw, from, tupleField(i), at);
  return lw.ctx.fail(
    "TMC1112",
    at,
    `\`${typeName(t)}\` cannot be taken apart by position`,
    "name its fields: `{ a, b }`",
  );
}

/** `[a, b] = [b, a]`: all values are evaluated before the first target is written. */
export function assignPattern(
  lw: Lowerer,
  node: ts.BinaryExpression,
  pattern: ts.ArrayLiteralExpression,
): Stmt[] {
  const out: Stmt[] = [];
  const right = node.right;
  const loc = lw.loc(node);
  const targets = pattern.elements.map((e) => (ts.isOmittedExpression(e) ? undefined : lvalue(lw, e)));
  for (const t of targets) {
    if (t !== undefined && t.k !== "local" && t.k !== "global" && !isQuietTarget(t)) {
      return lw.ctx.fail(
        "TMC1003",
        pattern,
        "this target of a pattern is not supported yet",
        "assign the parts one by one",
      );
    }
  }
  let values: Expr[];
  if (ts.isArrayLiteralExpression(right) && right.elements.length === targets.length) {
    values = right.elements.map((e, i) => {
      const target = targets[i];
      const value = target === undefined ? lw.raw(e) : lw.expr(e, target.type);
      const v = lw.newLocal(`part${lw.fn.nextId}`, value.type, false);
      out.push({ k: "let", loc: value.loc, v, init: value });
      return { k: "local", type: value.type, loc: value.loc, v };
    });
  } else {
    const from = keep(lw, lw.raw(right), out);
    values = targets.map((_, i) => item(lw, from, i, right));
  }
  targets.forEach((target, i) => {
    const value = values[i];
    const at = pattern.elements[i];
    if (target === undefined || value === undefined || at === undefined) return;
    const converted = lw.coerce(value, target.type, at);
    out.push({ k: "expr", loc, e: { k: "assign", type: target.type, loc, target, value: converted } });
  });
  return [{ k: "block", loc, body: out }];
}

/** Evaluating its parts late makes no difference: plain names and constants. */
function isQuietTarget(t: Expr): boolean {
  const quiet = (e: Expr): boolean =>
    e.k === "this" ||
    e.k === "local" ||
    e.k === "global" ||
    e.k === "num" ||
    e.k === "big" ||
    (e.k === "field" && quiet(e.obj)) ||
    (e.k === "convert" && quiet(e.arg)) ||
    (e.k === "arith" && quiet(e.l) && quiet(e.r));
  return t.k === "field"
    ? quiet(t.obj)
    : t.k === "index"
      ? quiet(t.obj) && quiet(t.index)
      : t.k === "staticField";
}

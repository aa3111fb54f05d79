/** Calls of what core.d.ts declares: conversions, Math, sat, log, strings, arrays, typed arrays. */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import type { BuiltinName, Expr } from "../../ir/nodes.js";
import { arrayOf, BOOL, I32, num, STRING, typeName, VOID, type NumKind, type Type } from "../../ir/types.js";
import { constantIn, untypedOf } from "../constants.js";
import { jsDocTag } from "../context.js";
import { hostArguments, hostResult, hostType } from "../host-type.js";
import type { Lowerer } from "../lowerer.js";
import { refusedGlobal, refusedMember } from "../refusals.js";
import { typeOfNode } from "../type-convert.js";
import { asBits } from "./bigints.js";
import { newMap } from "./maps.js";
import { arrayOfParts, partsOf } from "./spread.js";
import { printable, templateParts } from "./templates.js";
import { conversion, saturate } from "./conversions.js";
import { mathCall } from "./math-calls.js";

const numKinds = new Set<string>(["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"]);
/** Of what, and what they give. */
const bitKinds = {
  f32Bits: ["f32", "u32"],
  f32FromBits: ["u32", "f32"],
  f64Bits: ["f64", "u64"],
  f64FromBits: ["u64", "f64"],
} as const;
const narrowKinds = ["i8", "u8", "i16", "u16"] as const;
/** Clamped to the length by both backends. */
const toTheEnd = 2147483647;

export function coreCall(
  lw: Lowerer,
  node: ts.CallExpression,
  name: string,
  symbol: ts.Symbol | undefined,
  want: Type | undefined,
): Expr {
  const loc = lw.loc(node);
  const args = node.arguments;
  const first = args[0];
  if (numKinds.has(name) && first !== undefined) return conversion(lw, node, name as NumKind, first);
  if (name === "BigInt.asIntN" || name === "BigInt.asUintN")
    return asBits(lw, node, name === "BigInt.asIntN" ? "asIntN" : "asUintN");
  if (name.startsWith("Math.")) return mathCall(lw, node, name.slice(5), symbol);
  const narrow = name.startsWith("sat.") ? narrowKinds.find((n) => n === name.slice(4)) : undefined;
  if (narrow !== undefined && first !== undefined) return saturate(lw, node, narrow, first);
  switch (name) {
    case "log":
      return {
        k: "builtin",
        type: VOID,
        loc,
        name: "log",
        n: undefined,
        args: args.map((a) => logArgument(lw, a)),
      };
    case "assert":
      if (first !== undefined)
        return { k: "builtin", type: VOID, loc, name: "assert", n: undefined, args: [lw.condition(first)] };
      break;
    case "f32Bits":
    case "f32FromBits":
    case "f64Bits":
    case "f64FromBits":
      if (first !== undefined) {
        const [from, to] = bitKinds[name];
        return { k: "builtin", type: num(to), loc, name, n: from, args: [lw.expr(first, num(from))] };
      }
      break;
    case "textView": {
      const [bytes, start, end] = args;
      if (bytes === undefined || start === undefined || end === undefined) break;
      const list = [lw.expr(bytes, arrayOf(num("u8"), true)), lw.expr(start, I32), lw.expr(end, I32)];
      return { k: "builtin", type: STRING, loc, name: "textView", n: undefined, args: list };
    }
    case "utf8":
      return utf8(lw, node);
    case "filled": {
      const [length, value] = args;
      if (length === undefined || value === undefined) break;
      const explicit = node.typeArguments?.[0];
      const wantElem =
        explicit !== undefined ? typeOfNode(lw.ctx, explicit) : want?.k === "array" ? want.elem : undefined;
      const v = wantElem === undefined ? lw.raw(value) : lw.expr(value, wantElem);
      return { k: "filled", type: arrayOf(wantElem ?? v.type), loc, length: lw.expr(length, I32), value: v };
    }
    default:
      break;
  }
  const declaration = symbol?.declarations?.[0];
  if (declaration !== undefined && jsDocTag(declaration, "setup") !== undefined) {
    return hostResult(lw, node, { recv: undefined, name, how: "call", args: hostArguments(lw, args) });
  }
  const refusal = refusedGlobal(name) ?? refusedMember(name.slice(name.indexOf(".") + 1));
  if (refusal !== undefined) return lw.refuse({ ...refusal, what: `\`${name}\`` }, node.expression);
  return lw.ctx.fail(
    "TMC1120",
    node,
    `\`${name}\` cannot be called like this`,
    "give it the arguments that its declaration in core.d.ts names",
  );
}

function logArgument(lw: Lowerer, node: ts.Expression): Expr {
  const inner = skipParentheses(node);
  if (ts.isTemplateExpression(inner)) {
    return { k: "concat", type: STRING, loc: lw.loc(node), parts: templateParts(lw, inner) };
  }
  return printable(lw, lw.raw(node), node);
}

function utf8(lw: Lowerer, node: ts.CallExpression): Expr {
  const a = node.arguments[0];
  if (a === undefined || !ts.isStringLiteralLike(a)) {
    return lw.ctx.fail("TMC1120", node, "`utf8` takes a literal", 'write `utf8("…")`');
  }
  return { k: "str", type: STRING, loc: lw.loc(node), value: Buffer.from(a.text, "utf8").toString("latin1") };
}

/** Methods of strings, arrays and typed arrays that exist at run time. */
export function coreMethod(lw: Lowerer, node: ts.CallExpression, obj: Expr, name: string): Expr {
  const loc = lw.loc(node);
  const int = (i: number, otherwise: number): Expr => {
    const a = node.arguments[i];
    return a === undefined ? { k: "num", type: I32, loc, value: otherwise } : lw.expr(a, I32);
  };
  const make = (builtin: BuiltinName, type: Type, args: readonly Expr[]): Expr => ({
    k: "builtin",
    type,
    loc,
    name: builtin,
    n: undefined,
    args,
  });
  const first = node.arguments[0];
  const recv = obj.type.k === "literals" ? lw.convert("text", obj, STRING) : obj;
  const t = recv.type;
  if (t.k === "string") {
    switch (name) {
      case "charCodeAt":
        return make("charCodeAt", I32, [recv, int(0, 0)]);
      case "slice":
        return make("strSlice", STRING, [recv, int(0, 0), int(1, toTheEnd)]);
      case "indexOf":
        if (first !== undefined) return make("strIndexOf", I32, [recv, lw.expr(first, STRING), int(1, 0)]);
        break;
      case "startsWith":
      case "endsWith":
        if (first !== undefined) return make(name, BOOL, [recv, lw.expr(first, STRING)]);
        break;
      case "includes":
        if (first !== undefined) return make("strIncludes", BOOL, [recv, lw.expr(first, STRING)]);
        break;
      default:
        break;
    }
  }
  if (t.k === "slots") {
    const second = node.arguments[1];
    if (name === "get") return make("slotsGet", t.elem, [recv, int(0, 0)]);
    if (name === "set" && second !== undefined)
      return make("slotsSet", VOID, [recv, int(0, 0), lw.expr(second, t.elem)]);
  }
  if (t.k === "array") {
    if (name === "fill" && first !== undefined && !t.readonly) {
      return make("arrayFill", t, [recv, lw.expr(first, t.elem), int(1, 0), int(2, toTheEnd)]);
    }
    if (name === "set" && first !== undefined && t.typed)
      return make("arraySet", VOID, [recv, lw.expr(first, t), int(1, 0)]);
    if (name === "subarray" && t.typed) return make("subarray", t, [recv, int(0, 0), int(1, toTheEnd)]);
  }
  const refusal = refusedMember(name);
  if (refusal !== undefined) return lw.refuse(refusal, node.expression);
  if (t.k === "param") {
    return lw.ctx.fail(
      "TMC1212",
      node,
      `methods of a value of the type parameter \`${t.name}\` are not supported yet`,
      "pass what is needed as a function, or write it for the concrete type",
    );
  }
  return lw.ctx.fail(
    "TMC1111",
    node.expression,
    `\`${typeName(obj.type)}\` has no method \`${name}\``,
    "see docs/language.md",
  );
}

/** `new` of what core.d.ts declares. */
export function newCore(
  lw: Lowerer,
  node: ts.NewExpression,
  name: string,
  element: NumKind | undefined,
  want: Type | undefined,
): Expr {
  const loc = lw.loc(node);
  const first = node.arguments?.[0];
  if (element !== undefined) {
    const type = arrayOf(num(element), true) as Extract<Type, { k: "array" }>;
    if (first === undefined)
      return lw.ctx.fail("TMC1120", node, `\`new ${name}\` needs a length`, `write \`new ${name}(16)\``);
    const inner = skipParentheses(first);
    if (ts.isArrayLiteralExpression(inner))
      return arrayOfParts(lw, node, partsOf(lw, inner.elements, num(element)), type);
    const e = lw.raw(first);
    if (e.type.k === "array" || e.type.k === "host") {
      return { k: "host", type, loc, recv: undefined, name, how: "new", args: [e] };
    }
    const length = lw.coerce(e, I32, first);
    const c = untypedOf(e);
    if (c !== undefined && (constantIn(c.value, "i32") ?? -1) < 0)
      lw.ctx.fail("TMC1121", first, "a length cannot be negative", "give the number of elements");
    return { k: "newTyped", type, loc, length };
  }
  if (name === "Slots" && first !== undefined) {
    const explicit = node.typeArguments?.[0];
    const wanted = want?.k === "nullable" ? want.of : want;
    const elem =
      explicit !== undefined ? typeOfNode(lw.ctx, explicit) : wanted?.k === "slots" ? wanted.elem : undefined;
    if (elem === undefined)
      return lw.ctx.fail(
        "TMC1119",
        node,
        "the type argument `T` cannot be inferred",
        "write `new Slots<T>(n)`",
      );
    return { k: "newSlots", type: { k: "slots", elem }, loc, capacity: lw.expr(first, I32) };
  }
  if (name === "Error") {
    return lw.ctx.fail("TMC1122", node, "an `Error` exists only in `throw`", 'write `throw new Error("…")`');
  }
  if (name === "Map" || name === "Set") {
    const made = newMap(lw, node, name, want);
    if (made !== undefined) return made;
  }
  const type = hostType(lw, node);
  return {
    k: "host",
    type: type.k === "host" ? type : { k: "host", text: name },
    loc,
    recv: undefined,
    name,
    how: "new",
    args: hostArguments(lw, node.arguments ?? []),
  };
}

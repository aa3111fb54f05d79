/** Parameters, return types and bodies of everything callable. */
import { ts } from "ts-morph";
import type { Expr, Param } from "../ir/nodes.js";
import { nullable, typeName, VOID, type Type } from "../ir/types.js";
import { isUntyped } from "./constants.js";
import type { Context } from "./context.js";
import { declarePattern } from "./stmt/patterns.js";
import type { Lowerer } from "./lowerer.js";
import { convertType, typeOfNode } from "./type-convert.js";

const K = ts.SyntaxKind;

export const isAsync = (node: ts.SignatureDeclaration): boolean =>
  (ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : []).some((m) => m.kind === K.AsyncKeyword);

/** generators, decorators, overload signatures. */
export function refuseModifiers(ctx: Context, node: ts.SignatureDeclaration): void {
  if ("asteriskToken" in node && node.asteriskToken !== undefined) {
    ctx.fail(
      "TMC1004",
      node.asteriskToken,
      "generators are not part of the subset",
      "write a loop, or a class with `length` and `get(i)`",
    );
  }
  refuseDecorators(ctx, node);
  for (const p of node.parameters) refuseDecorators(ctx, p);
}

export function refuseDecorators(ctx: Context, node: ts.Node): void {
  const decorator = ts.canHaveDecorators(node) ? ts.getDecorators(node)?.[0] : undefined;
  if (decorator !== undefined)
    ctx.fail("TMC1007", decorator, "decorators are not part of the subset", "call a function in setup");
}

/** A function that returns a value returns one on every path: JavaScript would give undefined, C anything. */
export function checkEnd(ctx: Context, node: ts.FunctionLikeDeclaration, ret: Type, inferred: boolean): void {
  if ((node.flags & ts.NodeFlags.HasImplicitReturn) === 0 || node.body === undefined) return;
  const signature = ctx.checker.getSignatureFromDeclaration(node);
  if (signature === undefined) return;
  const whole = ctx.checker.getReturnTypeOfSignature(signature);
  const t = isAsync(node) ? (ctx.checker.getTypeArguments(whole as ts.TypeReference)[0] ?? whole) : whole;
  const members = t.isUnion() ? t.types : [t];
  const isUndefined = (m: ts.Type): boolean => (m.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) !== 0;
  // An exhaustive `switch` at the end: TypeScript knows, and adds no undefined to the type.
  if (members.every(isUndefined) || !members.some(isUndefined)) return;
  if (!inferred && ret.k === "void") return;
  ctx.report(
    "TMC1128",
    node.name ?? node,
    "some paths return a value, others do not",
    "end the function with `return null`, or return on every path",
  );
}

/** `contextual`: parameter types the surroundings give to a lambda. */
export function lowerParams(
  lw: Lowerer,
  node: ts.SignatureDeclaration,
  contextual?: readonly Type[],
): Param[] {
  const params: Param[] = [];
  node.parameters.forEach((p, i) => {
    if (ts.isIdentifier(p.name) && p.name.text === "this") {
      lw.ctx.fail(
        "TMC1003",
        p,
        "a `this` parameter is not part of the subset",
        "pass the object as a parameter",
      );
    }
    const rest = p.dotDotDotToken !== undefined;
    if (rest && (lw.fn.decl.kind !== "function" || lw.fn.decl.typeParams.length > 0)) {
      return lw.ctx.fail(
        "TMC1005",
        p,
        "rest parameters are for plain functions: not for methods, function values and generic functions",
        "take an array",
      );
    }
    let type = p.type !== undefined ? typeOfNode(lw.ctx, p.type) : contextual?.[i];
    let initial: Expr | undefined;
    if (p.initializer !== undefined) {
      initial = type === undefined ? lw.raw(p.initializer) : lw.expr(p.initializer, type);
      type ??= initial.type;
      if (!isConstant(initial)) {
        lw.ctx.fail(
          "TMC1126",
          p.initializer,
          "a default value must be a constant",
          "make the parameter `T | null` and test it",
        );
      }
    }
    if (type === undefined) {
      const t = lw.ctx.checker.getTypeAtLocation(p);
      if ((t.flags & ts.TypeFlags.Any) !== 0) {
        return lw.ctx.fail(
          "TMC1127",
          p,
          `the parameter \`${p.name.getText()}\` needs a type`,
          `write \`${p.name.getText()}: i32\``,
        );
      }
      type = convertType(lw.ctx, t, p);
    }
    if (p.questionToken !== undefined) {
      type = nullable(type);
      initial = { k: "null", type, loc: lw.loc(p) };
    }
    if (rest && (type.k !== "array" || !ts.isIdentifier(p.name))) {
      return lw.ctx.fail(
        "TMC1005",
        p,
        "a rest parameter is an array with a name",
        "write `...values: i32[]`",
      );
    }
    if (!ts.isIdentifier(p.name)) {
      const whole = lw.newLocal(`param${i}`, type, false);
      declarePattern(lw, p.name, { k: "local", type, loc: lw.loc(p), v: whole }, lw.fn.prologue);
      params.push(Object.assign(whole, { default: initial }));
      return undefined;
    }
    const v = lw.declareLocal(p.name, type, false);
    if (ts.isParameterPropertyDeclaration(p, p.parent)) {
      // The name has two symbols; in the body it means the parameter.
      for (const s of lw.ctx.checker.getSymbolsOfParameterPropertyDeclaration(p, p.name.text)) {
        if ((s.flags & ts.SymbolFlags.Variable) !== 0) lw.ctx.meanings.set(s, { k: "local", v, fn: lw.fn });
        else lw.ctx.meanings.delete(s);
      }
    }
    // One object: the body's references and the declaration are the same variable.
    params.push(Object.assign(v, { default: initial, ...(rest ? { rest } : {}) }));
    return undefined;
  });
  return params;
}

export function isConstant(e: Expr): boolean {
  switch (e.k) {
    case "num":
    case "big":
    case "bool":
    case "str":
    case "literal":
    case "null":
    case "global":
      return true;
    case "convert":
      return isConstant(e.arg);
    default:
      return false;
  }
}

/** Joins the types of all `return`s and converts them to it. */
export function inferReturn(lw: Lowerer): Type {
  const returns = lw.fn.returns;
  const first = returns[0];
  if (first === undefined) return VOID;
  let joined: Type = first.stmt.value?.type ?? VOID;
  let before = first.stmt.value;
  for (const r of returns) {
    const value = r.stmt.value;
    if (value === undefined || before === undefined) {
      if (value !== undefined || before !== undefined) {
        return lw.ctx.fail(
          "TMC1128",
          r.node,
          "some paths return a value, others do not",
          "annotate the return type",
        );
      }
      continue;
    }
    const t = lw.join(before, value);
    if (t === undefined) {
      return lw.ctx.fail(
        "TMC1128",
        r.node,
        `the returned types have nothing in common: \`${typeName(joined)}\` and \`${typeName(value.type)}\``,
        "annotate the return type",
      );
    }
    joined = t;
    before = isUntyped(before) && !isUntyped(value) ? value : { ...before, type: t };
  }
  for (const r of returns) {
    if (r.stmt.value !== undefined) r.stmt.value = lw.coerce(r.stmt.value, joined, r.node);
  }
  return joined;
}

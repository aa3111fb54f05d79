/** `a?.b`, `a?.[i]`, `a?.()`, `a ?? b`: each tested operand is evaluated once, the rest only when it is not null. */
import { ts } from "ts-morph";
import type { Expr, LocalVar, Stmt } from "../../ir/nodes.js";
import { BOOL, nullable, typeName, type Type } from "../../ir/types.js";
import { Lowerer } from "../lowerer.js";

/** The tested operands of the chain that ends in `node`, innermost first. */
function links(node: ts.Expression): ts.Expression[] {
  const found: ts.Expression[] = [];
  let at: ts.Expression = node;
  while (ts.isOptionalChain(at)) {
    const chain: ts.OptionalChain = at;
    const inner: ts.Expression = chain.expression;
    if ("questionDotToken" in chain && chain.questionDotToken !== undefined) found.unshift(inner);
    at = inner;
  }
  return found;
}

const isNull = (v: LocalVar, loc: Expr["loc"]): Expr => ({
  k: "isNull",
  type: BOOL,
  loc,
  arg: { k: "local", type: v.type, loc, v },
});

/** Evaluates a tested operand into a variable; later uses of `node` in the chain mean its value. */
function test(lw: Lowerer, node: ts.Expression): { readonly v: LocalVar; readonly init: Expr } | undefined {
  const init = lw.raw(node);
  if (init.type.k !== "nullable") {
    if (init.type.k === "host") {
      return lw.ctx.fail("TMC1003", node, "`?.` on a value of setup is not supported yet", "test it first");
    }
    lw.overrides.set(node, init);
    return undefined;
  }
  const v = lw.newLocal(`tested${lw.fn.nextId}`, init.type, false);
  const value: Expr = { k: "local", type: init.type, loc: init.loc, v };
  lw.overrides.set(node, lw.convert("unwrap", value, init.type.of));
  return { v, init };
}

/** The value of an optional chain: nullable. */
export function optionalChain(lw: Lowerer, node: ts.Expression): Expr {
  const operands = links(node);
  lw.openChains.add(node);
  const build = (i: number): Expr => {
    const operand = operands[i];
    if (operand === undefined) {
      const value = lw.raw(node);
      if (value.type.k === "void") {
        return lw.ctx.fail("TMC1117", node, "this call has no value", "write it as a statement of its own");
      }
      return value.type.k === "nullable" ? value : lw.convert("wrapNull", value, nullable(value.type));
    }
    const tested = test(lw, operand);
    const rest = build(i + 1);
    if (tested === undefined) return rest;
    const loc = lw.loc(node);
    const none: Expr = { k: "null", type: rest.type, loc };
    const body: Expr = {
      k: "cond",
      type: rest.type,
      loc,
      test: isNull(tested.v, loc),
      then: none,
      else: rest,
    };
    return { k: "bind", type: rest.type, loc, v: tested.v, init: tested.init, body };
  };
  const result = build(0);
  close(lw, node, operands);
  return result;
}

/** The chain as a statement: a call without value is allowed. */
export function optionalStatement(lw: Lowerer, node: ts.Expression): Stmt[] {
  const operands = links(node);
  lw.openChains.add(node);
  const build = (i: number): Stmt[] => {
    const operand = operands[i];
    const loc = lw.loc(node);
    if (operand === undefined) return [{ k: "expr", loc, e: lw.raw(node) }];
    const tested = test(lw, operand);
    const rest = build(i + 1);
    if (tested === undefined) return rest;
    const present: Expr = { k: "unary", type: BOOL, loc, op: "not", arg: isNull(tested.v, loc), wrap: false };
    const body: Stmt[] = [
      { k: "let", loc, v: tested.v, init: tested.init },
      { k: "if", loc, test: present, then: rest, else: [] },
    ];
    return [{ k: "block", loc, body }];
  };
  const result = build(0);
  close(lw, node, operands);
  return result;
}

function close(lw: Lowerer, node: ts.Expression, operands: readonly ts.Expression[]): void {
  lw.openChains.delete(node);
  for (const o of operands) lw.overrides.delete(o);
}

/** `l ?? r` */
export function coalesce(lw: Lowerer, node: ts.BinaryExpression, want: Type | undefined): Expr {
  const loc = lw.loc(node);
  const l = lw.raw(node.left);
  if (l.type.k !== "nullable") {
    return lw.ctx.fail(
      "TMC1217",
      node.left,
      `this is never null: its type is \`${typeName(l.type)}\``,
      "remove the `?? …`",
    );
  }
  const v = lw.newLocal(`tested${lw.fn.nextId}`, l.type, false);
  const value = lw.convert("unwrap", { k: "local", type: l.type, loc: l.loc, v }, l.type.of);
  const r = lw.raw(node.right, want ?? l.type.of);
  const type = lw.join(value, r);
  if (type === undefined) {
    return lw.ctx.fail(
      "TMC1221",
      node,
      `the two sides have no common type: \`${typeName(l.type.of)}\` and \`${typeName(r.type)}\``,
      "convert one of them",
    );
  }
  const body: Expr = {
    k: "cond",
    type,
    loc,
    test: isNull(v, loc),
    then: lw.coerce(r, type, node.right),
    else: lw.coerce(value, type, node.left),
  };
  return { k: "bind", type, loc, v, init: l, body };
}

/** Chains are found by the lowerer itself: any of their links may come first. */
export function registerOptional(): void {
  Lowerer.lowerChain = optionalChain;
}

/**
 * `await`, and where the call of an async function may stand: behind `await` or `return`, or as what a function given
 * to `task` returns. A promise is a frame; it is no value of its own.
 */
import { ts } from "ts-morph";
import { frameOfBinding, promised } from "../../ir/async/promise.js";
import type { Expr } from "../../ir/nodes.js";
import { typeName, VOID, type Type } from "../../ir/types.js";
import { isCoreDeclaration, jsDocTag } from "../context.js";
import { onExpr, type Lowerer } from "../lowerer.js";
import { skipParentheses } from "../syntax.js";
import { tupleType } from "../tuples.js";

const K = ts.SyntaxKind;

export function registerAwait(): void {
  onExpr(K.AwaitExpression, ts.isAwaitExpression, awaitExpression);
}

function awaitExpression(lw: Lowerer, node: ts.AwaitExpression): Expr {
  if (lw.fn.decl.isAsync !== true) {
    return lw.ctx.fail(
      "TMC1704",
      node,
      lw.fn.isModule
        ? "setup runs when the program is built: it cannot wait"
        : "`await` stands in a function that is not `async`",
      lw.fn.isModule ? "register a task: `task(async () => { … })`" : "write `async` before the function",
    );
  }
  const inner = skipParentheses(node.expression);
  if (ts.isCallExpression(inner) && isPromiseAll(lw, inner)) return awaitAll(lw, inner);
  const call = lw.raw(inner);
  return { k: "await", type: awaited(lw, call, inner), loc: lw.loc(node), calls: [call], all: false };
}

/** The type of the result of a call that can be waited for. */
function awaited(lw: Lowerer, call: Expr, node: ts.Node): Type {
  const type = promised(call.type);
  if (type === undefined) {
    return lw.ctx.fail(
      "TMC1705",
      node,
      `\`${typeName(call.type)}\` is not the call of an async function`,
      "remove `await`",
    );
  }
  if (call.k === "call" || call.k === "method" || call.k === "callValue") return type;
  return lw.ctx.fail(
    "TMC1706",
    node,
    "which function is waited for is not known when compiling, and with it the size of its frame",
    "call an async function, a method, or a function value",
  );
}

const isPromiseAll = (lw: Lowerer, node: ts.CallExpression): boolean => {
  const callee = node.expression;
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === "all" &&
    ts.isIdentifier(callee.expression) &&
    callee.expression.text === "Promise" &&
    isCoreDeclaration(lw.ctx.symbolOf(callee.expression)?.declarations?.[0])
  );
};

/** `await Promise.all([f(), g()])`: the list is written there, so that each call has a frame of its own. */
function awaitAll(lw: Lowerer, node: ts.CallExpression): Expr {
  const list = node.arguments[0];
  const only = node.arguments.length === 1 && list !== undefined;
  if (!only || !ts.isArrayLiteralExpression(list) || list.elements.length === 0) {
    return lw.ctx.fail(
      "TMC1703",
      node,
      "`Promise.all` waits for calls that stand in an array literal",
      "write `await Promise.all([f(), g()])`, or await one after the other in a loop",
    );
  }
  const calls = list.elements.map((e) => lw.raw(e));
  const types = calls.map((c, i) => awaited(lw, c, list.elements[i] ?? node));
  // Nothing to give back when all of them give nothing.
  const values = types.every((t) => t.k === "void") ? VOID : tupleOf(lw, types, node);
  return { k: "await", type: values, loc: lw.loc(node), calls, all: true };
}

function tupleOf(lw: Lowerer, types: readonly Type[], node: ts.Node): Type {
  if (types.some((t) => t.k === "void")) {
    return lw.ctx.fail(
      "TMC1703",
      node,
      "`Promise.all` of calls with and without a result is not part of the subset",
      "let all of them return a value, or none",
    );
  }
  return tupleType(lw.ctx, types);
}

/** The value of a `return` in an async function: a call of another one is waited for. */
export function implicitAwait(lw: Lowerer, e: Expr, node: ts.Node): Expr {
  if (lw.fn.decl.isAsync !== true || promised(e.type) === undefined) return e;
  return { k: "await", type: awaited(lw, e, node), loc: e.loc, calls: [e], all: false };
}

/** Reports a promise that nobody waits for, or that would be kept. `e` is the lowered call `node`. */
export function checkPromise(lw: Lowerer, e: Expr, node: ts.CallExpression): Expr {
  if (promised(e.type) === undefined || isFrameOf(lw, node)) return e;
  let at: ts.Node = node;
  while (ts.isParenthesizedExpression(at.parent) || ts.isAsExpression(at.parent)) at = at.parent;
  const parent = at.parent;
  if (ts.isAwaitExpression(parent) || ts.isReturnStatement(parent)) return e;
  if (ts.isArrayLiteralExpression(parent)) {
    const list = parent.parent;
    if (ts.isCallExpression(list) && isPromiseAll(lw, list) && ts.isAwaitExpression(list.parent)) return e;
  }
  if (ts.isCallExpression(parent) && isFrameOf(lw, parent)) return e;
  const isBody = ts.isArrowFunction(parent) && parent.body === at;
  if (isBody && (lw.fn.ret === undefined || lw.fn.decl.isAsync === true || promised(lw.fn.ret) !== undefined))
    return e;
  if (isBody || ts.isExpressionStatement(parent) || ts.isVoidExpression(parent)) {
    return lw.ctx.fail(
      "TMC1701",
      node,
      "nobody waits for this call of an async function: it would never run",
      lw.fn.decl.isAsync === true
        ? "write `await` before it"
        : "register a task in setup, `const t = task(f)`, and start it here: `t.start()`",
    );
  }
  if (ts.isPropertyAccessExpression(parent)) {
    return lw.ctx.fail(
      "TMC1703",
      parent.name,
      `\`${parent.name.text}\` of a promise is not part of the subset`,
      "write `await` before the call, and what follows as statements; `try` and `finally` work around it",
    );
  }
  return lw.ctx.fail(
    "TMC1702",
    node,
    "a promise is not a value that can be kept or passed on",
    "write `await` before the call; for several at once: `await Promise.all([f(), g()])`",
  );
}

/** The library's way from a promise to its frame. */
function isFrameOf(lw: Lowerer, node: ts.CallExpression): boolean {
  const declaration = ts.isIdentifier(node.expression)
    ? lw.ctx.symbolOf(node.expression)?.declarations?.[0]
    : undefined;
  return declaration !== undefined && jsDocTag(declaration, "binding") === frameOfBinding;
}

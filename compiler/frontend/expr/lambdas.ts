/** Arrow functions and function expressions. */
import { ts } from "ts-morph";
import { promised, promiseOf } from "../../ir/async/promise.js";
import type { Expr, FuncDecl, Stmt } from "../../ir/nodes.js";
import { VOID, type Type } from "../../ir/types.js";
import type { FunctionScope } from "../context.js";
import { checkEnd, inferReturn, isAsync, lowerParams, refuseModifiers } from "../functions.js";
import { Lowerer, onExpr, type Hint } from "../lowerer.js";
import { expressionStatement } from "../stmt/simple.js";
import { typeOfNode } from "../type-convert.js";

const K = ts.SyntaxKind;

export function registerLambdas(): void {
  onExpr(K.ArrowFunction, ts.isArrowFunction, lambda);
  onExpr(K.FunctionExpression, ts.isFunctionExpression, lambda);
}

const counters = new WeakMap<FuncDecl, number>();

function lambda(lw: Lowerer, node: ts.ArrowFunction | ts.FunctionExpression, hint: Hint): Expr {
  refuseModifiers(lw.ctx, node);
  if (node.typeParameters !== undefined) {
    return lw.ctx.fail(
      "TMC1125",
      node,
      "a function value cannot be generic",
      "declare a named generic function",
    );
  }
  const wanted = hint.want?.k === "nullable" ? hint.want.of : hint.want;
  const want = wanted?.k === "func" ? wanted : undefined;
  const outer = lw.fn.decl;
  const n = (counters.get(outer) ?? 0) + 1;
  counters.set(outer, n);
  const annotated = node.type === undefined ? undefined : typeOfNode(lw.ctx, node.type);
  const wholeRet: Type | undefined =
    annotated ?? (want !== undefined && !unknown(want.ret) ? want.ret : undefined);
  const async = isAsync(node);
  if (async && wholeRet?.k === "void") {
    return lw.ctx.fail(
      "TMC1701",
      node,
      "a plain function is called and has ended when it returns: nobody would wait for an async one",
      "register a task in setup, `const t = task(async () => { … })`, and start it here: `() => { t.start(); }`",
    );
  }
  const ret = async && wholeRet !== undefined ? promised(wholeRet) : wholeRet;
  const decl: FuncDecl = {
    id: `${outer.id}.lambda${n}`,
    name: `lambda${n}`,
    module: outer.module,
    kind: "lambda",
    typeParams: [],
    params: [],
    ret: wholeRet ?? VOID,
    owner: undefined,
    isStatic: false,
    isGetter: false,
    exported: false,
    cName: undefined,
    captures: [],
    usesThis: false,
    ...(async ? { isAsync: true } : {}),
    body: [],
    loc: lw.loc(node),
  };
  const scope: FunctionScope = {
    decl,
    parent: lw.fn,
    self: ts.isArrowFunction(node) ? lw.fn.self : undefined,
    nextId: 0,
    ret,
    returns: [],
    prologue: [],
    isModule: false,
  };
  const inner = new Lowerer(lw.ctx, scope);
  const params = [...decl.params];
  params.push(...lowerParams(inner, node, want?.params));
  // TypeScript lets a callback take fewer parameters than it is given.
  want?.params.forEach((type, i) => {
    if (i >= params.length) params.push({ ...inner.newLocal(`unused${i}`, type, false), default: undefined });
  });
  const full: FuncDecl = Object.assign(decl, { params });
  const body: Stmt[] = [...scope.prologue];
  if (ts.isBlock(node.body)) {
    body.push(...inner.statements(node.body.statements));
    checkEnd(lw.ctx, node, ret ?? VOID, ret === undefined);
  } else if (ret?.k === "void") body.push(...expressionStatement(inner, node.body));
  else {
    const value = inner.returned(node.body, ret);
    if (ret === undefined && value.type.k === "void") body.push({ k: "expr", loc: value.loc, e: value });
    else {
      const stmt: { k: "return"; loc: Stmt["loc"]; value: Expr | undefined } = {
        k: "return",
        loc: value.loc,
        value,
      };
      if (ret === undefined) scope.returns.push({ stmt, node: node.body });
      body.push(stmt);
    }
  }
  full.body = body;
  lw.ctx.functions.set(full.id, full);
  const own = ret ?? inferReturn(inner);
  full.ret = async ? promiseOf(own) : own;
  return {
    k: "lambda",
    type: { k: "func", params: params.map((p) => p.type), ret: full.ret },
    loc: lw.loc(node),
    f: full,
  };
}

/** A type parameter that is still to be inferred, or a host type: take it from the body. */
const unknown = (t: Type): boolean => t.k === "param" || t.k === "host";

/** Expression statements, blocks, variables, return, throw, try. */
import { ts } from "ts-morph";
import { skipParentheses } from "../syntax.js";
import type { Expr, FuncDecl, LocalVar, Stmt } from "../../ir/nodes.js";
import { findMethod } from "../../ir/hierarchy.js";
import { bigIn, isBig, isFloat, num, VOID, type Type } from "../../ir/types.js";
import { untypedBigOf, untypedOf } from "../constants.js";
import { onStmt, type Lowerer } from "../lowerer.js";
import { constantMeaning } from "../const-declarations.js";
import { tryConvert, typeOfNode } from "../type-convert.js";
import { isLogicalAssignment, logicalAssignment } from "./logical-assign.js";
import { assignPattern, declarePattern } from "./patterns.js";
import { optionalStatement } from "../expr/optional.js";
import { textBufferId } from "../expr/calls.js";
import { templateParts } from "../expr/templates.js";
import { hostType } from "../host-type.js";

const K = ts.SyntaxKind;

export function registerSimple(): void {
  onStmt(K.ExpressionStatement, ts.isExpressionStatement, (lw, node) =>
    expressionStatement(lw, node.expression),
  );
  onStmt(K.EmptyStatement, ts.isEmptyStatement, () => []);
  onStmt(K.Block, ts.isBlock, (lw, node) => [
    { k: "block", loc: lw.loc(node), body: lw.statements(node.statements) },
  ]);
  onStmt(K.VariableStatement, ts.isVariableStatement, (lw, node) => variables(lw, node.declarationList));
  onStmt(K.ReturnStatement, ts.isReturnStatement, returnStatement);
  onStmt(K.ThrowStatement, ts.isThrowStatement, throwStatement);
  onStmt(K.TryStatement, ts.isTryStatement, tryStatement);
  // Types have no code; they are read where they are used.
  onStmt(K.EnumDeclaration, ts.isEnumDeclaration, () => []);
  onStmt(K.TypeAliasDeclaration, ts.isTypeAliasDeclaration, (lw, node) => {
    if (!ts.isTypeLiteralNode(node.type)) return [];
    return lw.ctx.fail(
      "TMC1129",
      node,
      "object types are declared at the top level of a module",
      "move it out",
    );
  });
  onStmt(K.InterfaceDeclaration, ts.isInterfaceDeclaration, (lw, node) =>
    lw.ctx.fail("TMC1129", node, "interfaces are declared at the top level of a module", "move it out"),
  );
  onStmt(K.FunctionDeclaration, ts.isFunctionDeclaration, (lw, node) =>
    lw.ctx.fail(
      "TMC1129",
      node,
      "a function inside a function is written as a constant",
      "write `const f = (…) => …`",
    ),
  );
  onStmt(K.ClassDeclaration, ts.isClassDeclaration, (lw, node) =>
    lw.ctx.fail("TMC1129", node, "classes are declared at the top level of a module", "move it out"),
  );
}

/** An expression for its effect; `out.write(`…`)` becomes one write per part, after all parts are evaluated. */
export function expressionStatement(lw: Lowerer, node: ts.Expression): Stmt[] {
  const inner = skipParentheses(node);
  if (ts.isOptionalChain(inner) && !lw.openChains.has(inner)) return optionalStatement(lw, inner);
  if (
    ts.isBinaryExpression(inner) &&
    inner.operatorToken.kind === K.EqualsToken &&
    ts.isArrayLiteralExpression(inner.left)
  ) {
    return assignPattern(lw, inner, inner.left);
  }
  if (ts.isBinaryExpression(inner) && isLogicalAssignment(inner.operatorToken.kind))
    return logicalAssignment(lw, inner);
  if (ts.isBinaryExpression(inner) && inner.operatorToken.kind === K.CommaToken)
    return [...expressionStatement(lw, inner.left), ...expressionStatement(lw, inner.right)];
  const written = ts.isCallExpression(inner) ? templateWrite(lw, inner) : undefined;
  if (written !== undefined) return written;
  const e = lw.returned(node, undefined);
  return [{ k: "expr", loc: lw.loc(node), e }];
}

/** By the kind that a number is printed as. */
const writers = {
  i32: "writeI32",
  u32: "writeU32",
  i64: "writeI64",
  u64: "writeU64",
  f64: "writeF64",
} as const;

function templateWrite(lw: Lowerer, node: ts.CallExpression): Stmt[] | undefined {
  const callee = node.expression;
  const template = node.arguments[0];
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== "write") return undefined;
  if (template === undefined || !ts.isTemplateExpression(template)) return undefined;
  const recv = lw.raw(callee.expression);
  if (recv.type.k !== "object" || recv.type.decl !== textBufferId) return undefined;
  const type = recv.type;
  const loc = lw.loc(node);
  const body: Stmt[] = [];
  const keep = (e: Expr, name: string): Expr => {
    if (
      e.k === "str" ||
      e.k === "num" ||
      e.k === "big" ||
      e.k === "this" ||
      (e.k === "local" && !e.v.mutable)
    )
      return e;
    const v: LocalVar = lw.newLocal(name, e.type, false);
    body.push({ k: "let", loc: e.loc, v, init: e });
    return { k: "local", type: e.type, loc: e.loc, v };
  };
  const target = keep(recv, "out of write");
  const parts = templateParts(lw, template).map((p, i) => keep(p, `part ${i}`));
  for (const p of parts) {
    const { writer, arg } = writerOf(lw, p, template);
    const f: FuncDecl | undefined = findMethod(lw.ctx.classes, type, writer)?.f;
    if (f === undefined) throw new Error(`TextBuffer has no ${writer}`);
    body.push({
      k: "expr",
      loc: p.loc,
      e: { k: "method", type: VOID, loc, recv: target, f, typeArgs: [], isSuper: false, args: [arg] },
    });
  }
  return [{ k: "block", loc, body }];
}

function writerOf(lw: Lowerer, e: Expr, node: ts.Node): { writer: string; arg: Expr } {
  const t = e.type;
  if (t.k === "num") {
    const n = isFloat(t.n) ? "f64" : t.n === "u32" || isBig(t.n) ? t.n : "i32";
    return { writer: writers[n], arg: lw.coerce(e, num(n), node) };
  }
  if (t.k === "bool") return { writer: "writeBool", arg: e };
  return { writer: "write", arg: lw.coerce(e, { k: "string" }, node) };
}

export function variables(lw: Lowerer, list: ts.VariableDeclarationList): Stmt[] {
  const isConst = (list.flags & ts.NodeFlags.Const) !== 0;
  if ((list.flags & ts.NodeFlags.BlockScoped) === 0) {
    return lw.ctx.fail(
      "TMC1130",
      list,
      "`var` is visible before and outside its block",
      "write `let` or `const`",
    );
  }
  const out: Stmt[] = [];
  for (const d of list.declarations) {
    if (!ts.isIdentifier(d.name)) {
      const type = d.type === undefined ? undefined : typeOfNode(lw.ctx, d.type);
      if (d.initializer !== undefined) declarePattern(lw, d.name, lw.expr(d.initializer, type), out);
      continue;
    }
    const meaning = isConst ? constantMeaning(lw, d) : undefined;
    if (meaning !== undefined) {
      const symbol = lw.ctx.checker.getSymbolAtLocation(d.name);
      if (symbol !== undefined) lw.ctx.meanings.set(symbol, meaning);
      continue;
    }
    if (d.exclamationToken !== undefined) {
      return lw.ctx.fail(
        "TMC1131",
        d,
        `\`${d.name.text}!\` promises a value that nothing checks`,
        `give it one: \`let ${d.name.text} = …\``,
      );
    }
    const annotated = d.type === undefined ? undefined : typeOfNode(lw.ctx, d.type);
    const init = d.initializer === undefined ? undefined : lw.expr(d.initializer, annotated);
    const type = annotated ?? (init === undefined ? undefined : variableType(lw, init, d));
    if (type === undefined) {
      return lw.ctx.fail(
        "TMC1131",
        d,
        `\`${d.name.text}\` needs a type or a value`,
        `write \`let ${d.name.text}: i32\``,
      );
    }
    const v = lw.declareLocal(d.name, type, false);
    if (init === undefined) lw.ctx.unset.add(v);
    else if (annotated === undefined && isDefaultedFloat(init)) v.defaulted = true;
    out.push({
      k: "let",
      loc: lw.loc(d),
      v,
      init: init === undefined || annotated !== undefined ? init : lw.coerce(init, type, d),
    });
  }
  return out;
}

/** An untyped constant that became an f64. */
export const isDefaultedFloat = (init: Expr): boolean => untypedOf(init)?.float === true;

/** The type of a variable without annotation: its value's, constants with their default. */
export function variableType(lw: Lowerer, init: Expr, d: ts.VariableDeclaration): Type {
  const big = untypedBigOf(init);
  if (big !== undefined && !bigIn(big, "i64")) {
    return lw.ctx.fail(
      "TMC1203",
      d,
      `the constant ${big}n is not a value of i64`,
      `annotate it: \`let ${d.name.getText()}: u64 = …\``,
    );
  }
  const c = untypedOf(init);
  if (
    c !== undefined &&
    init.type.k === "num" &&
    init.type.n === "i32" &&
    (c.value > 2147483647 || c.value < -2147483648)
  ) {
    return lw.ctx.fail(
      "TMC1203",
      d,
      `the constant ${c.value} is not a value of i32`,
      `annotate it: \`let ${d.name.getText()}: u32 = …\``,
    );
  }
  if (init.type.k === "null") {
    return lw.ctx.fail(
      "TMC1131",
      d,
      "the type of `null` alone is not known",
      `annotate it: \`let ${d.name.getText()}: T | null = null\``,
    );
  }
  if (init.type.k === "void")
    return lw.ctx.fail("TMC1131", d, "this has no value", "call it as a statement of its own");
  if (init.type.k === "literals" && init.k === "literal") {
    // A member of an enum widens to the enum; a plain literal to string.
    const declared = tryConvert(lw.ctx, lw.ctx.checker.getTypeAtLocation(d.name), d);
    return declared?.k === "literals" ? declared : { k: "string" };
  }
  if (init.type.k === "host") return hostType(lw, d.name);
  return init.type;
}

function returnStatement(lw: Lowerer, node: ts.ReturnStatement): Stmt[] {
  const loc = lw.loc(node);
  const ret = lw.fn.ret;
  if (node.expression === undefined) {
    const bare: { k: "return"; loc: Stmt["loc"]; value: Expr | undefined } = {
      k: "return",
      loc,
      value: undefined,
    };
    if (ret === undefined) lw.fn.returns.push({ stmt: bare, node });
    return [bare];
  }
  if (ret?.k === "void") {
    return [...expressionStatement(lw, node.expression), { k: "return", loc, value: undefined }];
  }
  const stmt: { k: "return"; loc: Stmt["loc"]; value: Expr | undefined } = {
    k: "return",
    loc,
    value: lw.returned(node.expression, ret),
  };
  if (ret === undefined) lw.fn.returns.push({ stmt, node: node.expression });
  return [stmt];
}

function throwStatement(lw: Lowerer, node: ts.ThrowStatement): Stmt[] {
  const e = skipParentheses(node.expression);
  const loc = lw.loc(node);
  if (ts.isNewExpression(e) && ts.isIdentifier(e.expression) && e.expression.text === "Error") {
    const message = e.arguments?.[0];
    if (message === undefined) return [{ k: "throw", loc, message: "", rethrow: undefined }];
    if (ts.isStringLiteralLike(message)) {
      lw.raw(message); // ASCII check
      return [{ k: "throw", loc, message: message.text, rethrow: undefined }];
    }
    return lw.ctx.fail(
      "TMC1122",
      message,
      "the message of an error is a literal",
      "put the details in a field of your own, or log them",
    );
  }
  if (ts.isIdentifier(e)) {
    const value = lw.raw(e);
    if (value.k === "local" && value.type.k === "object" && value.type.decl === "tmc/core#Trap") {
      return [{ k: "throw", loc, message: "", rethrow: value.v }];
    }
  }
  return lw.ctx.fail(
    "TMC1122",
    node,
    "only errors are thrown",
    'write `throw new Error("…")`, or `throw e` of a caught error',
  );
}

function tryStatement(lw: Lowerer, node: ts.TryStatement): Stmt[] {
  const body = tryCatch(lw, node);
  if (node.finallyBlock === undefined) return body;
  for (const jump of jumpsOut(node.finallyBlock)) {
    const what = ts.isReturnStatement(jump) ? "return" : ts.isBreakStatement(jump) ? "break" : "continue";
    lw.ctx.report(
      "TMC1160",
      jump,
      `this \`${what}\` would leave the \`finally\`, and forget the error or the value that is under way`,
      "do it after the `try`, or in the `catch`",
    );
  }
  const finalizer = lw.statements(node.finallyBlock.statements);
  return [{ k: "finally", loc: lw.loc(node), body, finalizer }];
}

/** The `return`, `break` and `continue` statements inside a node whose target is outside of it. */
function jumpsOut(node: ts.Node): ts.Statement[] {
  const found: ts.Statement[] = [];
  const visit = (n: ts.Node, inLoop: boolean, inSwitch: boolean, labels: readonly string[]): void => {
    if (ts.isFunctionLike(n) || ts.isClassLike(n)) return;
    if (ts.isReturnStatement(n)) found.push(n);
    if (ts.isBreakStatement(n) || ts.isContinueStatement(n)) {
      const stays =
        n.label !== undefined
          ? labels.includes(n.label.text)
          : inLoop || (ts.isBreakStatement(n) && inSwitch);
      if (!stays) found.push(n);
    }
    const loop = inLoop || ts.isIterationStatement(n, false);
    const cases = inSwitch || ts.isSwitchStatement(n);
    const known = ts.isLabeledStatement(n) ? [...labels, n.label.text] : labels;
    ts.forEachChild(n, (c) => visit(c, loop, cases, known));
  };
  visit(node, false, false, []);
  return found;
}

function tryCatch(lw: Lowerer, node: ts.TryStatement): Stmt[] {
  const loc = lw.loc(node);
  const body = lw.statements(node.tryBlock.statements);
  const clause = node.catchClause;
  if (clause === undefined) return body;
  let v: LocalVar | undefined;
  const name = clause.variableDeclaration?.name;
  if (name !== undefined) {
    if (!ts.isIdentifier(name))
      return lw.ctx.fail("TMC1003", name, "destructuring is not supported yet", "name the error");
    v = lw.declareLocal(name, { k: "object", decl: "tmc/core#Trap", args: [] }, false);
  }
  return [{ k: "try", loc, body, v, handler: lw.statements(clause.block.statements) }];
}

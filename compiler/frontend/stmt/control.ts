/** if, loops, switch, break, continue, labels. */
import { ts } from "ts-morph";
import { findField, findMethod } from "../../ir/hierarchy.js";
import type { Expr, FuncDecl, LocalVar, Stmt, SwitchCase } from "../../ir/nodes.js";
import { isFloat, num, substitute, typeName, VOID, type Type } from "../../ir/types.js";
import { hostType } from "../host-type.js";
import { onStmt, type Lowerer } from "../lowerer.js";
import { variables } from "./simple.js";

const K = ts.SyntaxKind;

export function registerControl(): void {
  onStmt(K.IfStatement, ts.isIfStatement, (lw, node) => {
    const test = lw.condition(node.expression);
    const then = lw.body(node.thenStatement);
    return [
      {
        k: "if",
        loc: lw.loc(node),
        test,
        then,
        else: node.elseStatement === undefined ? [] : lw.body(node.elseStatement),
      },
    ];
  });
  onStmt(K.WhileStatement, ts.isWhileStatement, (lw, node, label) => [
    {
      k: "for",
      loc: lw.loc(node),
      label,
      init: [],
      test: lw.condition(node.expression),
      update: undefined,
      body: lw.body(node.statement),
    },
  ]);
  onStmt(K.DoStatement, ts.isDoStatement, (lw, node, label) => {
    const body = lw.body(node.statement);
    return [{ k: "doWhile", loc: lw.loc(node), label, body, test: lw.condition(node.expression) }];
  });
  onStmt(K.ForStatement, ts.isForStatement, forStatement);
  onStmt(K.ForOfStatement, ts.isForOfStatement, forOf);
  onStmt(K.SwitchStatement, ts.isSwitchStatement, switchStatement);
  onStmt(K.LabeledStatement, ts.isLabeledStatement, (lw, node) =>
    ts.isIterationStatement(node.statement, false)
      ? lw.statement(node.statement, node.label.text)
      : lw.ctx.fail(
          "TMC1002",
          node.label,
          "a label of something other than a loop is not part of the subset",
          "put the statements into a function and `return` from it",
        ),
  );
  onStmt(K.BreakStatement, ts.isBreakStatement, (lw, node) => [
    { k: "break", loc: lw.loc(node), label: node.label?.text },
  ]);
  onStmt(K.ContinueStatement, ts.isContinueStatement, (lw, node) => [
    { k: "continue", loc: lw.loc(node), label: node.label?.text },
  ]);
}

function forStatement(lw: Lowerer, node: ts.ForStatement, label: string | undefined): Stmt[] {
  const loc = lw.loc(node);
  let init: Stmt[] = [];
  if (node.initializer !== undefined) {
    init = ts.isVariableDeclarationList(node.initializer)
      ? variables(lw, node.initializer)
      : [{ k: "expr", loc, e: lw.raw(node.initializer, VOID) }];
  }
  const test = node.condition === undefined ? undefined : lw.condition(node.condition);
  const update = node.incrementor === undefined ? undefined : lw.raw(node.incrementor, VOID);
  return [{ k: "for", loc, label, init, test, update, body: lw.body(node.statement) }];
}

function forOf(lw: Lowerer, node: ts.ForOfStatement, label: string | undefined): Stmt[] {
  const loc = lw.loc(node);
  if (!ts.isVariableDeclarationList(node.initializer)) {
    return lw.ctx.fail(
      "TMC1132",
      node.initializer,
      "declare the variable in the loop",
      "write `for (const x of …)`",
    );
  }
  const d = node.initializer.declarations[0];
  if (d === undefined || !ts.isIdentifier(d.name)) {
    return lw.ctx.fail(
      "TMC1003",
      node.initializer,
      "destructuring is not supported yet",
      "take the element and read its parts",
    );
  }
  const of = lw.raw(node.expression);
  const found = iteration(lw, of, node.expression, d);
  const v: LocalVar = lw.declareLocal(d.name, found.elem, false);
  return [
    {
      k: "forOf",
      loc,
      label,
      v,
      of,
      get: found.get,
      lengthOf: found.lengthOf,
      body: lw.body(node.statement),
    },
  ];
}

function iteration(
  lw: Lowerer,
  of: Expr,
  node: ts.Expression,
  d: ts.VariableDeclaration,
): { elem: Type; get: FuncDecl | undefined; lengthOf: "array" | "field" | "method" | "host" } {
  const t = of.type;
  if (t.k === "array") return { elem: t.elem, get: undefined, lengthOf: "array" };
  if (t.k === "host") return { elem: hostType(lw, d.name), get: undefined, lengthOf: "host" };
  if (t.k === "nullable")
    return lw.ctx.fail("TMC1204", node, "this may be null", "test it first: `if (x !== null)`");
  if (t.k === "object") {
    const get = findMethod(lw.ctx.classes, t, "get");
    const lengthField = findField(lw.ctx.classes, t, "length");
    const lengthMethod = findMethod(lw.ctx.classes, t, "length");
    if (get?.f.params.length === 1 && (lengthField !== undefined || lengthMethod?.f.isGetter === true)) {
      const elem = substitute(lw.ctx.returnType(get.f, node), get.map);
      return { elem, get: get.f, lengthOf: lengthField !== undefined ? "field" : "method" };
    }
  }
  return lw.ctx.fail(
    "TMC1133",
    node,
    `\`${typeName(t)}\` cannot be iterated`,
    "iterate over an array, or give the class `length` and `get(i)`",
  );
}

function switchStatement(lw: Lowerer, node: ts.SwitchStatement): Stmt[] {
  let subject = lw.raw(node.expression);
  const t = subject.type;
  if (t.k === "num" && isFloat(t.n)) {
    return lw.ctx.fail(
      "TMC1134",
      node.expression,
      "a `switch` compares exactly: not on floats",
      "write `if`, or convert: `i32(x)`",
    );
  }
  if (t.k !== "num" && t.k !== "string" && t.k !== "literals" && t.k !== "bool") {
    return lw.ctx.fail(
      "TMC1134",
      node.expression,
      `a \`switch\` works on integers and strings, not on \`${typeName(t)}\``,
      "write `if`",
    );
  }
  if (t.k === "num" && t.n !== "u32") subject = lw.coerce(subject, num("i32"), node.expression);
  // The tests compare with the declared type, whatever narrowing says inside the cases.
  const type = subject.type;
  const cases: SwitchCase[] = [];
  let tests: Expr[] = [];
  let isDefault = false;
  const clauses = node.caseBlock.clauses;
  clauses.forEach((clause, i) => {
    if (ts.isDefaultClause(clause)) isDefault = true;
    else tests.push(caseTest(lw, clause, type));
    const last = i === clauses.length - 1;
    if (clause.statements.length === 0 && !last) return;
    const body = stripBreak(clause.statements);
    if (body.falls && !last) {
      lw.ctx.report(
        "TMC1135",
        clause,
        "this case falls through into the next",
        "end it with `break`, or return",
      );
    }
    cases.push({ tests, isDefault, body: lw.statements(body.statements) });
    tests = [];
    isDefault = false;
  });
  if (!cases.some((c) => c.isDefault) && type.k === "literals") {
    const covered = new Set(cases.flatMap((c) => c.tests.map((e) => (e.k === "literal" ? e.value : ""))));
    const missing = type.values.filter((v) => !covered.has(v));
    if (missing.length > 0) {
      lw.ctx.report(
        "TMC1136",
        node.expression,
        `this switch does not cover ${missing.map((m) => JSON.stringify(m)).join(", ")}`,
        "add the cases, or a `default`",
      );
    }
  }
  return [{ k: "switch", loc: lw.loc(node), subject, cases }];
}

function caseTest(lw: Lowerer, clause: ts.CaseClause, type: Type): Expr {
  const e = lw.expr(clause.expression, type);
  if (e.k === "num" || e.k === "str" || e.k === "literal" || e.k === "bool") return e;
  return lw.ctx.fail("TMC1137", clause.expression, "a case must be a constant", "write `if`");
}

/** The statements without the `break` that ends them; `falls`: control can reach the next case. */
function stripBreak(list: readonly ts.Statement[]): { statements: readonly ts.Statement[]; falls: boolean } {
  const last = list.at(-1);
  if (last === undefined) return { statements: [], falls: false };
  if (ts.isBreakStatement(last) && last.label === undefined)
    return { statements: list.slice(0, -1), falls: false };
  if (ts.isBlock(last)) {
    const inner = stripBreak(last.statements);
    const statements =
      inner.statements === last.statements ? list : [...list.slice(0, -1), ...inner.statements];
    // A block of one clause keeps its scope: names of two cases never meet, each case is a scope of its own.
    return { statements, falls: inner.falls };
  }
  return { statements: list, falls: !ends(last) };
}

/** True when control never leaves the statement at its end. */
function ends(s: ts.Statement): boolean {
  if (
    ts.isReturnStatement(s) ||
    ts.isThrowStatement(s) ||
    ts.isContinueStatement(s) ||
    ts.isBreakStatement(s)
  )
    return true;
  if (ts.isBlock(s)) {
    const last = s.statements.at(-1);
    return last !== undefined && ends(last);
  }
  if (ts.isIfStatement(s))
    return s.elseStatement !== undefined && ends(s.thenStatement) && ends(s.elseStatement);
  if (ts.isSwitchStatement(s)) {
    const clauses = s.caseBlock.clauses;
    return (
      clauses.some(ts.isDefaultClause) &&
      clauses.every(
        (c) =>
          c.statements.length === 0 ||
          c.statements.some((x) => ts.isReturnStatement(x) || ts.isThrowStatement(x)),
      )
    );
  }
  return false;
}

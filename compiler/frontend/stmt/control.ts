/** if, loops, switch, break, continue, labels. */
import { ts } from "ts-morph";
import { findField, findMethod } from "../../ir/hierarchy.js";
import { isMapOrSet } from "../../ir/map-type.js";
import { mapIteration } from "../expr/maps.js";
import { skipParentheses } from "../syntax.js";
import { forOfMap } from "./map-loop.js";
import type { Expr, FuncDecl, LocalVar, Stmt, SwitchCase } from "../../ir/nodes.js";
import { isBig, isFloat, num, substitute, typeName, VOID, type Type } from "../../ir/types.js";
import { hostType } from "../host-type.js";
import { onStmt, type Lowerer } from "../lowerer.js";
import { entriesLoop } from "./array-entries.js";
import { declarePattern } from "./patterns.js";
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
  if (d === undefined)
    return lw.ctx.fail(
      "TMC1132",
      node.initializer,
      "declare the variable in the loop",
      "write `for (const x of …)`",
    );
  const entries = entriesLoop(lw, node, d.name, label);
  if (entries !== undefined) return entries;
  const overMap = mapIteration(lw, skipParentheses(node.expression));
  const of = overMap?.map ?? lw.raw(node.expression);
  if (isMapOrSet(of.type)) return forOfMap(lw, node, label, d.name, of, overMap?.over);
  const found = iteration(lw, of, node.expression, d);
  const parts: Stmt[] = [];
  let v: LocalVar;
  if (ts.isIdentifier(d.name)) v = lw.declareLocal(d.name, found.elem, false);
  else {
    v = lw.newLocal(`item${lw.fn.nextId}`, found.elem, false);
    declarePattern(lw, d.name, { k: "local", type: v.type, loc, v }, parts);
  }
  return [
    {
      k: "forOf",
      loc,
      label,
      v,
      of,
      get: found.get,
      lengthOf: found.lengthOf,
      body: [...parts, ...lw.body(node.statement)],
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
  if (t.k === "num" && t.n !== "u32" && !isBig(t.n))
    subject = lw.coerce(subject, num("i32"), node.expression);
  // The tests compare with the declared type, whatever narrowing says inside the cases.
  const type = subject.type;
  const cases: SwitchCase[] = [];
  let tests: Expr[] = [];
  let isDefault = false;
  const clauses = node.caseBlock.clauses;
  checkScopes(lw, clauses);
  const seen = new Set<unknown>();
  clauses.forEach((clause, i) => {
    if (ts.isDefaultClause(clause)) isDefault = true;
    else {
      lw.ctx.guard(() => {
        const test = caseTest(lw, clause, type);
        if (seen.has(test.value))
          lw.ctx.fail("TMC1149", clause.expression, "this case stands twice", "remove one of them");
        seen.add(test.value);
        tests.push(test);
      });
    }
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
    cases.push({ tests, isDefault, body: caseBody(lw, body) });
    tests = [];
    isDefault = false;
  });
  if (!cases.some((c) => c.isDefault)) {
    const missing = uncovered(lw, node.expression, type, seen);
    if (missing.length > 0) {
      lw.ctx.report(
        "TMC1136",
        node.expression,
        `this switch does not cover ${missing.join(", ")}`,
        "add the cases, or a `default`",
      );
    }
  }
  return [{ k: "switch", loc: lw.loc(node), subject, cases }];
}

/** The members of a string-literal union or an enum that no case names, as a user writes them. */
function uncovered(lw: Lowerer, node: ts.Expression, type: Type, seen: ReadonlySet<unknown>): string[] {
  if (type.k === "literals") return type.values.filter((v) => !seen.has(v)).map((v) => JSON.stringify(v));
  const t = lw.ctx.checker.getTypeAtLocation(node);
  const members = t.isUnion() ? t.types : [t];
  if (!members.every((m) => (m.flags & ts.TypeFlags.EnumLiteral) !== 0 && m.isNumberLiteral())) return [];
  return members
    .filter((m) => m.isNumberLiteral() && !seen.has(m.value))
    .map((m) => `\`${lw.ctx.checker.typeToString(m)}\``);
}

/** The cases of a switch share one scope in JavaScript; here each is a scope of its own. */
function checkScopes(lw: Lowerer, clauses: readonly ts.CaseOrDefaultClause[]): void {
  const home = new Map<ts.Node, ts.CaseOrDefaultClause>();
  for (const clause of clauses) {
    for (const s of clause.statements) {
      if (ts.isVariableStatement(s)) for (const d of s.declarationList.declarations) home.set(d, clause);
    }
  }
  if (home.size === 0) return;
  for (const clause of clauses) {
    const visit = (n: ts.Node): void => {
      if (ts.isIdentifier(n)) {
        const declaration = lw.ctx.checker.getSymbolAtLocation(n)?.declarations?.[0];
        const at = declaration === undefined ? undefined : home.get(declaration);
        if (at !== undefined && at !== clause) {
          lw.ctx.report(
            "TMC1148",
            n,
            `\`${n.text}\` is declared in another case, and has no value here`,
            "declare it before the switch",
          );
        }
      }
      ts.forEachChild(n, visit);
    };
    visit(clause);
  }
}

type Constant = Extract<Expr, { k: "num" | "big" | "str" | "literal" | "bool" }>;

function caseTest(lw: Lowerer, clause: ts.CaseClause, type: Type): Constant {
  const text = skipParentheses(clause.expression);
  if (type.k === "literals" && ts.isStringLiteralLike(text) && !type.values.includes(text.text))
    return lw.ctx.fail(
      "TMC1201",
      clause.expression,
      `the value is \`${typeName(type)}\` here: this case never happens`,
      "remove it, or correct the text",
    );
  const e = lw.expr(clause.expression, type);
  if (e.k === "num" || e.k === "big" || e.k === "str" || e.k === "literal" || e.k === "bool") return e;
  return lw.ctx.fail("TMC1137", clause.expression, "a case must be a constant", "write `if`");
}

interface CaseStatements {
  readonly statements: readonly ts.Statement[];
  /** What the block at the end holds, without its `break`; undefined when there is none. */
  readonly block: readonly ts.Statement[] | undefined;
  /** Control can reach the next case. */
  readonly falls: boolean;
}

/** The statements without the `break` that ends them. */
function stripBreak(list: readonly ts.Statement[]): CaseStatements {
  const last = list.at(-1);
  const before = list.slice(0, -1);
  if (last === undefined) return { statements: [], block: undefined, falls: false };
  if (ts.isBreakStatement(last) && last.label === undefined)
    return { statements: before, block: undefined, falls: false };
  if (ts.isBlock(last)) {
    const end = last.statements.at(-1);
    const breaks = end !== undefined && ts.isBreakStatement(end) && end.label === undefined;
    const inner = breaks ? last.statements.slice(0, -1) : last.statements;
    return { statements: before, block: inner, falls: !breaks && !ends(last) };
  }
  return { statements: list, block: undefined, falls: !ends(last) };
}

function caseBody(lw: Lowerer, c: CaseStatements): Stmt[] {
  const body = lw.statements(c.statements);
  if (c.block === undefined) return body;
  const inner = lw.statements(c.block);
  const first = inner[0];
  if (body.length === 0 || first === undefined) return [...body, ...inner];
  // Beside other statements the block keeps its scope.
  return [...body, { k: "block", loc: first.loc, body: inner }];
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
  if (ts.isTryStatement(s))
    return ends(s.tryBlock) && (s.catchClause === undefined || ends(s.catchClause.block));
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

/** The identifiers that C code mentions, to leave out functions and data that nothing uses. */
import type { CExpr, CInit, CStmt } from "./c-ast.js";

export function initReferences(i: CInit | undefined, found: Set<string>): void {
  if (i === undefined || i.k === "bytes") return;
  if (i.k === "list") for (const x of i.items) initReferences(x.value, found);
  else exprReferences(i, found);
}

function exprReferences(e: CExpr, found: Set<string>): void {
  switch (e.k) {
    case "id":
      found.add(e.name);
      return;
    case "lit":
    case "str":
      return;
    case "unary":
    case "cast":
    case "note":
      exprReferences(e.arg, found);
      return;
    case "binary":
      exprReferences(e.l, found);
      exprReferences(e.r, found);
      return;
    case "cond":
      exprReferences(e.test, found);
      exprReferences(e.then, found);
      exprReferences(e.else, found);
      return;
    case "call":
      exprReferences(e.fn, found);
      for (const a of e.args) exprReferences(a, found);
      return;
    case "member":
      exprReferences(e.obj, found);
      return;
    case "index":
      exprReferences(e.obj, found);
      exprReferences(e.index, found);
      return;
    case "compound":
      initReferences(e.init, found);
      return;
  }
}

/** What an assignment to an element or to members of a variable reads. */
function targetReads(e: CExpr, found: Set<string>): void {
  if (e.k === "index" && e.obj.k === "id") exprReferences(e.index, found);
  else if (e.k === "member" && !e.arrow) targetReads(e.obj, found);
  else if (e.k !== "id") exprReferences(e, found);
}

/** Which assignments do not count: those to a variable, also those to elements and members of it, none. */
export type Unread = "variables" | "parts" | undefined;

export function stmtReferences(body: readonly CStmt[], found: Set<string>, unread?: Unread): void {
  for (const s of body) {
    switch (s.k) {
      case "decl":
        initReferences(s.init, found);
        break;
      case "expr":
        exprReferences(s.e, found);
        break;
      case "assign":
        if (unread === "parts") targetReads(s.target, found);
        else if (unread === undefined || s.target.k !== "id") exprReferences(s.target, found);
        exprReferences(s.value, found);
        break;
      case "if":
        exprReferences(s.test, found);
        stmtReferences(s.then, found, unread);
        stmtReferences(s.else, found, unread);
        break;
      case "for":
        if (s.init !== undefined) stmtReferences([s.init], found, unread);
        if (s.test !== undefined) exprReferences(s.test, found);
        if (s.update !== undefined) stmtReferences([s.update], found, unread);
        stmtReferences(s.body, found, unread);
        break;
      case "while":
      case "doWhile":
        exprReferences(s.test, found);
        stmtReferences(s.body, found, unread);
        break;
      case "switch":
        exprReferences(s.subject, found);
        for (const x of s.cases) {
          for (const t of x.tests) exprReferences(t, found);
          stmtReferences(x.body, found, unread);
        }
        break;
      case "return":
        if (s.value !== undefined) exprReferences(s.value, found);
        break;
      case "block":
        stmtReferences(s.body, found, unread);
        break;
      default:
    }
  }
}

/** The same C text, apart from comments. */
export const sameExpr = (a: CExpr, b: CExpr): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

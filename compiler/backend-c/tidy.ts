/**
 * Last touch on a function's C: declarations that nothing uses go (known objects and constants are named directly,
 * which leaves variables behind), or get `(void)x;` when their initialiser has effects. Keeps -Wunused silent.
 */
import { cast, id, type CExpr, type CInit, type CStmt } from "./c-ast.js";
import { stmtReferences, type Unread } from "./c-references.js";

/** Can the initialiser be dropped without a difference? */
function isDroppable(i: CInit | undefined): boolean {
  if (i === undefined || i.k === "bytes") return true;
  if (i.k === "list") return i.items.every((x) => isDroppable(x.value));
  return isDroppableExpr(i);
}

/** Has the expression no effect, so that it need not be evaluated? */
export function isDroppableExpr(e: CExpr): boolean {
  switch (e.k) {
    case "id":
    case "lit":
    case "str":
      return true;
    case "unary":
    case "cast":
    case "note":
      return isDroppableExpr(e.arg);
    case "binary":
      return isDroppableExpr(e.l) && isDroppableExpr(e.r);
    case "cond":
      return isDroppableExpr(e.test) && isDroppableExpr(e.then) && isDroppableExpr(e.else);
    case "member":
      return isDroppableExpr(e.obj);
    case "index":
      return isDroppableExpr(e.obj) && isDroppableExpr(e.index);
    case "compound":
      return isDroppable(e.init);
    case "call":
      return false;
  }
}

/** The names that statements read; an assignment to a variable does not read it. */
function reads(body: readonly CStmt[], unread: Unread = "variables"): Set<string> {
  const found = new Set<string>();
  stmtReferences(body, found, unread);
  return found;
}

export function tidy(body: readonly CStmt[]): CStmt[] {
  const out: CStmt[] = [];
  for (let i = body.length - 1; i >= 0; i--) {
    const s = body[i];
    if (s === undefined) continue;
    if (s.k !== "decl") {
      out.unshift(inside(s));
      continue;
    }
    // Compilers see arrays and structs of which elements are only written.
    if (reads(out, s.init === undefined ? "parts" : "variables").has(s.name)) {
      out.unshift(s);
      continue;
    }
    const all = new Set<string>();
    stmtReferences(out, all);
    if (!all.has(s.name) && isDroppable(s.init)) continue;
    out.unshift(s, { k: "expr", e: cast("void", id(s.name)) });
  }
  return out;
}

function inside(s: CStmt): CStmt {
  switch (s.k) {
    case "if":
      return { ...s, then: tidy(s.then), else: tidy(s.else) };
    case "for":
    case "while":
    case "doWhile":
    case "block":
      return { ...s, body: tidy(s.body) };
    case "switch":
      return { ...s, cases: s.cases.map((x) => ({ ...x, body: tidy(x.body) })) };
    default:
      return s;
  }
}

/** `(void)p;` for the parameters that a body does not use. */
export function unusedParameters(names: readonly string[], body: readonly CStmt[]): CStmt[] {
  const used = reads(body);
  return names.filter((n) => !used.has(n)).map((n): CStmt => ({ k: "expr", e: cast("void", id(n)) }));
}

/**
 * Methods of classes with one object name that object directly and do not look at `self`: the parameter goes, and the
 * argument at every call with it. Functions whose address is taken keep theirs.
 */
import type { CExpr, CFunction, CInit, CStmt } from "./c-ast.js";
import { stmtReferences } from "./c-references.js";
import { isDroppableExpr } from "./tidy.js";

type Rewrite = (e: CExpr) => CExpr;

function mapInit(i: CInit, f: Rewrite): CInit {
  if (i.k === "bytes") return i;
  if (i.k !== "list") return mapExpr(i, f);
  return { ...i, items: i.items.map((x) => ({ ...x, value: mapInit(x.value, f) })) };
}

/** Children first. */
function mapExpr(e: CExpr, f: Rewrite): CExpr {
  const at = (x: CExpr): CExpr => mapExpr(x, f);
  switch (e.k) {
    case "id":
    case "lit":
    case "str":
      return f(e);
    case "unary":
    case "cast":
    case "note":
      return f({ ...e, arg: at(e.arg) });
    case "binary":
      return f({ ...e, l: at(e.l), r: at(e.r) });
    case "cond":
      return f({ ...e, test: at(e.test), then: at(e.then), else: at(e.else) });
    case "call":
      return f({ ...e, fn: at(e.fn), args: e.args.map(at) });
    case "member":
      return f({ ...e, obj: at(e.obj) });
    case "index":
      return f({ ...e, obj: at(e.obj), index: at(e.index) });
    case "compound": {
      const init = mapInit(e.init, f);
      return f(init.k === "list" ? { ...e, init } : e);
    }
  }
}

function mapStmts(body: readonly CStmt[], f: Rewrite): CStmt[] {
  return body.map((s) => mapStmt(s, f));
}

function mapStmt(s: CStmt, f: Rewrite): CStmt {
  const at = (x: CExpr): CExpr => mapExpr(x, f);
  switch (s.k) {
    case "decl":
      return s.init === undefined ? s : { ...s, init: mapInit(s.init, f) };
    case "expr":
      return { ...s, e: at(s.e) };
    case "assign":
      return { ...s, target: at(s.target), value: at(s.value) };
    case "if":
      return { ...s, test: at(s.test), then: mapStmts(s.then, f), else: mapStmts(s.else, f) };
    case "for":
      return {
        ...s,
        init: s.init === undefined ? undefined : mapStmt(s.init, f),
        test: s.test === undefined ? undefined : at(s.test),
        update: s.update === undefined ? undefined : mapStmt(s.update, f),
        body: mapStmts(s.body, f),
      };
    case "while":
    case "doWhile":
      return { ...s, test: at(s.test), body: mapStmts(s.body, f) };
    case "switch":
      return {
        ...s,
        subject: at(s.subject),
        cases: s.cases.map((c) => ({ ...c, body: mapStmts(c.body, f) })),
      };
    case "return":
      return s.value === undefined ? s : { ...s, value: at(s.value) };
    case "block":
      return { ...s, body: mapStmts(s.body, f) };
    default:
      return s;
  }
}

const ignores = (s: CStmt): boolean =>
  s.k === "expr" && s.e.k === "cast" && s.e.type === "void" && s.e.arg.k === "id" && s.e.arg.name === "self";

const names = new WeakMap<readonly CStmt[], ReadonlySet<string>>();

/** What the body mentions, `(void)self;` left out. */
function namesIn(body: readonly CStmt[]): ReadonlySet<string> {
  const known = names.get(body);
  if (known !== undefined) return known;
  const found = new Set<string>();
  stmtReferences(
    body.filter((s) => !ignores(s)),
    found,
  );
  names.set(body, found);
  return found;
}

const usesSelf = (f: CFunction): boolean => namesIn(f.body).has("self");

const otherMentions = new WeakMap<readonly CStmt[], readonly string[]>();

/** Names that the body mentions beside calls whose first argument can be left out. */
function mentionsIn(body: readonly CStmt[]): readonly string[] {
  const known = otherMentions.get(body);
  if (known !== undefined) return known;
  const mentions = new Map<string, number>();
  const add = (name: string, n: number): void => void mentions.set(name, (mentions.get(name) ?? 0) + n);
  mapStmts(body, (e) => {
    if (e.k === "id") add(e.name, 1);
    const first = e.k === "call" ? e.args[0] : undefined;
    if (e.k === "call" && e.fn.k === "id" && first !== undefined && isDroppableExpr(first))
      add(e.fn.name, -1);
    return e;
  });
  const found = [...mentions].filter(([, n]) => n > 0).map(([name]) => name);
  otherMentions.set(body, found);
  return found;
}

/** Names that occur in another way than as the function of a call whose first argument can be left out. */
function kept(functions: readonly CFunction[], mentionedByData: ReadonlySet<string>): Set<string> {
  const found = new Set(mentionedByData);
  for (const f of functions) {
    for (const name of mentionsIn(f.body)) found.add(name);
  }
  return found;
}

/** @param mentionedByData names of functions that static data refers to. */
export function dropUnusedSelf(
  functions: readonly CFunction[],
  mentionedByData: ReadonlySet<string>,
): CFunction[] {
  let current = [...functions];
  for (;;) {
    const stay = kept(current, mentionedByData);
    const drop = new Set(
      current
        .filter(
          (f) => f.storage === "static" && f.params[0]?.name === "self" && !stay.has(f.name) && !usesSelf(f),
        )
        .map((f) => f.name),
    );
    if (drop.size === 0) return current;
    current = current.map((f) => {
      const calls = [...drop].some((name) => namesIn(f.body).has(name));
      const body = !calls
        ? f.body
        : mapStmts(f.body, (e) =>
            e.k === "call" && e.fn.k === "id" && drop.has(e.fn.name) ? { ...e, args: e.args.slice(1) } : e,
          );
      if (!drop.has(f.name)) return { ...f, body: refreshed(f, body) };
      return { ...f, params: f.params.slice(1), body: body.filter((s) => !ignores(s)) };
    });
  }
}

/** `(void)self;` where the calls were the only use of it. */
function refreshed(f: CFunction, body: readonly CStmt[]): readonly CStmt[] {
  if (f.params[0]?.name !== "self" || body.some(ignores) || usesSelf({ ...f, body })) return body;
  return [{ k: "expr", e: { k: "cast", type: "void", arg: { k: "id", name: "self" } } }, ...body];
}

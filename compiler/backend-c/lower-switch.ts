/** `switch`: a C switch over integers and literals, an if chain over the rest. */
import type { LocalVar, Stmt } from "../ir/nodes.js";
import { isInteger } from "../ir/types.js";
import { binary, type CStmt } from "./c-ast.js";
import { printExpr } from "./c-print.js";
import type { FuncContext } from "./func-context.js";
import { value } from "./lower-expr.js";
import { endsInJump, enterLoop, leaveLoop } from "./lower-jump.js";
import { lowerStmts } from "./lower-stmt.js";

type Switch = Extract<Stmt, { k: "switch" }>;

export function lowerSwitch(c: FuncContext, s: Switch): void {
  const t = s.subject.type;
  const integral = t.k === "literals" || (t.k === "num" && isInteger(t.n));
  if (integral) lowerIntegerSwitch(c, s);
  else lowerChainSwitch(c, s);
}

function lowerIntegerSwitch(c: FuncContext, s: Switch): void {
  const subject = value(c, s.subject);
  const scope = enterLoop(c, undefined, "switch", false);
  const seen = new Set<string>(); // a repeated test never matches, and C refuses it
  const cases = s.cases.map((k) => {
    const body = c.block(() => {
      lowerStmts(c, k.body);
    });
    if (!endsInJump(body)) body.push({ k: "break" });
    const tests = k.tests
      .map((x) => value(c, x))
      .filter((x) => !seen.has(printExpr(x)) && seen.add(printExpr(x)));
    return { tests, isDefault: k.isDefault, body };
  });
  // The frontend proved a switch over literals without default to be exhaustive.
  const subjectType = s.subject.type;
  const covered = s.cases.flatMap((k) => k.tests).length;
  const last = cases[cases.length - 1];
  if (
    subjectType.k === "literals" &&
    !cases.some((k) => k.isDefault) &&
    covered === subjectType.values.length &&
    last !== undefined
  ) {
    cases[cases.length - 1] = { ...last, isDefault: true };
  }
  c.emit({ k: "switch", subject, cases: cases.filter((k) => k.tests.length > 0 || k.isDefault) });
  leaveLoop(c, scope);
}

/** Strings, floats, booleans: an if chain. The default comes last whatever its place. */
function lowerChainSwitch(c: FuncContext, s: Switch): void {
  const type = s.subject.type;
  const subject = c.temp(c.type(type), value(c, s.subject), "subject");
  const v: LocalVar = { id: -1, name: "subject", type, mutable: false, captured: false };
  c.vars.set(v, { k: "value", place: subject });
  const scope = enterLoop(c, undefined, "chain", false);
  const lower = (i: number): CStmt[] => {
    const k = s.cases.filter((x) => x.tests.length > 0)[i];
    if (k === undefined) {
      const other = s.cases.find((x) => x.isDefault && x.tests.length === 0);
      return other === undefined ? [] : c.block(() => lowerStmts(c, other.body));
    }
    const tests = k.tests.map((x) =>
      value(c, {
        k: "compare",
        op: "eq",
        l: { k: "local", v, type, loc: x.loc },
        r: x,
        type: { k: "bool" },
        loc: x.loc,
      }),
    );
    const test = tests.reduce((a, b) => binary("||", a, b));
    const then = c.block(() => lowerStmts(c, k.body));
    if (k.isDefault && s.cases.filter((x) => x.tests.length > 0).length === i + 1) return then;
    return [{ k: "if", test, then, else: lower(i + 1) }];
  };
  c.append(lower(0));
  leaveLoop(c, scope);
}

/** `for (const [i, value] of array.entries())`: a counted loop, the length read on every turn. */
import { ts } from "ts-morph";
import type { Expr, Stmt } from "../../ir/nodes.js";
import { BOOL, I32 } from "../../ir/types.js";
import type { Lowerer } from "../lowerer.js";
import { declarePattern } from "./patterns.js";

/** Undefined when it is not that loop. */
export function entriesLoop(
  lw: Lowerer,
  node: ts.ForOfStatement,
  name: ts.BindingName,
  label: string | undefined,
): Stmt[] | undefined {
  const call = node.expression;
  if (!ts.isArrayBindingPattern(name) || !ts.isCallExpression(call) || call.arguments.length > 0)
    return undefined;
  const callee = call.expression;
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== "entries") return undefined;
  const { checker } = lw.ctx;
  const t = checker.getTypeAtLocation(callee.expression);
  if (!checker.isArrayType(t) && t.getProperty("subarray") === undefined) return undefined;
  const of = lw.raw(callee.expression);
  if (of.type.k !== "array") return undefined;
  const { elem } = of.type;
  const loc = lw.loc(node);
  const array = lw.newLocal(`entries${lw.fn.nextId}`, of.type, false);
  const i = lw.newLocal(`index${lw.fn.nextId}`, I32, true);
  const local = (v: typeof i): Expr => ({ k: "local", type: v.type, loc, v });
  const one: Expr = { k: "num", type: I32, loc, value: 1 };
  const parts: Stmt[] = [];
  const [key, value, ...more] = name.elements;
  if (
    more.length > 0 ||
    name.elements.some((e) => ts.isBindingElement(e) && e.dotDotDotToken !== undefined)
  ) {
    return lw.ctx.fail("TMC1124", name, "an entry has two parts: index and value", "write `[i, value]`");
  }
  const item: Expr = { k: "index", type: elem, loc, obj: local(array), index: local(i) };
  for (const [part, from] of [
    [key, local(i)],
    [value, item],
  ] as const) {
    if (part === undefined || !ts.isBindingElement(part)) continue;
    const at = lw.loc(part);
    if (ts.isIdentifier(part.name)) {
      const v = lw.declareLocal(part.name, from.type, false);
      parts.push({ k: "let", loc: at, v, init: from });
    } else {
      const v = lw.newLocal(`item${lw.fn.nextId}`, from.type, false);
      parts.push({ k: "let", loc: at, v, init: from });
      declarePattern(lw, part.name, { k: "local", type: v.type, loc: at, v }, parts);
    }
  }
  const loop: Stmt = {
    k: "for",
    loc,
    label,
    init: [{ k: "let", loc, v: i, init: { k: "num", type: I32, loc, value: 0 } }],
    test: {
      k: "compare",
      type: BOOL,
      loc,
      op: "lt",
      l: local(i),
      r: { k: "length", type: I32, loc, obj: local(array) },
    },
    update: {
      k: "update",
      type: I32,
      loc,
      target: { k: "local", type: I32, loc, v: i },
      compute: {
        k: "arith",
        type: I32,
        loc,
        op: "add",
        n: "i32",
        wrap: true,
        l: { k: "hole", type: I32, loc },
        r: one,
      },
      result: "new",
    },
    body: [...parts, ...lw.body(node.statement)],
  };
  return [{ k: "block", loc, body: [{ k: "let", loc, v: array, init: of }, loop] }];
}

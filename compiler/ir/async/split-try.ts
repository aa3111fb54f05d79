/**
 * `try`, `catch` and `finally` with a wait inside: where a trap goes, and which way control goes on after a finalizer.
 * The rest of the statements is in `split.ts`.
 */
import type { Expr, Loc, Stmt, SwitchCase } from "../nodes.js";
import { I32, STRING, type Type } from "../types.js";
import type { Block, Caught } from "./blocks.js";
import { assign, local, number } from "./make.js";
import type { FinallyScope, Splitter } from "./split.js";

function newCaught(s: Splitter): Caught {
  const { host } = s;
  const kinds: Type = {
    k: "literals",
    values: ["assert", "capacity", "division", "index", "null", "overflow", "stack", "throw"],
  };
  return {
    kind: host.newLocal("trap kind", kinds),
    site: host.newLocal("trap site", I32),
    message: host.newLocal("trap message", STRING),
  };
}

/** The block that a trap inside goes to; blocks made by `inside` have it as their handler. */
function guarded(
  s: Splitter,
  loc: Loc,
  inside: () => void,
): { readonly entry: Block; readonly caught: Caught } {
  const entry = s.block(loc);
  const caught = newCaught(s);
  const outer = s.handler;
  s.handler = { block: entry, caught };
  const first = s.block(loc);
  s.goto(first);
  s.enter(first);
  inside();
  s.handler = outer;
  return { entry, caught };
}

export function splitTry(s: Splitter, t: Extract<Stmt, { k: "try" }>): void {
  const after = s.block(t.loc);
  const { entry, caught } = guarded(s, t.loc, () => {
    s.list(t.body);
    s.goto(after);
  });
  if (t.v !== undefined) s.caughtBy.set(t.v, caught);
  s.enter(entry);
  s.list(t.handler);
  s.goto(after);
  s.enter(after);
}

export function splitFinally(s: Splitter, f: Extract<Stmt, { k: "finally" }>): void {
  const { loc } = f;
  const way = s.host.newLocal("way out", I32);
  const setWay = (n: number): void => s.emit(assign(local(way, loc), number(n, I32, loc)));
  const finalizer = s.block(loc);
  const after = s.block(loc);
  const scope: FinallyScope = { k: "finally", entry: finalizer, way, exits: [] };
  const { entry, caught } = guarded(s, loc, () => {
    s.scopes.push(scope);
    s.list(f.body);
    if (s.isOpen) setWay(0);
    s.goto(finalizer);
    s.scopes.pop();
  });
  s.enter(entry);
  setWay(1);
  s.goto(finalizer);
  s.enter(finalizer);
  s.list(f.finalizer);
  const ways = [0, 1, ...scope.exits.map((_, i) => i + 2)].map((n) => {
    const of: SwitchCase = { tests: [number(n, I32, loc)], isDefault: n === 0, body: [] };
    return { of, to: n === 0 ? after : s.block(loc) };
  });
  const subject: Expr = local(way, loc);
  s.end({ k: "switch", subject, cases: ways, other: after, loc });
  ways.slice(1).forEach(({ to }, i) => {
    s.enter(to);
    const exit = scope.exits[i - 1];
    if (exit !== undefined) s.jump(exit);
    else throwAgain(s, caught, loc);
  });
  s.enter(after);
}

function throwAgain(s: Splitter, caught: Caught, loc: Loc): void {
  const trap = s.host.newLocal("trap", s.host.trapType);
  s.caughtBy.set(trap, caught);
  s.emit({ k: "throw", loc, message: "", rethrow: trap });
  s.end({ k: "none" });
}

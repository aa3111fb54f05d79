/**
 * Which variables of an async function outlive a wait: they live in the frame. Others that several blocks use are
 * variables of the step, the rest stay where they are declared.
 */
import type { Expr, LocalVar, Stmt } from "../nodes.js";
import { declaredIn, walkExpr, walkStmts, type Visitor } from "../walk.js";
import { endExprs, successors, type Block, type Caught } from "./blocks.js";
import type { FarJump } from "./split.js";

export interface Homes {
  /** In the frame. */
  readonly kept: ReadonlySet<LocalVar>;
  /** Variables of the step, used by several blocks between two waits. */
  readonly shared: ReadonlySet<LocalVar>;
}

interface Facts {
  readonly used: Set<LocalVar>;
  readonly declared: Set<LocalVar>;
  readonly next: Block[];
  live: Set<LocalVar>;
}

/** The variables that an expression or statement mentions, those that lambdas capture included. */
function mention(use: (v: LocalVar) => void, far: (s: Stmt) => void): Visitor {
  return {
    expr: (e: Expr) => {
      if (e.k === "local") use(e.v);
      if ((e.k === "assign" || e.k === "update") && e.target.k === "local") use(e.target.v);
      if (e.k === "lambda") e.f.captures.forEach(use);
    },
    stmt: (s: Stmt) => {
      if (s.k === "throw" && s.rethrow !== undefined) use(s.rethrow);
      far(s);
    },
  };
}

function boundIn(e: Expr): LocalVar[] {
  const found: LocalVar[] = [];
  walkExpr(e, {
    expr: (x) => {
      if (x.k === "bind") found.push(x.v);
    },
  });
  return found;
}

/** @param always variables that are in the frame in any case. */
export function homes(
  blocks: readonly Block[],
  farJumps: ReadonlyMap<Stmt, FarJump>,
  caughtBy: ReadonlyMap<LocalVar, Caught>,
  always: ReadonlySet<LocalVar>,
): Homes {
  const facts = new Map<Block, Facts>();
  for (const b of blocks) {
    const f: Facts = { used: new Set(), declared: new Set(), next: [...successors(b)], live: new Set() };
    // What a `catch` was given is made again where it is used, from what is known of the trap.
    const use = (v: LocalVar): void => {
      const caught = caughtBy.get(v);
      for (const x of caught === undefined ? [v] : [caught.kind, caught.site, caught.message]) f.used.add(x);
    };
    const visitor: Visitor = mention(use, (s) => {
      const jump = farJumps.get(s);
      if (jump === undefined) return;
      if (jump.to !== undefined) f.next.push(jump.to);
      walkStmts(jump.before, visitor);
    });
    for (const e of b.polls) walkExpr(e, visitor);
    walkStmts(b.stmts, visitor);
    for (const e of endExprs(b)) walkExpr(e, visitor);
    for (const v of declaredIn(b.stmts)) f.declared.add(v);
    for (const e of endExprs(b)) for (const v of boundIn(e)) f.declared.add(v);
    if (b.handler !== undefined) f.next.push(b.handler.block);
    facts.set(b, f);
  }
  for (let changed = true; changed;) {
    changed = false;
    for (const b of [...blocks].reverse()) {
      const f = facts.get(b);
      if (f === undefined) continue;
      const live = new Set(f.used);
      for (const n of f.next) for (const v of facts.get(n)?.live ?? []) live.add(v);
      for (const v of f.declared) live.delete(v);
      if (live.size !== f.live.size) changed = true;
      f.live = live;
    }
  }
  const kept = new Set(always);
  // A trap in the middle of a step may find anything: with handlers, what blocks share is in the frame.
  const guarded = blocks.some((b) => b.handler !== undefined);
  const seen = new Map<LocalVar, Block>();
  const shared = new Set<LocalVar>();
  const share = (v: LocalVar, b: Block): void => {
    const first = seen.get(v);
    if (first === undefined) seen.set(v, b);
    else if (first !== b) shared.add(v);
  };
  for (const b of blocks) {
    const f = facts.get(b);
    if (f === undefined) continue;
    for (const v of [...f.used, ...f.declared]) share(v, b);
    const resumed = b.polls.length > 0 ? b : b.end?.k === "suspend" ? b.end.to : undefined;
    if (resumed !== undefined) for (const v of facts.get(resumed)?.live ?? []) kept.add(v);
  }
  if (guarded) for (const v of shared) kept.add(v);
  for (const v of kept) shared.delete(v);
  return { kept, shared };
}

/** Leaves out blocks that are never reached or do nothing, joins those that follow each other, and numbers the rest. */
import type { Stmt } from "../nodes.js";
import { walkStmts } from "../walk.js";
import { successors, type Block, type End } from "./blocks.js";
import type { FarJump } from "./split.js";

export function prune(all: readonly Block[], farJumps: Map<Stmt, FarJump>): Block[] {
  const [entry] = all;
  if (entry === undefined) return [];
  for (const b of all) if (b.end !== undefined) b.end = retarget(b.end, through);
  for (const [s, j] of farJumps) if (j.to !== undefined) farJumps.set(s, { ...j, to: through(j.to) });
  join(entry, farJumps);
  const reached = [...reachable(entry, farJumps).keys()].sort((a, b) => a.id - b.id);
  reached.forEach((b, i) => (b.id = i));
  return reached;
}

/** The block that control comes to, past those that only go on. */
function through(b: Block): Block {
  const seen = new Set<Block>();
  let at = b;
  while (!seen.has(at) && at.polls.length === 0 && at.stmts.length === 0 && at.end?.k === "goto") {
    seen.add(at);
    at = at.end.to;
  }
  return at;
}

function retarget(end: End, to: (b: Block) => Block): End {
  switch (end.k) {
    case "goto":
    case "suspend":
      return { ...end, to: to(end.to) };
    case "branch":
      return { ...end, then: to(end.then), else: to(end.else) };
    case "switch":
      return { ...end, cases: end.cases.map((c) => ({ ...c, to: to(c.to) })), other: to(end.other) };
    default:
      return end;
  }
}

/** Every block that control can come to, with the number of ways. */
function reachable(entry: Block, farJumps: ReadonlyMap<Stmt, FarJump>): Map<Block, number> {
  const ways = new Map<Block, number>();
  const queue: Block[] = [];
  const add = (b: Block): void => {
    if (!ways.has(b)) queue.push(b);
    ways.set(b, (ways.get(b) ?? 0) + 1);
  };
  add(entry);
  for (let b = queue.pop(); b !== undefined; b = queue.pop()) {
    successors(b).forEach(add);
    walkStmts(b.stmts, {
      stmt: (s) => {
        const to = farJumps.get(s)?.to;
        if (to !== undefined) add(to);
      },
    });
    // A handler begins a state of its own.
    if (b.handler !== undefined) {
      add(b.handler.block);
      add(b.handler.block);
    }
  }
  return ways;
}

function join(entry: Block, farJumps: ReadonlyMap<Stmt, FarJump>): void {
  const ways = reachable(entry, farJumps);
  for (const b of ways.keys()) {
    for (let end = b.end; end?.k === "goto"; end = b.end) {
      const { to } = end;
      if (to === b || to === entry || to.polls.length > 0 || to.handler !== b.handler || ways.get(to) !== 1)
        break;
      b.stmts.push(...to.stmts);
      b.end = to.end;
      // Nothing leads there any more.
      to.stmts.length = 0;
      to.end = { k: "none" };
    }
  }
}

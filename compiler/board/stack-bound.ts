/** The worst-case stack of an entry over a call graph: the deepest sum of frames. What it cannot know it says. */
import { UserError } from "../diagnostics/user-error.js";
import type { CallGraph } from "./call-graph.js";

export interface StackStep {
  /** C name. */
  readonly name: string;
  readonly frame: number;
}

export interface StackBound {
  /** C name of the entry. */
  readonly entry: string;
  /** Bytes of the deepest path. A lower bound when `gaps` is not empty. */
  readonly bytes: number;
  /** The deepest path, entry first. */
  readonly path: readonly StackStep[];
  /** Why the bound may be too small: one phrase each, sorted; empty = proven. */
  readonly gaps: readonly string[];
}

interface Depth {
  readonly bytes: number;
  readonly path: readonly StackStep[];
}

/**
 * @param indirectCalls by C name of the caller: the functions that its indirect calls can reach.
 * @throws UserError TMC4013 when compiled C functions call themselves in a circle.
 */
export function stackBound(
  graph: CallGraph,
  entry: string,
  indirectCalls: Readonly<Record<string, readonly string[]>>,
): StackBound {
  const gaps = new Set<string>();
  const known = new Map<string, Depth>();
  const active: string[] = [];
  const idsByName = new Map<string, string[]>();
  for (const [id, node] of graph) {
    idsByName.set(node.name, [...(idsByName.get(node.name) ?? []), id]);
  }
  /** All functions of that C name; static ones are in the graph by file. */
  const idsOf = (name: string): readonly string[] =>
    graph.has(name) ? [name] : (idsByName.get(name) ?? [name]);

  const depthOf = (target: string): Depth => {
    const id = idsOf(target)[0] ?? target;
    const before = known.get(id);
    if (before !== undefined) {
      return before;
    }
    const node = graph.get(id);
    if (node === undefined) {
      gaps.add(`${id}: not measured`);
      return { bytes: 0, path: [] };
    }
    const circle = active.indexOf(id);
    if (circle >= 0) {
      const members = active.slice(circle);
      if (members.every((member) => graph.get(member)?.from === "compiler")) {
        const names = [...members, id].map((member) => graph.get(member)?.name ?? member);
        throw new UserError(
          "TMC4013",
          `the stack has no bound: ${names.join(" → ")}`,
          "Break the circle of calls: use a loop and a bounded container.",
        );
      }
      gaps.add(`${node.name}: calls itself`);
      return { bytes: 0, path: [] };
    }
    active.push(id);
    if (!node.bounded) {
      gaps.add(`${node.name}: frame size decided at run time`);
    }
    const targets = [...node.calls];
    if (node.callsIndirectly) {
      const reachable = indirectCalls[node.name];
      if (reachable === undefined) {
        gaps.add(`${node.name}: indirect call, targets unknown`);
      }
      targets.push(...(reachable ?? []).flatMap(idsOf));
    }
    let deepest: Depth = { bytes: 0, path: [] };
    for (const target of targets) {
      const depth = depthOf(target);
      if (depth.bytes > deepest.bytes) {
        deepest = depth;
      }
    }
    active.pop();
    const result = {
      bytes: node.frame + deepest.bytes,
      path: [{ name: node.name, frame: node.frame }, ...deepest.path],
    };
    known.set(id, result);
    return result;
  };

  const { bytes, path } = depthOf(entry);
  return { entry, bytes, path, gaps: [...gaps].sort() };
}

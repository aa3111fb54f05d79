/** The worst-case stack of an entry over a call graph: the deepest sum of frames. What it cannot know it says. */
import { UserError } from "../diagnostics/user-error.js";
import { withoutCloneSuffix, type CallGraph } from "./call-graph.js";

export interface StackStep {
  /** C name, or "(interrupt)". */
  readonly name: string;
  readonly frame: number;
  /** The user's name and `file.ts:12`, where the symbol map has them. */
  readonly tsName?: string;
  readonly place?: string;
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

/** The deepest way from `from` to `to` (not counted itself) over direct calls; empty when there is none. */
export function framesAbove(graph: CallGraph, from: string, to: string): readonly StackStep[] {
  const known = new Map<string, readonly StackStep[] | undefined>();
  const size = (steps: readonly StackStep[]): number => steps.reduce((sum, step) => sum + step.frame, 0);
  const visit = (id: string): readonly StackStep[] | undefined => {
    if (id === to) return [];
    if (known.has(id)) return known.get(id);
    known.set(id, undefined); // while it is visited: no way through a circle
    const node = graph.get(id);
    let best: readonly StackStep[] | undefined;
    for (const target of node?.calls ?? []) {
      const way = visit(target);
      if (way !== undefined && (best === undefined || size(way) > size(best))) best = way;
    }
    const found =
      node === undefined || best === undefined
        ? undefined
        : [{ name: node.name, frame: node.frame }, ...best];
    known.set(id, found);
    return found;
  };
  return visit(from) ?? [];
}

/**
 * @param indirectCalls by C name of the caller: the functions that its indirect calls can reach.
 * @param isPresent by C name: is the function in the image at all? One that is not was inlined wherever it is called,
 * or dropped, and takes no stack of its own. Default: every one may be.
 * @param uncounted by C name: the library it belongs to, where no bound is computed for that: one gap, however it is entered.
 * @throws UserError TMC4013 when compiled C functions call themselves in a circle.
 */
export function stackBound(
  graph: CallGraph,
  entry: string,
  indirectCalls: Readonly<Record<string, readonly string[]>>,
  isPresent: (name: string) => boolean = () => true,
  uncounted: (name: string) => string | undefined = () => undefined,
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
    const library = uncounted(node?.name ?? target);
    if (library !== undefined) {
      gaps.add(`${library}: not counted`);
      return { bytes: 0, path: [] };
    }
    if (node === undefined) {
      if (!isPresent(target)) return { bytes: 0, path: [] };
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
      const reachable = indirectCalls[node.name] ?? indirectCalls[withoutCloneSuffix(node.name)];
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

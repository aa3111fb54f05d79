/** The difference of two memory trees, and the reading of an earlier one. Printing is memory-tree-text.ts's. */
import { z } from "zod";
import { readJsonFile } from "../diagnostics/json-file.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { MemoryNode, MemoryTree } from "./memory-tree.js";

export interface MemoryChange {
  readonly name: string;
  readonly detail: string;
  /** Bytes more (positive) or fewer than before, of this node and all below. */
  readonly flash: number;
  readonly ram: number;
  /** new: not there before. gone: not there any more. */
  readonly state: "same" | "new" | "gone";
  /** Only what changed; descending by the size of the change. */
  readonly children: readonly MemoryChange[];
}

interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

export interface TreeChange {
  readonly board: string;
  readonly flash: BeforeAfter;
  readonly ram: BeforeAfter;
  readonly stack: BeforeAfter;
  readonly children: readonly MemoryChange[];
  /** Entries whose worst case changed. */
  readonly stacks: readonly (BeforeAfter & { readonly entry: string })[];
}

export function diffTrees(before: MemoryTree, after: MemoryTree): TreeChange {
  const used = (pick: "flash" | "ram" | "stack"): BeforeAfter => ({
    before: before[pick].used,
    after: after[pick].used,
  });
  const bytesOf = (tree: MemoryTree, entry: string): number =>
    tree.stacks.find((s) => s.entry === entry)?.bytes ?? 0;
  const entries = [...new Set([...after.stacks, ...before.stacks].map((s) => s.entry))];
  return {
    board: after.board,
    flash: used("flash"),
    ram: used("ram"),
    stack: used("stack"),
    children: diffChildren(before.children, after.children),
    stacks: entries
      .map((entry) => ({ entry, before: bytesOf(before, entry), after: bytesOf(after, entry) }))
      .filter((s) => s.before !== s.after),
  };
}

function diffChildren(before: readonly MemoryNode[], after: readonly MemoryNode[]): MemoryChange[] {
  const old = new Map(before.map((n) => [n.name, n]));
  const names = new Set([...after.map((n) => n.name), ...old.keys()]);
  const now = new Map(after.map((n) => [n.name, n]));
  return [...names]
    .map((name) => diffNode(old.get(name), now.get(name)))
    .filter((c) => c !== undefined)
    .sort((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1));
}

const weight = (c: MemoryChange): number => Math.abs(c.flash) + Math.abs(c.ram);

function diffNode(old: MemoryNode | undefined, now: MemoryNode | undefined): MemoryChange | undefined {
  const shown = now ?? old;
  if (shown === undefined) return undefined;
  const children = diffChildren(old?.children ?? [], now?.children ?? []);
  const change: MemoryChange = {
    name: shown.name,
    detail: shown.detail,
    flash: (now?.flash ?? 0) - (old?.flash ?? 0),
    ram: (now?.ram ?? 0) - (old?.ram ?? 0),
    state: old === undefined ? "new" : now === undefined ? "gone" : "same",
    children,
  };
  // A change that moved between children is a change too.
  return weight(change) === 0 && children.length === 0 ? undefined : change;
}

const count = z.number();
const line = z.object({ used: count, budget: count, percent: count });
const node: z.ZodType<MemoryNode> = z.lazy(() =>
  z.object({
    name: z.string(),
    detail: z.string(),
    flash: count,
    ram: count,
    children: z.array(node),
  }),
);
const tree: z.ZodType<MemoryTree> = z.object({
  version: z.literal(1),
  board: z.string(),
  basis: z.enum(["image", "objects"]),
  flash: line,
  ram: line,
  stack: line,
  children: z.array(node),
  stacks: z.array(
    z.object({
      entry: z.string(),
      bytes: count,
      path: z.array(z.object({ name: z.string(), frame: count, place: z.string().exactOptional() })),
      gaps: z.array(z.string()),
    }),
  ),
});

/** @throws UserError TMC4014 when the file is missing or is not what `tmc size --json` printed. */
export function readMemoryTree(file: string): MemoryTree {
  const refuse = (why: string): UserError =>
    new UserError(
      "TMC4014",
      `${file} is no earlier result of \`tmc size\`: ${why}`,
      "make one with `tmc size --board BOARD --json > FILE`",
      ExitCode.usage,
    );
  return readJsonFile(file, tree, refuse);
}

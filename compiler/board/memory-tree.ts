/**
 * A memory report as a tree: kinds → files → classes → functions; objects by the path that reaches them; models. The sums
 * of a node are those of everything below it. Printing is memory-tree-text.ts's.
 */
import type { BudgetLine, MemoryItem, MemoryReport } from "./memory-report.js";
import type { StackBound } from "./stack-bound.js";

export interface MemoryNode {
  readonly name: string;
  /** Where it is declared, `file.ts:12`, or its type; "" when there is nothing to say. */
  readonly detail: string;
  /** Bytes, of this node and all below. */
  readonly flash: number;
  readonly ram: number;
  /** Descending by flash + RAM. */
  readonly children: readonly MemoryNode[];
}

/** What `tmc size --json` prints and `--diff` reads. */
export interface MemoryTree {
  readonly version: 1;
  readonly board: string;
  readonly basis: MemoryReport["basis"];
  readonly flash: BudgetLine;
  readonly ram: BudgetLine;
  readonly stack: BudgetLine;
  readonly children: readonly MemoryNode[];
  readonly stacks: readonly StackBound[];
}

/** @param stackName turns the C names of frames into the user's. */
export function memoryTree(report: MemoryReport, stackName: (cName: string) => string): MemoryTree {
  const root = new Branch("");
  for (const item of report.items) {
    const { path, detail } = placeOf(item);
    const leaf = path.reduce((branch, name) => branch.child(name), root);
    leaf.detail = detail;
    leaf.flash += item.flash;
    leaf.ram += item.ram;
  }
  const { version, board, basis } = { version: 1 as const, board: report.board, basis: report.basis };
  return {
    version,
    board,
    basis,
    flash: report.flash,
    ram: report.ram,
    stack: report.stack,
    children: root.node().children,
    stacks: report.stacks.map((s) => ({
      ...s,
      entry: stackName(s.entry),
      path: s.path.map((step) => ({
        name: stackName(step.name),
        frame: step.frame,
        ...(step.place === undefined ? {} : { place: step.place }),
      })),
    })),
  };
}

class Branch {
  readonly #children = new Map<string, Branch>();
  detail = "";
  flash = 0;
  ram = 0;

  constructor(readonly name: string) {}

  child(name: string): Branch {
    let found = this.#children.get(name);
    if (found === undefined) {
      found = new Branch(name);
      this.#children.set(name, found);
    }
    return found;
  }

  node(): MemoryNode {
    const children = [...this.#children.values()].map((c) => c.node()).sort(bySize);
    const sum = (pick: (n: MemoryNode) => number): number => children.reduce((n, c) => n + pick(c), 0);
    return {
      name: this.name,
      detail: this.detail,
      flash: this.flash + sum((c) => c.flash),
      ram: this.ram + sum((c) => c.ram),
      children,
    };
  }
}

function bySize(a: MemoryNode, b: MemoryNode): number {
  return b.flash + b.ram - (a.flash + a.ram) || (a.name < b.name ? -1 : 1);
}

const kinds: Readonly<Record<Exclude<MemoryItem["group"], "generated">, string>> = {
  model: "models",
  kernel: "model kernels",
  runtime: "tmc runtime",
  port: "port",
  libc: "C library",
  platform: "platform",
  stack: "stack",
  other: "other",
};

/** Where an item hangs in the tree. */
function placeOf(item: MemoryItem): { readonly path: readonly string[]; readonly detail: string } {
  if (item.group !== "generated") return { path: [kinds[item.group], item.name], detail: item.place };
  const file = item.place.replace(/:\d+$/, "");
  if (item.kind === "function") {
    if (file === "") return { path: ["functions", "(entries and adapters)", item.name], detail: "" };
    const member = /^([A-Za-z_$][\w$]*(?:<.*>)?)\.(.+)$/.exec(item.name);
    const names = member === null ? [item.name] : [member[1] ?? "", member[2] ?? ""];
    return { path: ["functions", file, ...names], detail: item.place };
  }
  if (item.kind === "object") {
    if (file !== "") return { path: ["objects", file, item.name], detail: item.type ?? item.place };
    return { path: ["objects", ...objectPath(item.name)], detail: item.type ?? "" };
  }
  return { path: ["constants", item.name], detail: "" };
}

/** `app_start.this.jobs[0].bytes` → `app_start`, `jobs[0]`, `bytes`. The object that a handler belongs to is the handler's. */
function objectPath(path: string): string[] {
  const [first, ...rest] = path.split(".");
  const names = rest[0] === "this" ? rest.slice(1) : rest;
  return [first ?? path, ...names];
}

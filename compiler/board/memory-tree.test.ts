import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diffTrees, readMemoryTree } from "./memory-diff.js";
import type { MemoryItem, MemoryReport } from "./memory-report.js";
import { formatMemoryTree, formatTreeChange } from "./memory-tree-text.js";
import { memoryTree, type MemoryNode, type MemoryTree } from "./memory-tree.js";

const item = (values: Partial<MemoryItem> & { readonly name: string }): MemoryItem => ({
  group: "generated",
  kind: "function",
  place: "",
  flash: 0,
  ram: 0,
  ...values,
});

const items: readonly MemoryItem[] = [
  item({ name: "Job.run", place: "src/job.ts:12", flash: 300 }),
  item({ name: "Job.stop", place: "src/job.ts:30", flash: 20 }),
  item({ name: "crc", place: "src/job.ts:3", flash: 40 }),
  item({ name: "tmc_app_tick", flash: 50 }),
  item({ name: "app_tick.this", kind: "object", flash: 8, ram: 8, type: "App" }),
  item({ name: "app_tick.this.jobs[0].bytes", kind: "object", ram: 1024, type: "Uint8Array" }),
  item({ name: "table", kind: "object", place: "src/job.ts:1", flash: 64, type: "RomArray<u32>" }),
  item({ name: "(string literals)", kind: "unknown", flash: 11 }),
  item({ name: "vibration", group: "model", kind: "model", flash: 2000, ram: 500 }),
  item({ name: "memcpy", group: "libc", kind: "unknown", flash: 100 }),
];

function report(list: readonly MemoryItem[], stack = 100): MemoryReport {
  const line = (used: number) => ({ used, budget: 10_000, percent: used / 100 });
  return {
    board: "toy",
    basis: "image",
    flash: line(list.reduce((n, i) => n + i.flash, 0)),
    ram: line(list.reduce((n, i) => n + i.ram, 0)),
    stack: line(stack),
    stacks: [
      {
        entry: "tmc_app_tick",
        bytes: stack,
        path: [
          { name: "tmc_app_tick", frame: 40 },
          { name: "Job_run", frame: stack - 40 },
        ],
        gaps: ["memcpy: not measured"],
      },
    ],
    groups: [],
    items: list,
  };
}

const tree = (list = items, stack = 100): MemoryTree =>
  memoryTree(report(list, stack), (c) => (c === "Job_run" ? "Job.run" : c));

function find(nodes: readonly MemoryNode[], ...path: string[]): MemoryNode | undefined {
  const [name, ...rest] = path;
  const node = nodes.find((n) => n.name === name);
  return rest.length === 0 ? node : find(node?.children ?? [], ...rest);
}

describe("memoryTree", () => {
  it("hangs functions under their class and file, objects under what reaches them", () => {
    const { children } = tree();
    const at = (...path: string[]): unknown[] => {
      const n = find(children, ...path);
      return [n?.flash, n?.ram, n?.detail];
    };
    expect(at("functions")).toEqual([410, 0, ""]);
    expect(at("functions", "src/job.ts")).toEqual([360, 0, ""]);
    expect(at("functions", "src/job.ts", "Job")).toEqual([320, 0, ""]);
    expect(at("functions", "src/job.ts", "Job", "run")).toEqual([300, 0, "src/job.ts:12"]);
    expect(at("functions", "src/job.ts", "crc")).toEqual([40, 0, "src/job.ts:3"]);
    expect(at("functions", "(entries and adapters)", "tmc_app_tick")).toEqual([50, 0, ""]);
    expect(at("objects", "app_tick")).toEqual([8, 1032, "App"]);
    expect(at("objects", "app_tick", "jobs[0]", "bytes")).toEqual([0, 1024, "Uint8Array"]);
    expect(at("objects", "src/job.ts", "table")).toEqual([64, 0, "RomArray<u32>"]);
    expect(at("constants", "(string literals)")).toEqual([11, 0, ""]);
    expect(at("models", "vibration")).toEqual([2000, 500, ""]);
  });
  it("loses no byte and sorts by size", () => {
    const { children, flash, ram } = tree();
    const sum = (nodes: readonly MemoryNode[], pick: (n: MemoryNode) => number): number =>
      nodes.reduce((n, c) => n + pick(c), 0);
    expect(sum(children, (n) => n.flash)).toBe(flash.used);
    expect(sum(children, (n) => n.ram)).toBe(ram.used);
    expect(children.map((n) => n.name)).toEqual(["models", "objects", "functions", "C library", "constants"]);
  });
  it("prints to the wanted depth, and stacks by TypeScript names", () => {
    const text = formatMemoryTree(tree(), 4);
    expect(text).toContain("     2,000       500    vibration\n");
    expect(text).toContain("       300         0        run  :12\n");
    expect(text).toContain("     ≥ 100  tmc_app_tick\n        40    tmc_app_tick\n        60    Job.run\n");
    expect(text).toContain("not counted: memcpy: not measured");
    const short = formatMemoryTree(tree(), 1);
    expect(short).toContain("objects");
    expect(short).not.toContain("vibration");
  });
});

describe("diffTrees", () => {
  const changed = [
    ...items.filter((i) => i.name !== "crc").map((i) => (i.name === "Job.run" ? { ...i, flash: 260 } : i)),
    item({ name: "sum", place: "src/job.ts:3", flash: 40 }),
  ];
  it("keeps what changed, with what is new and what is gone", () => {
    const change = diffTrees(tree(), tree(changed, 108));
    expect(change.flash).toEqual({ before: 2593, after: 2553 });
    expect(change.stacks).toEqual([{ entry: "tmc_app_tick", before: 100, after: 108 }]);
    expect(change.children.map((c) => c.name)).toEqual(["functions"]);
    const file = change.children[0]?.children[0];
    expect(file?.children.map((c) => [c.name, c.flash, c.state])).toEqual([
      ["Job", -40, "same"],
      ["crc", -40, "gone"],
      ["sum", 40, "new"],
    ]);
    const text = formatTreeChange(change, 9);
    expect(text).toContain("flash      2,593 →      2,553 bytes        −40\n");
    expect(text).toContain("       −40         ·      crc  :3 [gone]\n");
    expect(text).toContain("        +8  tmc_app_tick: 100 → 108\n");
  });
  it("says so when nothing changed", () => {
    expect(formatTreeChange(diffTrees(tree(), tree()), 9)).toMatch(/\nnothing changed\n$/);
  });
});

describe("readMemoryTree", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-size-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  it("reads what was printed", () => {
    const file = join(folder, "good.json");
    writeFileSync(file, JSON.stringify(tree()));
    expect(readMemoryTree(file)).toEqual(tree());
  });
  it.each([
    ["gone.json", undefined],
    ["text.json", "no json"],
    ["report.json", JSON.stringify(report(items))],
    ["array.json", "[]"],
    ["deep.json", JSON.stringify({ ...tree(), children: [{ name: 3 }] })],
  ])("refuses %s", (name, text) => {
    const file = join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    expect(() => readMemoryTree(file)).toThrow(expect.objectContaining({ code: "TMC4014", exitCode: 3 }));
  });
});

/**
 * The memory report: flash, RAM and worst-case stack of an image (or, where no image is made, of the objects) against
 * the board's budget, by TypeScript function, object and model. Every number is read from what the compiler and the
 * linker wrote. Text is memory-report-text.ts's.
 */
import { existsSync, readdirSync } from "node:fs";
import { basename, extname } from "node:path";
import { UserError } from "../diagnostics/user-error.js";
import type { Board } from "./board.js";
import { addCompilerGraph, addDisassembly, withoutCloneSuffix, type CallGraph } from "./call-graph.js";
import { readElf, type ElfFile } from "./elf.js";
import { readLinkMap } from "./link-map.js";
import { packagePath } from "./package-root.js";
import { platformCalls, uncountedLibrary } from "./platform-calls.js";
import { runProcess } from "./processes.js";
import { framesAbove, stackBound, type StackBound, type StackStep } from "./stack-bound.js";
import { emptySymbolMap, type SymbolInfo, type SymbolMap } from "./symbol-map.js";
import type { ObjectGroup } from "./runtime-sources.js";
import type { ObjectFile } from "./toolchain.js";

/** generated: functions and objects of the program. platform: the RTOS. libc: C library, compiler support, start files. */
export type MemoryGroup = ObjectGroup | "model" | "libc" | "platform" | "stack" | "other";

export interface MemoryItem {
  /** The user's name where the symbol map has one, else the C name, or "(string literals)". */
  readonly name: string;
  readonly group: MemoryGroup;
  readonly kind: "function" | "object" | "model" | "runtime" | "unknown";
  /** `file.ts:12`, "" when unknown. */
  readonly place: string;
  /** Of an object, where it is known: `Job`, `u8[]`. */
  readonly type?: string;
  readonly flash: number;
  readonly ram: number;
}

export interface BudgetLine {
  readonly used: number;
  readonly budget: number;
  /** 0-100 and above. */
  readonly percent: number;
}

export interface MemoryReport {
  readonly board: string;
  /** objects: no image was linked; `platform` of the board file stands for the rest. */
  readonly basis: "image" | "objects";
  readonly flash: BudgetLine;
  readonly ram: BudgetLine;
  /** Largest of `stacks`. */
  readonly stack: BudgetLine;
  readonly stacks: readonly StackBound[];
  /** Descending by flash + RAM. */
  readonly groups: readonly { readonly group: MemoryGroup; readonly flash: number; readonly ram: number }[];
  /** Descending by flash + RAM. */
  readonly items: readonly MemoryItem[];
}

export interface MemoryReportOptions {
  readonly board: Board;
  readonly objects: readonly ObjectFile[];
  /** The linked image and its map; both or none. */
  readonly elf?: string;
  readonly map?: string;
  /** objects: the ELF file is that of `linkForMeasure`. Default image when there is an ELF file. */
  readonly basis?: "image" | "objects";
  readonly symbols?: SymbolMap;
  /** C names of the entries whose stack is bounded; default: those of `defaultEntries` that exist. */
  readonly entries?: readonly string[];
  /** More `.ci` files, e.g. those of a Zephyr application. */
  readonly callGraphs?: readonly string[];
}

/** tmc_start: the whole of a bare-metal program, the port's frames included. */
export const defaultEntries: readonly string[] = [
  "tmc_start",
  "tmc_program_main",
  "tmc_app_start",
  "tmc_app_connected",
  "tmc_app_disconnected",
  "tmc_app_message",
  "tmc_app_tick",
];

interface Share {
  readonly section: string;
  /** Object or `archive(member)`, "" when none. */
  readonly file: string;
  readonly group: MemoryGroup;
  readonly flash: number;
  readonly ram: number;
}

function line(used: number, budget: number): BudgetLine {
  return { used, budget, percent: Math.round((used / budget) * 1000) / 10 };
}

/* ---- who owns a contribution ---------------------------------------------------------------------------- */

function stemsOf(...folder: string[]): Set<string> {
  const path = packagePath("runtime-c", ...folder);
  const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];
  return new Set(names.map((name) => basename(name, extname(name))));
}

/** Group of an object by its path, also inside `libapp.a(log.c.obj)` of a Zephyr build. */
function groupFinder(options: MemoryReportOptions): (file: string) => MemoryGroup {
  const byPath = new Map(options.objects.map((object) => [object.object, object.group]));
  const generated = new Set(
    options.objects
      .filter((object) => object.group === "generated")
      .map((object) => basename(object.source, ".c")),
  );
  const runtime = new Set([...stemsOf("src"), ...stemsOf("function")]);
  const kernels = stemsOf("kernels");
  return (file) => {
    const direct = byPath.get(file);
    if (direct !== undefined) {
      return direct;
    }
    if (file === "") {
      return "other";
    }
    if (options.board.kind === "zephyr" && /(libapp\.a\(|CMakeFiles\/app\.dir\/)/.test(file)) {
      const stem = basename(file.replace(/^.*\(|\)$/g, "")).replace(/(\.c)?\.o(bj)?$/, "");
      return generated.has(stem)
        ? "generated"
        : runtime.has(stem)
          ? "runtime"
          : kernels.has(stem)
            ? "kernel"
            : "port";
    }
    const isLibc = /lib(c|c_nano|c_nonshared|m|gcc|g|nosys|asan|ubsan)\.a\(|\/crt|picolibc|\/Scrt1/.test(
      file,
    );
    return options.board.kind === "zephyr" && !isLibc ? "platform" : "libc";
  };
}

/** The symbol that a function or data section holds: `.text.unlikely.crc32` → `crc32`. */
function sectionSymbol(section: string): string | undefined {
  if (/\.str\d+\.\d+/.test(section)) {
    return "(string literals)";
  }
  const match =
    /^\.(?:text(?:\.(?:unlikely|hot|startup))?|rodata|data(?:\.rel(?:\.ro)?(?:\.local)?)?|bss|noinit)\.(.+)$/.exec(
      section,
    );
  return match?.[1] === undefined || /^cst\d+$/.test(match[1]) ? undefined : withoutCloneSuffix(match[1]);
}

/* ---- shares --------------------------------------------------------------------------------------------- */

function totals(elf: ElfFile): { flash: number; ram: number } {
  const allocated = elf.sections.filter((section) => section.allocated);
  const sum = (sections: typeof allocated) => sections.reduce((bytes, section) => bytes + section.size, 0);
  return {
    flash: sum(allocated.filter((section) => section.loaded)),
    ram: sum(allocated.filter((section) => section.writable)),
  };
}

function imageShares(elf: ElfFile, map: string, groupOf: (file: string) => MemoryGroup): Share[] {
  const sections = new Map(elf.sections.map((section) => [section.name, section]));
  const shares: Share[] = [];
  for (const part of readLinkMap(map)) {
    const home = sections.get(part.output);
    if (home?.allocated === true) {
      shares.push({
        section: part.input,
        file: part.file,
        group: groupOf(part.file),
        flash: home.loaded ? part.size : 0,
        ram: home.writable ? part.size : 0,
      });
    }
  }
  const stack = sections.get(".stack");
  if (stack !== undefined) {
    shares.push({ section: "(reserved for the stack)", file: "", group: "stack", flash: 0, ram: stack.size });
  }
  const all = totals(elf);
  const rest = shares.reduce(
    (left, share) => ({ flash: left.flash - share.flash, ram: left.ram - share.ram }),
    all,
  );
  shares.push({ section: "(padding, tables of the linker)", file: "", group: "other", ...rest });
  return shares;
}

function objectShares(objects: readonly ObjectFile[]): Share[] {
  return objects.flatMap((object) =>
    readElf(object.object)
      .sections.filter((section) => section.allocated && section.size > 0)
      .map((section) => ({
        section: section.name,
        file: object.object,
        group: object.group,
        flash: section.loaded ? section.size : 0,
        ram: section.writable ? section.size : 0,
      })),
  );
}

/** For what no symbol owns: the section, and the object that it came from. C library objects hold one function each. */
function anonymousName(share: Share): string {
  const member = /\(([^)]+)\)$/.exec(share.file)?.[1] ?? basename(share.file);
  const stem = member.replace(/^lib_a-/, "").replace(/(\.c)?\.o(bj)?$/, "");
  if (stem === "" || share.section.startsWith("(")) {
    return share.section;
  }
  return share.group === "libc" && share.file.endsWith(")") ? stem : `${share.section} of ${stem}`;
}

function itemsOf(shares: readonly Share[], symbols: SymbolMap): MemoryItem[] {
  const items = new Map<string, MemoryItem>();
  for (const share of shares) {
    const symbol = sectionSymbol(share.section);
    // A static inside a function is `name.0`.
    const info =
      symbol === undefined
        ? undefined
        : (symbols.symbols[symbol] ?? symbols.symbols[symbol.replace(/\.\d+$/, "")]);
    const group: MemoryGroup = info?.kind === "model" ? "model" : share.group;
    const name = info?.tsName ?? symbol ?? anonymousName(share);
    const place = info === undefined ? "" : placeOf(info);
    const key = JSON.stringify([group, name, place]);
    const before = items.get(key);
    items.set(key, {
      name,
      group,
      kind: info?.kind ?? "unknown",
      place,
      ...(info?.type === undefined ? {} : { type: info.type }),
      flash: share.flash + (before?.flash ?? 0),
      ram: share.ram + (before?.ram ?? 0),
    });
  }
  return [...items.values()]
    .filter((item) => item.flash + item.ram > 0)
    .sort((a, b) => b.flash + b.ram - (a.flash + a.ram) || (a.name < b.name ? -1 : 1));
}

function groupsOf(items: readonly MemoryItem[]): MemoryReport["groups"] {
  const groups = new Map<MemoryGroup, { group: MemoryGroup; flash: number; ram: number }>();
  for (const item of items) {
    const sum = groups.get(item.group) ?? { group: item.group, flash: 0, ram: 0 };
    sum.flash += item.flash;
    sum.ram += item.ram;
    groups.set(item.group, sum);
  }
  return [...groups.values()].sort((a, b) => b.flash + b.ram - (a.flash + a.ram));
}

/* ---- stack ---------------------------------------------------------------------------------------------- */

async function callGraph(options: MemoryReportOptions, elf: ElfFile | undefined): Promise<CallGraph> {
  const graph: CallGraph = new Map();
  const files = [
    ...options.objects.flatMap((object) => (object.callGraph === undefined ? [] : [object.callGraph])),
    ...(options.callGraphs ?? []),
  ];
  for (const file of files) {
    addCompilerGraph(graph, file);
  }
  if (elf !== undefined && options.elf !== undefined && options.board.toolchain.prefix.startsWith("arm-")) {
    const byAddress = new Map<number, string[]>();
    for (const symbol of elf.symbols.filter((one) => one.isFunction)) {
      byAddress.set(symbol.address, [...(byAddress.get(symbol.address) ?? []), symbol.name]);
    }
    const objdump = `${options.board.toolchain.prefix}objdump`;
    const { stdout } = await runProcess(objdump, ["-d", "--no-show-raw-insn", options.elf]);
    addDisassembly(graph, stdout.toString("latin1"), byAddress);
  }
  return graph;
}

/** How the platform's thread begins: each is called by the one before through a pointer; the last calls the entries. */
const threadStart: Partial<Record<Board["kind"], readonly string[]>> = {
  zephyr: ["z_thread_entry", "bg_thread_main"],
};

/** Adds what an RTOS has on the stack above the entry, and what an interrupt puts below everything. */
function withPlatform(bound: StackBound, board: Board, graph: CallGraph): StackBound {
  const starts = threadStart[board.kind] ?? [];
  const above = [
    ...starts.slice(0, -1).map((name) => ({ name, frame: graph.get(name)?.frame ?? 0 })),
    ...framesAbove(graph, starts.at(-1) ?? "", bound.entry),
  ];
  const interrupt = board.cpu.interruptFrame ?? 0;
  const below = interrupt > 0 ? [{ name: "(interrupt)", frame: interrupt }] : [];
  const more = [...above, ...below].reduce((sum, step) => sum + step.frame, 0);
  return { ...bound, bytes: bound.bytes + more, path: [...above, ...bound.path, ...below] };
}

function named(bound: StackBound, symbols: SymbolMap): StackBound {
  const path = bound.path.map((step): StackStep => {
    const info = symbols.symbols[step.name];
    return info === undefined ? step : { ...step, tsName: info.tsName, place: placeOf(info) };
  });
  return { ...bound, path };
}

const placeOf = (info: SymbolInfo): string => (info.line > 0 ? `${info.file}:${info.line}` : info.file);

/** Is a function of that name in the image, or left open by it? A clone of GCC's is there under its whole name only. */
function presence(elf: ElfFile): (name: string) => boolean {
  const names = new Set(elf.symbols.flatMap(({ name }) => [name, withoutCloneSuffix(name)]));
  return (id) => names.has(id.slice(id.lastIndexOf(":") + 1));
}

/* ---- the report ----------------------------------------------------------------------------------------- */

/** @throws UserError TMC4013 when the stack has no bound. Budgets are `checkBudget`'s. */
export async function memoryReport(options: MemoryReportOptions): Promise<MemoryReport> {
  const { board } = options;
  const symbols = options.symbols ?? emptySymbolMap;
  const linked = options.elf !== undefined && options.map !== undefined;
  const elf = options.elf === undefined ? undefined : readElf(options.elf);
  const shares =
    elf !== undefined && options.map !== undefined
      ? imageShares(elf, options.map, groupFinder(options))
      : objectShares(options.objects);
  const basis = linked ? (options.basis ?? "image") : "objects";
  if (basis === "objects" && board.platform !== undefined) {
    shares.push({ section: "(planned for the platform)", file: "", group: "platform", ...board.platform });
  }
  const items = itemsOf(shares, symbols);
  const groups = groupsOf(items);
  const graph = await callGraph(options, elf);
  const entries = options.entries ?? defaultEntries.filter((entry) => graph.has(entry));
  const indirectCalls = { ...platformCalls(graph), ...symbols.indirectCalls };
  const isPresent = elf === undefined ? undefined : presence(elf);
  const stacks = entries
    .map((entry) => stackBound(graph, entry, indirectCalls, isPresent, uncountedLibrary))
    .map((bound) => withPlatform(bound, board, graph))
    .map((bound) => named(bound, symbols));
  const sum = (pick: (item: { flash: number; ram: number }) => number) =>
    groups.reduce((bytes, group) => bytes + pick(group), 0);
  return {
    board: board.name,
    basis,
    flash: line(
      sum((group) => group.flash),
      board.budget.flash,
    ),
    ram: line(
      sum((group) => group.ram),
      board.budget.ram,
    ),
    stack: line(Math.max(0, ...stacks.map((stack) => stack.bytes)), board.budget.stack),
    stacks,
    groups,
    items,
  };
}

const at = (place: string | undefined): string => (place === undefined || place === "" ? "" : ` (${place})`);

function largest(report: MemoryReport, pick: (item: MemoryItem) => number): string {
  return report.items
    .filter((item) => pick(item) > 0 && item.group !== "stack")
    .sort((a, b) => pick(b) - pick(a))
    .slice(0, 5)
    .map((item) => `${item.name} ${pick(item)}${at(item.place)}`)
    .join(", ");
}

const stepText = (step: StackStep): string => `${step.tsName ?? step.name} ${step.frame}${at(step.place)}`;

/** @throws UserError TMC4010 that names each budget exceeded, the largest contributors to it, and the deepest path. */
export function checkBudget(report: MemoryReport): void {
  const over: string[] = [];
  const describe = (what: string, used: BudgetLine, contributors: string): void => {
    if (used.used > used.budget) {
      over.push(
        `${what}: ${used.used} bytes of ${used.budget} (${used.percent} %); largest: ${contributors}`,
      );
    }
  };
  describe(
    "flash",
    report.flash,
    largest(report, (item) => item.flash),
  );
  describe(
    "RAM",
    report.ram,
    largest(report, (item) => item.ram),
  );
  const deepest = report.stacks.reduce<StackBound | undefined>(
    (best, stack) => (best === undefined || stack.bytes > best.bytes ? stack : best),
    undefined,
  );
  const path = (deepest?.path ?? []).filter((step) => step.frame > 0);
  const frames = [...path].sort((a, b) => b.frame - a.frame).slice(0, 5);
  describe(
    "stack",
    report.stack,
    `${frames.map(stepText).join(", ")}; deepest path: ${path.map(stepText).join(" → ")}`,
  );
  if (over.length > 0) {
    throw new UserError(
      "TMC4010",
      [`the program exceeds the budget of board ${report.board}`, ...over.map((text) => `  ${text}`)].join(
        "\n",
      ),
      "Make the largest contributors smaller, or choose a board with more memory (budgets are in its YAML file).",
    );
  }
}

/**
 * The call graph with stack bytes: from GCC's `.ci` files (-fcallgraph-info=su), completed by the disassembly of an
 * ARM image for functions without one (C library, RTOS). Static functions are known by file, so equal names do not
 * mix. It computes no bounds: stack-bound.ts does.
 */
import { readFileSync } from "node:fs";

export interface CallNode {
  /** C name, without the suffixes of GCC's clones. */
  readonly name: string;
  /** Bytes of its frame. */
  readonly frame: number;
  /** False: the frame has a part whose size is decided at run time. */
  readonly bounded: boolean;
  /** Ids of called functions; an id that the graph does not have is an unknown function. */
  readonly calls: Set<string>;
  callsIndirectly: boolean;
  /** "compiler": exact. "disassembly": every push of the function counted, an upper bound. */
  readonly from: "compiler" | "disassembly";
}

/** By id: the C name of a global function, `file#name` of a static one. */
export type CallGraph = Map<string, CallNode>;

/** `rec.isra.0` → `rec`. */
export function withoutCloneSuffix(name: string): string {
  return name.replace(/\.(isra|constprop|part|cold|lto_priv)(\.\d+)?/g, "");
}

/** Adds the functions of one `.ci` file. */
export function addCompilerGraph(graph: CallGraph, file: string): void {
  const idOf = (title: string): string => (title.includes(":") ? `${file}#${title}` : title);
  const text = readFileSync(file, "utf8");
  for (const match of text.matchAll(/^node: \{ title: "([^"]*)" label: "([^"]*)"( shape : ellipse)? \}$/gm)) {
    const [, title, label, external] = match;
    const stack = /(\d+) bytes \(([a-z,]+)\)/.exec(label ?? "");
    if (title === undefined || external !== undefined || stack === null) {
      continue;
    }
    graph.set(idOf(title), {
      name: withoutCloneSuffix(title.slice(title.lastIndexOf(":") + 1)),
      frame: Number(stack[1]),
      bounded: stack[2] !== "dynamic",
      calls: new Set(),
      callsIndirectly: false,
      from: "compiler",
    });
  }
  for (const match of text.matchAll(/^edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"/gm)) {
    const [, source, target] = match;
    const node = graph.get(idOf(source ?? ""));
    if (node === undefined || target === undefined) {
      continue;
    }
    if (target === "__indirect_call") {
      node.callsIndirectly = true;
    } else {
      node.calls.add(idOf(target));
    }
  }
}

/** Bytes that one ARM/Thumb instruction takes from the stack; undefined when that is decided at run time. */
function stackTaken(mnemonic: string, operands: string): number | undefined {
  if (
    /^(push|stmdb|vpush|vstmdb)/.test(mnemonic) &&
    (mnemonic.includes("push") || operands.startsWith("sp!"))
  ) {
    const list = /\{(.*)\}/.exec(operands)?.[1] ?? "";
    const unit = /[{ ]d\d/.test(operands) ? 8 : 4;
    return list.split(",").reduce((sum, part) => {
      const range = /(\d+)-\w?(\d+)/.exec(part);
      return sum + unit * (range === null ? 1 : Number(range[2]) - Number(range[1]) + 1);
    }, 0);
  }
  const writeBack = /\[sp, #-(\d+)\]!/.exec(operands);
  if (writeBack !== null) {
    return Number(writeBack[1]);
  }
  if (/^sub/.test(mnemonic) && /^sp,/.test(operands)) {
    const constant = /#(\d+)/.exec(operands);
    return constant === null ? undefined : Number(constant[1]);
  }
  return 0;
}

/**
 * Adds functions that the graph does not know, from `objdump -d --no-show-raw-insn` of an ARM image.
 * `functions`: by address, the names of the functions there; the first is theirs in the bound's paths.
 */
export function addDisassembly(
  graph: CallGraph,
  text: string,
  functions: ReadonlyMap<number, readonly string[]>,
): void {
  const compiled = new Set([...graph.values()].map((node) => node.name));
  const blocks = text
    .split(/\n(?=[0-9a-f]+ <[^>]+>:)/)
    .map((block) => ({ block, head: /^([0-9a-f]+) <([^>]+)>:/m.exec(block) }))
    .flatMap(({ block, head }) => {
      if (head === null) return [];
      const address = Number.parseInt(head[1] ?? "", 16);
      // The label may be any symbol of that value, a constant too.
      return [{ block, address, names: functions.get(address) ?? [head[2] ?? ""] }];
    });
  const counts = new Map<string, number>();
  for (const name of blocks.flatMap(({ names }) => names)) counts.set(name, (counts.get(name) ?? 0) + 1);
  // Static functions of several files may share a name: then the address tells them apart.
  const idOf = (name: string, address: number): string =>
    (counts.get(name) ?? 0) > 1 ? `${name}@${address.toString(16)}` : name;
  const ids = new Map(blocks.map(({ address, names }) => [address, idOf(names[0] ?? "", address)]));
  let previous: { node: CallNode; open: boolean } | undefined;
  for (const { block, address, names } of blocks) {
    const [name = ""] = names;
    const id = idOf(name, address);
    if (previous?.open === true) {
      previous.node.calls.add(id); // assembler code that runs on into the next label
    }
    let frame = 0;
    let bounded = true;
    let open = true;
    let callsIndirectly = false;
    const calls = new Set<string>();
    for (const line of block.matchAll(/^ +[0-9a-f]+:\t(\S+)(?:\t(.*))?$/gm)) {
      const mnemonic = line[1] ?? "";
      const operands = line[2] ?? "";
      if (
        mnemonic.startsWith(".") ||
        /^nop/.test(mnemonic) ||
        (mnemonic === "movs" && operands === "r0, r0")
      ) {
        continue; // literals between the code, padding (two zero bytes read as movs r0, r0)
      }
      const taken = stackTaken(mnemonic, operands);
      frame += taken ?? 0;
      bounded &&= taken !== undefined;
      const [, to = "", label] = /([0-9a-f]+) <([^>+]+)/.exec(operands) ?? [];
      const isCall = /^blx?(\.[nw])?$/.test(mnemonic);
      // A jump inside a function may be labelled with a constant of that value; a call is to a function.
      const target = ids.get(Number.parseInt(to, 16)) ?? (isCall ? label : undefined);
      if (target !== undefined && (isCall || /^b([a-z]{2})?(\.[nw])?$|^cbn?z/.test(mnemonic))) {
        // A jump to its own start is a loop, a call of it recursion.
        if (target !== id || isCall) calls.add(target);
      }
      // A jump to another register than lr is a call too: the last one of a function.
      callsIndirectly ||= /^bl?x(ns)?$/.test(mnemonic) && /^(r\d+|ip|sl|fp)$/.test(operands);
      open = !/^(b|bx|bl|blx|udf|svc|bkpt)(\.[nw])?$|^tb[bh]/.test(mnemonic) && !/\bpc\b/.test(operands);
    }
    const node: CallNode = { name, frame, bounded, calls, callsIndirectly, from: "disassembly" };
    for (const alias of names) {
      const aliasId = idOf(alias, address);
      if (!graph.has(aliasId) && !compiled.has(withoutCloneSuffix(alias))) {
        graph.set(aliasId, node);
      }
    }
    previous = { node, open };
  }
}

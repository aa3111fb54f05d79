/** Prints the tree of a memory report, or the difference of two, for people. Programs read the tree as JSON. */
import type { BudgetLine } from "./memory-report.js";
import type { MemoryChange, TreeChange } from "./memory-diff.js";
import type { MemoryNode, MemoryTree } from "./memory-tree.js";

const bytes = (count: number): string => count.toString().replace(/\B(?=(\d{3})+$)/g, ",");

const signed = (count: number): string =>
  count === 0 ? "·" : `${count > 0 ? "+" : "−"}${bytes(Math.abs(count))}`;

const basisText = (tree: MemoryTree): string =>
  tree.basis === "image" ? "the linked image" : "compiled objects (no image was linked)";

function columns(left: string, right: string, rest: string): string {
  return `${left.padStart(10)}${right.padStart(10)}  ${rest}`.trimEnd();
}

function budget(name: string, line: BudgetLine): string {
  return `${name.padEnd(6)}${bytes(line.used).padStart(10)} of ${bytes(line.budget).padStart(10)} bytes ${line.percent.toFixed(1).padStart(5)} %`;
}

/**
 * @param depth levels that are printed; what is deeper is in the sums.
 * @returns several lines, each ends in a newline.
 */
export function formatMemoryTree(tree: MemoryTree, depth: number): string {
  const lines = [
    `Memory of ${tree.board}, from ${basisText(tree)}`,
    budget("flash", tree.flash),
    budget("RAM", tree.ram),
    budget("stack", tree.stack),
    "",
    columns("flash", "RAM", ""),
  ];
  const visit = (nodes: readonly MemoryNode[], level: number): void => {
    if (level >= depth) return;
    for (const n of nodes) {
      lines.push(columns(bytes(n.flash), bytes(n.ram), `${"  ".repeat(level)}${titled(n)}`));
      visit(n.children, level + 1);
    }
  };
  visit(tree.children, 0);
  if (tree.stacks.length > 0) lines.push("", `${"stack".padStart(10)}`);
  for (const s of tree.stacks) {
    lines.push(`${(s.gaps.length > 0 ? "≥ " : "") + bytes(s.bytes)}`.padStart(10).concat(`  ${s.entry}`));
    if (depth <= 1) continue;
    for (const step of s.path) {
      const place = step.place === undefined || step.place === "" ? "" : `  ${step.place}`;
      if (step.frame > 0) lines.push(`${bytes(step.frame).padStart(10)}    ${step.name}${place}`);
    }
    if (s.gaps.length > 0) lines.push(`${"".padStart(10)}    not counted: ${gapsText(s.gaps)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A place below its file's node needs its line only. */
function titled(n: { readonly name: string; readonly detail: string }): string {
  const line = /^.+\.ts(:\d+)$/.exec(n.detail)?.[1];
  return n.detail === "" ? n.name : line === undefined ? `${n.name}  ${n.detail}` : `${n.name}  ${line}`;
}

function gapsText(gaps: readonly string[]): string {
  const more = gaps.length > 3 ? `; ${gaps.length - 3} more` : "";
  return `${gaps.slice(0, 3).join("; ")}${more}`;
}

/** What changed, largest change first; one line when nothing did. */
export function formatTreeChange(change: TreeChange, depth: number): string {
  const total = (name: string, before: number, after: number): string =>
    `${name.padEnd(6)}${bytes(before).padStart(10)} → ${bytes(after).padStart(10)} bytes ${signed(after - before).padStart(10)}`;
  const lines = [
    `Memory of ${change.board}, against an earlier build`,
    total("flash", change.flash.before, change.flash.after),
    total("RAM", change.ram.before, change.ram.after),
    total("stack", change.stack.before, change.stack.after),
  ];
  if (change.children.length > 0) lines.push("", columns("flash", "RAM", ""));
  const visit = (nodes: readonly MemoryChange[], level: number): void => {
    if (level >= depth) return;
    for (const n of nodes) {
      const mark = n.state === "same" ? "" : ` [${n.state}]`;
      lines.push(columns(signed(n.flash), signed(n.ram), `${"  ".repeat(level)}${titled(n)}${mark}`));
      visit(n.children, level + 1);
    }
  };
  visit(change.children, 0);
  if (change.stacks.length > 0) lines.push("", `${"stack".padStart(10)}`);
  for (const s of change.stacks) {
    lines.push(
      `${signed(s.after - s.before).padStart(10)}  ${s.entry}: ${bytes(s.before)} → ${bytes(s.after)}`,
    );
  }
  if (change.children.length === 0 && change.stacks.length === 0) lines.push("", "nothing changed");
  return `${lines.join("\n")}\n`;
}

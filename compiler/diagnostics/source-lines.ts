/** Lines of source files for printing findings, each file read once. A file that cannot be read has none. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Loc } from "../ir/nodes.js";
import { packagePath } from "../board/package-root.js";

/** Absolute path of the file that a place names. */
export function fileOf(loc: Loc, root: string): string {
  return loc.file.startsWith("tmc/")
    ? packagePath("firmware", loc.file.slice("tmc/".length))
    : resolve(root, loc.file);
}

export class SourceLines {
  private readonly files = new Map<string, readonly string[]>();

  /** `root`: what `Loc.file` is relative to. */
  constructor(private readonly root: string) {}

  get(loc: Loc): string | undefined {
    const file = fileOf(loc, this.root);
    let lines = this.files.get(file);
    if (lines === undefined) {
      try {
        lines = readFileSync(file, "utf8").split(/\r?\n/);
      } catch {
        lines = [];
      }
      this.files.set(file, lines);
    }
    return lines[loc.line - 1];
  }
}

/** Characters of `length` that lie on the first line: at least 1; all of them when the line is not known. */
export function lengthOnLine(source: string | undefined, col: number, length: number): number {
  return source === undefined ? Math.max(1, length) : Math.max(1, Math.min(length, source.length - col + 1));
}

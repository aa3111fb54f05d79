/** The examples of `tmc explain` for the language: the wrong one has its error, the right one has none. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allEntries } from "../../compiler/cli/all-catalogues.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";

/** A whole module, or the body of `main`. */
function moduleOf(example: string): string {
  return /^export /m.test(example) ? example : `export function main(): void {\n${example}\n}\n`;
}

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-examples-")));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function errorsOf(example: string): Diagnostic[] {
  const entry = join(folder, "example.ts");
  writeFileSync(entry, moduleOf(example));
  const { diagnostics } = compileProgram({ entry, root: folder, checked: true, kind: "program" });
  return diagnostics.filter((d) => d.severity === "error");
}
const codes = (list: readonly Diagnostic[]): string[] => [...new Set(list.map((d) => d.code))];

/** The place is inside the example, on text. */
function isSensible(d: Diagnostic, example: string): boolean {
  const line = moduleOf(example).split("\n")[d.loc.line - 1];
  return d.loc.file === "example.ts" && line !== undefined && /\S/.test(line[d.loc.col - 1] ?? "");
}

const entries = (await allEntries()).filter((e) => /^TMC[12]/.test(e.code) && e.wrong !== undefined);

describe("examples of the language's messages", () => {
  it.each(entries.map((e) => [e.code, e.title, e] as const))("%s %s", (code, _, entry) => {
    const wrong = errorsOf(entry.wrong ?? "");
    expect(codes(wrong)).toEqual([code]);
    expect(wrong.filter((d) => !isSensible(d, entry.wrong ?? ""))).toEqual([]);
    for (const d of wrong.filter((x) => x.code !== "TMC1000")) expect(d.fix, d.message).not.toBe("");
    if (entry.right !== undefined) expect(errorsOf(entry.right)).toEqual([]);
  });
});

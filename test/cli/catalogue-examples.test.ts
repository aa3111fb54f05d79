/** The examples of `tmc explain` for the language: the wrong one has its error, the right one has none. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allEntries } from "../../compiler/cli/all-catalogues.js";
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

function codesOf(example: string): string[] {
  const entry = join(folder, "example.ts");
  writeFileSync(entry, moduleOf(example));
  const { diagnostics } = compileProgram({ entry, root: folder, checked: true, kind: "program" });
  return [...new Set(diagnostics.filter((d) => d.severity === "error").map((d) => d.code))];
}

const entries = (await allEntries()).filter((e) => /^TMC[12]/.test(e.code) && e.wrong !== undefined);

describe("examples of the language's messages", () => {
  it.each(entries.map((e) => [e.code, e.title, e] as const))("%s %s", (code, _, entry) => {
    expect(codesOf(entry.wrong ?? "")).toContain(code);
    if (entry.right !== undefined) {
      expect(codesOf(entry.right)).toEqual([]);
    }
  });
});

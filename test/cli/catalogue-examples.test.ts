/** The examples of `tmc explain` for the language: the wrong one has its error and no other, the right one has none. */
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { allEntries } from "../../compiler/cli/all-catalogues.js";
import type { CatalogueEntry } from "../../compiler/diagnostics/catalogue-entry.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";
import { buildFile, type FileDescription } from "../models/tflite-file.js";

/** Codes without an example: guards of ours that no known program reaches. */
const unreachable = new Set(["TMC1951"]);

/** A whole module, or the body of `main`. An example of a model's description is loaded by a program. */
function moduleOf(example: string): string {
  if (!example.includes(";")) {
    writeFileSync(join(folder, "model.yaml"), example);
    return 'import { Model } from "tmc";\nconst model = new Model("vibration.tflite");\nexport function main(): void {\n  log(model.inputSize);\n}\n';
  }
  // Depth cannot be shown: an example has it as `…`.
  const whole = example.replace("(…)", `${"(x + ".repeat(2000)}0${")".repeat(2000)}`);
  return /^(export|entry\()/m.test(whole) ? whole : `export function main(): void {\n${whole}\n}\n`;
}

const tensor = { shape: [1, 8], scales: [0.5], zeroPoints: [0n] };
const sum: FileDescription = {
  codes: [{ builtin: 0 }],
  tensors: [tensor, tensor, tensor],
  operators: [{ code: 0, inputs: [0, 1], outputs: [2] }],
  inputs: [0, 1],
  outputs: [2],
};

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-examples-")));
  copyFileSync(packagePath("models", "vibration", "vibration.tflite"), join(folder, "vibration.tflite"));
  writeFileSync(join(folder, "two-inputs.tflite"), buildFile(sum));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function errorsOf(entry: CatalogueEntry, example: string): { found: Diagnostic[]; text: string } {
  rmSync(join(folder, "model.yaml"), { force: true });
  const text = moduleOf(example);
  const file = join(folder, "example.ts");
  writeFileSync(file, text);
  for (const [name, content] of Object.entries(entry.files ?? {})) writeFileSync(join(folder, name), content);
  const { diagnostics } = compileProgram({
    entry: file,
    root: folder,
    checked: true,
    // Messages about what an app is made of are shown with an app.
    kind: entry.code === "TMC2008" ? "app" : "program",
    setupLimitMs: 2000,
  });
  return { found: diagnostics.filter((d) => d.severity === "error"), text };
}

/** The place is inside the example, on text. */
function isSensible(d: Diagnostic, text: string): boolean {
  const line = text.split("\n")[d.loc.line - 1];
  return d.loc.file === "example.ts" && line !== undefined && /\S/.test(line[d.loc.col - 1] ?? "");
}

const entries = (await allEntries()).filter((e) => /^TMC[12]/.test(e.code) && !unreachable.has(e.code));

describe("examples of the language's messages", () => {
  it.each(entries.map((e) => [e.code, e.title, e] as const))("%s %s", (code, _, entry) => {
    if (entry.wrong === undefined || entry.right === undefined) {
      throw new Error(`${code} needs a wrong and a right example`);
    }
    const { found, text } = errorsOf(entry, entry.wrong);
    expect([...new Set(found.map((d) => d.code))]).toEqual([code]);
    expect(found.filter((d) => !isSensible(d, text))).toEqual([]);
    for (const d of found) expect(d.fix, d.message).not.toBe("");
    expect(errorsOf(entry, entry.right).found).toEqual([]);
  });
});

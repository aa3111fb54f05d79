/** The no-crash command on a folder of snippets: files of every outcome, and a broken C file that must be found. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { corpusFiles, judgeAll } from "./corpus.js";
import { judge } from "./judge.js";

const snippets: Readonly<Record<string, string>> = {
  "good.ts": "let n = 3;\nexport function main(): void {\n  n ^= 5;\n  log(n);\n}\n",
  "library.ts": "export function twice(n: i32): i32 {\n  return n * 2;\n}\n",
  "deep/refused.ts": "export function main(): void {\n  const n: any = 1;\n  log(n);\n}\n",
  "deep/broken-syntax.ts": "class { constructor( {\n",
  "empty.ts": "",
  // Several files in one, as TypeScript's own tests are written.
  "parts.ts":
    '// @filename: a.ts\nexport const a = 1;\n// @filename: b.ts\nimport { a } from "./a";\nlog(a);\n',
  "types.d.ts": "declare const nothing: string;\n",
  "notes.txt": "not a program",
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-no-crash-test-"));
  mkdirSync(join(folder, "deep"));
  for (const [name, text] of Object.entries(snippets)) writeFileSync(join(folder, name), text);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const quiet = { jobs: 1, onProgress: () => undefined };

describe("files of a corpus", () => {
  it("are the sources below the folder, in order", () => {
    const names = [
      "deep/broken-syntax.ts",
      "deep/refused.ts",
      "empty.ts",
      "good.ts",
      "library.ts",
      "parts.ts",
    ];
    expect(corpusFiles(folder)).toEqual(names.map((n) => join(folder, n)));
    expect(corpusFiles(folder, 3)).toEqual([names[0], names[3]].map((n) => join(folder, n ?? "")));
  });

  it("give C or diagnostics", () => {
    const outcome = (name: string): string => judge(join(folder, name)).outcome;
    expect(["good.ts", "library.ts", "empty.ts"].map(outcome)).toEqual(["C", "C", "C"]);
    expect(["deep/refused.ts", "deep/broken-syntax.ts", "parts.ts"].map(outcome)).toEqual(
      Array.from({ length: 3 }, () => "diagnostics"),
    );
  });

  it("whose C gcc rejects are crashes, with gcc's words", () => {
    const verdict = judge(join(folder, "good.ts"), (c) => c.replaceAll(" ^ ", " $ "));
    expect(verdict.outcome).toBe("C rejected");
    expect(verdict.detail).toContain("error:");
  });

  it("that take too long are hangs, and the next ones are judged", async () => {
    const crashes: string[] = [];
    const files = corpusFiles(folder).slice(0, 2);
    const onCrash = (file: string): void => void crashes.push(file);
    const counts = await judgeAll(files, { ...quiet, timeoutMs: 1, onCrash });
    expect(counts.hang).toBe(2);
    expect(crashes).toEqual(files);
  }, 60_000);
});

describe("npm run no-crash", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(
      process.execPath,
      ["--import", "tsx", packagePath("test", "no-crash", "no-crash-cli.ts"), ...args],
      {
        encoding: "utf8",
      },
    );

  it("prints the counts and ends with files and crashes", () => {
    const done = run(folder, "--jobs", "1");
    expect(done.stdout).toContain("C: 3\ndiagnostics: 3\ninternal error: 0\n");
    expect([done.status, done.stdout.trim().split("\n").at(-1)]).toEqual([0, "6 files, 0 crashes"]);
  }, 120_000);

  it("refuses what it does not know", () => {
    expect(run("--help").stdout).toContain("N files, M crashes");
    expect([run().status, run("/no/such").status, run(folder, "--jobs", "0").status]).toEqual([64, 64, 64]);
  }, 60_000);
});

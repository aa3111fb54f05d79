/** A small fixed campaign, and that a campaign finds what is broken, makes it small and says how to run it again. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { equalityTargets, missingFor, qemuTarget } from "../support/equality.js";
import { programOf, programText } from "./generate/program.js";
import { textOf, smaller, statement, list, tree } from "./generate/tree.js";
import { examine, type BatchProgram } from "./run/batch.js";
import { writeReport } from "./run/report.js";
import { shrink } from "./run/shrink.js";

const gcc = equalityTargets.filter((t) => t.name === "host gcc -O0");
const targets = [...gcc, ...(missingFor(qemuTarget) === undefined ? [qemuTarget] : [])];
const seed = 20;

const programs = (from: number, count: number): BatchProgram[] =>
  Array.from({ length: count }, (_, i) => ({
    index: from + 2 * i,
    text: programText(programOf(seed, from + 2 * i)),
  }));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-fuzz-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe(`random programs, seed ${seed}`, () => {
  it.each([
    ["unchecked", 0],
    ["checked", 1],
  ])(
    "%s: Node.js, host C and Cortex-M4 agree",
    async (_, first) => {
      const found = await examine(programs(first, 10), { folder, checked: first === 1, targets });
      expect(found).toEqual([]);
    },
    120_000,
  );

  it("are the same for the same seed and index, and differ for others", () => {
    const text = programText(programOf(seed, 3));
    expect(programText(programOf(seed, 3))).toBe(text);
    expect(programText(programOf(seed, 4))).not.toBe(text);
    expect(programText(programOf(seed + 1, 3))).not.toBe(text);
  });
});

/** Evaluations that are wrong in C. */
const tamper = (c: string): string => c.replaceAll(" ^ ", " | ").replaceAll(" > ", " >= ");

describe("a broken evaluation", () => {
  it("is found, made small and reported", async () => {
    const broken = { folder, checked: false, targets: gcc, tamper };
    const batch = programs(100, 30);
    const first = (await examine(batch, broken)).find((f) => f.kind === "mismatch");
    expect(first?.kind).toBe("mismatch");
    if (first === undefined) return;
    const original = batch.find((p) => p.index === first.index)?.text ?? "";
    const small = await shrink(first, seed, { ...broken, timeMs: 8_000 });
    expect(small?.text.length).toBeLessThan(original.length);
    const report = writeReport(folder, { seed, checked: false, findings: [first], original, small, batch });
    const text = readFileSync(join(report, "report.txt"), "utf8");
    expect(text).toContain(`npm run fuzz -- --seed ${seed} --only ${first.index}`);
    expect(text).toContain("mismatch on host gcc -O0");
    expect(readFileSync(join(report, "minimal.ts"), "utf8")).toBe(small?.text);
  }, 120_000);

  it("in one program leaves the others of its image alone", async () => {
    const batch = ["log(n ^ 1);", "log(n | 1);", "throw new Error(`x`);", "log(n +);"].map((line, index) => ({
      index,
      text: `let n = 7;\nexport function main(): void {\n  ${line.replaceAll("`", '"')}\n}\n`,
    }));
    const found = await examine(batch, { folder, checked: false, targets: gcc, tamper });
    expect(found.map((f) => `${f.index} ${f.kind}`)).toEqual(["3 refused", "0 mismatch"]);
  }, 60_000);
});

describe("smaller trees", () => {
  it("drop statements, unwrap blocks and take parts of expressions", () => {
    const sum = tree("i32")`(${tree("i32")`a`} + ${tree("i32")`b`})`;
    const whole = list([statement`if (c) {\n${list([statement`log(${sum});`])}}`, statement`log(2);`]);
    const texts = [...smaller(whole)].map((t) => textOf(t).trim());
    expect(texts).toContain("");
    expect(texts).toContain("log(2);");
    expect(texts).toContain("log((a + b));\nlog(2);");
    expect(texts.some((t) => t.includes("log(a)"))).toBe(true);
    expect(texts.some((t) => t.includes("log(i32(0))"))).toBe(true);
  });
});

describe("npm run fuzz", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", packagePath("test", "fuzz", "fuzz-cli.ts"), ...args], {
      encoding: "utf8",
    });

  it("explains itself, and refuses what it does not know", () => {
    expect(run("--help").stdout).toContain("N programs, M mismatches");
    const unknown = run("--targets", "z80");
    expect([unknown.status, unknown.stderr.split("\n")[0]]).toEqual([64, "no target is called z80"]);
    expect(run("--programs", "-1").status).toBe(64);
    expect(run("--bogus").status).toBe(64);
  }, 60_000);

  it("ends with the count", () => {
    const done = run("--programs", "3", "--seed", "9", "--targets", "host gcc -O0", "--jobs", "1");
    expect([done.status, done.stdout]).toEqual([0, "3 programs, 0 mismatches\n"]);
  }, 120_000);
});

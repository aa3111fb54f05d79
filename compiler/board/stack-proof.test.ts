/** Programs on the Cortex-M4 in QEMU: the stack that a run wrote to is within the bound, and not far from it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileProgram } from "../pipeline/compile.js";
import { writeSources } from "../cli/write-sources.js";
import { findBoard } from "./board.js";
import { memoryReport } from "./memory-report.js";
import { packagePath } from "./package-root.js";
import { runCommand } from "./run.js";
import { buildExecutable } from "./toolchain.js";

const board = findBoard("qemu_cortex_m4");
const work = mkdtempSync(join(tmpdir(), "tmc-stack-"));
afterAll(() => {
  rmSync(work, { recursive: true });
});

interface Measured {
  /** Bytes that the run wrote to. */
  readonly used: number;
  /** Bytes proven. */
  readonly bound: number;
  readonly gaps: readonly string[];
}

async function measure(name: string, opt: "-O0" | "-O2"): Promise<Measured> {
  const root = packagePath();
  const entry = packagePath("test", "equality", "programs", `${name}.ts`);
  const result = compileProgram({ entry, root, checked: false, kind: "program" });
  if (!result.ok) throw new Error(`${name} does not compile`);
  const outDir = join(work, `${name}${opt}`);
  const { sources, folder } = writeSources(result.compiled, outDir);
  const built = await buildExecutable({
    ...{ board, sources, includeDirs: [folder], outDir, opt, name: "program", port: "program" },
    linkArgs: ["-lm"],
    cacheDir: join(work, "cache"),
  });
  const { symbols, indirectCalls } = result.compiled.c.symbols;
  const report = await memoryReport({ board, ...built, symbols: { version: 1, symbols, indirectCalls } });
  const { command, args } = runCommand({ board, elf: built.elf });
  const measuring = args.map((arg) => arg.replace("arg=program", "arg=program,arg=--stack"));
  const { stderr } = spawnSync(command, measuring, { encoding: "utf8", timeout: 60_000 });
  const whole = report.stacks.find((stack) => stack.entry === "tmc_start");
  return {
    used: Number(/tmc-stack used=(\d+)/.exec(stderr)?.[1]),
    bound: whole?.bytes ?? 0,
    gaps: whole?.gaps ?? ["no entry"],
  };
}

describe("the worst-case stack", () => {
  it.each([
    ["closures", "-O2"],
    ["containers", "-O2"],
    ["interfaces", "-O2"],
    ["map-and-set", "-O2"],
    ["numbers-print", "-O2"],
    ["objects-at-run-time", "-O2"],
    ["closures", "-O0"],
    ["try-catch", "-O0"],
  ] as const)("of %s (%s) is proven without gaps, and a run keeps within", async (name, opt) => {
    const { used, bound, gaps } = await measure(name, opt);
    expect(gaps).toEqual([]);
    expect(used).toBeGreaterThan(200);
    expect(used).toBeLessThanOrEqual(bound);
    // The difference is the path to an uncaught trap, which these programs do not take.
    expect(bound - used).toBeLessThan(800);
  });
});

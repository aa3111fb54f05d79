/**
 * Every logic benchmark prints the same from TypeScript (on Node.js and compiled) and from C. Instructions are counted
 * for those that were once far from C; no clock.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packagePath } from "../compiler/board/package-root.js";
import { runOnNode } from "../compiler/pipeline/run-on-node.js";
import {
  benchmarks,
  buildAndRun,
  compileBenchmark,
  handWritten,
  writeGenerated,
} from "./logic-benchmarks.js";

const work = mkdtempSync(join(tmpdir(), "tmc-bench-"));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe("logic benchmarks", () => {
  it("are the programs of the folder, each with its C", () => {
    const names = benchmarks.map((b) => b.name).sort();
    const files = readdirSync(packagePath("bench", "logic")).sort();
    expect(files.filter((f) => f.endsWith(".ts"))).toEqual(names.map((n) => `${n}.ts`));
    expect(files.filter((f) => f.endsWith(".c"))).toEqual(names.map((n) => `${n}.c`));
  });

  it.each(benchmarks)("$name prints the same on Node.js, compiled, and in C", async ({ name }) => {
    const compiled = compileBenchmark(name);
    const { stdout } = runOnNode(compiled);
    expect(stdout).toMatch(new RegExp(`^${name} -?\\w+`));
    const generated = await buildAndRun(
      "host",
      writeGenerated(compiled, join(work, name)),
      join(work, name),
      false,
    );
    expect(generated.output).toBe(stdout);
    const c = await buildAndRun("host", handWritten(name), join(work, `${name}-c`), false);
    expect(c.output).toBe(stdout);
  });

  // Of what the compiler does for them: functions with nested loops stand apart, texts are returned inline.
  it.each(["fir-int16", "topic-route", "state-machine"])(
    "%s takes at most 1.2 times the instructions of C",
    async (name) => {
      const folder = join(work, `${name}-counted`);
      const generated = writeGenerated(compileBenchmark(name), folder);
      const ours = await buildAndRun("qemu_cortex_m4", generated, folder, true);
      const c = await buildAndRun("qemu_cortex_m4", handWritten(name), join(folder, "c"), true);
      expect((ours.instructions ?? NaN) / (c.instructions ?? NaN)).toBeLessThan(1.2);
    },
  );
});

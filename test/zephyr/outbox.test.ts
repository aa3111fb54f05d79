/** The outbox of the ports: random operations against a model, with sanitizers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { runProcess } from "../../compiler/board/processes.js";

const folder = mkdtempSync(join(tmpdir(), "tmc-outbox-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(["gcc", "clang"])("the outbox, compiled by %s", (compiler) => {
  it("does what the model does, 4 x 50,000 times", async () => {
    const program = join(folder, compiler);
    const built = await runProcess(compiler, [
      ...["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"],
      ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", program],
      packagePath("test", "zephyr", "fixtures", "outbox-model.c"),
      packagePath("runtime-c", "port", "common", "outbox.c"),
    ]);
    expect(built.stderr.toString("utf8")).toBe("");
    for (const seed of ["1", "2", "3", "4"]) {
      const { exitCode, stdout, stderr } = await runProcess(program, [seed, "50000"]);
      expect([exitCode, stderr.toString("utf8")]).toEqual([0, ""]);
      // Each thing happened, or nothing was tested.
      const counts = [...stdout.toString("utf8").matchAll(/\w+ (\d+)/g)].map(([, n]) => Number(n));
      expect(counts).toHaveLength(6);
      expect(Math.min(...counts)).toBeGreaterThan(100);
    }
  });
});

/** What a boot leaves to the next in retained memory: the record's rules, on the host under sanitizers. No workspace needed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";

describe("the record of a boot", () => {
  let folder = "";
  let program = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-life-"));
    program = join(folder, "life-check");
    const sources = ["test/zephyr/fixtures/life-check.c", "runtime-c/port/zephyr/life.c"].map((file) =>
      packagePath(file),
    );
    const flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-g"];
    const built = spawnSync("gcc", [...flags, "-fsanitize=address,undefined", ...sources, "-o", program]);
    expect(built.stderr.toString()).toBe("");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const told = (...commands: string[]): string[] => {
    const run = spawnSync(program, { input: [...commands, "before", ""].join("\n"), encoding: "latin1" });
    expect(run.stderr).toBe("");
    return run.stdout.trimEnd().split("\n");
  };

  it.each<[string, string[], string]>([
    ["nothing after power-on", [], "unknown 0 0 0"],
    ["a restart on purpose", ["begin 7", "enter tick", "leave", "end"], "ended 0 0 0"],
    ["a handler that never returned", ["begin 7", "enter tick"], "cut 16 0 7 tick"],
    [
      "what the handler said it does",
      ["begin 7", "enter message", "work model.infer"],
      "cut 16 0 7 model.infer",
    ],
    ["work that was over", ["begin 7", "enter message", "work a", "work", "leave"], "cut 16 0 7 port"],
    ["an uncaught trap", ["begin 9", "enter tick", "crash 5 321", "end"], "crashed 5 321 9 tick"],
    ["the first of two crashes", ["begin 9", "crash 5 321", "crash 17 4"], "crashed 5 321 9 port"],
    ["no more than 23 characters", ["begin 1", `work ${"w".repeat(60)}`], `cut 16 0 1 ${"w".repeat(23)}`],
    ["no kinds that there are not", ["begin 1", "crash 12 1"], "unknown 0 0 0"],
  ])("tells %s", (_, commands, expected) => {
    expect(told(...commands)).toEqual([expected]);
  });

  it("takes nothing from memory that holds anything", () => {
    for (const noise of told(...Array.from({ length: 50 }, (_, i) => [`noise ${i}`, "before"]).flat()))
      expect(noise).toMatch(/^unknown 0 0 0|^$/);
  });

  it("stays in its bounds when only the marks are right", () => {
    const commands = Array.from({ length: 40 }, (_, i) => [`noise ${i}`, `marks ${i % 5}`, "before"]).flat();
    for (const line of told(...commands)) {
      const [outcome, , , , work = ""] = line.split(" ");
      expect(outcome).toMatch(/^(unknown|ended|crashed|cut)$/);
      expect(work.length).toBeLessThanOrEqual(23);
    }
  });
});

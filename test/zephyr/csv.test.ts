/** Recordings that emulated boards replay: good ones, and every kind of bad one, under sanitizers. No workspace needed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";

describe("a recording", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-csv-"));
    const sources = ["test/zephyr/fixtures/csv-check.c", "runtime-c/port/zephyr/csv.c"].map((file) =>
      packagePath(file),
    );
    const flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-g"];
    const out = ["-o", join(folder, "check"), "-lm"];
    const built = spawnSync("gcc", [...flags, "-fsanitize=address,undefined", ...sources, ...out]);
    expect(built.stderr.toString()).toBe("");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const read = (text: string, frames = 0): string[] => {
    const run = spawnSync(join(folder, "check"), [String(frames)], { input: text, encoding: "latin1" });
    expect(run.stderr).toBe("");
    return run.stdout.trimEnd().split("\n");
  };

  it("gives its frames over and over", () => {
    expect(read("x,y\n1,2\n-0.5, 3e2\r\n\n", 5)).toEqual([
      "bad 0 channels 2",
      ...["1 2", "-0.5 300", "1 2", "-0.5 300", "1 2"],
    ]);
    expect(read("t\n\n7", 2)).toEqual(["bad 0 channels 1", "7", "7"]);
  });

  it.each([
    ["nothing", "", 1],
    ["no header", "1,2\n3,4\n", 1],
    ["too many channels", "a,b,c,d\n1,2,3,4\n", 1],
    ["no frames", "x\n", 2],
    ["a frame too short", "x,y\n1,2\n3\n", 3],
    ["a frame too long", "x,y\n1,2,3\n", 2],
    ["a number that goes on in the next line", "x,y\n1,\n2\n", 2],
    ["words", "x\nhello\n", 2],
    ["infinity", "x\ninf\n", 2],
    ["a zero byte", "x\n1\n\0 2\n", 1],
  ])("refuses %s", (_, text, line) => {
    expect(read(text, 1)[0]).toMatch(new RegExp(`^bad ${line} `));
  });
});

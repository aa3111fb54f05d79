/** The update store on a simulated flash whose power fails at every write and erase; the counts are those of docs/updates.md. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const sanitizers = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-update-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function compile(compiler: string, sanitize: boolean): Promise<string> {
  const sources = [here, join(root, "runtime-c", "update")].flatMap((at) =>
    readdirSync(at)
      .filter((name) => name.endsWith(".c"))
      .map((name) => join(at, name)),
  );
  const program = join(folder, `${compiler}-${sanitize}`);
  const warnings = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
    "-Werror",
    sanitize ? "-O1" : "-O2",
  ];
  const include = `-I${join(root, "runtime-c", "include")}`;
  await run(compiler, [
    ...warnings,
    ...(sanitize ? sanitizers : []),
    include,
    ...sources,
    "-lcrypto",
    "-o",
    program,
  ]);
  return program;
}

/** Rows of the page's table under this heading, as the program prints them. */
function documented(heading: string): string[] {
  const page = readFileSync(join(root, "docs", "updates.md"), "utf8");
  const section = page.split(`\n### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
  return rows.slice(1).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
      .join("\t"),
  );
}

async function results(program: string, words: string): Promise<string[]> {
  const { stdout } = await run(program, words.split(" ")).catch((error: { stdout: string }) => error);
  expect(stdout).not.toMatch(/WRONG|rule of the flash/);
  return stdout.trimEnd().split("\n");
}

describe("after a failure at any write or erase, the old version runs or the new one", () => {
  it("gcc with sanitizers: pages of 512 and 256 bytes, units of 8 and 4", async () => {
    const program = await compile("gcc", true);
    expect(await results(program, "once 512 8 1100")).toHaveLength(15);
    expect(await results(program, "once 256 4 300")).toHaveLength(15);
  });

  it("clang with sanitizers: pages of 1024 bytes, units of 32; of 128 bytes, units of 4", async () => {
    const program = await compile("clang", true);
    expect(await results(program, "once 1024 32 2300")).toHaveLength(15);
    expect(await results(program, "once 128 4 140")).toHaveLength(15);
  });

  it("one failure, then two: pages of 4096 bytes and units of 8, as in the flash of STM32L4+; of 128 and 16", async () => {
    const program = await compile("gcc", false);
    const once = (await results(program, "once 4096 8 1000")).map((row) =>
      row.split("\t").slice(1).join("\t"),
    );
    expect(once).toEqual(documented("One failure"));
    const twice = (await results(program, "twice 128 16 60")).map((row) =>
      row.split("\t").slice(1).join("\t"),
    );
    expect(twice).toEqual(documented("Two failures"));
  });
});

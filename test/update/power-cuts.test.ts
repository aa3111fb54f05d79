/** The update store on a simulated flash whose power fails at every write and erase; the counts are those of docs/updates.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documented, include, results, row, run, sanitized, sourcesIn, strict } from "./power-cut-program.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-update-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function compile(compiler: string, flags: readonly string[]): Promise<string> {
  const sources = [...sourcesIn("test", "update"), ...sourcesIn("runtime-c", "update")];
  const program = join(folder, `${compiler}${flags.length}`);
  await run(compiler, [...strict, ...flags, include, ...sources, "-lcrypto", "-o", program]);
  return program;
}

describe("after a failure at any write or erase, the old version runs or the new one", () => {
  it("gcc with sanitizers: pages of 512 and 256 bytes, units of 8 and 4", async () => {
    const program = await compile("gcc", sanitized);
    expect(await results(program, "once", "512", "8", "1100")).toHaveLength(15);
    expect(await results(program, "once", "256", "4", "300")).toHaveLength(15);
  });

  it("clang with sanitizers: pages of 1024 bytes, units of 32; of 128 bytes, units of 4", async () => {
    const program = await compile("clang", sanitized);
    expect(await results(program, "once", "1024", "32", "2300")).toHaveLength(15);
    expect(await results(program, "once", "128", "4", "140")).toHaveLength(15);
  });

  it("one failure, then two: pages of 4096 bytes and units of 8, as in the flash of STM32L4+; of 128 and 16", async () => {
    const program = await compile("gcc", ["-O2"]);
    const once = await results(program, "once", "4096", "8", "1000");
    expect(once.map(row)).toEqual(documented("One failure"));
    const twice = await results(program, "twice", "128", "16", "60");
    expect(twice.map(row)).toEqual(documented("Two failures"));
  });
});

/** The serial console of the Zephyr port under libFuzzer, in a small dose; `npm run fuzz:node -- --console` runs long ones. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasLibFuzzer } from "../package/harness.js";
import { buildConsoleFuzzer } from "./harness.js";
import { dictionary, lines } from "./seeds.js";

const fuzzer = hasLibFuzzer();

describe.skipIf(!fuzzer)(`the serial console${fuzzer ? "" : " (skipped: no clang with libFuzzer)"}`, () => {
  let folder = "";
  let program = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-fuzz-console-"));
    program = buildConsoleFuzzer(folder, "-O0");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]): { status: number | null; text: string } => {
    const { status, stderr } = spawnSync(program, args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    return { status, text: status === 0 ? "" : stderr.slice(-4000) };
  };

  it("answers every command once and tells no secret, whatever is typed", () => {
    const corpus = join(folder, "corpus");
    mkdirSync(corpus);
    lines().forEach((bytes, i) => writeFileSync(join(corpus, `seed-${i}`), bytes));
    writeFileSync(join(folder, "words"), dictionary());
    const result = run(corpus, "-runs=20000", "-seed=1", "-timeout=60", "-max_len=2048", "-dict=words");
    expect(result).toEqual({ status: 0, text: "" });
  });
});

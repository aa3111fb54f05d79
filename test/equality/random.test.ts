/**
 * Random functions of the subset compute the same on Node.js, host C and Cortex-M4, checked and unchecked. Many functions
 * share one program; when an outcome differs, the function is run again alone and shrunk to a small one.
 * TMC_RANDOM_FUNCTIONS (default 40) and TMC_RANDOM_SEED (default fixed) choose what is run: a failure prints its seed.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diffLines } from "../../compiler/cli/output-diff.js";
import {
  compileForEquality,
  equalityTargets,
  missingFor,
  nodeOutcome,
  qemuTarget,
  runOnTarget,
  type EqualityTarget,
} from "../support/equality.js";
import { programText, randomFunction, type RandomFunction } from "./random-programs.js";

const count = Number(process.env["TMC_RANDOM_FUNCTIONS"] ?? 40);
const seed = Number(process.env["TMC_RANDOM_SEED"] ?? 20);
const perProgram = 20;
const shrinkMs = 60_000;

const quick = ["host clang -O0", "host gcc -O2"];
const used = [...equalityTargets.filter((t) => quick.includes(t.name)), qemuTarget];
const functions = fc.sample(randomFunction, { seed, numRuns: count });

let folder = "";
let serial = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-random-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The differences between Node.js and the target; "" when there are none. */
async function difference(
  list: readonly RandomFunction[],
  checked: boolean,
  target: EqualityTarget,
): Promise<string> {
  const file = join(folder, `r${serial++}.ts`);
  writeFileSync(file, programText(list));
  const program = { name: "random", compiled: compileForEquality(file, { root: folder, checked }) };
  const expected = nodeOutcome(program);
  const found = await runOnTarget(target, [program], { folder, warnings: "ignored", timeoutMs: 120_000 });
  const text = found.get("random") ?? "";
  return text.startsWith("failed: ") ? text : diffLines(expected, text).join("\n");
}

/** Which functions differ, by name, as the lines of a difference show. Falls back to all. */
async function guilty(
  first: number,
  list: readonly RandomFunction[],
  checked: boolean,
  target: EqualityTarget,
): Promise<number> {
  for (const [i, f] of list.entries()) {
    if ((await difference([f], checked, target)) !== "") {
      return first + i;
    }
  }
  return first;
}

/** A small function that still differs, with its program, for the report. */
async function shrunk(index: number, checked: boolean, target: EqualityTarget): Promise<string> {
  const property = fc.asyncProperty(
    randomFunction,
    async (f) => (await difference([f], checked, target)) === "",
  );
  const result = await fc.check(property, { seed, path: String(index), interruptAfterTimeLimit: shrinkMs });
  const f = result.counterexample?.[0] ?? functions[index];
  return f === undefined ? "" : `${await difference([f], checked, target)}\n${programText([f])}`;
}

const batches = Array.from({ length: Math.ceil(count / perProgram) }, (_, i) => i * perProgram);

describe(`${count} random functions, seed ${seed}`, () => {
  for (const target of used) {
    const missing = missingFor(target);
    const title = missing === undefined ? target.name : `${target.name} (${missing})`;
    it.skipIf(missing !== undefined).each(batches)(
      `from %i: Node.js equals ${title}`,
      async (first) => {
        const list = functions.slice(first, first + perProgram);
        // Every other program is a checked build.
        const checked = (first / perProgram) % 2 === 1;
        const found = await difference(list, checked, target);
        if (found !== "") {
          const index = await guilty(first, list, checked, target);
          expect.fail(
            `${target.name}, ${checked ? "checked, " : ""}function ${index}:\n${await shrunk(index, checked, target)}`,
          );
        }
      },
      300_000,
    );
  }
});

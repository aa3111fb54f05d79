/**
 * Every program of `programs/` on Node.js, host C (two compilers, two optimisation levels, sanitizers) and Cortex-M4:
 * equal to each other and to the text beside it (`name.out`; `name.checked.out` for checked builds, where it differs;
 * none in programs that say "No expected text" because the values are the library's to choose).
 * A line `// modes: checked` or `// modes: both` at the top of a program chooses its builds; without one it is built
 * unchecked. The generated C is compiled with all warnings as errors.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diffLines } from "../../compiler/cli/output-diff.js";
import {
  compileForEquality,
  equalityTargets,
  missingFor,
  nodeOutcome,
  qemuTarget,
  runAlone,
  runOnTarget,
  type EqualityProgram,
} from "../support/equality.js";

/** Programs of one executable: enough to spread the cost of a link, few enough that C compiles while others are read. */
const bundleSize = 16;

const folder = join(dirname(fileURLToPath(import.meta.url)), "programs");

interface Case {
  /** `switch`, `trap-overflow (checked)` */
  readonly name: string;
  readonly file: string;
  readonly checked: boolean;
  /** Undefined in programs that say so: what Node.js prints. */
  readonly expected: string | undefined;
}

function modesOf(text: string): readonly boolean[] {
  const mode = /^\/\/ modes: (\w+)$/m.exec(text)?.[1];
  return mode === "both" ? [false, true] : [mode === "checked"];
}

function expectedOf(stem: string, checked: boolean): string | undefined {
  const file = [...(checked ? [`${stem}.checked.out`] : []), `${stem}.out`]
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
  return file === undefined ? undefined : readFileSync(file, "latin1");
}

const cases: readonly Case[] = readdirSync(folder)
  .filter((name) => name.endsWith(".ts"))
  .sort()
  .flatMap((name) => {
    const stem = name.slice(0, -".ts".length);
    return modesOf(readFileSync(join(folder, name), "utf8")).map((checked) => ({
      name: checked ? `${stem} (checked)` : stem,
      file: join(folder, name),
      checked,
      expected: expectedOf(stem, checked),
    }));
  });

/**
 * The expected text; `trap capacity at tmc/std/list.ts`, without a line, is whatever line of the library Node.js says,
 * which the other targets must say too.
 */
function referenceFor(one: Case): string {
  const node = outcomes.get(one.name)?.get("Node.js") ?? "";
  return (one.expected ?? node).replace(/^trap \w+ at tmc\/[\w/-]+\.ts$/m, (line) => {
    const found = node.split("\n").find((l) => l.startsWith(`${line}:`));
    return found ?? line;
  });
}

const targets = equalityTargets.map((target) => ({ target, missing: missingFor(target) }));
const available = targets.filter((t) => t.missing === undefined).map((t) => t.target);

let work = "";
const programs = new Map<string, EqualityProgram>();
/** By program, then by target: "Node.js" or a target's name. */
const outcomes = new Map<string, Map<string, string>>();

function compileCase(one: Case): EqualityProgram {
  return {
    name: one.name,
    compiled: compileForEquality(one.file, { root: folder, checked: one.checked }),
  };
}

function record(program: string, target: string, text: string): void {
  const found = outcomes.get(program) ?? new Map<string, string>();
  outcomes.set(program, found.set(target, text));
}

async function runEverywhere(bundle: readonly EqualityProgram[]): Promise<void> {
  for (const target of available) {
    for (const [name, text] of await runOnTarget(target, bundle, { folder: work })) {
      record(name, target.name, text);
    }
  }
}

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "tmc-equality-"));
  let bundle: EqualityProgram[] = [];
  // One bundle after the other in C, while the next one is being read.
  let running = Promise.resolve();
  for (const one of cases) {
    try {
      const program = compileCase(one);
      programs.set(one.name, program);
      record(one.name, "Node.js", nodeOutcome(program));
      bundle.push(program);
    } catch (error) {
      record(one.name, "Node.js", `failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (bundle.length === bundleSize || (one === cases.at(-1) && bundle.length > 0)) {
      const full = bundle;
      bundle = [];
      running = running.then(() => runEverywhere(full));
    }
    await setImmediate();
  }
  await running;
}, 600_000);

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe("a program prints the same everywhere", () => {
  it.each(cases)("$name", (one) => {
    const { name } = one;
    const differing: string[] = [];
    const reference = referenceFor(one);
    for (const [target, text] of outcomes.get(name) ?? []) {
      const lines = text.startsWith("failed: ") ? [text] : diffLines(reference, text);
      if (lines.length > 0) {
        differing.push(`${target}:`, ...lines);
      }
    }
    expect(differing.join("\n")).toBe("");
    expect(outcomes.get(name)?.size).toBe(1 + available.length);
  });
  it("with an expected text beside it, or a reason for having none", () => {
    const silent = cases.filter(
      (c) => c.expected === undefined && !/^\/\/.*No expected text:/m.test(readFileSync(c.file, "utf8")),
    );
    expect(silent.map((c) => c.name)).toEqual([]);
  });
});

describe("targets", () => {
  for (const { target, missing } of targets) {
    const title = missing === undefined ? target.name : `${target.name} (${missing})`;
    it.skipIf(missing !== undefined)(`${title} ran every program`, () => {
      const without = [...outcomes].filter(([, texts]) => !texts.has(target.name)).map(([name]) => name);
      expect(without).toEqual([]);
    });
  }
});

const gcc = available.find((t) => t.board === "host" && t.opt === "-O2" && t.cc === "gcc");
const alone = [gcc, available.find((t) => t === qemuTarget)].filter((t) => t !== undefined);

describe("an uncaught trap ends the process with code 2", () => {
  const trapping = cases.filter((c) => /(^|\n)trap \w+ at [^\n]*\n?$/.test(c.expected ?? ""));
  it("in programs of every kind of trap", () => {
    const kinds = new Set(trapping.map((c) => /^trap (\w+)/m.exec(c.expected ?? "")?.[1]));
    expect([...kinds].sort()).toEqual([
      "assert",
      "capacity",
      "division",
      "index",
      "null",
      "overflow",
      "throw",
    ]);
  });
  it.each(trapping)("$name", async (one) => {
    const program = programs.get(one.name);
    expect(program).toBeDefined();
    for (const target of alone) {
      const run = await runAlone(target, program!, { folder: work });
      expect(run).toMatchObject({ text: referenceFor(one), exitCode: 2 });
    }
  });
  it("and 0 ends a program without one", async () => {
    for (const target of alone) {
      expect(await runAlone(target, programs.get("switch")!, { folder: work })).toMatchObject({
        exitCode: 0,
      });
    }
  });
});

describe("generated C", () => {
  const sample = cases.filter((_, i) => i % 5 === 0);
  it.each(sample)("of $name is the same on two runs", (one) => {
    const again = compileCase(one).compiled.c;
    const before = programs.get(one.name)?.compiled.c;
    expect(again.files).toEqual(before?.files);
    expect(again.sites).toEqual(before?.sites);
    expect(again.symbols).toEqual(before?.symbols);
  });
  it("points back to the TypeScript", () => {
    for (const program of programs.values()) {
      const text = program.compiled.c.files.map((f) => f.text).join("");
      expect(text).toMatch(/^#line \d+ "[\w./-]+\.ts"$/m);
    }
  });
});

const noQemu = missingFor(qemuTarget);
const countTitle = noQemu === undefined ? "" : ` (${noQemu})`;

describe.skipIf(noQemu !== undefined)(`executed instructions on the Cortex-M4${countTitle}`, () => {
  it("are the same on every run", async () => {
    const program = programs.get("math-f32-bits")!;
    const first = await runAlone(qemuTarget, program, { folder: work, count: true });
    const second = await runAlone(qemuTarget, program, { folder: work, count: true });
    expect(first.instructions).toBeGreaterThan(10_000);
    expect(second).toEqual(first);
  });
});

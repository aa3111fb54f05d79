/**
 * Many random programs in one image: every program is a module, the entry runs one of them per call of `main`. Runs them
 * on Node.js and on targets, and says which program differs where. It does not shrink and prints nothing.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findBoard } from "../../../compiler/board/board.js";
import { runExecutable } from "../../../compiler/board/run.js";
import { diffLines } from "../../../compiler/cli/output-diff.js";
import { formatDiagnostics } from "../../../compiler/diagnostics/format-diagnostics.js";
import { compileProgram, type CompiledProgram } from "../../../compiler/pipeline/compile.js";
import { runOnNode } from "../../../compiler/pipeline/run-on-node.js";
import {
  buildForTarget,
  outcome,
  outcomesIn,
  refuseCrash,
  type EqualityTarget,
} from "../../support/equality.js";
import { driverText } from "../../support/equality-driver.js";

export interface BatchProgram {
  readonly index: number;
  readonly text: string;
}

export type FindingKind = "mismatch" | "refused" | "internal error" | "C error or crash";

/** What is wrong with one program. */
export interface Finding {
  readonly index: number;
  readonly kind: FindingKind;
  /** The target, "" where the compiler itself is at fault. */
  readonly target: string;
  /** Diagnostics, an error's text or the differing lines. */
  readonly detail: string;
}

export interface BatchChoice {
  /** A folder of this batch's own: emptied afterwards. */
  readonly folder: string;
  readonly checked: boolean;
  readonly targets: readonly EqualityTarget[];
  /** Changes the generated C: for a test of this code. */
  readonly tamper?: (c: string) => string;
}

type Compiled =
  | { readonly k: "compiled"; readonly compiled: CompiledProgram }
  | { readonly k: "failed"; readonly findings: readonly Finding[] };

const timeoutMs = 300_000;

/** Every finding of the programs, none when all agree everywhere. */
export async function examine(programs: readonly BatchProgram[], choice: BatchChoice): Promise<Finding[]> {
  if (programs.length === 0) return [];
  const made = compileBatch(programs, choice);
  if (made.k === "failed") {
    const guilty = new Set(made.findings.map((f) => f.index));
    if (guilty.size > 0) return [...made.findings, ...(await examine(without(programs, guilty), choice))];
    return inHalves(programs, (half) => examine(half, choice));
  }
  const expected: string[] = [];
  for (const p of programs) {
    try {
      const { stdout, trap } = runOnNode(made.compiled);
      expected.push(
        outcome(stdout, trap && { kind: trap.kindName, place: trap.where, message: trap.message }),
      );
    } catch (error) {
      const found: Finding = {
        index: p.index,
        kind: "internal error",
        target: "Node.js",
        detail: describe(error),
      };
      return [found, ...(await examine(without(programs, new Set([p.index])), choice))];
    }
  }
  const findings: Finding[] = [];
  for (const target of choice.targets) {
    findings.push(...(await compare(target, programs, made.compiled, expected, choice)));
  }
  return findings;
}

const without = (programs: readonly BatchProgram[], guilty: ReadonlySet<number>): BatchProgram[] =>
  programs.filter((p) => !guilty.has(p.index));

async function inHalves(
  programs: readonly BatchProgram[],
  run: (half: readonly BatchProgram[]) => Promise<Finding[]>,
): Promise<Finding[]> {
  const middle = programs.length >> 1;
  return [...(await run(programs.slice(0, middle))), ...(await run(programs.slice(middle)))];
}

/** The entry's module: call number i of `main` runs program i. */
function entryText(count: number): string {
  const all = Array.from({ length: count }, (_, i) => i);
  const imports = all.map((i) => `import { main as p${i} } from "./p${i}.js";`);
  const cases = all.map((i) => `    case ${i}:\n      p${i}();\n      break;`);
  return `${imports.join("\n")}
let next = 0;
export function main(): void {
  const now = next;
  next = now + 1;
  switch (now) {
${cases.join("\n")}
    default:
      break;
  }
}
`;
}

function compileBatch(programs: readonly BatchProgram[], { folder, checked }: BatchChoice): Compiled {
  const entry = join(folder, "batch.ts");
  const overlay = new Map([[entry, entryText(programs.length)]]);
  programs.forEach((p, i) => overlay.set(join(folder, `p${i}.ts`), p.text));
  try {
    const result = compileProgram({ entry, root: folder, checked, kind: "program", overlay });
    if (result.ok) return { k: "compiled", compiled: result.compiled };
    const findings = programs.flatMap((p, i): Finding[] => {
      const own = result.diagnostics.filter((d) => d.severity === "error" && d.loc.file === `p${i}.ts`);
      if (own.length === 0 && programs.length > 1) return [];
      const detail = formatDiagnostics(own.length === 0 ? result.diagnostics : own, { root: folder });
      return [{ index: p.index, kind: "refused", target: "", detail }];
    });
    return { k: "failed", findings };
  } catch (error) {
    const [only] = programs;
    if (only === undefined || programs.length > 1) return { k: "failed", findings: [] };
    return {
      k: "failed",
      findings: [{ index: only.index, kind: "internal error", target: "", detail: describe(error) }],
    };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function compare(
  target: EqualityTarget,
  programs: readonly BatchProgram[],
  compiled: CompiledProgram,
  expected: readonly string[],
  choice: BatchChoice,
): Promise<Finding[]> {
  let found: readonly string[];
  try {
    found = await runOn(target, programs.length, compiled, choice);
  } catch (error) {
    const [only] = programs;
    if (only !== undefined && programs.length === 1) {
      const detail = error instanceof Error ? error.message : String(error);
      return [{ index: only.index, kind: "C error or crash", target: target.name, detail }];
    }
    return inHalves(programs, (half) => examine(half, { ...choice, targets: [target] }));
  }
  return programs.flatMap((p, i): Finding[] => {
    const lines = diffLines(expected[i] ?? "", found[i] ?? "");
    return lines.length === 0
      ? []
      : [{ index: p.index, kind: "mismatch", target: target.name, detail: lines.join("\n") }];
  });
}

let serial = 0;

/** Outcomes in order. @throws Error when it does not build or crashes. */
async function runOn(
  target: EqualityTarget,
  count: number,
  compiled: CompiledProgram,
  { folder, tamper }: BatchChoice,
): Promise<string[]> {
  const own = join(folder, `run-${serial++}`);
  mkdirSync(own, { recursive: true });
  try {
    const renamed = "#define tmc_program_main tmc_program_main_0\nvoid tmc_program_main(void);\n";
    const sources = compiled.c.sources.map((path) => join(own, basename(path)));
    for (const file of compiled.c.files) {
      const text = tamper === undefined ? file.text : tamper(file.text);
      writeFileSync(
        join(own, basename(file.path)),
        compiled.c.sources.includes(file.path) ? renamed + text : text,
      );
    }
    const driver = join(own, "driver.c");
    writeFileSync(driver, driverText(Array.from({ length: count }, () => 0)));
    const board = findBoard(target.board);
    const elf = await buildForTarget(target, own, [...sources, driver], {
      warnings: "ignored",
      debug: false,
    });
    const run = await runExecutable({ board, elf, timeoutMs });
    refuseCrash(run, 0);
    return outcomesIn(
      run.stdout,
      Array.from({ length: count }, () => compiled),
    );
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

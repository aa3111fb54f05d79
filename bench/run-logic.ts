/**
 * `npm run bench:logic`: executed instructions and flash of the logic benchmarks on the Cortex-M4 (QEMU), compiled
 * from TypeScript and from hand-written C, both with -O2. Index checks are on, the overflow checks of checked builds
 * off. Arguments: names of benchmarks (default: all), `--json`, `--keep` (leaves the generated C in build/bench).
 */
import { rmSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import {
  benchmarks,
  buildAndRun,
  compileBenchmark,
  handWritten,
  writeEmpty,
  writeGenerated,
  type BenchmarkRun,
} from "./logic-benchmarks.js";

interface Figures {
  readonly name: string;
  readonly instructions: number;
  readonly cInstructions: number;
  readonly ratio: number;
  readonly flash: number;
  readonly cFlash: number;
  readonly gap: string;
}

function counted(run: BenchmarkRun, what: string): number {
  if (run.instructions === undefined) throw new Error(`${what}: no instruction count`);
  return run.instructions;
}

async function measure(name: string, gap: string, folder: string, empty: BenchmarkRun): Promise<Figures> {
  const generated = writeGenerated(compileBenchmark(name), `${folder}/${name}/generated`);
  const ours = await buildAndRun("qemu_cortex_m4", generated, `${folder}/${name}/generated`, true);
  const c = await buildAndRun("qemu_cortex_m4", handWritten(name), `${folder}/${name}/c`, true);
  if (ours.output !== c.output) {
    throw new Error(`${name}: the outputs differ\nTypeScript: ${ours.output}C:          ${c.output}`);
  }
  const instructions = counted(ours, name);
  const cInstructions = counted(c, `${name} in C`);
  return {
    name,
    instructions,
    cInstructions,
    ratio: round(instructions / cInstructions),
    flash: ours.flash - empty.flash,
    cFlash: c.flash - empty.flash,
    gap,
  };
}

const round = (x: number): number => Math.round(x * 1000) / 1000;

function geometricMean(values: readonly number[]): number {
  return round(Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length));
}

function table(figures: readonly Figures[]): string {
  const rows = [
    ["benchmark", "instructions", "in C", "ratio", "flash", "in C", "note"],
    ...figures.map((f) => [
      f.name,
      f.instructions.toLocaleString("en"),
      f.cInstructions.toLocaleString("en"),
      f.ratio.toFixed(3),
      String(f.flash),
      String(f.cFlash),
      f.gap,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => (r[i] ?? "").length)));
  return rows
    .map((r) =>
      r
        .map((x, i) => (i === 0 || i === 6 ? x.padEnd(widths[i] ?? 0) : x.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .map((line) => line.trimEnd())
    .join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes("--json");
  const names = args.filter((a) => !a.startsWith("--"));
  const unknown = names.find((n) => !benchmarks.some((b) => b.name === n));
  if (unknown !== undefined) {
    throw new Error(`no benchmark ${unknown}; there are ${benchmarks.map((b) => b.name).join(", ")}`);
  }
  const folder = packagePath("build", "bench", `logic-${process.pid}`);
  try {
    const empty = await buildAndRun("qemu_cortex_m4", writeEmpty(`${folder}/empty`), `${folder}/empty`, true);
    const figures: Figures[] = [];
    for (const { name, gap } of benchmarks) {
      if (names.length > 0 && !names.includes(name)) continue;
      if (!json) process.stderr.write(`${name} …\n`);
      figures.push(await measure(name, gap, folder, empty));
    }
    const geomean = geometricMean(figures.map((f) => f.ratio));
    if (json) {
      const list = figures.map(({ name, instructions, cInstructions, ratio }) => ({
        name,
        instructions,
        cInstructions,
        ratio,
      }));
      process.stdout.write(`${JSON.stringify({ benchmarks: list, geomean })}\n`);
    } else {
      process.stdout.write(`${table(figures)}\n\ngeometric mean ${geomean.toFixed(3)}\n`);
    }
  } finally {
    if (!args.includes("--keep")) rmSync(folder, { recursive: true, force: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

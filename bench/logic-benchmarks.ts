/**
 * The logic benchmarks: each is a program of the subset (`logic/NAME.ts`) and hand-written C (`logic/NAME.c`) for the
 * same port, with the same algorithm and the same output. Here is how both are built and run; figures and tables are
 * run-logic.ts's.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findBoard } from "../compiler/board/board.js";
import { readElf } from "../compiler/board/elf.js";
import { packagePath } from "../compiler/board/package-root.js";
import { runExecutable } from "../compiler/board/run.js";
import { buildExecutable } from "../compiler/board/toolchain.js";
import { formatDiagnostics } from "../compiler/diagnostics/format-diagnostics.js";
import { compileProgram, type CompiledProgram } from "../compiler/pipeline/compile.js";

/** In the order of the table; `gap`: where the instructions beyond C's are, or why there are fewer. */
export const benchmarks: readonly { readonly name: string; readonly gap: string }[] = [
  { name: "crc32-bitwise", gap: "" },
  { name: "crc32-table", gap: "" },
  { name: "dot-int8", gap: "" },
  { name: "fir-int16", gap: "saturates with one instruction (sat.i16)" },
  { name: "biquad-f32", gap: "" },
  { name: "insertion-sort", gap: "" },
  { name: "heap-sort", gap: "a register more in the inner loop, by chance" },
  {
    name: "topic-route",
    gap: "C searches once where parts begin alike; clamped slices; views of the buffer",
  },
  { name: "state-machine", gap: "one index check a turn" },
  { name: "mandelbrot-f32", gap: "" },
  { name: "nbody-f32", gap: "" },
];

export type BenchmarkBoard = "host" | "qemu_cortex_m4";

/** A built and executed program. */
export interface BenchmarkRun {
  readonly output: string;
  /** Executed instructions of main; undefined where they were not counted. */
  readonly instructions: number | undefined;
  /** Bytes of the image in flash, what both programs share included. */
  readonly flash: number;
}

const source = (file: string): string => packagePath("bench", "logic", file);

/** @throws Error with the diagnostics when the program is wrong. */
export function compileBenchmark(name: string): CompiledProgram {
  const root = packagePath();
  const result = compileProgram({ entry: source(`${name}.ts`), root, checked: false, kind: "program" });
  if (!result.ok) {
    throw new Error(`${name} does not compile\n${formatDiagnostics(result.diagnostics, { root })}`);
  }
  return result.compiled;
}

/** Writes the generated C below `folder`. @returns the files to compile. */
export function writeGenerated(compiled: CompiledProgram, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  for (const file of compiled.c.files) {
    writeFileSync(join(folder, basename(file.path)), file.text);
  }
  return compiled.c.sources.map((path) => join(folder, basename(path)));
}

/** The hand-written C of a benchmark. */
export const handWritten = (name: string): string[] => [source(`${name}.c`)];

/** The C of a program that does nothing: what every image contains. */
export function writeEmpty(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "empty.c");
  writeFileSync(file, '#include "tmc/port.h"\n\nvoid tmc_program_main(void) {\n}\n');
  return [file];
}

/**
 * Builds with -O2 and runs; on the Cortex-M4 with `count` the instructions of main are counted.
 * @throws Error when the program crashes or traps.
 */
export async function buildAndRun(
  boardName: BenchmarkBoard,
  sources: readonly string[],
  folder: string,
  count: boolean,
): Promise<BenchmarkRun> {
  const board = findBoard(boardName);
  const { elf } = await buildExecutable({
    board,
    sources,
    includeDirs: [packagePath("bench", "logic")],
    outDir: folder,
    name: "program",
    port: "program",
    linkArgs: ["-lm"],
    cacheDir: packagePath("build", "bench-cache"),
    warningsAreErrors: true,
  });
  const run = await runExecutable({ board, elf, count });
  if (run.exitCode !== 0 || run.fault !== undefined) {
    throw new Error(
      `${sources.join(" ")} failed on ${boardName}: ${run.fault ?? `exit code ${run.exitCode}`}\n${run.stderr}`,
    );
  }
  const flash = readElf(elf)
    .sections.filter((s) => s.allocated && s.loaded)
    .reduce((sum, s) => sum + s.size, 0);
  return { output: run.stdout, instructions: run.instructions, flash };
}

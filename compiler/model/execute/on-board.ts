/** Compiles models with the harness for a board and runs them there. Judges nothing: `compare.ts` does. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Board } from "../../board/board.js";
import { runExecutable, type RunResult } from "../../board/run.js";
import {
  buildExecutable,
  type BuildResult,
  type CompilerName,
  type OptimisationLevel,
} from "../../board/toolchain.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { emitModels, type EmittedModels, type ModelToEmit } from "../emit-c/emit.js";
import { harnessProgram, parseHarness } from "./harness.js";
import type { Inference, InferenceInput } from "./inference.js";

export interface BoardRunOptions {
  readonly cc?: CompilerName;
  readonly opt?: OptimisationLevel;
  readonly sanitize?: boolean;
  readonly warningsAreErrors?: boolean;
}

/** One model and the inputs to run through it, in order. */
export interface ModelRun {
  readonly model: ModelToEmit;
  readonly inputs: readonly InferenceInput[];
}

/**
 * Runs every input of every model in one program on the board; the results in the same order, layers included.
 * @throws UserError TMC30xx (model), TMC40xx (tools, memory), TMC3035 (the program crashed).
 */
export async function runOnBoard(
  board: Board,
  runs: readonly ModelRun[],
  options: BoardRunOptions = {},
): Promise<Inference[][]> {
  const cases = runs.flatMap(({ model, inputs }, index) =>
    inputs.map((input) => ({ model: index, inputs: input, outputCount: model.graph.outputs.length })),
  );
  return inTemporaryFolder(async (folder) => {
    const emitted = emitModels(
      runs.map((run) => run.model),
      board.models?.weightsInRam,
    );
    const { elf } = await buildModelProgram(board, emitted, harnessProgram(cases), folder, {
      ...options,
      layers: true,
    });
    const result = await runExecutable({ board, elf, timeoutMs: 120_000 + 20_000 * cases.length });
    const results = parseHarness(successfulOutput(result, board.name));
    let next = 0;
    return runs.map(({ inputs }) => {
      const own = results.slice(next, next + inputs.length);
      next += inputs.length;
      return own;
    });
  });
}

export interface ProgramOptions extends BoardRunOptions {
  /** Compiles the layer hook in. */
  readonly layers: boolean;
  readonly includeDirs?: readonly string[];
  /** Of the library, `NAME=value`. */
  readonly libraryDefines?: readonly string[];
}

/** Writes the models and `program` to `folder`, compiles and links them. */
export async function buildModelProgram(
  board: Board,
  emitted: EmittedModels,
  program: string,
  folder: string,
  options: ProgramOptions,
): Promise<BuildResult> {
  const sourceDir = join(folder, "src");
  mkdirSync(sourceDir, { recursive: true });
  for (const file of [...emitted.files, { path: "program.c", text: program }]) {
    writeFileSync(join(sourceDir, file.path), file.text);
  }
  const { layers, includeDirs = [], ...compile } = options;
  return buildExecutable({
    board,
    sources: [...emitted.sources, "program.c"].map((path) => join(sourceDir, path)),
    includeDirs: [sourceDir, ...includeDirs],
    defines: layers ? ["TMC_MODEL_LAYERS"] : [],
    outDir: folder,
    kernels: true,
    name: "model",
    port: "program",
    ...compile,
  });
}

/** What a program that cannot fail wrote. @throws UserError TMC3035 when it failed all the same. */
export function successfulOutput(result: RunResult, target: string): string {
  if (result.exitCode !== 0 || result.fault !== undefined) {
    const reason =
      result.fault ??
      result.signal ??
      (result.trap === undefined ? `exit code ${result.exitCode}` : "a trap");
    throw new UserError(
      "TMC3035",
      `the compiled model crashed on ${target}: ${reason}`,
      "This is a bug in tmc: please report it with the model.",
      ExitCode.internal,
    );
  }
  return result.stdout;
}

/** Calls `work` with a folder that is removed afterwards. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-model-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

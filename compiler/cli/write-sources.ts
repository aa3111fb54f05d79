/** Writes what the backends emitted into a folder. Files that already have their text are not touched. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { CompiledProgram } from "../pipeline/compile.js";

export interface WrittenSources {
  /** Absolute; on the include path of the compilers. */
  readonly folder: string;
  /** Absolute paths of the C files among them. */
  readonly sources: readonly string[];
}

/** Writes to `folder/gen`. @throws UserError TMC0014 when that is not possible. */
export function writeSources(compiled: CompiledProgram, folder: string): WrittenSources {
  const target = join(folder, "gen");
  const files = [...compiled.c.files, ...compiled.models.files];
  try {
    mkdirSync(target, { recursive: true });
    for (const file of files) {
      writeIfDifferent(join(target, file.path), file.text);
    }
  } catch (error) {
    throw new UserError(
      "TMC0014",
      `cannot write to ${target}: ${error instanceof Error ? error.message : String(error)}`,
      "choose another folder with --out",
      ExitCode.usage,
    );
  }
  return {
    folder: target,
    sources: files.filter((file) => file.path.endsWith(".c")).map((file) => join(target, file.path)),
  };
}

/** Keeps the time of an equal file, so that builds that look at times do nothing. */
export function writeIfDifferent(file: string, text: string): void {
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileSync(file, text);
  }
}

/** Compiles for a command and prints the findings. The stages are the pipeline's. */
import type { CompiledProgram, CompileOptions } from "../pipeline/compile.js";
import { ExitCode } from "../diagnostics/user-error.js";
import { loadTypescript } from "./typescript-cache.js";
import { printJson } from "./failure.js";
import { styleFor } from "../diagnostics/colors.js";
import { diagnosticToJson, formatDiagnostics } from "../diagnostics/format-diagnostics.js";

export interface CommandCompileOptions extends CompileOptions {
  /** Errors go to stdout as one document too. */
  readonly json: boolean;
}

/**
 * The compiled program; undefined when the sources have errors, which are then printed and set the exit code 1.
 * Warnings of a program that compiles go to stderr.
 */
export async function compileOrReport(options: CommandCompileOptions): Promise<CompiledProgram | undefined> {
  // Loads TypeScript: not before a command needs it.
  loadTypescript();
  const { compileProgram } = await import("../pipeline/compile.js");
  const { compiled, diagnostics } = compileProgram(options);
  process.stderr.write(
    formatDiagnostics(diagnostics, { root: options.root, style: styleFor(process.stderr) }),
  );
  if (compiled === undefined) {
    process.exitCode = ExitCode.failed;
    if (options.json) {
      printJson({
        ok: false,
        diagnostics: diagnostics.map((d) => diagnosticToJson(d, { root: options.root })),
      });
    }
  }
  return compiled;
}

/** Prints a failure on stderr (with `--json` also on stdout) and gives its exit code. It never throws. */
import { ExitCode, UserError } from "../diagnostics/user-error.js";

/**
 * A `UserError` is printed as `error TMC1234: …` and `fix: …`; anything else is a bug of ours and is printed with its
 * stack. With `json` stdout gets `{ "error": { code, message, fix } }`, so that a program that reads it sees the same.
 */
export function reportFailure(error: unknown, json = false): number {
  if (error instanceof UserError) {
    process.stderr.write(`error ${error.code}: ${error.message}\n`);
    if (error.fix !== "") {
      process.stderr.write(`fix: ${error.fix}\n`);
    }
    if (json) {
      printJson({ error: { code: error.code, message: error.message, fix: error.fix } });
    }
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `internal error: ${text}\n` +
      "This is a bug in tmc, not in your program. Please report it with the lines above, the command line and, " +
      "if you can, the source that led here.\n",
  );
  if (json) {
    printJson({ error: { code: "TMC0099", message: text, fix: "report it" } });
  }
  return ExitCode.internal;
}

/** The one way in which commands print for programs: one document, indented, on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

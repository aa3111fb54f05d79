/** Errors a user can mend: a stable code, one sentence in the user's terms, and the fix. Everything else is a bug of ours. */

/** Exit codes of `tmc`, documented in `docs/cli.md`. */
export const ExitCode = {
  ok: 0,
  /** The program or its result is wrong: diagnostics, outputs that differ, a budget exceeded. */
  failed: 1,
  /** An uncaught trap ended the program. */
  trap: 2,
  /** Wrong command line, or an input file that is missing or unreadable. */
  usage: 3,
  /** A tool this command needs is not installed. */
  missingTool: 4,
  /** Everything up to objects and the memory report was made, but no image: there is no Zephyr workspace. */
  noWorkspace: 5,
  /** A bug in tmc. */
  internal: 70,
} as const;

export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure with a stable code (`TMC3101`), a reason and the fix. The CLI prints it and exits with `exitCode`. */
export class UserError extends Error {
  readonly code: string;
  readonly fix: string;
  readonly exitCode: ExitCodeValue;

  constructor(code: string, message: string, fix: string, exitCode: ExitCodeValue = ExitCode.failed) {
    super(message);
    this.name = "UserError";
    this.code = code;
    this.fix = fix;
    this.exitCode = exitCode;
  }
}

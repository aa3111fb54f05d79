/** Runs the command line as a user does: a process of its own, from the TypeScript sources. */
import { packagePath } from "../../compiler/board/package-root.js";
import { runProcess } from "../../compiler/board/processes.js";

export interface TmcResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface TmcOptions {
  /** Default: the repository. */
  readonly cwd?: string;
  /** Default 110,000: below the test's own limit, so that the output is still shown. */
  readonly timeoutMs?: number;
  /** Run dist/ through bin/tmc.js instead of the sources. Default false. */
  readonly built?: boolean;
}

export async function runTmc(args: readonly string[], options: TmcOptions = {}): Promise<TmcResult> {
  const loader = import.meta.resolve("tsx");
  const start =
    options.built === true
      ? [packagePath("bin", "tmc.js")]
      : ["--import", loader, packagePath("test", "support", "tmc-from-source.ts")];
  const result = await runProcess(process.execPath, [...start, ...args], {
    cwd: options.cwd ?? packagePath(),
    timeoutMs: options.timeoutMs ?? 110_000,
  });
  return {
    stdout: result.stdout.toString("utf8"),
    stderr: result.stderr.toString("utf8") + (result.timedOut ? "\n(the command was stopped: time-out)" : ""),
    exitCode: result.exitCode,
  };
}

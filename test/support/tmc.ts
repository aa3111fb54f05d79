/** Runs the command line: as a user does, in a process of its own from the TypeScript sources, or by a call (much faster). */
import { main } from "../../compiler/cli/main.js";
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
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
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
    env: { ...process.env, ...options.env },
    timeoutMs: options.timeoutMs ?? 110_000,
  });
  return {
    stdout: result.stdout.toString("utf8"),
    stderr: result.stderr.toString("utf8") + (result.timedOut ? "\n(the command was stopped: time-out)" : ""),
    exitCode: result.exitCode,
  };
}

/**
 * Calls the command line inside this process, with its output captured: for what ends before anything is compiled or started.
 * One call at a time.
 */
export async function callTmc(args: readonly string[], cwd: string = packagePath()): Promise<TmcResult> {
  const before = { cwd: process.cwd(), exitCode: process.exitCode };
  const outputs = { stdout: "", stderr: "" };
  const restore = (["stdout", "stderr"] as const).map((name) => {
    const stream = process[name];
    const write = stream.write.bind(stream);
    stream.write = (chunk: Uint8Array | string): boolean => {
      outputs[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      return true;
    };
    return () => {
      stream.write = write;
    };
  });
  process.exitCode = undefined;
  process.chdir(cwd);
  try {
    const exitCode = await main(args);
    return { exitCode, ...outputs };
  } finally {
    restore.forEach((undo) => undo());
    process.chdir(before.cwd);
    process.exitCode = before.exitCode;
  }
}

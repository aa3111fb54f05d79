/** Runs one child process to its end and captures what it wrote. No shell, no retries. */
import { spawn } from "node:child_process";

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment of the process; default: that of this one. */
  readonly env?: NodeJS.ProcessEnv;
  /** Bytes given to standard input; default: none (end of file at once). */
  readonly stdin?: Uint8Array;
  /** Kill after this many milliseconds; default: never. */
  readonly timeoutMs?: number;
  /** Kill when standard output and error together exceed this many bytes; default 256 MB. */
  readonly maxOutput?: number;
}

export interface ProcessResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** -1 when a signal ended it. */
  readonly exitCode: number;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly outputTooLarge: boolean;
}

/** @throws the spawn error (code ENOENT when the command does not exist). A non-zero exit code is no error here. */
export function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const limit = options.maxOutput ?? 256 * 1024 * 1024;
    let size = 0;
    let timedOut = false;
    let outputTooLarge = false;
    const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        outputTooLarge = true;
        child.kill("SIGKILL");
        return;
      }
      chunks.push(chunk);
    };
    child.stdout?.on("data", keep(stdout));
    child.stderr?.on("data", keep(stderr));
    if (options.stdin !== undefined) {
      child.stdin?.on("error", () => {}); // the child may end without reading
      child.stdin?.end(options.stdin);
    }
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, options.timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
        exitCode: code ?? -1,
        signal: signal ?? undefined,
        timedOut,
        outputTooLarge,
      });
    });
  });
}

/** True when `error` says that the command itself does not exist. */
export function isMissingCommand(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

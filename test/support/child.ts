/**
 * A process that runs beside the test or the demo: started without a shell, its output collected line by line,
 * stopped by its own pid, and never left behind when Node.js exits. For a process that is only awaited, see
 * compiler/board/processes.ts.
 */
import { spawn, type ChildProcess } from "node:child_process";

export interface Exit {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
}

export interface Line {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How messages call it; default: the command. */
  readonly name?: string;
}

/** What ended a wait that found nothing: the message holds the end of the output. */
export class ChildError extends Error {
  override readonly name = "ChildError";
}

interface Waiter {
  readonly matches: (line: Line) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

export class Child {
  /** Every complete line so far, in order of arrival. */
  readonly lines: Line[] = [];
  /** Resolves at its end; never rejects. */
  readonly exited: Promise<Exit>;

  private readonly waiters = new Set<Waiter>();
  private readonly partial = { stdout: "", stderr: "" };
  private exit: Exit | undefined;

  private constructor(
    private readonly process: ChildProcess,
    readonly name: string,
  ) {
    running.add(process);
    this.read("stdout");
    this.read("stderr");
    this.exited = new Promise((resolve) => {
      // "close" comes after the last output, "exit" may come before it.
      process.once("close", (code, signal) => {
        running.delete(process);
        this.add("stdout", this.partial.stdout === "" ? "" : "\n");
        this.add("stderr", this.partial.stderr === "" ? "" : "\n");
        this.exit = { code: code ?? -1, signal: signal ?? undefined };
        for (const waiter of this.waiters) {
          waiter.reject(this.error(`${this.name} ended (${this.describeExit()})`));
        }
        this.waiters.clear();
        resolve(this.exit);
      });
    });
  }

  /** @throws ChildError when the command cannot be started. */
  static async start(command: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
    const process_ = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const child = new Child(process_, options.name ?? command);
    await new Promise<void>((resolve, reject) => {
      process_.once("spawn", resolve);
      process_.once("error", (error) => {
        running.delete(process_);
        reject(new ChildError(`${child.name} cannot be started: ${error.message}`));
      });
    });
    return child;
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get ended(): Exit | undefined {
    return this.exit;
  }

  /** All lines of one stream, or of both, joined. */
  text(stream?: Line["stream"]): string {
    return this.lines
      .filter((line) => stream === undefined || line.stream === stream)
      .map((line) => line.text)
      .join("\n");
  }

  /**
   * The first line that matches, from `from` (an index into `lines`; default 0: also lines already there) onwards.
   * @throws ChildError when the process ends or the time is up first.
   */
  waitForLine(pattern: RegExp | string, timeoutMs = 10_000, from = 0): Promise<string> {
    const matches = (line: Line): boolean =>
      typeof pattern === "string" ? line.text.includes(pattern) : pattern.test(line.text);
    const present = this.lines.slice(from).find(matches);
    if (present !== undefined) {
      return Promise.resolve(present.text);
    }
    if (this.exit !== undefined) {
      return Promise.reject(
        this.error(`${this.name} ended (${this.describeExit()}) without a line ${String(pattern)}`),
      );
    }
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
      };
      const waiter: Waiter = {
        matches,
        resolve: (line) => {
          finish();
          resolve(line);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiter.reject(this.error(`${this.name} printed no line ${String(pattern)} in ${timeoutMs} ms`));
      }, timeoutMs);
      this.waiters.add(waiter);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Sends the signal, and SIGKILL after `graceMs`. Returns how it ended, also when it had ended before. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 5_000): Promise<Exit> {
    if (this.exit === undefined) {
      this.process.kill(signal);
    }
    const timer = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  private read(stream: Line["stream"]): void {
    this.process[stream]?.setEncoding("utf8");
    this.process[stream]?.on("data", (chunk: string) => this.add(stream, chunk));
  }

  private add(stream: Line["stream"], chunk: string): void {
    const parts = (this.partial[stream] + chunk).split("\n");
    this.partial[stream] = parts.pop() ?? "";
    for (const text of parts) {
      const line: Line = { stream, text };
      this.lines.push(line);
      for (const waiter of [...this.waiters]) {
        if (waiter.matches(line)) {
          waiter.resolve(text);
        }
      }
    }
  }

  private describeExit(): string {
    return this.exit?.signal ?? `exit code ${this.exit?.code ?? "unknown"}`;
  }

  private error(message: string): ChildError {
    const tail = this.lines.slice(-20).map((line) => `  ${line.text}`);
    return new ChildError(
      tail.length === 0
        ? `${message}; it printed nothing`
        : `${message}; its output ends with\n${tail.join("\n")}`,
    );
  }
}

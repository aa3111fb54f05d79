/** Steps of a demonstration: numbered, timed, each failure with its step and its fix; and the stopping of what was started. */
import { UserError } from "../compiler/diagnostics/user-error.js";

export type Say = (line: string) => void;

/** A step that cannot succeed as the machine is; `fix` tells the user what to do. */
export class StepError extends Error {
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

/** Things to stop, last started first. Each is stopped once, whatever happens in between. */
export class Cleanup {
  private readonly tasks: (() => Promise<void> | void)[] = [];

  add(task: () => Promise<void> | void): void {
    this.tasks.push(task);
  }

  async run(): Promise<void> {
    for (let task = this.tasks.pop(); task !== undefined; task = this.tasks.pop()) {
      try {
        await task();
      } catch (error) {
        console.error(`  while stopping: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** SIGINT and SIGTERM stop everything and end with the code that a shell gives for the signal. */
  onSignals(): void {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      process.once(signal, () => {
        console.log(`\n${signal}: stopping what was started`);
        void this.run().then(() => process.exit(code));
      });
    }
  }
}

export class Steps {
  private number = 0;
  private readonly began = Date.now();

  constructor(private readonly total: number) {}

  /**
   * Runs one step and prints it. On failure prints which step it was, why and the fix, and throws `StepFailed`.
   * `fix` is for failures that bring none of their own.
   */
  async run<T>(title: string, fix: string, work: (say: Say) => Promise<T>): Promise<T> {
    this.number += 1;
    const start = Date.now();
    console.log(`[${this.number}/${this.total}] ${title}`);
    const say: Say = (text) => {
      for (const line of text.trimEnd().split("\n")) {
        console.log(`      ${line}`);
      }
    };
    try {
      const result = await work(say);
      console.log(`      done in ${seconds(start)}\n`);
      return result;
    } catch (error) {
      const own = error instanceof StepError || error instanceof UserError ? error.fix : "";
      const message = error instanceof Error ? error.message : String(error);
      console.error(`\nFAILED in step ${this.number}, "${title}": ${message}`);
      console.error(`fix: ${own === "" ? fix : own}`);
      throw new StepFailed();
    }
  }

  finish(): void {
    console.log(`Everything above ran in ${seconds(this.began)}.`);
  }
}

/** Already reported. */
export class StepFailed extends Error {}

function seconds(start: number): string {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

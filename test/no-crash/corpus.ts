/** Every `.ts` file of a folder, judged in processes that are replaced when they hang or grow. Prints nothing itself. */
import { fork, type ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outcomes, type Outcome, type Verdict } from "./judge.js";

export interface CorpusChoice {
  readonly jobs: number;
  /** For one file. */
  readonly timeoutMs: number;
  readonly onCrash: (file: string, verdict: Verdict) => void;
  readonly onProgress: (done: number) => void;
}

export type Counts = Readonly<Record<Outcome, number>>;

/** A process is replaced after so many files: what compilers remember grows. */
const filesPerProcess = 400;

/** Sorted; declaration files are no programs. Every `every`-th of them. */
export function corpusFiles(folder: string, every = 1): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .sort()
    .filter((_, i) => i % every === 0)
    .map((name) => join(folder, name));
}

export async function judgeAll(files: readonly string[], choice: CorpusChoice): Promise<Counts> {
  const counts = Object.fromEntries(outcomes.map((o) => [o, 0])) as Record<Outcome, number>;
  let next = 0;
  let done = 0;
  const job = async (): Promise<void> => {
    let worker: ChildProcess | undefined;
    let judged = 0;
    for (let i = next++; i < files.length; i = next++) {
      const file = files[i] ?? "";
      if (worker === undefined || judged % filesPerProcess === 0) {
        worker?.kill("SIGKILL");
        worker = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
          stdio: ["ignore", 2, 2, "ipc"],
        });
      }
      judged++;
      const verdict = await ask(worker, file, choice.timeoutMs);
      counts[verdict.outcome]++;
      if (verdict.detail !== "") {
        choice.onCrash(file, verdict);
        // Its state may be broken, or it may still be busy.
        worker.kill("SIGKILL");
        worker = undefined;
      }
      choice.onProgress(++done);
    }
    worker?.kill("SIGKILL");
  };
  await Promise.all(Array.from({ length: choice.jobs }, job));
  return counts;
}

function ask(worker: ChildProcess, file: string, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const finish = (verdict: Verdict): void => {
      clearTimeout(timer);
      worker.off("exit", ended);
      worker.off("message", answered);
      resolve(verdict);
    };
    const ended = (code: number | null, signal: string | null): void => {
      finish({ outcome: "internal error", detail: `the process ended with ${code ?? signal ?? "nothing"}` });
    };
    const answered = (verdict: Verdict): void => {
      finish(verdict);
    };
    const timer = setTimeout(() => {
      finish({ outcome: "hang", detail: `no answer within ${timeoutMs / 1000} s` });
    }, timeoutMs);
    worker.once("exit", ended);
    worker.once("message", answered);
    worker.send(file);
  });
}

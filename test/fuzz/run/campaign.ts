/** A campaign: shares batches of programs out to worker processes, counts, says how far it is. */
import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism, tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Answer, Task } from "./worker.js";

export interface CampaignChoice {
  readonly seed: number;
  /** Programs from this index on. */
  readonly first: number;
  readonly programs: number;
  /** Stops handing out batches after this time. */
  readonly minutes: number;
  readonly jobs: number;
  /** Programs per image. */
  readonly batch: number;
  readonly targets: readonly string[];
  readonly reports: string;
  readonly shrinkMs: number;
  readonly say: (line: string) => void;
}

export interface CampaignResult {
  readonly programs: number;
  readonly mismatches: number;
}

export const defaultJobs = (): number => Math.min(2, availableParallelism());

/** Compilers keep what they know of a program: a process is replaced after so many batches. */
const batchesPerProcess = 30;
const progressMs = 30_000;

/** The batches in order: each all checked (odd indices) or all unchecked. */
function* batches(first: number, programs: number, size: number): Generator<number[]> {
  for (let from = first; from < first + programs; from += 2 * size) {
    const end = Math.min(from + 2 * size, first + programs);
    const all = Array.from({ length: end - from }, (_, i) => from + i);
    for (const parity of [0, 1]) {
      const indices = all.filter((i) => i % 2 === parity);
      if (indices.length > 0) yield indices;
    }
  }
}

export async function runCampaign(choice: CampaignChoice): Promise<CampaignResult> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-fuzz-"));
  const queue = batches(choice.first, choice.programs, choice.batch);
  const started = performance.now();
  const until = started + choice.minutes * 60_000;
  let programs = 0;
  let mismatches = 0;
  const progress = (): void => {
    const rate = programs / ((performance.now() - started) / 1000);
    choice.say(
      `${programs} of ${choice.programs} programs, ${mismatches} mismatches, ${rate.toFixed(1)} a second`,
    );
  };
  const timer = setInterval(progress, progressMs);
  const job = async (number: number): Promise<void> => {
    let worker: ChildProcess | undefined;
    let left = 0;
    try {
      while (performance.now() < until) {
        const { value: indices, done } = queue.next();
        if (done === true) return;
        if (worker === undefined || left === 0) {
          worker?.kill();
          worker = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
            stdio: ["ignore", 2, 2, "ipc"],
          });
          left = batchesPerProcess;
        }
        left--;
        const checked = (indices[0] ?? 0) % 2 === 1;
        const own = join(folder, `job-${number}`);
        const { seed, targets, reports, shrinkMs } = choice;
        const answer = await ask(worker, { seed, indices, checked, targets, folder: own, reports, shrinkMs });
        programs += indices.length;
        mismatches += answer.findings.length;
        for (const f of answer.findings)
          choice.say(`program ${f.index}: ${f.kind}, see ${f.report}/report.txt`);
      }
    } finally {
      worker?.kill();
    }
  };
  try {
    await Promise.all(Array.from({ length: choice.jobs }, (_, i) => job(i)));
  } finally {
    clearInterval(timer);
    rmSync(folder, { recursive: true, force: true });
  }
  progress();
  return { programs, mismatches };
}

function ask(worker: ChildProcess, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      reject(new Error(`a worker ended with ${code ?? "a signal"} at programs ${task.indices.join(" ")}`));
    };
    worker.once("exit", ended);
    worker.once("message", (answer: Answer) => {
      worker.off("exit", ended);
      resolve(answer);
    });
    worker.send(task);
  });
}

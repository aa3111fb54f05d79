/** A process of a campaign: takes one batch after the other from its parent, and answers with what it found. */
import { mkdirSync, rmSync } from "node:fs";
import { programOf, programText } from "../generate/program.js";
import { equalityTargets } from "../../support/equality.js";
import { examine, type Finding } from "./batch.js";
import { writeReport } from "./report.js";
import { shrink } from "./shrink.js";

export interface Task {
  readonly seed: number;
  /** Indices of programs, all checked or all unchecked. */
  readonly indices: readonly number[];
  readonly checked: boolean;
  readonly targets: readonly string[];
  /** For builds of this worker. */
  readonly folder: string;
  /** Reports go there. */
  readonly reports: string;
  readonly shrinkMs: number;
}

export interface Answer {
  /** Index and kind of what was found; the folder of its report. */
  readonly findings: readonly { readonly index: number; readonly kind: string; readonly report: string }[];
}

export async function perform(task: Task): Promise<Answer> {
  const { seed, checked, folder } = task;
  mkdirSync(folder, { recursive: true });
  const targets = equalityTargets.filter((t) => task.targets.includes(t.name));
  const programs = task.indices.map((index) => ({ index, text: programText(programOf(seed, index)) }));
  const found = await examine(programs, { folder, checked, targets });
  const byProgram = new Map<number, Finding[]>();
  for (const f of found) byProgram.set(f.index, [...(byProgram.get(f.index) ?? []), f]);
  const findings: Answer["findings"][number][] = [];
  for (const [index, list] of byProgram) {
    const [first] = list;
    if (first === undefined) continue;
    const small = await shrink(first, seed, { folder, checked, targets, timeMs: task.shrinkMs });
    const original = programs.find((p) => p.index === index)?.text ?? "";
    const report = writeReport(task.reports, {
      seed,
      checked,
      findings: list,
      original,
      small,
      batch: programs,
    });
    findings.push({ index, kind: first.kind, report });
  }
  rmSync(folder, { recursive: true, force: true });
  return { findings };
}

if (process.send !== undefined) {
  process.on("message", (task: Task) => {
    perform(task).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}

/** The folder that a finding leaves behind: the minimal program, the original one, what differed, how to run it again. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { BatchProgram, Finding } from "./batch.js";
import type { Shrunk } from "./shrink.js";

export interface Found {
  readonly seed: number;
  readonly checked: boolean;
  /** Of one program. */
  readonly findings: readonly Finding[];
  readonly original: string;
  /** Undefined when the program does not fail alone. */
  readonly small: Shrunk | undefined;
  /** What it was run with. */
  readonly batch: readonly BatchProgram[];
}

/** Returns the folder, `REPORTS/seed-S/program-I`. */
export function writeReport(reports: string, found: Found): string {
  const index = found.findings[0]?.index ?? -1;
  const folder = join(reports, `seed-${found.seed}`, `program-${index}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "original.ts"), found.original);
  if (found.small === undefined) {
    for (const p of found.batch) writeFileSync(join(folder, `with-${p.index}.ts`), p.text);
  } else {
    writeFileSync(join(folder, "minimal.ts"), found.small.text);
  }
  writeFileSync(join(folder, "report.txt"), reportText(found, folder));
  return folder;
}

function reportText(found: Found, folder: string): string {
  const { seed, checked, findings, small } = found;
  const index = findings[0]?.index ?? -1;
  const minimal = join(relative(process.cwd(), folder), "minimal.ts");
  const lines = [
    `program ${index} of seed ${seed}${checked ? ", checked build" : ""}`,
    "",
    "run it again:",
    `  npm run fuzz -- --seed ${seed} --only ${index}`,
    ...(small === undefined
      ? ["it does not fail alone: the programs it was run with are in with-*.ts"]
      : [`  npm run equality -- ${minimal}${checked ? " --checked" : ""}`, "", small.text]),
    ...(small === undefined ? [] : ["the minimal program:", small.detail]),
    ...findings.flatMap((f) => ["", `${f.kind}${f.target === "" ? "" : ` on ${f.target}`}:`, f.detail]),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * `npm run bench:compile`: how long the compiled `tmc` (dist/, by `npm run build`) takes from TypeScript to C: the default
 * app in a fresh process, again after an edit of one line, `tmc check --watch` from saving to the answer, and programs of
 * 2,500 to 20,000 lines. Medians of several runs. `--json` prints one object, `--runs N` sets the number (default 7).
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packagePath } from "../compiler/board/package-root.js";
import { lineCount, syntheticProgram } from "./synthetic-program.js";

const args = process.argv.slice(2);
const json = args.includes("--json");
const runs = Number(args[args.indexOf("--runs") + 1] ?? "7") || 7;
const sizes = [2500, 5000, 10_000, 20_000];
const tmc = packagePath("bin", "tmc.js");

const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
};

function node(...command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

const stages = (...command: readonly string[]): unknown =>
  JSON.parse(node(packagePath("bench", "compile-stages.js"), ...command));

interface Times {
  readonly ms: number;
  readonly cpuMs: number;
}

/** A project of a user's own with the default app. */
function project(dir: string): { readonly root: string; readonly entry: string } {
  const root = join(dir, "project");
  mkdirSync(join(root, "src"), { recursive: true });
  mkdirSync(join(root, "models"));
  cpSync(packagePath("models", "vibration"), join(root, "models", "vibration"), { recursive: true });
  cpSync(packagePath("firmware", "app.ts"), join(root, "src", "app.ts"));
  writeFileSync(join(root, "tmc.json"), '{ "app": "src/app.ts" }\n');
  return { root, entry: join(root, "src", "app.ts") };
}

/** The whole command, from its start to its end: firmware/app.ts to C in files. */
function cold(dir: string): number {
  const start = performance.now();
  const out = join(dir, "out");
  node(
    tmc,
    "build",
    packagePath("firmware", "app.ts"),
    "--board",
    "b_l4s5i_iot01a",
    "--emit",
    "c",
    "--out",
    out,
  );
  return performance.now() - start;
}

/** From writing the file to the line with the answer, milliseconds. */
async function checkWatch(entry: string): Promise<number[]> {
  const child = spawn(process.execPath, [tmc, "check", "--watch", "--format", "json", entry]);
  const lines = createInterface({ input: child.stdout });
  const answers = lines[Symbol.asyncIterator]();
  const text = readFileSync(entry, "utf8");
  const times: number[] = [];
  try {
    await answers.next();
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      writeFileSync(entry, text.replace("jobs: 4", `jobs: ${5 + i}`));
      const { value } = await answers.next();
      times.push(performance.now() - start);
      if (value === undefined || !(JSON.parse(value) as { ok: boolean }).ok) throw new Error(String(value));
    }
  } finally {
    writeFileSync(entry, text);
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  return times;
}

function synthetic(dir: string, size: number): { readonly lines: number } & Times {
  const root = join(dir, `lines-${size}`);
  mkdirSync(root);
  const files = syntheticProgram(size);
  for (const [name, text] of files) writeFileSync(join(root, name), text);
  const all = Array.from(
    { length: Math.max(3, Math.ceil(runs / 2)) },
    () => stages("once", join(root, "app.ts"), root) as Times,
  );
  return {
    lines: lineCount(files),
    ms: median(all.map((t) => t.ms)),
    cpuMs: median(all.map((t) => t.cpuMs)),
  };
}

if (!existsSync(packagePath("dist", "compiler", "cli", "main.js"))) {
  process.stderr.write("not built: run `npm run build`\n");
  process.exit(4);
}
const dir = realpathSync(mkdtempSync(join(tmpdir(), "tmc-bench-compile-")));
try {
  const { root, entry } = project(dir);
  cold(dir); // reads everything into the page cache
  const coldMs = median(Array.from({ length: runs }, () => cold(dir)));
  const parts = stages("stages", entry, root) as Readonly<
    Record<"node" | "load" | "analyse" | "emit", number>
  >;
  const edits = stages("edits", entry, root, String(runs)) as readonly Times[];
  const editMs = median(edits.map((t) => t.ms));
  const answerMs = median(await checkWatch(entry));
  const programs = sizes.map((size) => synthetic(dir, size));
  const round = Math.round;
  if (json) {
    const linesPerSecond = programs.map((p) => round((p.lines / p.ms) * 1000));
    // Both ways of watching, the slower one.
    const watchMs = round(Math.max(editMs, answerMs));
    process.stdout.write(`${JSON.stringify({ coldMs: round(coldMs), watchMs, linesPerSecond })}\n`);
  } else {
    const rows = programs.map(
      (p) =>
        `  ${String(p.lines).padStart(6)} lines  ${String(round(p.ms)).padStart(6)} ms  ${String(round(p.cpuMs)).padStart(6)} ms CPU  ${String(round((p.lines / p.ms) * 1000)).padStart(6)} lines/s`,
    );
    process.stdout.write(
      `default app, TypeScript to C, fresh process   ${round(coldMs)} ms (target 1500)
  one run by part: Node.js ${round(parts.node)}, loading ${round(parts.load)}, up to the rules ${round(parts.analyse)}, C ${round(parts.emit)} ms
again after an edit of one line               ${round(editMs)} ms, ${round(median(edits.map((t) => t.cpuMs)))} ms CPU (target 300)
tmc check --watch, from saving to the answer  ${round(answerMs)} ms (target 300)
synthetic programs, TypeScript to C:
${rows.join("\n")}
`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

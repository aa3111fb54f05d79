/** `npm run no-crash`: no file of a folder makes the compiler fail; see docs/testing.md. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { corpusFiles, judgeAll } from "./corpus.js";
import { isCrash, outcomes } from "./judge.js";

const help = `usage: npm run no-crash -- FOLDER [options]

Compiles every .ts file below FOLDER, each as a program of its own. Every file gives C that gcc takes without a warning,
or coded diagnostics; anything else is a crash: an internal error, a diagnostic without code, C that gcc rejects, no
answer. Prints the crashes and the counts, and ends with \`N files, M crashes\`; the exit code is 0 only without crash.

  --every N        every N-th file only (default 1)
  --jobs J         processes (default 2)
  --timeout S      seconds for one file (default 75: longer than the limit of setup)
  --help           this text
`;

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${help}`);
  process.exit(64);
}

function args(): { values: Record<string, string | boolean | undefined>; positionals: string[] } {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: { every: text, jobs: text, timeout: text, help: { type: "boolean" } },
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = args();
if (values["help"] === true) {
  process.stdout.write(help);
  process.exit(0);
}

function whole(name: string, otherwise: number): number {
  const given = values[name];
  const n = given === undefined ? otherwise : Number(given);
  return Number.isSafeInteger(n) && n >= 1
    ? n
    : fail(`--${name} takes a whole number from 1, not ${String(given)}`);
}

const [folder, ...others] = positionals;
if (folder === undefined || others.length > 0) fail("give one folder");
if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) fail(`${folder} is not a folder`);

const files = corpusFiles(resolve(folder), whole("every", 1));
const counts = await judgeAll(files, {
  jobs: whole("jobs", 2),
  timeoutMs: whole("timeout", 75) * 1000,
  onCrash: (file, { outcome, detail }) => {
    process.stdout.write(`${outcome}: ${file}\n${detail.split("\n").slice(0, 12).join("\n")}\n\n`);
  },
  onProgress: (done) => {
    if (done % 200 === 0) process.stderr.write(`${done} of ${files.length} files\n`);
  },
});
for (const o of outcomes) process.stdout.write(`${o}: ${counts[o]}\n`);
const crashes = outcomes.filter(isCrash).reduce((sum, o) => sum + counts[o], 0);
process.stdout.write(`${files.length} files, ${crashes} crashes\n`);
process.exitCode = crashes === 0 ? 0 : 1;

/** `npm run fuzz`: random programs on Node.js and every target of the equality suite; see docs/testing.md. */
import { parseArgs } from "node:util";
import { packagePath } from "../../compiler/board/package-root.js";
import { equalityTargets, missingFor } from "../support/equality.js";
import { defaultJobs, runCampaign } from "./run/campaign.js";

const standard = equalityTargets.filter((t) => t.name !== "host clang -O0").map((t) => t.name);

const help = `usage: npm run fuzz -- [options]

Random well-typed programs, run on Node.js and compared with C on every target. Program I of seed S is always the same;
odd ones are checked builds. A program that differs, is refused or breaks a compiler is made small and left in
build/fuzz/seed-S/program-I. Ends with \`N programs, M mismatches\`; the exit code is 0 only without mismatch.

  --programs N     how many (default 1000)
  --seed S         which campaign (default 1)
  --first I        from this program on (default 0): continues a campaign
  --only I         this program alone
  --minutes M      stop after this time (default: none)
  --jobs J         processes (default ${defaultJobs()})
  --batch B        programs in one image (default 50)
  --shrink S       seconds to make one failing program small (default 120)
  --targets T,…    parts of names of targets (default: all but clang -O0)
                   ${equalityTargets.map((t) => t.name).join("\n                   ")}
  --help           this text
`;

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${help}`);
  process.exit(64);
}

function options(): Record<string, string | boolean | undefined> {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      options: {
        programs: text,
        seed: text,
        first: text,
        only: text,
        minutes: text,
        jobs: text,
        batch: text,
        shrink: text,
        targets: text,
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const values = options();
if (values["help"] === true) {
  process.stdout.write(help);
  process.exit(0);
}

/** @returns the whole number of an option, within its range. */
function whole(name: string, otherwise: number, least: number): number {
  const given = values[name];
  if (given === undefined) return otherwise;
  const n = Number(given);
  if (!Number.isSafeInteger(n) || n < least || n > 0x7fffffff) {
    fail(`--${name} takes a whole number from ${least}, not ${String(given)}`);
  }
  return n;
}

function targets(): string[] {
  const given = values["targets"];
  const asked =
    typeof given !== "string"
      ? standard
      : given.split(",").flatMap((part) => {
          const found = equalityTargets.filter((t) => t.name.includes(part)).map((t) => t.name);
          return found.length === 0 ? fail(`no target is called ${part}`) : found;
        });
  return [...new Set(asked)].filter((name) => {
    const target = equalityTargets.find((t) => t.name === name);
    const missing = target === undefined ? "unknown" : missingFor(target);
    if (missing !== undefined) process.stderr.write(`skipped ${name}: ${missing}\n`);
    return missing === undefined;
  });
}

const only = values["only"] === undefined ? undefined : whole("only", 0, 0);
const result = await runCampaign({
  seed: whole("seed", 1, 0),
  first: only ?? whole("first", 0, 0),
  programs: only === undefined ? whole("programs", 1000, 1) : 1,
  minutes: values["minutes"] === undefined ? Number.POSITIVE_INFINITY : whole("minutes", 1, 1),
  jobs: whole("jobs", defaultJobs(), 1),
  batch: whole("batch", 50, 1),
  targets: targets(),
  reports: packagePath("build", "fuzz"),
  shrinkMs: whole("shrink", 120, 1) * 1000,
  say: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${result.programs} programs, ${result.mismatches} mismatches\n`);
process.exitCode = result.mismatches === 0 ? 0 : 1;

/** `npm run fuzz:node`: the compiled default node under libFuzzer; see docs/testing.md. Needs clang. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packagePath } from "../../compiler/board/package-root.js";
import { hasLibFuzzer } from "../package/harness.js";
import { buildConsoleFuzzer } from "../fuzz-console/harness.js";
import { lines } from "../fuzz-console/seeds.js";
import { buildNodeFuzzer, sessionMax } from "./harness.js";
import { sessions, updateSessions } from "./seeds.js";

const help = `usage: npm run fuzz:node -- [options]

The C of firmware/app.ts with AddressSanitizer and UndefinedBehaviorSanitizer, under libFuzzer: sessions of requests, time, lost
connections, refused publications and restarts. Beside the sanitizers the rules of the bus are checked. With --console: the commands
of the serial console (runtime-c/port/zephyr). With --updates: a node that takes models over the bus, from a server whose signed file
is damaged. What is found is kept in build/fuzz-node; run it again by naming the file.

  --runs N      executions (default 1000000)
  --seconds S   at most so long
  --seed S      default 1
  --corpus DIR  sessions found so far, kept (default build/fuzz-node/corpus)
  --console     the serial console instead
  --updates     the node of examples/model-update instead
  --help        this text
  FILE...       only these sessions, once

The last line is "N executions, S seconds, F findings"; the exit code is 0 only without findings, 4 without clang.
`;

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: text, seconds: text, seed: text, corpus: text, console: flag, updates: flag, help: flag },
});

function count(value: string | undefined, otherwise: number): number {
  const given = value === undefined ? otherwise : Number(value);
  if (!Number.isSafeInteger(given) || given < 0) {
    process.stderr.write(`${value} is not a count\n\n${help}`);
    process.exit(64);
  }
  return given;
}

/** libFuzzer's exit code after SIGINT and SIGTERM. */
const interrupted = 72;

/** Runs the fuzzer with its output on ours; gives its exit code and the executions that it tells of. */
function fuzz(program: string, args: readonly string[]): Promise<{ exitCode: number; executions: number }> {
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "pipe"] });
  let executions = 0;
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    for (const [, done] of chunk.toString("latin1").matchAll(/#(\d+)\s/g))
      executions = Math.max(executions, Number(done));
  });
  return new Promise((ended, failed) => {
    child.once("error", failed);
    child.once("close", (code) => ended({ exitCode: code ?? 1, executions }));
  });
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const runs = count(values.runs, 1_000_000);
  const seconds = count(values.seconds, 0);
  const seed = count(values.seed, 1);
  if (!hasLibFuzzer()) {
    process.stderr.write("clang with libFuzzer is not installed: apt-get install clang\n");
    return 4;
  }
  const which = values.updates ? "updates" : "default";
  const name = values.updates ? "fuzz-updates" : "fuzz-node";
  const folder = packagePath("build", values.console ? "fuzz-console" : name);
  const corpus = values.corpus ?? join(folder, "corpus");
  mkdirSync(corpus, { recursive: true });
  const program = values.console ? buildConsoleFuzzer(folder) : await buildNodeFuzzer(folder, false, which);
  const seeds = values.console ? lines() : values.updates ? updateSessions() : sessions();
  seeds.forEach((bytes, i) => writeFileSync(join(corpus, `seed-${i}`), bytes));
  const begun = performance.now();
  const common = [`-artifact_prefix=${folder}/`, "-timeout=20", "-rss_limit_mb=1024"];
  const limits = [`-runs=${runs}`, `-max_total_time=${seconds}`, `-seed=${seed}`, `-max_len=${sessionMax}`];
  const args = positionals.length > 0 ? [...common, ...positionals] : [...common, ...limits, corpus];
  const { exitCode, executions } = await fuzz(program, [...args, "-print_final_stats=1"]);
  const took = Math.round((performance.now() - begun) / 1000);
  const findings = exitCode === 0 || exitCode === interrupted ? 0 : 1;
  const end = exitCode === interrupted ? ", interrupted" : "";
  process.stdout.write(`${executions} executions, ${took} seconds, ${findings} findings${end}\n`);
  return exitCode === 0 ? 0 : 1;
}

process.exitCode = await main();

/** `tmc exec`: one program on several targets; prints the output once when they agree, else the differences. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { findBoard } from "../../board/board.js";
import { runExecutable } from "../../board/run.js";
import { libraryNeeds } from "../../board/runtime-sources.js";
import { buildExecutable } from "../../board/toolchain.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { CompiledProgram } from "../../pipeline/compile.js";
import { allAgree, formatDisagreement, formatTrap, type TargetOutcome } from "../exec-report.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { compileOrReport } from "../compile-or-report.js";
import { formatPlace } from "../../diagnostics/format-diagnostics.js";
import { projectRootOf, requireFile } from "../project-config.js";
import { execTargets, parseTargets, type ExecTarget } from "../target-list.js";
import { writeSources } from "../write-sources.js";

interface ExecOptions {
  readonly on: ExecTarget[];
  readonly checked?: true;
  readonly count?: true;
  readonly timeout: number;
  readonly json?: true;
}

export function registerExec(program: Command): void {
  const command = program
    .command("exec")
    .description("run a program on several targets and compare what it prints")
    .argument("<program>", "a module with `export function main(): void` that prints with log(...)")
    .addOption(
      new Option("--on <targets>", `any of ${execTargets.join(", ")}, separated by commas`)
        .argParser(parseTargets)
        .default([...execTargets], "all of them"),
    )
    .option("--checked", "an overflow that is not marked as intended traps")
    .option("--count", "print the executed instructions of main on the Cortex-M4 too (on stderr)")
    .option("--timeout <seconds>", "stop a target that runs longer", parseSeconds, 60)
    .option("--json", "print for programs")
    .action(exec);
  describeCommand(command, {
    examples: [
      ["tmc exec program.ts", "on Node.js, host C and Cortex-M4"],
      ["tmc exec program.ts --on node,host --checked", "two targets, overflow traps"],
      ["tmc exec program.ts --on qemu_cortex_m4 --count", "how many instructions it takes"],
    ],
    exitCodes: ["ok", "failed", "trap", "usage", "missingTool", "internal"],
  });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError("It is a number of seconds, above 0.");
  }
  return seconds;
}

async function exec(file: string, options: ExecOptions): Promise<void> {
  const entry = resolve(file);
  requireFile(entry, file);
  if (options.count === true && !options.on.includes("qemu_cortex_m4")) {
    throw new UserError(
      "TMC0005",
      "--count counts on the Cortex-M4, which --on does not name",
      "add qemu_cortex_m4 to --on",
      ExitCode.usage,
    );
  }
  const root = projectRootOf(entry);
  const compiled = await compileOrReport({
    entry,
    root,
    checked: options.checked === true,
    kind: "program",
    json: options.json === true,
  });
  if (compiled === undefined) {
    return;
  }
  const work = mkdtempSync(join(tmpdir(), "tmc-exec-"));
  try {
    const outcomes: TargetOutcome[] = [];
    for (const target of options.on) {
      outcomes.push(
        target === "node"
          ? await runInNode(compiled, root, options)
          : await runOnBoard(target, compiled, root, join(work, target), options),
      );
    }
    report(outcomes, options);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function runInNode(
  compiled: CompiledProgram,
  root: string,
  options: ExecOptions,
): Promise<TargetOutcome> {
  const { runOnNode, NodeRunStopped } = await import("../../pipeline/run-on-node.js");
  let run;
  try {
    run = runOnNode(compiled, { timeoutMs: options.timeout * 1000 });
  } catch (error) {
    if (!(error instanceof NodeRunStopped)) throw error;
    const reason =
      error.reason === "time" ? `did not end within ${options.timeout} s` : "wrote too much output";
    throw new UserError(
      "TMC4006",
      `the program ${reason} on node`,
      "Look for a loop that does not end; `--timeout SECONDS` gives more time.",
    );
  }
  return {
    target: "node",
    stdout: run.stdout,
    trap:
      run.trap === undefined
        ? undefined
        : {
            kind: run.trap.kindName,
            place: placeOf(compiled, run.trap.site, root),
            message: run.trap.message,
          },
    instructions: undefined,
  };
}

async function runOnBoard(
  target: ExecTarget,
  compiled: CompiledProgram,
  root: string,
  folder: string,
  options: ExecOptions,
): Promise<TargetOutcome> {
  const board = findBoard(target);
  const written = writeSources(compiled, folder);
  const built = await buildExecutable({
    board,
    sources: written.sources,
    includeDirs: [written.folder],
    outDir: folder,
    name: "program",
    port: "program",
    kernels: libraryNeeds(compiled.c.externs, compiled.models.models.length).kernels,
  });
  const run = await runExecutable({
    board,
    elf: built.elf,
    timeoutMs: options.timeout * 1000,
    count: options.count === true && target === "qemu_cortex_m4",
  });
  if (run.fault !== undefined || (run.exitCode !== 0 && run.trap === undefined)) {
    const how = run.fault ?? run.signal ?? `exit code ${run.exitCode}`;
    throw new Error(`the program crashed on ${target}: ${how}\n${run.stderr}`);
  }
  return {
    target,
    stdout: run.stdout,
    trap:
      run.trap === undefined
        ? undefined
        : { kind: run.trap.kind, place: placeOf(compiled, run.trap.site, root), message: run.trap.message },
    instructions: run.instructions,
  };
}

/** `src/a.ts:3:5` of a site number; "" for 0 (no place in the source). */
function placeOf(compiled: CompiledProgram, site: number, root: string): string {
  const found = compiled.c.sites.find((s) => s.site === site);
  return found === undefined ? "" : formatPlace(found, { root });
}

function report(outcomes: readonly TargetOutcome[], options: ExecOptions): void {
  const [first] = outcomes;
  if (first === undefined) {
    return;
  }
  const agree = allAgree(outcomes);
  process.exitCode = !agree ? ExitCode.failed : first.trap !== undefined ? ExitCode.trap : ExitCode.ok;
  if (options.json === true) {
    printJson({
      agree,
      targets: outcomes.map((o) => ({
        target: o.target,
        output: o.stdout,
        trap: o.trap ?? null,
        instructions: o.instructions ?? null,
      })),
    });
    return;
  }
  if (agree) {
    process.stdout.write(Buffer.from(first.stdout, "latin1"));
  } else {
    process.stdout.write(formatDisagreement(outcomes));
  }
  for (const { target, instructions } of outcomes) {
    if (instructions !== undefined) {
      process.stderr.write(`${target}: ${instructions} instructions in main\n`);
    }
  }
  if (!agree) {
    process.stderr.write(
      "error TMC0050: the targets printed different output\nfix: this is a bug in tmc: please report it with the program\n",
    );
  } else if (first.trap !== undefined) {
    process.stderr.write(`error TMC0051: ${formatTrap(first.trap)}\n`);
  }
}

/**
 * One program, many targets: compiles programs of the subset, runs them on Node.js, host C and QEMU, and gives each
 * outcome as one text, so that equality is equality of strings. Many programs share one executable per target (a
 * compiler, a link and a run are dear); when such a bundle fails, its programs are built one by one to name the guilty.
 * It expects nothing: tests compare.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runExecutable, type RunResult } from "../../compiler/board/run.js";
import { compilerCommand, buildExecutable } from "../../compiler/board/toolchain.js";
import type { CompilerName, OptimisationLevel } from "../../compiler/board/compile-flags.js";
import { trapKinds } from "../../compiler/board/trap-line.js";
import { formatDiagnostics } from "../../compiler/diagnostics/format-diagnostics.js";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { compileProgram, type CompiledProgram } from "../../compiler/pipeline/compile.js";
import { runOnNode } from "../../compiler/pipeline/run-on-node.js";
import { driverText } from "./equality-driver.js";

/** One way to build and run C. */
export interface EqualityTarget {
  readonly name: string;
  readonly board: "host" | "qemu_cortex_m4";
  readonly cc: CompilerName;
  readonly opt: OptimisationLevel;
  readonly sanitize: boolean;
}

function host(cc: CompilerName, opt: OptimisationLevel, sanitize = false): EqualityTarget {
  return { name: `host ${cc} ${opt}${sanitize ? " ASan UBSan" : ""}`, board: "host", cc, opt, sanitize };
}

export const qemuTarget: EqualityTarget = {
  name: "qemu_cortex_m4 gcc -O2",
  board: "qemu_cortex_m4",
  cc: "gcc",
  opt: "-O2",
  sanitize: false,
};

/** Every target the language is compared on, besides Node.js. */
export const equalityTargets: readonly EqualityTarget[] = [
  host("gcc", "-O0"),
  host("gcc", "-O2"),
  host("clang", "-O0"),
  host("clang", "-O2"),
  host("clang", "-O1", true),
  qemuTarget,
];

function runs(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

const present = new Map<string, boolean>();

/** What this machine lacks for the target, e.g. "clang is not installed"; undefined when it has everything. */
export function missingFor(target: EqualityTarget): string | undefined {
  const board = findBoard(target.board);
  const commands = [
    compilerCommand(board, target.cc),
    ...(board.run.how === "qemu" ? [board.run.binary] : []),
  ];
  for (const command of commands) {
    let found = present.get(command);
    if (found === undefined) {
      found = runs(command);
      present.set(command, found);
    }
    if (!found) {
      return `${command} is not installed`;
    }
  }
  return undefined;
}

/** A compiled program under the name that reports use; names are unique in a list. */
export interface EqualityProgram {
  readonly name: string;
  readonly compiled: CompiledProgram;
}

export interface CompileChoice {
  /** Absolute. Places in traps are relative to it. */
  readonly root: string;
  readonly checked: boolean;
  /** Texts in place of files, by absolute path. */
  readonly overlay?: ReadonlyMap<string, string>;
}

/** @throws Error whose message is the diagnostics, as `tmc check` prints them. */
export function compileForEquality(entry: string, choice: CompileChoice): CompiledProgram {
  const result = compileProgram({ entry, kind: "program", ...choice });
  if (!result.ok) {
    throw new Error(`${entry} does not compile\n${formatDiagnostics(result.diagnostics, choice)}`);
  }
  return result.compiled;
}

/** What was printed, then for an uncaught trap a line such as `trap index at a.ts:3:5` or `trap throw at a.ts:3:5: text`. */
export function outcome(stdout: string, trap?: { kind: string; place: string; message: string }): string {
  return trap === undefined
    ? stdout
    : `${stdout}trap ${trap.kind} at ${trap.place}${trap.message === "" ? "" : `: ${trap.message}`}\n`;
}

/** Runs `main` in this process; once per compiled program, as it changes the program's state. */
export function nodeOutcome(program: EqualityProgram): string {
  const { stdout, trap } = runOnNode(program.compiled);
  return outcome(stdout, trap && { kind: trap.kindName, place: trap.where, message: trap.message });
}

function placeOf(compiled: CompiledProgram, site: number): string {
  const found = compiled.c.sites.find((s) => s.site === site);
  return found === undefined ? `site ${site}` : `${found.file}:${found.line}:${found.col}`;
}

export interface RunChoice {
  /** For what is built here. */
  readonly folder: string;
  /** Objects of runtime-c; default: kept from run to run. */
  readonly cacheDir?: string;
  readonly timeoutMs?: number;
  /** Default: an error. Random programs contain comparisons that are always false, which gcc points out. */
  readonly warnings?: "error" | "ignored";
  /** Default true: crashes are reported with lines. */
  readonly debug?: boolean;
}

/**
 * Outcome by program name. A program that a C compiler rejects or that crashes has an outcome that starts with
 * `failed: `.
 */
export async function runOnTarget(
  target: EqualityTarget,
  programs: readonly EqualityProgram[],
  choice: RunChoice,
): Promise<Map<string, string>> {
  if (programs.length === 0) {
    return new Map();
  }
  try {
    return await runBundle(target, programs, join(choice.folder, slug(target.name)), choice);
  } catch (error) {
    const [only] = programs;
    if (programs.length === 1 && only !== undefined) {
      return new Map([[only.name, `failed: ${describe(error)}`]]);
    }
  }
  // Halves, until each guilty program stands alone.
  const middle = programs.length >> 1;
  const halves = [programs.slice(0, middle), programs.slice(middle)];
  const found = new Map<string, string>();
  for (const half of halves) {
    for (const [name, text] of await runOnTarget(target, half, choice)) {
      found.set(name, text);
    }
  }
  return found;
}

function describe(error: unknown): string {
  if (error instanceof UserError) {
    return error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, "-");

const defaultCache = (): string => packagePath("build", "equality-cache");

let serial = 0;

/** The executable of the sources. @throws UserError when a compiler rejects them. */
export async function buildForTarget(
  target: EqualityTarget,
  folder: string,
  sources: readonly string[],
  choice: Omit<RunChoice, "folder">,
): Promise<string> {
  const { elf } = await buildExecutable({
    board: findBoard(target.board),
    sources,
    outDir: folder,
    name: "program",
    port: "program",
    cc: target.cc,
    opt: target.opt,
    sanitize: target.sanitize,
    warningsAreErrors: choice.warnings !== "ignored",
    debug: choice.debug ?? true,
    cacheDir: choice.cacheDir ?? defaultCache(),
  });
  return elf;
}

/** A processor fault, sanitizer report or anything else that is not a trap of the program. */
export function refuseCrash(run: RunResult, allowed: number): void {
  if (run.fault !== undefined || run.exitCode !== allowed) {
    const how = run.fault ?? run.signal ?? `exit code ${run.exitCode}`;
    throw new Error(`crashed: ${how}\n${run.stdout.slice(-500)}\n${run.stderr.slice(0, 2000)}`);
  }
}

async function runBundle(
  target: EqualityTarget,
  programs: readonly EqualityProgram[],
  parent: string,
  choice: RunChoice,
): Promise<Map<string, string>> {
  const board = findBoard(target.board);
  const folder = join(parent, `bundle-${serial++}`);
  mkdirSync(folder, { recursive: true });
  const sources = programs.map(({ compiled }, i) => {
    const own = join(folder, `p${i}`);
    mkdirSync(own, { recursive: true });
    const [main, ...others] = compiled.c.sources;
    if (main === undefined || others.length > 0) {
      throw new Error("a bundle takes programs of one C file");
    }
    for (const file of compiled.c.files) {
      // Each program's entry gets a name of its own.
      const entry = `#define tmc_program_main tmc_program_main_${i}\nvoid tmc_program_main(void);\n`;
      writeFileSync(join(own, basename(file.path)), (file.path === main ? entry : "") + file.text);
    }
    return join(own, basename(main));
  });
  const driver = join(folder, "driver.c");
  writeFileSync(driver, driverText(programs.map((_, i) => i)));
  const elf = await buildForTarget(target, folder, [...sources, driver], choice);
  const run = await runExecutable({ board, elf, timeoutMs: choice.timeoutMs ?? 60_000 });
  refuseCrash(run, 0);
  const outcomes = outcomesIn(
    run.stdout,
    programs.map((p) => p.compiled),
  );
  return new Map(programs.map((program, i) => [program.name, outcomes[i] ?? ""]));
}

/** The outcomes of the programs in what a bundle printed: see driverText. @throws Error when one is missing. */
export function outcomesIn(stdout: string, programs: readonly CompiledProgram[]): string[] {
  let at = 0;
  return programs.map((compiled, i) => {
    const { text, end } = bundleOutcome(compiled, stdout, i, at);
    at = end;
    return text;
  });
}

/** That of program `i`, from `from` onwards. */
function bundleOutcome(
  compiled: CompiledProgram,
  stdout: string,
  i: number,
  from: number,
): { readonly text: string; readonly end: number } {
  const begin = `\u0001begin ${i}\n`;
  const start = stdout.indexOf(begin, from);
  const end = /\u0001end (\d+) (-?\d+) ([^\n]*)\n/g;
  end.lastIndex = start + begin.length;
  const match = start < 0 ? null : end.exec(stdout);
  if (match === null) {
    throw new Error(`the output of program ${i} is missing`);
  }
  const printed = stdout.slice(start + begin.length, match.index);
  const kind = Number(match[1]);
  const trap = {
    kind: trapKinds[kind] ?? `kind ${kind}`,
    place: placeOf(compiled, Number(match[2])),
    message: match[3] ?? "",
  };
  return { text: kind === 0 ? outcome(printed) : outcome(printed, trap), end: end.lastIndex };
}

export interface AloneOutcome {
  readonly text: string;
  readonly exitCode: number;
  /** Executed instructions of main, where they were counted. */
  readonly instructions: number | undefined;
}

/**
 * Builds and runs one program as `tmc exec` does: its own executable, its exit code.
 * @throws Error when it crashes, UserError when it cannot be built.
 */
export async function runAlone(
  target: EqualityTarget,
  { compiled }: EqualityProgram,
  choice: RunChoice & { readonly count?: boolean },
): Promise<AloneOutcome> {
  const board = findBoard(target.board);
  const folder = join(choice.folder, slug(target.name), `alone-${serial++}`);
  mkdirSync(folder, { recursive: true });
  for (const file of [...compiled.c.files, ...compiled.models.files]) {
    writeFileSync(join(folder, basename(file.path)), file.text);
  }
  const sources = compiled.c.sources.map((path) => join(folder, basename(path)));
  const elf = await buildForTarget(target, folder, sources, choice);
  const run = await runExecutable({
    board,
    elf,
    timeoutMs: choice.timeoutMs ?? 60_000,
    count: choice.count ?? false,
  });
  refuseCrash(run, run.trap === undefined ? 0 : 2);
  const trap = run.trap && { ...run.trap, place: placeOf(compiled, run.trap.site) };
  return { text: outcome(run.stdout, trap), exitCode: run.exitCode, instructions: run.instructions };
}

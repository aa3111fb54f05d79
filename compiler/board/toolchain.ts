/**
 * Compiles generated C and runtime-c (runtime-sources.ts) for a board and links an executable. It knows compilers, not
 * the language: C that a compiler rejects is a bug of ours (exit code 70), a missing compiler is the user's to install
 * (exit code 4).
 */
import { existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { Board } from "./board.js";
import { linkFailure, missingHeader, rejected } from "./build-errors.js";
import { cacheEntry, ensureCacheEntry, hashHeaders } from "./compile-cache.js";
import {
  compileFlags,
  linkFlags,
  type CompilerName,
  type FlagChoice,
  type OptimisationLevel,
} from "./compile-flags.js";
import { packagePath } from "./package-root.js";
import { isMissingCommand, runProcess } from "./processes.js";
import {
  portJobs,
  ports,
  runtimeJobs,
  slotJobs,
  type Job,
  type ObjectGroup,
  type PortName,
} from "./runtime-sources.js";

export type { CompilerName, OptimisationLevel } from "./compile-flags.js";

export interface CompileOptions {
  readonly board: Board;
  /** Generated C files, absolute or relative to the current folder. */
  readonly sources: readonly string[];
  /** Beside runtime-c/include, which is always there. */
  readonly includeDirs?: readonly string[];
  /** `NAME` or `NAME=value`. */
  readonly defines?: readonly string[];
  /** The same for runtime-c, e.g. TMC_PACKAGE_KERNELS=6U: which kernels model packages may use. */
  readonly libraryDefines?: readonly string[];
  /** Made when absent. Objects go to `outDir/obj`. */
  readonly outDir: string;
  /** Compile and link runtime-c/kernels too: for programs with models. Default false. */
  readonly kernels?: boolean;
  /** Also what keeps models and functions that come over the bus (runtime-c/update); nodes only. Default false. */
  readonly slots?: boolean;
  /** Also what checks and calls functions in slots (runtime-c/function). Default false. */
  readonly functions?: boolean;
  /** clang only for boards of the host. Default gcc. */
  readonly cc?: CompilerName;
  /** Default -O2. */
  readonly opt?: OptimisationLevel;
  /** AddressSanitizer + UBSan; host only. Default false. */
  readonly sanitize?: boolean;
  /** Default false; tests set it. */
  readonly warningsAreErrors?: boolean;
  /** Debug information and the memory report's files. Default true. */
  readonly debug?: boolean;
  /** Objects of runtime-c are kept here. Default `.tmc/cache` in the current folder. */
  readonly cacheDir?: string;
}

export interface BuildOptions extends CompileOptions {
  /** File name of the executable, without extension. */
  readonly name: string;
  readonly port: PortName;
  /** Appended to the link command, e.g. `-lm`. */
  readonly linkArgs?: readonly string[];
}

/** One compiled file. The two analysis files exist for gcc without sanitizers only. */
export interface ObjectFile {
  readonly source: string;
  readonly object: string;
  readonly group: ObjectGroup;
  /** `.su`: stack bytes by function. */
  readonly stackUsage: string | undefined;
  /** `.ci`: call graph with stack bytes. */
  readonly callGraph: string | undefined;
}

export interface BuildResult {
  readonly elf: string;
  /** The linker's map file. */
  readonly map: string;
  readonly objects: readonly ObjectFile[];
  /** What the compilers said on standard error, warnings included; "" when nothing. */
  readonly messages: string;
}

interface Compiler {
  readonly command: string;
  /** First line of `--version`. */
  readonly version: string;
}

const known = new Map<string, Promise<Compiler>>();

/** Name of the compiler for a board: gcc, clang, arm-none-eabi-gcc. */
export function compilerCommand(board: Board, cc: CompilerName = "gcc"): string {
  return `${board.toolchain.prefix}${cc}`;
}

async function locateCompiler(board: Board, cc: CompilerName): Promise<Compiler> {
  const command = compilerCommand(board, cc);
  try {
    const { stdout } = await runProcess(command, ["--version"]);
    return { command, version: stdout.toString("utf8").split("\n")[0] ?? "" };
  } catch (error) {
    if (!isMissingCommand(error)) {
      throw error;
    }
    const packages = cc === "clang" ? "clang" : board.toolchain.package;
    throw new UserError(
      "TMC4003",
      `board ${board.name} needs ${command}, which is not installed`,
      `Install it: apt-get install ${packages}`,
      ExitCode.missingTool,
    );
  }
}

function compiler(board: Board, cc: CompilerName): Promise<Compiler> {
  const command = compilerCommand(board, cc);
  let found = known.get(command);
  if (found === undefined) {
    found = locateCompiler(board, cc);
    known.set(command, found);
    found.catch(() => known.delete(command));
  }
  return found;
}

function flagChoice(options: CompileOptions): FlagChoice {
  const cc = options.cc ?? "gcc";
  const sanitize = options.sanitize ?? false;
  if (options.board.toolchain.prefix !== "" && (cc === "clang" || sanitize)) {
    throw new UserError(
      "TMC4004",
      `board ${options.board.name} is built with ${compilerCommand(options.board)} only; clang and sanitizers are for the host`,
      "Use --board host for them.",
      ExitCode.usage,
    );
  }
  return {
    board: options.board,
    cc,
    opt: options.opt ?? "-O2",
    sanitize,
    warningsAreErrors: options.warningsAreErrors ?? false,
    debug: options.debug ?? true,
  };
}

/** Runs `work` on every item, on all cores, and keeps the order. The first failure wins. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) {
        results[index] = await work(item);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, worker));
  return results;
}

function ifExists(file: string): string | undefined {
  return existsSync(file) ? file : undefined;
}

/** An object name for each source: its base name, numbered where two share one. */
function objectStems(jobs: readonly Job[]): Map<Job, string> {
  const used = new Map<string, number>();
  const stems = new Map<Job, string>();
  for (const job of jobs) {
    const stem = basename(job.source, extname(job.source));
    const count = used.get(stem) ?? 0;
    used.set(stem, count + 1);
    stems.set(job, count === 0 ? stem : `${stem}-${count + 1}`);
  }
  return stems;
}

interface Compiled {
  readonly objects: ObjectFile[];
  readonly messages: string;
}

async function compileJobs(options: CompileOptions, jobs: readonly Job[]): Promise<Compiled> {
  const choice = flagChoice(options);
  const cc = await compiler(options.board, choice.cc);
  const objectDir = join(resolve(options.outDir), "obj");
  mkdirSync(objectDir, { recursive: true });
  const cacheDir = resolve(options.cacheDir ?? join(".tmc", "cache"));
  const own = [packagePath("runtime-c", "include")];
  const ownFlags = [
    ...compileFlags(choice),
    ...own.map((folder) => `-I${folder}`),
    ...(options.libraryDefines ?? []).map((define) => `-D${define}`),
  ];
  const userFlags = [
    ...ownFlags,
    ...(options.includeDirs ?? []).map((folder) => `-I${resolve(folder)}`),
    ...(options.defines ?? []).map((define) => `-D${define}`),
  ];
  const headersHash = hashHeaders([packagePath("runtime-c")]);
  const stems = objectStems(jobs.filter((job) => job.group === "generated"));
  const messages: string[] = [];

  const compileTo = async (job: Job, object: string, flags: readonly string[]): Promise<void> => {
    const result = await runProcess(cc.command, [...flags, "-c", job.source, "-o", object]);
    if (result.exitCode !== 0) {
      throw (
        missingHeader(options.board, job.package, result) ??
        rejected(`${cc.command} rejected ${job.source}`, result)
      );
    }
    messages.push(result.stderr.toString("utf8"));
  };
  const compileOne = async (job: Job): Promise<ObjectFile> => {
    let folder = objectDir;
    let stem = stems.get(job) ?? basename(job.source, extname(job.source));
    if (job.group === "generated") {
      await compileTo(job, join(folder, `${stem}.o`), userFlags);
    } else {
      stem = basename(job.source, extname(job.source));
      folder = cacheEntry(cacheDir, {
        source: job.source,
        headersHash,
        command: [cc.command, cc.version, ...ownFlags],
      });
      await ensureCacheEntry(folder, (aside) => compileTo(job, join(aside, `${stem}.o`), ownFlags));
    }
    return {
      source: job.source,
      object: join(folder, `${stem}.o`),
      group: job.group,
      stackUsage: ifExists(join(folder, `${stem}.su`)),
      callGraph: ifExists(join(folder, `${stem}.ci`)),
    };
  };
  const objects = await inParallel(jobs, compileOne);
  return { objects, messages: messages.join("") };
}

/**
 * Compiles the sources, runtime-c/src and (on request) the kernels; links nothing. For boards whose image is made
 * elsewhere (Zephyr).
 * @throws UserError TMC4003 (no compiler), TMC4004 (choice that the board does not have), TMC4090 (C rejected).
 */
export async function compileObjects(options: CompileOptions): Promise<Compiled> {
  return compileJobs(options, runtimeJobs(options));
}

/**
 * Links the objects without any port into `outDir/measure.elf`, only to be measured: unused functions dropped, the
 * compiler's support code included, the platform's functions left open. It can not run.
 * @param roots C names that are kept with all they reach: the entries that the platform will call.
 */
export async function linkForMeasure(
  options: CompileOptions,
  objects: readonly ObjectFile[],
  roots: readonly string[],
): Promise<{ elf: string; map: string }> {
  const choice = flagChoice(options);
  const elf = join(resolve(options.outDir), "measure.elf");
  const map = join(resolve(options.outDir), "measure.map");
  const result = await runProcess(compilerCommand(options.board, choice.cc), [
    ...linkFlags(choice, map, undefined),
    "-Wl,--unresolved-symbols=ignore-all",
    ...(options.board.toolchain.prefix === ""
      ? ["-nostdlib", "-no-pie"]
      : ["-nostartfiles", "--specs=nano.specs"]),
    ...roots.map((root) => `-Wl,--undefined=${root}`),
    `-Wl,--entry=${roots[0] ?? "0"}`,
    ...objects.map((file) => file.object),
    "-o",
    elf,
  ]);
  if (result.exitCode !== 0) {
    throw rejected(`the linker rejected the objects for board ${options.board.name}`, result);
  }
  return { elf, map };
}

/**
 * Compiles everything for the board and links `outDir/NAME.elf`.
 * @throws UserError as `compileObjects`, and TMC4010 when the image does not fit the board's memory.
 */
export async function buildExecutable(options: BuildOptions): Promise<BuildResult> {
  const { board } = options;
  const port = ports[options.port][board.kind];
  if (port === undefined) {
    throw new UserError(
      "TMC4004",
      `board ${board.name} (${board.kind}) cannot link a ${options.port} by itself`,
      board.kind === "zephyr"
        ? "Its image is made in a Zephyr workspace: see tmc build --help."
        : "Use --board host for nodes.",
      ExitCode.usage,
    );
  }
  const portDir = packagePath("runtime-c", "port", port.folder);
  const slots = options.slots === true ? port.slots : undefined;
  const jobs = [
    ...runtimeJobs(options),
    ...portJobs(port),
    ...(slots === undefined ? [] : [...slotJobs(), ...portJobs(slots)]),
  ];
  const { objects, messages } = await compileJobs(options, jobs);
  const choice = flagChoice(options);
  const elf = join(resolve(options.outDir), `${options.name}.elf`);
  const map = join(resolve(options.outDir), `${options.name}.map`);
  const script = board.kind === "bare-metal" ? join(portDir, "link.ld") : undefined;
  const result = await runProcess(compilerCommand(board, choice.cc), [
    ...linkFlags(choice, map, script),
    ...objects.map((file) => file.object),
    ...port.libraries,
    ...(slots?.libraries ?? []),
    ...(options.linkArgs ?? []),
    "-o",
    elf,
  ]);
  if (result.exitCode !== 0) {
    throw linkFailure(board, options.name, port.package, result);
  }
  return { elf, map, objects, messages: messages + result.stderr.toString("utf8") };
}

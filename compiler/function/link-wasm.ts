/**
 * Compiles generated C and runtime-c for WebAssembly and links one module without any libc: exports and imports of
 * ABI 1 (runtime-c/port/wasm/function.c). Bits are those of every other target: no contraction, IEEE arithmetic.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { cacheEntry, ensureCacheEntry, hashHeaders } from "../board/compile-cache.js";
import { packagePath } from "../board/package-root.js";
import { isMissingCommand, runProcess } from "../board/processes.js";
import { librarySources } from "../board/runtime-sources.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { CompiledProgram } from "../pipeline/compile.js";
import type { FunctionDescription } from "./compile-function.js";
import { readWasmInterface, wasmPage } from "./wasm-limits.js";

export interface WasmBuildOptions {
  readonly compiled: CompiledProgram;
  readonly description: FunctionDescription;
  /** Bytes of stack. */
  readonly stack: number;
  /** Objects of runtime-c are kept here. Default `.tmc/cache` in the current folder. */
  readonly cacheDir?: string;
}

export interface WasmBuild {
  readonly code: Uint8Array;
  /** Bytes of memory: all that it ever has. */
  readonly memory: number;
}

const flags = [
  "--target=wasm32",
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wconversion",
  "-Wshadow",
  "-O2",
  "-ffp-contract=off",
  "-fno-common",
  "-ffunction-sections",
  "-fdata-sections",
  "-DTMC_KERNELS_PORTABLE",
];

/** setjmp and longjmp as WebAssembly exceptions. */
const exceptionFlags = ["-mexception-handling", "-mllvm", "-wasm-enable-sjlj", "-DTMC_WASM_SJLJ"];

/** @throws UserError TMC4003 (no clang or wasm-ld), TMC4090 (C rejected). */
export async function linkWasm(options: WasmBuildOptions): Promise<WasmBuild> {
  const { compiled, description } = options;
  const work = mkdtempSync(join(tmpdir(), "tmc-function-"));
  try {
    const files = [...compiled.c.files, ...compiled.models.files];
    for (const file of files) writeFileSync(join(work, file.path), file.text);
    const generated = files.filter((file) => file.path.endsWith(".c"));
    const port = packagePath("runtime-c", "port", "wasm");
    const common = [
      ...flags,
      // The entry has one setjmp; more are those of `try`.
      ...(generated.reduce((n, f) => n + f.text.split("setjmp(").length - 1, 0) > 1 ? exceptionFlags : []),
      "-isystem",
      join(port, "include"),
      `-I${packagePath("runtime-c", "include")}`,
    ];
    const objects: string[] = [];
    for (const file of generated) {
      objects.push(
        await compile(join(work, file.path), join(work, `${file.path}.o`), [...common, `-I${work}`]),
      );
    }
    objects.push(
      await compile(join(port, "function.c"), join(work, "port-function.o"), [
        ...common,
        `-DTMC_FUNCTION_INPUT=${description.input.bytes}`,
        `-DTMC_FUNCTION_OUTPUT=${description.output.bytes}`,
      ]),
    );
    const support = readdirSync(port).filter((name) => name.endsWith(".c") && name !== "function.c");
    const library = [
      ...librarySources(compiled.models.models.length > 0),
      ...support.sort().map((name) => join(port, name)),
    ];
    const cacheDir = resolve(options.cacheDir ?? join(".tmc", "cache"));
    const headersHash = hashHeaders([packagePath("runtime-c")]);
    for (const source of library) {
      const entry = cacheEntry(cacheDir, {
        source,
        headersHash,
        command: ["clang", await clangVersion(), ...common],
      });
      const name = `${basename(source, ".c")}.o`;
      await ensureCacheEntry(entry, async (aside) => {
        await compile(source, join(aside, name), common);
      });
      objects.push(join(entry, name));
    }
    const module = join(work, "function.wasm");
    // The first link tells how much memory there is, the second one makes it all there ever will be.
    await link(objects, module, options.stack, []);
    const pages = readWasmInterface(readFileSync(module)).memories[0]?.min ?? 1;
    const memory = pages * wasmPage;
    await link(objects, module, options.stack, [`--initial-memory=${memory}`, `--max-memory=${memory}`]);
    return { code: new Uint8Array(readFileSync(module)), memory };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function link(
  objects: readonly string[],
  module: string,
  stack: number,
  more: readonly string[],
): Promise<void> {
  await tool("wasm-ld", "lld", [
    "--no-entry",
    "--strip-all",
    "--gc-sections",
    // Below the data: running out of it is a trap, not a write into data.
    "--stack-first",
    "-z",
    `stack-size=${stack}`,
    ...["tmc_run", "tmc_input", "tmc_output", "__data_end"].map((name) => `--export=${name}`),
    "--export-if-defined=memory",
    ...more,
    ...objects,
    "-o",
    module,
  ]);
}

async function compile(source: string, object: string, args: readonly string[]): Promise<string> {
  await tool("clang", "clang", [...args, "-c", source, "-o", object]);
  return object;
}

let version: Promise<string> | undefined;

function clangVersion(): Promise<string> {
  version ??= tool("clang", "clang", ["--version"]);
  return version;
}

/** What it printed. */
async function tool(command: string, packageName: string, args: readonly string[]): Promise<string> {
  let result;
  try {
    result = await runProcess(command, args);
  } catch (error) {
    if (!isMissingCommand(error)) throw error;
    throw new UserError(
      "TMC4003",
      `functions are built with ${command}, which is not installed`,
      `Install it: apt-get install ${packageName}`,
      ExitCode.missingTool,
    );
  }
  if (result.exitCode === 0) return result.stdout.toString("utf8");
  throw new UserError(
    "TMC4090",
    `${command} rejected the C of a function\n${result.stderr.toString("utf8").trimEnd()}`,
    "This is a bug in tmc: please report it with the program that shows it.",
    ExitCode.internal,
  );
}

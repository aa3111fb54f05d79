/**
 * Builds an app for a board as far as this machine can: generated C, objects, the memory report, an image. Writes into the
 * output folder; prints nothing. Without a Zephyr workspace a Zephyr board gets no image, and the outcome says why.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Board } from "../board/board.js";
import { memoryReport, type MemoryReport } from "../board/memory-report.js";
import type { SymbolMap } from "../board/symbol-map.js";
import { libraryNeeds, librarySources } from "../board/runtime-sources.js";
import {
  buildExecutable,
  compileObjects,
  linkForMeasure,
  type CompileOptions as ToolchainOptions,
} from "../board/toolchain.js";
import {
  firmwareConfig,
  makeFirmware,
  type Firmware,
  type FirmwareOptions,
} from "../board/zephyr/bootloader.js";
import { buildZephyr, type ZephyrImage } from "../board/zephyr/build.js";
import { findWorkspace, type ZephyrMissing } from "../board/zephyr/workspace.js";
import type { CompiledProgram } from "../pipeline/compile.js";
import { writeDebugScript } from "./debug-script.js";
import { writeIfDifferent, writeSources } from "./write-sources.js";

export interface BuildAppOptions {
  readonly board: Board;
  readonly compiled: CompiledProgram;
  /** Absolute. */
  readonly outDir: string;
  /** --zephyr */
  readonly zephyrDir: string | undefined;
  readonly emit: "c" | "objects" | "image";
  /** Zephyr: Kconfig fragments of the user, after everything else. */
  readonly confFiles?: readonly string[];
  /** For a debugger: no optimisation (Zephyr: what it takes for debugging), and a debug.gdb. `root`: where sources are. */
  readonly debug?: { readonly root: string };
  /** Make it a firmware that MCUboot starts, signed, and the boot loader too. */
  readonly firmware?: FirmwareOptions;
  /** Steps that take long. */
  readonly onProgress: (step: string) => void;
}

export interface BuildOutcome {
  /** Folder of the generated C. */
  readonly genDir: string;
  /** Undefined with emit c. */
  readonly report: MemoryReport | undefined;
  readonly symbols: SymbolMap;
  /** The app handles no event of a node and has no main: it is to be linked with C of the user. */
  readonly library: boolean;
  /** What runs on the board; undefined when there is none: `missing` or `library` says why, or the board has no bus. */
  readonly image: string | undefined;
  readonly zephyr: ZephyrImage | undefined;
  /** What is flashed instead of the image, when it was asked for. */
  readonly firmware: Firmware | undefined;
  /** Why a Zephyr board got no image. */
  readonly missing: ZephyrMissing | undefined;
}

/** @throws UserError of the toolchain, of Zephyr, TMC0014 (cannot write), TMC4013 (unbounded stack). Budgets are the caller's. */
export async function buildApp(options: BuildAppOptions): Promise<BuildOutcome> {
  const { board, compiled, outDir } = options;
  const written = writeSources(compiled, outDir);
  const symbols = symbolMapOf(compiled);
  writeIfDifferent(join(outDir, "sites.json"), `${JSON.stringify(compiled.c.sites)}\n`);
  writeIfDifferent(join(outDir, "symbols.json"), `${JSON.stringify(symbols)}\n`);
  const partial = {
    genDir: written.folder,
    symbols,
    library: compiled.snapshot.entries.every((e) => e.name !== "main" && !e.name.startsWith("app_")),
    image: undefined,
    zephyr: undefined,
    firmware: undefined,
    missing: undefined,
  };
  const needs = libraryNeeds(compiled.c.externs, compiled.models.models.length);
  const list = sourceList(compiled, [...written.sources, ...librarySources(needs.kernels, needs.functions)]);
  writeIfDifferent(join(written.folder, "sources.txt"), list);
  if (options.emit === "c") {
    return { ...partial, report: undefined };
  }
  const toolchain: ToolchainOptions = {
    board,
    sources: written.sources,
    includeDirs: [written.folder],
    outDir,
    ...needs,
    ...(options.debug === undefined ? {} : { opt: "-O0" as const }),
  };
  const { entries } = compiled.c;
  const port = portOf(compiled, board);
  if (options.emit === "image" && (port === "node" || port === "program")) {
    const { elf, map, objects } = await buildExecutable({ ...toolchain, name: "app", port });
    if (options.debug !== undefined) writeDebugScript({ elf, outDir, root: options.debug.root });
    return finish(
      { ...partial, image: elf, report: await memoryReport({ board, objects, elf, map, symbols }) },
      outDir,
    );
  }
  const { objects } = await compileObjects(toolchain);
  if (options.emit === "image" && port === "zephyr") {
    const found = await findWorkspace(options.zephyrDir === undefined ? {} : { dir: options.zephyrDir });
    if (found.kind === "found") {
      const zephyr = await buildZephyr({
        workspace: found.workspace,
        board,
        genDir: written.folder,
        outDir: join(outDir, "zephyr"),
        ...(options.confFiles === undefined ? {} : { confFiles: options.confFiles }),
        config: {
          ...(options.debug === undefined ? {} : { DEBUG_OPTIMIZATIONS: true }),
          ...(options.firmware === undefined ? {} : firmwareConfig(board, found.workspace.version)),
        },
        onProgress: options.onProgress,
      });
      if (options.debug !== undefined) {
        writeDebugScript({ elf: zephyr.executable, outDir, root: options.debug.root });
      }
      const report = await memoryReport({ board, objects, elf: zephyr.elf, map: zephyr.map, symbols });
      const firmware =
        options.firmware === undefined
          ? undefined
          : await makeFirmware(board, found.workspace, zephyr, outDir, {
              ...options.firmware,
              onProgress: options.onProgress,
            });
      return finish({ ...partial, image: zephyr.executable, zephyr, firmware, report }, outDir);
    }
    const report = await measured(toolchain, objects, symbols, entries);
    return finish({ ...partial, report, missing: found.missing }, outDir);
  }
  return finish({ ...partial, report: await measured(toolchain, objects, symbols, entries) }, outDir);
}

/**
 * What is around the app in the image: a node for a board with a bus, what runs a `main` for any but Zephyr's. Undefined:
 * there is no image, as for code that only offers entries to C of the user.
 */
function portOf(compiled: CompiledProgram, board: Board): "node" | "program" | "zephyr" | undefined {
  const names = compiled.snapshot.entries.map((e) => e.name);
  if (names.some((name) => name.startsWith("app_"))) {
    return board.kind === "posix" ? "node" : board.kind === "zephyr" ? "zephyr" : undefined;
  }
  return board.kind !== "zephyr" && names.includes("main") ? "program" : undefined;
}

/** The report of what would be in an image, without the platform around it. */
async function measured(
  toolchain: ToolchainOptions,
  objects: Awaited<ReturnType<typeof compileObjects>>["objects"],
  symbols: SymbolMap,
  entries: readonly string[],
): Promise<MemoryReport> {
  const { elf, map } = await linkForMeasure(toolchain, objects, entries);
  return memoryReport({ board: toolchain.board, objects, elf, map, basis: "objects", symbols, entries });
}

function finish(outcome: BuildOutcome, outDir: string): BuildOutcome {
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, "report.json"), `${JSON.stringify(outcome.report, undefined, 2)}\n`);
  return outcome;
}

/** For zephyr-app/CMakeLists.txt, and for a build of the user's own: generated files by name, the run-time library's by absolute path. */
function sourceList(compiled: CompiledProgram, sources: readonly string[]): string {
  const generated = new Set([...compiled.c.files, ...compiled.models.files].map((file) => file.path));
  const lines = sources.map((source) => {
    const name = source.slice(source.lastIndexOf("/") + 1);
    return generated.has(name) && source.includes("/gen/") ? name : source;
  });
  return `# Written by tmc.\n${lines.join("\n")}\n`;
}

/** Names for the memory report: what the C backend and the model emitter named. */
function symbolMapOf(compiled: CompiledProgram): SymbolMap {
  const models = compiled.models.models.flatMap((model) =>
    model.symbols.map(
      (symbol) => [symbol, { kind: "model" as const, tsName: model.name, file: "", line: 0 }] as const,
    ),
  );
  const { symbols, indirectCalls } = compiled.c.symbols;
  return { version: 1, symbols: { ...symbols, ...Object.fromEntries(models) }, indirectCalls };
}

/**
 * Which C files of runtime-c a program consists of beside its own: the run-time library, kernels, a port and what slots need.
 * It compiles nothing.
 */
import { existsSync, readdirSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import type { Board } from "./board.js";
import { packagePath } from "./package-root.js";

/** program: `tmc exec` (main, log, traps). node: the bus too. */
export type PortName = "program" | "node";

/** Who an object belongs to in the memory report. */
export type ObjectGroup = "generated" | "runtime" | "kernel" | "port";

export interface PortFiles {
  /** Folder in runtime-c/port. */
  readonly folder: string;
  readonly libraries: readonly string[];
  /** Debian package of the libraries. */
  readonly package?: string;
  /** What slots need beside the store. */
  readonly slots?: Omit<PortFiles, "slots">;
}

export const ports: Readonly<Record<PortName, Partial<Record<Board["kind"], PortFiles>>>> = {
  program: {
    posix: { folder: "posix-program", libraries: [] },
    "bare-metal": { folder: "cortex-m", libraries: [] },
  },
  node: {
    posix: {
      folder: "posix",
      libraries: ["-lmosquitto", "-lm"],
      package: "libmosquitto-dev",
      slots: { folder: "posix-slots", libraries: ["-lcrypto"], package: "libssl-dev" },
    },
  },
};

/** A C file to compile. */
export interface Job {
  readonly source: string;
  readonly group: ObjectGroup;
  /** Debian packages of the headers it includes, beside the compiler's. */
  readonly package?: string;
}

function cSources(folder: string): string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => [".c", ".S"].includes(extname(name)))
    .sort()
    .map((name) => join(folder, name));
}

/** The program's own sources, and those of the library; with the kernels of models and functions on request. */
export function runtimeJobs(options: {
  readonly sources: readonly string[];
  readonly kernels?: boolean;
  readonly functions?: boolean;
}): Job[] {
  const runtime = ["src", ...(options.functions === true ? ["function"] : [])];
  return [
    ...options.sources.map((source): Job => ({ source: resolve(source), group: "generated" })),
    ...runtime
      .flatMap((folder) => cSources(packagePath("runtime-c", folder)))
      .map((source): Job => ({ source, group: "runtime" })),
    ...(options.kernels === true ? cSources(packagePath("runtime-c", "kernels")) : []).map((source): Job => ({
      source,
      group: "kernel",
    })),
  ];
}

/** The C files of a port. */
export function portJobs(port: PortFiles): Job[] {
  return cSources(packagePath("runtime-c", "port", port.folder)).map((source): Job => ({
    source,
    group: "port",
    ...(port.package === undefined ? {} : { package: port.package }),
  }));
}

/** The store, and the slots of the port's API over it. */
export function slotJobs(): Job[] {
  const common = ["slots.c", "firmware-none.c"].map((name) =>
    packagePath("runtime-c", "port", "common", name),
  );
  return [...cSources(packagePath("runtime-c", "update")), ...common].map((source): Job => ({
    source,
    group: "port",
  }));
}

/** What a program needs of the run-time library beside `runtime-c/src`, by the C functions that it calls. */
export function libraryNeeds(
  externs: readonly string[],
  models: number,
): { readonly kernels: boolean; readonly slots: boolean; readonly functions: boolean } {
  const calls = (prefix: string): boolean => externs.some((name) => name.startsWith(prefix));
  return {
    kernels: models > 0 || calls("tmc_package_"),
    slots: calls("tmc_port_slot_"),
    functions: calls("tmc_function_call_"),
  };
}

/** C of the run-time library that generated code links to, absolute; with the kernels of models and functions on request. */
export function librarySources(kernels: boolean, functions = false): string[] {
  return runtimeJobs({ sources: [], kernels, functions }).map((job) => job.source);
}

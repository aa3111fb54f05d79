/**
 * Finds a Zephyr workspace and checks that it can build zephyr-app: version, modules, a Python with the packages that
 * Zephyr's build needs. It fetches and builds nothing.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { isMissingCommand, runProcess } from "../processes.js";

/** A checked workspace. All paths are absolute. */
export interface Workspace {
  /** The folder that has zephyr/ and modules/. */
  readonly top: string;
  /** The Zephyr tree (ZEPHYR_BASE). */
  readonly base: string;
  /** As in the file VERSION, e.g. "4.1.99". */
  readonly version: string;
  /** Folders of the modules found in the workspace. */
  readonly modules: readonly string[];
  /** A Python that has the packages of `pythonPackages`. */
  readonly python: string;
  /** What named it: "--zephyr", "ZEPHYR_BASE", "west topdir" or "tmc setup". */
  readonly source: string;
}

/** Why there is none; both are one line. */
export interface ZephyrMissing {
  readonly message: string;
  readonly fix: string;
}

export type WorkspaceSearchResult =
  | { readonly kind: "found"; readonly workspace: Workspace }
  | { readonly kind: "missing"; readonly missing: ZephyrMissing };

export interface WorkspaceSearch {
  /** --zephyr: the workspace or the Zephyr tree in it. */
  readonly dir?: string;
  /** Where `west topdir` is asked; default the current folder. */
  readonly cwd?: string;
  /** Default process.env. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Import name and package of what Zephyr's build scripts need. */
export const pythonPackages: readonly (readonly [module: string, packageName: string])[] = [
  ["elftools", "pyelftools"],
  ["yaml", "PyYAML"],
  ["pykwalify", "pykwalify"],
  ["packaging", "packaging"],
];

/** Oldest version that zephyr-app builds with. */
const oldest = [3, 7, 0] as const;
const newestMajor = 4;

/** Where `tmc setup` makes its workspace unless told otherwise. */
export function defaultWorkspaceDir(env: NodeJS.ProcessEnv = process.env): string {
  const data = env["XDG_DATA_HOME"];
  return join(data !== undefined && data !== "" ? data : join(homedir(), ".local", "share"), "tmc", "zephyr");
}

/** `folder` or `folder/zephyr`, whichever is a Zephyr tree. */
function zephyrTree(folder: string): string | undefined {
  return [folder, join(folder, "zephyr")].find(
    (tree) => existsSync(join(tree, "VERSION")) && existsSync(join(tree, "share", "zephyr-package")),
  );
}

async function westTop(cwd: string): Promise<string | undefined> {
  try {
    const result = await runProcess("west", ["topdir"], { cwd, timeoutMs: 10_000 });
    return result.exitCode === 0 ? result.stdout.toString("utf8").trim() : undefined;
  } catch (error) {
    if (isMissingCommand(error)) {
      return undefined;
    }
    throw error;
  }
}

async function findTree(search: WorkspaceSearch): Promise<{ base: string; source: string } | undefined> {
  const env = search.env ?? process.env;
  if (search.dir !== undefined) {
    const base = zephyrTree(resolve(search.dir));
    if (base === undefined) {
      throw new UserError(
        "TMC5002",
        `${search.dir} is not a Zephyr workspace: it has no Zephyr tree`,
        "Name the folder that has zephyr/ and modules/, or the Zephyr tree itself.",
        ExitCode.usage,
      );
    }
    return { base, source: "--zephyr" };
  }
  const candidates: (readonly [source: string, folder: string | undefined])[] = [
    ["ZEPHYR_BASE", env["ZEPHYR_BASE"]],
    ["west topdir", await westTop(search.cwd ?? process.cwd())],
    ["tmc setup", defaultWorkspaceDir(env)],
  ];
  for (const [source, folder] of candidates) {
    const base = folder === undefined || folder === "" ? undefined : zephyrTree(resolve(folder));
    if (base !== undefined) {
      return { base, source };
    }
  }
  return undefined;
}

/** The version in a tree's file VERSION, e.g. [4, 1, 99]. */
export function parseVersion(text: string): [number, number, number] {
  const field = (key: string): number => Number(new RegExp(`^${key} *= *(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return [field("VERSION_MAJOR"), field("VERSION_MINOR"), field("PATCHLEVEL")];
}

function fits(version: readonly [number, number, number]): boolean {
  const [major, minor, patch] = version;
  if (major !== oldest[0]) {
    return major > oldest[0] && major <= newestMajor;
  }
  return minor > oldest[1] || (minor === oldest[1] && patch >= oldest[2]);
}

/** Folders in modules/ (two levels) and bootloader/ that are Zephyr modules, sorted. */
function findModules(top: string): string[] {
  const below = (folder: string): string[] =>
    existsSync(folder)
      ? readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
          .map((entry) => join(folder, entry.name))
      : [];
  const groups = below(join(top, "modules"));
  const folders = [...groups, ...groups.flatMap(below), ...below(join(top, "bootloader"))];
  return folders
    .filter((folder) => ["yml", "yaml"].some((end) => existsSync(join(folder, "zephyr", `module.${end}`))))
    .sort();
}

/** Packages that this Python lacks; undefined when there is no such Python. */
async function lacking(python: string): Promise<string[] | undefined> {
  const script = pythonPackages
    .map(([module, name]) => `try: import ${module}\nexcept ImportError: print("${name}")`)
    .join("\n");
  try {
    const result = await runProcess(python, ["-c", script], { timeoutMs: 30_000 });
    return result.exitCode === 0
      ? result.stdout
          .toString("utf8")
          .split("\n")
          .filter((line) => line !== "")
      : undefined;
  } catch (error) {
    if (isMissingCommand(error)) {
      return undefined;
    }
    throw error;
  }
}

async function findPython(top: string, env: NodeJS.ProcessEnv): Promise<string | ZephyrMissing> {
  const virtual = env["VIRTUAL_ENV"];
  const candidates = [
    ...[".venv", "venv"].map((name) => join(top, name, "bin", "python3")).filter((file) => existsSync(file)),
    ...(virtual === undefined || virtual === "" ? [] : [join(virtual, "bin", "python3")]),
    "python3",
    "/usr/bin/python3",
  ];
  let fewest: string[] | undefined;
  for (const python of candidates) {
    const names = await lacking(python);
    if (names?.length === 0) {
      return python;
    }
    if (names !== undefined && (fewest === undefined || names.length < fewest.length)) {
      fewest = names;
    }
  }
  return fewest === undefined
    ? {
        message: "no Zephyr image: python3 is not installed",
        fix: "Install it: apt-get install python3 python3-venv",
      }
    : {
        message: `no Zephyr image: no Python here has ${fewest.join(", ")}, which Zephyr's build needs`,
        fix: `python3 -m venv ${join(top, ".venv")} && ${join(top, ".venv/bin/pip")} install ${fewest.join(" ")}`,
      };
}

/**
 * Looks at --zephyr, ZEPHYR_BASE, `west topdir`, and the workspace of `tmc setup`, in this order.
 * @throws UserError TMC5002 when `dir` is no workspace, TMC5003 when the version does not fit (both exit code 3).
 */
export async function findWorkspace(search: WorkspaceSearch = {}): Promise<WorkspaceSearchResult> {
  const tree = await findTree(search);
  if (tree === undefined) {
    return {
      kind: "missing",
      missing: {
        message: "no Zephyr image: there is no Zephyr workspace",
        fix: "Make one with `tmc setup`, or name yours with --zephyr DIR or ZEPHYR_BASE.",
      },
    };
  }
  const { base, source } = tree;
  const version = parseVersion(readFileSync(join(base, "VERSION"), "utf8"));
  if (!fits(version)) {
    throw new UserError(
      "TMC5003",
      `the workspace (${source}) has Zephyr ${version.join(".")} in ${base}; zephyr-app needs ${oldest.join(".")} to ${newestMajor}.x`,
      "Make a workspace of the pinned version with `tmc setup`.",
      ExitCode.usage,
    );
  }
  const top = dirname(base);
  const python = await findPython(top, search.env ?? process.env);
  if (typeof python !== "string") {
    return { kind: "missing", missing: python };
  }
  return {
    kind: "found",
    workspace: { top, base, version: version.join("."), modules: findModules(top), python, source },
  };
}

/** As `findWorkspace`. @throws UserError TMC5001 (exit code 5) too, when there is none. */
export async function requireWorkspace(search: WorkspaceSearch = {}): Promise<Workspace> {
  const result = await findWorkspace(search);
  if (result.kind === "found") {
    return result.workspace;
  }
  throw new UserError("TMC5001", result.missing.message, result.missing.fix, ExitCode.noWorkspace);
}

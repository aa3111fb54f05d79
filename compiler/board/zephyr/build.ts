/**
 * Builds zephyr-app (or another application) for a board with CMake and Ninja, west not needed. It compiles no TypeScript:
 * what the image runs is the C of `genDir`. A build folder is kept and reused; it is made anew when what it was configured
 * with changes.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { Board } from "../board.js";
import { packagePath } from "../package-root.js";
import { isMissingCommand, runProcess } from "../processes.js";
import { buildFailure } from "./build-failure.js";
import type { Workspace } from "./workspace.js";

export interface ZephyrBuildOptions {
  readonly workspace: Workspace;
  /** Of kind zephyr. */
  readonly board: Board;
  /** Has sources.txt (format: zephyr-app/CMakeLists.txt) and the generated C; none for an application without. */
  readonly genDir?: string;
  /** Folders of Zephyr modules beside those of the workspace. */
  readonly extraModules?: readonly string[];
  /** The application; default: zephyr-app. */
  readonly sourceDir?: string;
  /** The build folder of this board; made when absent. */
  readonly outDir: string;
  /** Kconfig values by name without CONFIG_: text is quoted, true and false become y and n. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  /** Further Kconfig fragments, after everything else. */
  readonly confFiles?: readonly string[];
  /** Further devicetree overlays, after the board's own. */
  readonly overlays?: readonly string[];
  /** Gets "configuring", then Ninja's steps: done and total. */
  readonly onProgress?: (step: string, done?: number, total?: number) => void;
}

export interface ZephyrImage {
  /** The linked image; on native_sim it cannot run by itself. */
  readonly elf: string;
  /** What runs: the Linux executable on native_sim, else the ELF. */
  readonly executable: string;
  readonly hex: string | undefined;
  readonly bin: string | undefined;
  /** The linker's map file. */
  readonly map: string;
  /** All that CMake and Ninja wrote. */
  readonly log: string;
}

/** True for boards that are processes of this machine. */
function isNative(board: Board): boolean {
  return board.toolchain.prefix === "";
}

/** The file beside the board's own with that ending, e.g. my_board.conf; none for a board without. */
function besideBoard(board: Board, extension: string): string[] {
  const file = join(dirname(board.file), `${board.name}${extension}`);
  return existsSync(file) ? [file] : [];
}

async function whereIs(command: string): Promise<string | undefined> {
  try {
    const result = await runProcess("which", [command]);
    return result.exitCode === 0 ? result.stdout.toString("utf8").trim() : undefined;
  } catch (error) {
    if (isMissingCommand(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Tools and their Debian packages. */
const buildTools = [
  ["cmake", "cmake"],
  ["ninja", "ninja-build"],
  ["dtc", "device-tree-compiler"],
] as const;

async function requireTool(command: string, packageName: string): Promise<string> {
  const path = await whereIs(command);
  if (path === undefined) {
    throw new UserError(
      "TMC5008",
      `Zephyr images need ${command}, which is not installed`,
      `Install it: apt-get install ${packageName}`,
      ExitCode.missingTool,
    );
  }
  return path;
}

/** Environment of CMake: the user's choice of toolchain, else Debian's compilers. */
async function buildEnvironment(options: ZephyrBuildOptions): Promise<NodeJS.ProcessEnv> {
  const env: NodeJS.ProcessEnv = { ...process.env, ZEPHYR_BASE: options.workspace.base };
  for (const [command, packageName] of buildTools) {
    await requireTool(command, packageName);
  }
  if (isNative(options.board)) {
    await requireTool("gcc", "gcc libc6-dev");
    env["ZEPHYR_TOOLCHAIN_VARIANT"] = "host";
  } else if (env["ZEPHYR_TOOLCHAIN_VARIANT"] === undefined && env["ZEPHYR_SDK_INSTALL_DIR"] === undefined) {
    const gcc = await requireTool("arm-none-eabi-gcc", "gcc-arm-none-eabi");
    env["ZEPHYR_TOOLCHAIN_VARIANT"] = "gnuarmemb";
    env["GNUARMEMB_TOOLCHAIN_PATH"] = dirname(dirname(gcc));
  }
  return env;
}

function kconfigText(config: ZephyrBuildOptions["config"]): string {
  const lines = Object.entries(config ?? {}).map(([name, value]) => {
    const text =
      typeof value === "string"
        ? `"${value.replace(/["\\]/g, "\\$&")}"`
        : typeof value === "boolean"
          ? value
            ? "y"
            : "n"
          : String(value);
    return `CONFIG_${name}=${text}`;
  });
  return ["# Written by tmc.", ...lines.sort(), ""].join("\n");
}

/** Writes only what differs, so that Ninja sees no change where there is none. */
function writeIfDifferent(file: string, text: string): void {
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileSync(file, text);
  }
}

interface Streamed {
  readonly exitCode: number;
  readonly output: string;
}

function stream(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Promise<Streamed> {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: string[] = [];
    let rest = "";
    const take = (chunk: Buffer): void => {
      const text = chunk.toString("utf8");
      chunks.push(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", failed);
    child.on("close", (code) => done({ exitCode: code ?? -1, output: chunks.join("") }));
  });
}

/**
 * Zephyr 3.7 has no mps2/an386: what finds ours, for applications other than zephyr-app, which does it by itself
 * (zephyr-app/lts/lts.cmake).
 */
function ltsBoard({ workspace, board, sourceDir }: ZephyrBuildOptions): string[] {
  const lts = packagePath("zephyr-app", "lts");
  return workspace.version.startsWith("3.") && board.zephyr?.board === "mps2/an386" && sourceDir !== undefined
    ? [`-DBOARD_DIR=${join(lts, "boards", "arm", "mps2")}`, `-DSOC_ROOT=${lts}`]
    : [];
}

function modulesFor(options: ZephyrBuildOptions): readonly string[] {
  const { workspace, board } = options;
  const names = ["crypto/mbedtls", ...(board.zephyr?.modules ?? [])];
  // Cortex-M took CMSIS 5 then.
  const wanted = workspace.version.startsWith("3.")
    ? names.map((name) => (name === "hal/cmsis_6" ? "hal/cmsis" : name))
    : names;
  const missing = wanted.filter((name) => !workspace.modules.includes(join(workspace.top, "modules", name)));
  if (missing.length > 0) {
    throw new UserError(
      "TMC5004",
      `the workspace ${workspace.top} lacks ${missing.map((name) => `modules/${name}`).join(", ")}, which ${board.name} needs`,
      "Fetch it: `west update` in the workspace, or make one with `tmc setup`.",
      ExitCode.noWorkspace,
    );
  }
  return workspace.modules;
}

/**
 * Builds the image.
 * @throws UserError TMC5004 (module missing), TMC5005 (configuration refused), TMC5006 (build failed), TMC5007 (does not
 * fit), TMC5008 (tool missing).
 */
export async function buildZephyr(options: ZephyrBuildOptions): Promise<ZephyrImage> {
  const outDir = resolve(options.outDir);
  const build = join(outDir, "build");
  const log = join(outDir, "build.log");
  const stamp = join(outDir, "configured.txt");
  const conf = join(outDir, "tmc.conf");
  const env = await buildEnvironment(options);
  const { board } = options;
  if (board.zephyr === undefined) {
    throw new TypeError(`board ${board.name} is not of kind zephyr`);
  }
  // The fragment of a board is for the node; a boot loader or an application of the user's own has other options.
  const fragment = options.sourceDir === undefined ? besideBoard(board, ".conf") : [];
  const confFiles = [conf, ...fragment, ...(options.confFiles ?? [])].map((file) => resolve(file));
  const overlays = [...besideBoard(board, ".overlay"), ...(options.overlays ?? [])].map((file) =>
    resolve(file),
  );
  const args = [
    ...["-GNinja", "-S", resolve(options.sourceDir ?? packagePath("zephyr-app")), "-B", build],
    `-DBOARD=${board.zephyr.board}`,
    `-DZEPHYR_MODULES=${modulesFor(options).join(";")}`,
    `-DPython3_EXECUTABLE=${options.workspace.python}`,
    ...ltsBoard(options),
    ...(options.genDir === undefined ? [] : [`-DTMC_GEN_DIR=${resolve(options.genDir)}`]),
    ...(options.extraModules === undefined
      ? []
      : [`-DZEPHYR_EXTRA_MODULES=${options.extraModules.map((folder) => resolve(folder)).join(";")}`]),
    `-DEXTRA_CONF_FILE=${confFiles.join(";")}`,
    ...(overlays.length === 0 ? [] : [`-DEXTRA_DTC_OVERLAY_FILE=${overlays.join(";")}`]),
    `-DBUILD_VERSION=${options.workspace.version}`,
    "-DUSE_CCACHE=0",
  ];
  const key = createHash("sha256")
    .update(JSON.stringify([args, env["ZEPHYR_TOOLCHAIN_VARIANT"], env["GNUARMEMB_TOOLCHAIN_PATH"]]))
    // Zephyr keeps an old configuration when only a default in Kconfig changes.
    .update(readFileSync(packagePath("zephyr-app", "Kconfig")))
    .digest("hex");

  mkdirSync(outDir, { recursive: true });
  writeIfDifferent(conf, kconfigText(options.config));
  const configured = existsSync(stamp) && readFileSync(stamp, "utf8") === key;
  let text = "";
  if (!configured || !existsSync(join(build, "build.ninja"))) {
    rmSync(stamp, { force: true });
    rmSync(build, { recursive: true, force: true });
    options.onProgress?.("configuring");
    const cmake = await stream("cmake", args, env, () => undefined);
    text += cmake.output;
    writeFileSync(log, text);
    if (cmake.exitCode !== 0) {
      throw buildFailure({ stage: "configure", board: board.name, output: cmake.output, log });
    }
    writeFileSync(stamp, key);
  }
  const ninja = await stream("ninja", ["-C", build], env, (line) => {
    const step = /^\[(\d+)\/(\d+)\] (.*)$/.exec(line);
    if (step !== null) {
      options.onProgress?.(step[3] ?? "", Number(step[1]), Number(step[2]));
    }
  });
  text += ninja.output;
  writeFileSync(log, text);
  if (ninja.exitCode !== 0) {
    throw buildFailure({ stage: "build", board: board.name, output: ninja.output, log });
  }
  return image(join(build, "zephyr"), isNative(board), log);
}

function image(folder: string, native: boolean, log: string): ZephyrImage {
  const optional = (name: string): string | undefined => {
    const file = join(folder, name);
    return existsSync(file) ? file : undefined;
  };
  const elf = join(folder, "zephyr.elf");
  return {
    elf,
    executable: native ? join(folder, "zephyr.exe") : elf,
    hex: optional("zephyr.hex"),
    bin: optional("zephyr.bin"),
    map: join(folder, "zephyr.map"),
    log,
  };
}

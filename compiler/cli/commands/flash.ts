/**
 * `tmc flash`: writes the image of the last build to a board, with west's runner; of a build with --bootloader the boot
 * loader and the signed firmware. It compiles nothing.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { findBoard } from "../../board/board.js";
import { requireWorkspace } from "../../board/zephyr/workspace.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { describeCommand } from "../help.js";

interface FlashOptions {
  readonly board: string;
  readonly out?: string;
  readonly runner?: string;
  readonly zephyr?: string;
  readonly bootloader: boolean;
}

/** One run of west. */
export interface FlashStep {
  readonly what: string;
  readonly args: readonly string[];
}

/** What is written of the build in `folder`, in order; undefined when there is none. */
export function flashSteps(
  folder: string,
  options: { readonly runner?: string; readonly bootloader: boolean },
): FlashStep[] | undefined {
  const build = join(folder, "zephyr", "build");
  if (!existsSync(join(build, "zephyr", "zephyr.elf"))) return undefined;
  const runner = options.runner === undefined ? [] : ["--runner", options.runner];
  const west = (dir: string): string[] => ["-m", "west", "flash", "--build-dir", dir, ...runner];
  const signed = join(folder, "firmware.hex");
  // A build without a boot loader after one with it: its image begins where the boot loader is.
  if (!wantsBootloader(build)) return [{ what: "image", args: west(build) }];
  const mcuboot = join(folder, "mcuboot", "build");
  return [
    ...(options.bootloader ? [{ what: "boot loader", args: west(mcuboot) }] : []),
    { what: "firmware", args: [...west(build), "--hex-file", signed] },
  ];
}

function wantsBootloader(build: string): boolean {
  const config = join(build, "zephyr", ".config");
  return existsSync(config) && /^CONFIG_BOOTLOADER_MCUBOOT=y$/m.test(readFileSync(config, "utf8"));
}

export function registerFlash(program: Command): void {
  const command = program
    .command("flash")
    .description("write the image of the last `tmc build` to a board, its boot loader first (west flash)")
    .option("--board <board>", "name of the board, or path of its file", "b_l4s5i_iot01a")
    .option("--out <dir>", "the folder of the build (default: build/BOARD)")
    .option("--runner <name>", "west's runner, e.g. openocd, pyocd, jlink (default: the board's)")
    .option("--no-bootloader", "leave the boot loader that is on the board")
    .option("--zephyr <dir>", "the Zephyr workspace (default: ZEPHYR_BASE, west's, tmc setup's)")
    .action(flash);
  describeCommand(command, {
    examples: [
      ["tmc build --board b_l4s5i_iot01a && tmc flash", "build, then write"],
      ["tmc flash --runner openocd", "with another runner"],
      ["tmc flash --no-bootloader", "of a build with --bootloader only the firmware"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "noWorkspace"],
  });
}

async function flash(options: FlashOptions): Promise<void> {
  const board = findBoard(options.board);
  if (board.run.how !== "flash") {
    throw new UserError(
      "TMC5109",
      `board ${board.name} is no hardware: there is nothing to write to`,
      `start its image here: tmc run --board ${board.name}`,
      ExitCode.usage,
    );
  }
  const folder = options.out ?? join("build", board.name);
  const steps = flashSteps(folder, options);
  if (steps === undefined) {
    throw new UserError(
      "TMC5110",
      `${join(folder, "zephyr", "build")} has no image`,
      `make it first: tmc build --board ${board.name}`,
      ExitCode.usage,
    );
  }
  const workspace = await requireWorkspace(options.zephyr === undefined ? {} : { dir: options.zephyr });
  const env = { ...process.env, ZEPHYR_BASE: workspace.base };
  for (const { what, args } of steps) {
    if (steps.length > 1) process.stdout.write(`${what}\n`);
    await runWest(workspace.python, args, env);
  }
}

async function runWest(python: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(python, args, { stdio: "inherit", env });
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) {
    throw new UserError(
      "TMC5111",
      "west could not write the image; its own message is above",
      "check that the board is connected and that west and its runner (openocd, STM32CubeProgrammer) are installed",
      ExitCode.failed,
    );
  }
}

/** `tmc flash`: writes the image of the last build to a board, with west's runner. It compiles nothing. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
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
}

export function registerFlash(program: Command): void {
  const command = program
    .command("flash")
    .description("write the image of the last `tmc build` to a board (west flash)")
    .option("--board <board>", "name of the board, or path of its file", "b_l4s5i_iot01a")
    .option("--out <dir>", "the folder of the build (default: build/BOARD)")
    .option("--runner <name>", "west's runner, e.g. openocd, pyocd, jlink (default: the board's)")
    .option("--zephyr <dir>", "the Zephyr workspace (default: ZEPHYR_BASE, west's, tmc setup's)")
    .action(flash);
  describeCommand(command, {
    examples: [
      ["tmc build --board b_l4s5i_iot01a && tmc flash", "build, then write"],
      ["tmc flash --runner openocd", "with another runner"],
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
  const build = join(options.out ?? join("build", board.name), "zephyr", "build");
  if (!existsSync(join(build, "zephyr", "zephyr.elf"))) {
    throw new UserError(
      "TMC5110",
      `${build} has no image`,
      `make it first: tmc build --board ${board.name}`,
      ExitCode.usage,
    );
  }
  const workspace = await requireWorkspace(options.zephyr === undefined ? {} : { dir: options.zephyr });
  const runner = options.runner === undefined ? [] : ["--runner", options.runner];
  const args = ["-m", "west", "flash", "--build-dir", build, ...runner];
  const env = { ...process.env, ZEPHYR_BASE: workspace.base };
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(workspace.python, args, { stdio: "inherit", env });
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

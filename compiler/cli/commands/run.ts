/** `tmc run`: builds an app and starts it in the foreground: as a process of this machine, or in QEMU. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { findBoard, type Board } from "../../board/board.js";
import { checkBudget } from "../../board/memory-report.js";
import { zephyrCommand } from "../../board/zephyr/run.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { buildApp } from "../build-app.js";
import { compileOrReport } from "../compile-or-report.js";
import { describeCommand } from "../help.js";
import { locateApp } from "../project-config.js";

interface RunCommandOptions {
  readonly board: string;
  readonly id: string;
  readonly server: string;
  readonly serverId: string;
  readonly sensor?: readonly string[];
  readonly passwordFile?: string;
  readonly updateKey?: string;
  readonly stateDir?: string;
  readonly out?: string;
  readonly checked: boolean;
  readonly zephyr?: string;
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("build an app and start it here; Ctrl-C stops it")
    .argument("[app]", "source of the app (default: the one in tmc.json, else firmware/app.ts)")
    .requiredOption("--board <board>", "host, native_sim, or a board that runs in QEMU")
    .option("--id <id>", "who the node is: 1-23 characters of 0-9 a-z -", "node")
    .option("--server <url>", "the broker: mqtt://HOST[:PORT]", "mqtt://127.0.0.1:1883")
    .option("--server-id <id>", "the server that the node belongs to", "edge")
    .option("--sensor <name=source...>", "a simulated sensor: NAME=csv:FILE or NAME=generator:KIND[,seed=N]")
    .option("--password-file <file>", "password for the broker, in its first line (board host)")
    .option("--update-key <file>", "public key of who may send updates, PEM (board host)")
    .option("--state-dir <dir>", "boot counter and settings (default: build/run/BOARD/state-ID)")
    .option("--out <dir>", "folder of the build (default: build/run/BOARD)")
    .option("--no-checked", "let an overflow that is not marked as intended wrap, as on the board")
    .option("--zephyr <dir>", "the Zephyr workspace (default: ZEPHYR_BASE, west's, tmc setup's)")
    .action(run);
  describeCommand(command, {
    examples: [
      ["tmc run --board host --id pump-1 --server mqtt://127.0.0.1:1883", "the app as a Linux process"],
      ["tmc run --board host --sensor accelerometer=csv:run.csv", "with a recorded sensor"],
      ["tmc run --board mps2_an386", "the Zephyr image in QEMU"],
    ],
    exitCodes: ["ok", "failed", "trap", "usage", "missingTool", "noWorkspace", "internal"],
  });
}

async function run(app: string | undefined, options: RunCommandOptions): Promise<void> {
  const board = findBoard(options.board);
  refuseUnrunnable(board);
  refuseFiles(board, options);
  const { entry, root } = locateApp(app);
  const compiled = await compileOrReport({
    entry,
    root,
    checked: options.checked,
    kind: "app",
    ...(board.models === undefined ? {} : { weightsInRam: board.models.weightsInRam }),
    json: false,
  });
  if (compiled === undefined) {
    return;
  }
  const outDir = resolve(options.out ?? join("build", "run", board.name));
  const outcome = await buildApp({
    board,
    compiled,
    outDir,
    zephyrDir: options.zephyr,
    emit: "image",
    onProgress: () => undefined,
  });
  if (outcome.report !== undefined) {
    checkBudget(outcome.report);
  }
  if (outcome.image === undefined) {
    const missing = outcome.missing ?? { message: `there is no image for ${board.name}`, fix: "" };
    throw new UserError("TMC5001", missing.message, missing.fix, ExitCode.noWorkspace);
  }
  const stateDir = resolve(options.stateDir ?? join(outDir, `state-${options.id}`));
  const { command, args } =
    board.kind === "posix"
      ? { command: outcome.image, args: posixArguments(options, stateDir) }
      : zephyrCommand({
          board,
          executable: outcome.image,
          id: options.id,
          server: options.server,
          serverId: options.serverId,
          stateDir,
          ...(options.sensor?.[0] === undefined ? {} : { sensor: options.sensor[0] }),
        });
  mkdirSync(stateDir, { recursive: true });
  process.exitCode = await foreground(command, args, board.kind === "posix" ? undefined : stateDir);
}

/** Before minutes are spent on building what cannot be started. */
function refuseUnrunnable(board: Board): void {
  if (board.kind === "bare-metal") {
    throw new UserError(
      "TMC0053",
      `board ${board.name} has no bus: an app cannot run on it`,
      "run a program on it with `tmc exec`, or the app with --board host or mps2_an386",
      ExitCode.usage,
    );
  }
  if (board.run.how === "flash") {
    throw new UserError(
      "TMC4005",
      `board ${board.name} is real hardware: tmc cannot run its image here`,
      `build it with \`tmc build --board ${board.name}\`, then flash it: west flash`,
      ExitCode.usage,
    );
  }
}

/** Zephyr nodes have secrets and keys in their settings only. */
function refuseFiles(board: Board, { passwordFile, updateKey }: RunCommandOptions): void {
  if (board.kind !== "posix" && (passwordFile !== undefined || updateKey !== undefined)) {
    throw new UserError(
      "TMC0054",
      `${passwordFile === undefined ? "--update-key" : "--password-file"} is for board host: ${board.name} keeps such values in its settings`,
      "use --board host; devices get them by tmc provision",
      ExitCode.usage,
    );
  }
}

function posixArguments(options: RunCommandOptions, stateDir: string): string[] {
  return [
    ...["--id", options.id, "--server", options.server, "--server-id", options.serverId],
    ...["--state-dir", stateDir],
    ...(options.passwordFile === undefined ? [] : ["--password-file", resolve(options.passwordFile)]),
    ...(options.updateKey === undefined ? [] : ["--update-key", resolve(options.updateKey)]),
    ...(options.sensor ?? []).flatMap((sensor) => ["--sensor", sensor]),
  ];
}

/** Runs with our own input and output; Ctrl-C reaches it by the terminal, SIGTERM is passed on. */
function foreground(command: string, args: readonly string[], cwd: string | undefined): Promise<number> {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { stdio: "inherit", ...(cwd === undefined ? {} : { cwd }) });
    const ignore = (): void => undefined;
    const pass = (): void => void child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", pass);
    const release = (): void => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", pass);
    };
    child.once("error", (error) => {
      release();
      failed(error);
    });
    child.once("close", (code, signal) => {
      release();
      // A signal that we passed on is an ordinary end.
      done(code ?? (signal === "SIGTERM" || signal === "SIGINT" ? ExitCode.ok : ExitCode.failed));
    });
  });
}

/** `tmc build`: compiles an app for a board and prints the memory report. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Option, type Command } from "commander";
import { findBoard, type Board } from "../../board/board.js";
import { formatMemoryReport } from "../../board/memory-report-text.js";
import { checkBudget } from "../../board/memory-report.js";
import { checkFirmwareOptions, type FirmwareOptions } from "../../board/zephyr/bootloader.js";
import { styleFor } from "../../diagnostics/colors.js";
import { formatDiagnostics } from "../../diagnostics/format-diagnostics.js";
import { UserError, ExitCode } from "../../diagnostics/user-error.js";
import { softDoubleNotes } from "../../ir/soft-double.js";
import { buildApp, type BuildOutcome } from "../build-app.js";
import { debugHint } from "../debug-script.js";
import { compileOrReport } from "../compile-or-report.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { locateApp } from "../project-config.js";

const stages = ["ir", "c", "objects", "image"] as const;

interface BuildCommandOptions {
  readonly board: string;
  readonly out?: string;
  readonly emit: (typeof stages)[number];
  readonly checked?: true;
  readonly debug?: true;
  readonly zephyr?: string;
  readonly conf?: readonly string[];
  readonly bootloader?: string;
  readonly release: string;
  readonly counter: number;
  readonly json?: true;
}

export function registerBuild(program: Command): void {
  const command = program
    .command("build")
    .description("compile an app for a board; prints flash, RAM and stack against the board's budget")
    .argument("[app]", "source of the app (default: the one in tmc.json, else firmware/app.ts)")
    .requiredOption("--board <board>", "name of a board, or path of a board file")
    .option("--out <dir>", "folder for everything that is made (default: build/BOARD)")
    .addOption(new Option("--emit <stage>", "how far to go").choices(stages).default("image"))
    .option("--checked", "an overflow that is not marked as intended traps")
    .option("--debug", "no optimisation, and a debug.gdb for a session in GDB")
    .option("--zephyr <dir>", "the Zephyr workspace (default: ZEPHYR_BASE, west's, tmc setup's)")
    .option("--conf <file...>", "Zephyr boards: Kconfig fragments, after everything else")
    .option(
      "--bootloader <key>",
      "build MCUboot too, and sign the firmware for it with the owner's private key",
    )
    .option("--release <version>", "with --bootloader: the firmware's version, MAJOR.MINOR.PATCH", "0.0.0")
    .option(
      "--counter <n>",
      "with --bootloader: devices take no firmware with a lower one than they run",
      Number,
      0,
    )
    .option("--json", "print the report for programs")
    .action(build);
  describeCommand(command, {
    examples: [
      ["tmc build --board host", "a Linux process: build/host/app.elf"],
      ["tmc build src/app.ts --board b_l4s5i_iot01a --zephyr ~/zephyrproject", "an image for a board"],
      ["tmc build --board b_l4s5i_iot01a --conf zephyr-app/aws.conf", "an image with settings of its own"],
      ["tmc build --board qemu_cortex_m4 --emit c --out gen", "only the C"],
      [
        "tmc build --board b_l4s5i_iot01a --bootloader owner.key.pem --release 1.4.0 --counter 14",
        "firmware that can be updated over the bus, and its boot loader",
      ],
      ["tmc build program.ts --board qemu_cortex_m4 --debug", "a program to debug: see docs/debugging.md"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "noWorkspace", "internal"],
  });
}

async function build(app: string | undefined, options: BuildCommandOptions): Promise<void> {
  const board = findBoard(options.board);
  checkConf(options.conf ?? [], board);
  const firmware = firmwareOptions(options);
  if (firmware !== undefined) checkFirmwareOptions(board, firmware);
  const { entry, root } = locateApp(app);
  const json = options.json === true;
  const compiled = await compileOrReport({
    entry,
    root,
    checked: options.checked === true,
    debug: options.debug === true,
    kind: board.kind === "zephyr" ? "app" : "image",
    ...(board.models === undefined ? {} : { weightsInRam: board.models.weightsInRam }),
    json,
  });
  if (compiled === undefined) {
    return;
  }
  if (board.cpu.fpu !== "double") {
    const notes = softDoubleNotes(compiled.reachable, board.name);
    process.stderr.write(formatDiagnostics(notes, { root, style: styleFor(process.stderr) }));
  }
  const outDir = resolve(options.out ?? join("build", board.name));
  if (options.emit === "ir") {
    const { printProgram } = await import("../../ir/print.js");
    mkdirSync(outDir, { recursive: true });
    writeFileSync(join(outDir, "app.ir"), printProgram(compiled.program));
    made(join(outDir, "app.ir"), json);
    return;
  }
  const outcome = await buildApp({
    board,
    compiled,
    outDir,
    zephyrDir: options.zephyr,
    emit: options.emit,
    ...(options.debug === true ? { debug: { root } } : {}),
    ...(options.conf === undefined ? {} : { confFiles: options.conf }),
    ...(firmware === undefined ? {} : { firmware }),
    onProgress: progressLine,
  });
  if (json) {
    const { report, image, genDir, missing } = outcome;
    printJson({
      board: board.name,
      image: image ?? null,
      ...(outcome.firmware === undefined ? {} : { firmware: outcome.firmware }),
      sources: genDir,
      report: report ?? null,
      missing: missing ?? null,
    });
  } else {
    printOutcome(outcome, board.kind === "bare-metal" && options.emit === "image");
    if (options.debug === true && outcome.image !== undefined) {
      process.stdout.write(debugHint(board, outcome.image));
    }
  }
  if (outcome.report !== undefined) {
    checkBudget(outcome.report);
  }
  if (outcome.missing !== undefined) {
    const { message, fix } = outcome.missing;
    if (json) {
      process.exitCode = ExitCode.noWorkspace; // the document has said it
    } else {
      throw new UserError("TMC5001", message, fix, ExitCode.noWorkspace);
    }
  }
}

/** @throws UserError TMC4004, TMC0010 for fragments of a board that is not Zephyr's, or that are not there. */
function checkConf(files: readonly string[], board: Board): void {
  if (files.length > 0 && board.kind !== "zephyr") {
    throw new UserError(
      "TMC4004",
      `--conf is for Zephyr boards; ${board.name} is none`,
      "leave it out",
      ExitCode.usage,
    );
  }
  const absent = files.find((file) => !existsSync(file));
  if (absent !== undefined) {
    throw new UserError(
      "TMC0010",
      `--conf ${absent}: there is no such file`,
      "check its name",
      ExitCode.usage,
    );
  }
}

/** @throws UserError TMC5012 for what belongs to --bootloader, without it */
function firmwareOptions(options: BuildCommandOptions): FirmwareOptions | undefined {
  const { bootloader, release, counter } = options;
  if (bootloader !== undefined) return { key: bootloader, release, counter };
  if (release !== "0.0.0" || counter !== 0) {
    throw new UserError(
      "TMC5012",
      "--release and --counter are a signed firmware's",
      "Name the owner's private key: --bootloader owner.key.pem (tmc key new).",
      ExitCode.usage,
    );
  }
  return undefined;
}

function printOutcome(outcome: BuildOutcome, noBus: boolean): void {
  if (outcome.report === undefined) {
    made(outcome.genDir, false);
    return;
  }
  process.stdout.write(formatMemoryReport(outcome.report, { symbols: outcome.symbols }));
  if (outcome.firmware !== undefined) {
    const { bootloader, hex, update } = outcome.firmware;
    process.stdout.write(
      `boot loader  ${shownPath(bootloader.hex)}\nfirmware     ${shownPath(hex)}\nupdate       ${shownPath(update)}\n`,
    );
  } else if (outcome.image !== undefined) {
    made(outcome.image, false);
  } else if (outcome.library) {
    process.stdout.write(
      `no image: this app has entries for C only; compile ${join(shownPath(outcome.genDir), "sources.txt")} with yours\n`,
    );
  } else if (noBus) {
    process.stdout.write("no image: this board has no bus, so an app is compiled and measured only\n");
  }
}

/** The last line: where the result is. */
function made(path: string, json: boolean): void {
  if (json) {
    printJson({ made: path });
  } else {
    process.stdout.write(`made ${shownPath(path)}\n`);
  }
}

const shownPath = (path: string): string => relative(process.cwd(), path) || path;

/** Long steps, on a terminal only, on one line. */
function progressLine(step: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[K${step.slice(0, 100)}`);
  }
}

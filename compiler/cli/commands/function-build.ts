/** `tmc function build`: the source of a function → a bundle (.tmcf), or with --board an image for its slots (.tmci). */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { styleFor } from "../../diagnostics/colors.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.js";
import { diagnosticToJson, formatDiagnostics } from "../../diagnostics/format-diagnostics.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { BuildImageOptions } from "../../function/build-image.js";
import type { FunctionBuild } from "../../function/build-function.js";
import { decodeBundle } from "../../function/bundle.js";
import { bundleJson, bundleText, imageJson, imageText } from "../../function/describe.js";
import { imageSuffix, readImage } from "../../function/image.js";
import { readSigningKey } from "../../function/keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { projectRootOf, requireFile } from "../project-config.js";
import { loadTypescript } from "../typescript-cache.js";
import { bundleSuffix, functionGroup, writeBundle } from "./function.js";

type ImageSource = Omit<BuildImageOptions, "board" | "golden">;

interface BuildOptions {
  readonly out: string;
  readonly board?: string;
  readonly golden?: string;
  readonly name?: string;
  readonly release?: string;
  readonly sign?: string;
  readonly time?: number;
  readonly stack?: number;
  readonly checked?: true;
  readonly trusted?: true;
  readonly json?: true;
}

export function registerFunctionBuild(program: Command): void {
  const command = functionGroup(program)
    .command("build")
    .description(
      "compile a function to a bundle that complete nodes run, or with --board to an image for microcontrollers: the same bits",
    )
    .argument("<source>", "a module that exports one `new NodeFunction({ … })`")
    .requiredOption("-o, --out <file>", `where to write it (*${bundleSuffix}, with --board *${imageSuffix})`)
    .addOption(
      new Option(
        "--board <board>",
        "machine code for the function slots of a board, to be signed by `tmc sign`",
      ).conflicts(["sign", "trusted", "stack"]),
    )
    .option(
      "--golden <file>",
      "with --board: input of the node's self-test, raw bytes (default: small numbers)",
    )
    .option("--sign <key>", "private key (PEM) to sign with; nodes refuse unsigned bundles")
    .option("--name <name>", "in place of the source's")
    .option("--release <version>", "in place of the source's")
    .option("--time <us>", "most microseconds of a call (default: the caller's deadline)", positive)
    .option("--stack <bytes>", "of the function (default: 16384)", positive)
    .option("--checked", "an overflow that is not marked as intended traps")
    .option("--trusted", "an ordinary TypeScript module, to run without a sandbox where nodes allow it")
    .option("--json", "print the manifest for programs")
    .action(build);
  describeCommand(command, {
    examples: [
      ["tmc function build rms.ts --sign owner.key.pem -o rms.tmcf", "ready to deploy"],
      ["tmc function build rms.ts --release 1.1.0 --time 5000 -o rms.tmcf", "unsigned; sign later"],
      ["tmc function build rms.ts --board b_l4s5i_iot01a -o rms.tmci", "for the slots of a microcontroller"],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool", "internal"],
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 3_600_000_000) {
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  }
  return value;
}

async function build(source: string, options: BuildOptions): Promise<void> {
  const file = resolve(source);
  requireFile(file, source);
  // Before anything is compiled.
  const key = options.sign === undefined ? undefined : readSigningKey(options.sign);
  const root = projectRootOf(file);
  loadTypescript();
  const given = {
    file,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.release === undefined ? {} : { version: options.release }),
    ...(options.time === undefined ? {} : { timeUs: options.time }),
    ...(key === undefined ? {} : { key }),
  };
  if (options.board !== undefined) {
    await buildForBoard(options.board, { ...given, root, checked: options.checked === true }, options);
    return;
  }
  if (options.golden !== undefined) {
    throw new UserError(
      "TMC0005",
      "--golden is the self-test of an image: it needs --board",
      "see tmc function build --help",
      ExitCode.usage,
    );
  }
  if (options.trusted === true) {
    const { buildTrustedFunction } = await import("../../function/build-trusted.js");
    write(await buildTrustedFunction(given), options);
    return;
  }
  const { buildFunction } = await import("../../function/build-function.js");
  const { build: made, diagnostics } = await buildFunction({
    ...given,
    root,
    checked: options.checked === true,
    ...(options.stack === undefined ? {} : { stack: options.stack }),
  });
  if (reported(diagnostics, made, root, options)) write(made, options);
}

/** Prints what was found; whether something was made. */
function reported<T>(
  diagnostics: readonly Diagnostic[],
  made: T | undefined,
  root: string,
  options: BuildOptions,
): made is T {
  process.stderr.write(formatDiagnostics(diagnostics, { root, style: styleFor(process.stderr) }));
  if (made !== undefined) return true;
  process.exitCode = ExitCode.failed;
  if (options.json === true) {
    printJson({ ok: false, diagnostics: diagnostics.map((d) => diagnosticToJson(d, { root })) });
  }
  return false;
}

async function buildForBoard(board: string, source: ImageSource, options: BuildOptions): Promise<void> {
  if (options.golden !== undefined) requireFile(options.golden, options.golden);
  const { findBoard } = await import("../../board/board.js");
  const { buildImage } = await import("../../function/build-image.js");
  const { build: made, diagnostics } = await buildImage({
    ...source,
    board: findBoard(board, { projectDir: source.root }),
    ...(options.golden === undefined ? {} : { golden: new Uint8Array(readFileSync(options.golden)) }),
  });
  if (!reported(diagnostics, made, source.root, options)) return;
  writeBundle(options.out, made.bytes);
  const summary = readImage(made.bytes);
  if (options.json === true) printJson({ ...imageJson(summary), sites: made.sites });
  else process.stdout.write(imageText(summary));
}

function write(made: FunctionBuild, options: BuildOptions): void {
  writeBundle(options.out, made.bundle);
  const bundle = decodeBundle(made.bundle);
  if (options.json === true) printJson(bundleJson(bundle, made.bundle.length));
  else process.stdout.write(bundleText(bundle, made.bundle.length));
}

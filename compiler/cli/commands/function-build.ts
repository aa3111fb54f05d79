/** `tmc function build`: the source of a function → a bundle (.tmcf). */
import { resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { styleFor } from "../../diagnostics/colors.js";
import { diagnosticToJson, formatDiagnostics } from "../../diagnostics/format-diagnostics.js";
import { ExitCode } from "../../diagnostics/user-error.js";
import type { FunctionBuild } from "../../function/build-function.js";
import { decodeBundle } from "../../function/bundle.js";
import { bundleJson, bundleText } from "../../function/describe.js";
import { readSigningKey } from "../../function/keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { projectRootOf, requireFile } from "../project-config.js";
import { loadTypescript } from "../typescript-cache.js";
import { bundleSuffix, functionGroup, writeBundle } from "./function.js";

interface BuildOptions {
  readonly out: string;
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
      "compile a function to a bundle that complete nodes run: the same bits as on a microcontroller",
    )
    .argument("<source>", "a module that exports one `new NodeFunction({ … })`")
    .requiredOption("-o, --out <file>", `where to write it (*${bundleSuffix})`)
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
  process.stderr.write(formatDiagnostics(diagnostics, { root, style: styleFor(process.stderr) }));
  if (made === undefined) {
    process.exitCode = ExitCode.failed;
    if (options.json === true) {
      printJson({ ok: false, diagnostics: diagnostics.map((d) => diagnosticToJson(d, { root })) });
    }
    return;
  }
  write(made, options);
}

function write(made: FunctionBuild, options: BuildOptions): void {
  writeBundle(options.out, made.bundle);
  const bundle = decodeBundle(made.bundle);
  if (options.json === true) printJson(bundleJson(bundle, made.bundle.length));
  else process.stdout.write(bundleText(bundle, made.bundle.length));
}

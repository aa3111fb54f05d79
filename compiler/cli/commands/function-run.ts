/**
 * `tmc function run`: calls a bundle's function in this process, in the sandbox of a node, an image's on the emulated
 * Cortex-M4; signatures are not asked for.
 */
import { readFileSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { trapKinds } from "../../board/trap-line.js";
import { ExitCode, UserError, type ExitCodeValue } from "../../diagnostics/user-error.js";
import { bytesOfNumbers, dataText, numbersOfBytes } from "../../function/describe.js";
import { rowBytes, type FunctionManifest } from "../../function/manifest.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { requireFile } from "../project-config.js";
import { functionGroup, readBundle, readImageFile, type ReadImage } from "./function.js";

interface RunOptions {
  readonly input?: string;
  readonly values?: number[];
  readonly output?: string;
  readonly timeout: number;
  readonly json?: true;
}

export function registerFunctionRun(program: Command): void {
  const command = functionGroup(program)
    .command("run")
    .description(
      "call the function of a bundle once, in the sandbox that nodes use, or of an image, on a Cortex-M4 in QEMU; unsigned ones too",
    )
    .argument("<file>", "a .tmcf or .tmci file")
    .option("--values <numbers>", "the input, separated by commas", numbers)
    .option("--input <file>", "the input: raw bytes, little-endian")
    .option("--output <file>", "write the output's raw bytes there")
    .option("--timeout <seconds>", "stop it then", seconds, 10)
    .option("--json", "print for programs")
    .action(run);
  describeCommand(command, {
    examples: [
      ["tmc function run rms.tmcf --values 1,2,3,4,5,6", "prints the output's numbers"],
      ["tmc function run rms.tmcf --input window.bin --output rms.bin", "files of raw bytes"],
      ["tmc function run rms.tmci --input window.bin --json", "an image, with the instructions of the call"],
    ],
    exitCodes: ["ok", "failed", "trap", "usage"],
  });
}

function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.some((value) => Number.isNaN(value)))
    throw new InvalidArgumentError("They are numbers: 1,2.5,-3");
  return values;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError("It is a number of seconds, above 0.");
  return value;
}

function inputOf(manifest: Pick<FunctionManifest, "input">, options: RunOptions): Uint8Array {
  const need = manifest.input;
  const misfit = (what: string): UserError =>
    new UserError(
      "TMC6307",
      `${what}; the function takes ${dataText(need)}`,
      "give as many values as its shape has",
      ExitCode.usage,
    );
  if ((options.input === undefined) === (options.values === undefined)) {
    throw misfit("give the input by either --values or --input");
  }
  let bytes: Uint8Array;
  if (options.input === undefined) bytes = bytesOfNumbers(need.elementType, options.values ?? []);
  else {
    requireFile(options.input, options.input);
    bytes = new Uint8Array(readFileSync(options.input));
  }
  const row = rowBytes(need);
  const fits =
    need.shape[0] === -1
      ? bytes.length % row === 0 && bytes.length <= need.bytes
      : bytes.length === need.bytes;
  if (!fits) throw misfit(`the input has ${bytes.length} bytes`);
  return bytes;
}

async function run(file: string, options: RunOptions): Promise<void> {
  const image = readImageFile(file);
  if (image !== undefined) {
    await runImage(image, options);
    return;
  }
  const { bundle } = readBundle(file);
  const { manifest } = bundle;
  const input = inputOf(manifest, options);
  const { callBundle } = await import("../../../host/node/functions/call-bundle.js");
  const { OperationFailure } = await import("../../../host/node/operations/operation.js");
  let outcome;
  try {
    outcome = await callBundle(bundle, input, {
      timeoutMs: options.timeout * 1000,
      onLog: (text) => process.stderr.write(text),
    });
  } catch (error) {
    if (!(error instanceof OperationFailure)) throw error;
    throw new UserError(
      "TMC6308",
      `${manifest.name}@${manifest.version}: ${error.code}: ${error.text}`,
      "correct the function, or give it more time with --timeout",
      error.code === "function-failed" ? ExitCode.trap : ExitCode.failed,
    );
  }
  print(manifest, outcome.output, { executionUs: Math.round(outcome.us) }, options);
}

function print(
  of: Pick<FunctionManifest, "name" | "version" | "output">,
  output: Uint8Array,
  cost: Readonly<Record<string, number>>,
  options: RunOptions,
): void {
  if (options.output !== undefined) writeFileSync(options.output, output);
  const values = numbersOfBytes(of.output.elementType, output);
  if (options.json === true) {
    printJson({ function: `${of.name}@${of.version}`, output: values, ...cost });
  } else if (options.output === undefined) {
    process.stdout.write(`${values.join(" ")}\n`);
  }
}

async function runImage({ bytes, summary }: ReadImage, options: RunOptions): Promise<void> {
  const input = inputOf(summary, options);
  const { callImages } = await import("../../function/on-board.js");
  const [result] = await callImages([{ image: bytes, inputs: [input] }], {
    count: true,
    timeoutMs: options.timeout * 1000,
  });
  const name = `${summary.name}@${summary.version}`;
  const failed = (what: string, exitCode: ExitCodeValue): UserError =>
    new UserError("TMC6308", `${name}: ${what}`, "correct the function, and build it again", exitCode);
  if (result === undefined || result.reason !== 0) {
    throw failed(
      `the loader of a Cortex-M4F refuses it (reason ${result?.reason ?? "unknown"})`,
      ExitCode.failed,
    );
  }
  if (!result.selfTest) throw failed("it does not give the output of its self-test", ExitCode.failed);
  process.stderr.write(result.log);
  const [call] = result.calls;
  if (call === undefined || call.kind !== 0) {
    const kind = trapKinds[call?.kind ?? 0] ?? "unknown";
    const text = call === undefined || call.text === "" ? "" : `: ${call.text}`;
    throw failed(`function-failed: ${kind} at site ${call?.site ?? 0}${text}`, ExitCode.trap);
  }
  const cost = call.instructions === undefined ? {} : { instructions: call.instructions };
  print(summary, call.output, cost, options);
}

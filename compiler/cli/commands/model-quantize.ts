/**
 * `tmc model quantize`: float model + calibration data → int8 .tflite, with a report of what was lost. Options and
 * printing; the work is done in `compiler/model/quantize`.
 */
import { Option, type Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { CalibrationMethod, Range } from "../../model/quantize/calibrate.js";
import type { ActivationType } from "../../model/quantize/parameters.js";
import type { FileTraining, QuantizeFilesResult } from "../../model/quantize/quantize-files.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { modelGroup } from "./model.js";

interface Options {
  readonly calibration: string;
  readonly out: string;
  readonly test?: string;
  readonly maxLoss: string;
  readonly method: CalibrationMethod;
  readonly percentile: string;
  readonly activations: ActivationType;
  readonly inputRange?: string;
  readonly biasCorrection?: true;
  readonly train?: string;
  readonly epochs?: string;
  readonly batch?: string;
  readonly learningRate?: string;
  readonly seed?: string;
  readonly prune?: string;
  readonly pruneChannels?: string;
  readonly json?: true;
}

function optionError(option: string, value: string, rule: string): UserError {
  return new UserError(
    "TMC3225",
    `${option} ${value} is not ${rule}`,
    `Give ${option} as ${rule}.`,
    ExitCode.usage,
  );
}

function numberOption(option: string, text: string, low: number, high: number, rule: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= low && value <= high)) {
    throw optionError(option, text, rule);
  }
  return value;
}

function rangeOption(text: string): Range {
  const parts = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const [low = NaN, high = NaN] = parts;
  if (parts.length !== 2 || !(low <= 0 && high >= 0 && low < high && Number.isFinite(high - low))) {
    throw optionError("--input-range", text, "LOW,HIGH around 0, for example --input-range=-4,3.96875");
  }
  return { low, high };
}

/** A whole number of at least `low`. */
function countOption(option: string, text: string, low: number): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < low || value > 1e6) {
    throw optionError(option, text, `a whole number, ${low} to 1000000`);
  }
  return value;
}

function trainingOptions(options: Options): FileTraining | undefined {
  const { train, epochs, batch, learningRate, seed, prune, pruneChannels } = options;
  if (train === undefined) {
    const given = {
      epochs,
      batch,
      "learning-rate": learningRate,
      seed,
      prune,
      "prune-channels": pruneChannels,
    };
    const [useless] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
    if (useless !== undefined) {
      throw new UserError(
        "TMC3225",
        `--${useless} is for fine-tuning, and there is no --train`,
        "Give the data to train on with --train.",
        ExitCode.usage,
      );
    }
    return undefined;
  }
  const percent = (option: string, text = "0"): number =>
    numberOption(option, text, 0, 95, "percent, 0 to 95") / 100;
  return {
    file: train,
    epochs: countOption("--epochs", epochs ?? "3", 1),
    batchSize: countOption("--batch", batch ?? "32", 1),
    learningRate: numberOption("--learning-rate", learningRate ?? "0.0005", 1e-9, 1000, "a number above 0"),
    seed: countOption("--seed", seed ?? "1", 0),
    sparsity: percent("--prune", prune),
    channelSparsity: percent("--prune-channels", pruneChannels),
  };
}

/** The result as one JSON document. Noise of layers without any is null ("exact"), since JSON has no infinity. */
function toJson(model: string, options: Options, result: QuantizeFilesResult): unknown {
  const { loss, lost, failure, ...rest } = result;
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return {
    model,
    out: failure === undefined ? options.out : null,
    activations: options.activations,
    ...rest,
    lost: lost ?? null,
    loss:
      loss === undefined
        ? null
        : { ...loss, layers: loss.layers.map((l) => ({ ...l, total: finite(l.total), own: finite(l.own) })) },
    ...(failure === undefined
      ? {}
      : { error: { code: failure.code, message: failure.message, fix: failure.fix } }),
  };
}

async function quantize(model: string, options: Options): Promise<void> {
  const maxLoss = numberOption("--max-loss", options.maxLoss, 0, 100, "percentage points, 0 to 100");
  const percentile = numberOption(
    "--percentile",
    options.percentile,
    50.001,
    100,
    "a number above 50, at most 100",
  );
  const inputRange = options.inputRange === undefined ? undefined : rangeOption(options.inputRange);
  const { quantizeFiles } = await import("../../model/quantize/quantize-files.js");
  const { formatLoss } = await import("../../model/quantize/report.js");
  const { calibration, out, test, method, activations } = options;
  const training = trainingOptions(options);
  const biasCorrection = options.biasCorrection === true;
  const settings = {
    model,
    calibration,
    out,
    test,
    method,
    activations,
    maxLoss,
    percentile,
    inputRange,
    biasCorrection,
  };
  const result = await quantizeFiles({ ...settings, training }, (epoch, loss) => {
    // Not on stdout: there the report or the JSON document is.
    process.stderr.write(`epoch ${epoch} of ${training?.epochs ?? 0}: loss ${loss.toPrecision(4)}\n`);
  });
  const { input, output, bytes, loss, failure } = result;
  if (options.json === true) {
    printJson(toJson(model, options, result));
    if (failure !== undefined) {
      // The one document on stdout has the error in it already.
      process.stderr.write(`error ${failure.code}: ${failure.message}\nfix: ${failure.fix}\n`);
      process.exitCode = failure.exitCode;
    }
    return;
  }
  if (loss !== undefined) {
    process.stdout.write(`${formatLoss(loss, test ?? "")}\n\n`);
  }
  const end = ({ shape, scale, zeroPoint }: typeof input): string =>
    `[${shape.join(", ")}] ${activations}, scale ${scale}, zero point ${zeroPoint}`;
  process.stdout.write(`input  ${end(input)}\noutput ${end(output)}\n`);
  if (failure !== undefined) {
    throw failure;
  }
  process.stdout.write(`wrote ${out}, ${bytes} bytes\n`);
  if (loss === undefined) {
    process.stdout.write("accuracy was not measured: give labelled data with --test\n");
  }
}

/** Adds `quantize` to the group `model` of `program` (the root command). */
export function registerModelQuantize(program: Command): void {
  const method = new Option("--method <name>", "how the ranges of activations are found");
  const activations = new Option("--activations <type>", "int16 loses less and is slower; weights are int8");
  const command = modelGroup(program)
    .command("quantize")
    .summary("turn a float model into an int8 .tflite")
    .description(
      "Quantises a trained float model: int8 weights, int8 or int16 activations by TFLite's specification.\n" +
        "The model is the model.json of a TensorFlow.js layers model, or a float .tflite file.\n" +
        "`tmc explain TMC3221` describes the data files.",
    )
    .argument("<model>", "model.json or float .tflite")
    .requiredOption("--calibration <file>", "representative inputs (tmc-samples)")
    .requiredOption("--out <file>", "the .tflite file to write")
    .option("--test <file>", "inputs with labels or targets to measure the loss on (tmc-samples)")
    .option(
      "--max-loss <points>",
      "fail when the accuracy falls by more percentage points (the error grows by more percent)",
      "1",
    )
    .addOption(method.choices(["minmax", "percentile", "mse", "entropy"]).default("minmax"))
    .addOption(activations.choices(["int8", "int16"]).default("int8"))
    .option("--percentile <p>", "percent of values that --method percentile keeps", "99.99")
    .option("--bias-correction", "move biases so that rounding keeps the mean of every channel")
    .option("--input-range <low,high>", "range of the input, such as a sensor's, instead of a calibrated one")
    .option("--train <file>", "fine-tune before, with int8 weights and activations (needs @tensorflow/tfjs)")
    .option("--epochs <n>", "passes over the training data (3)")
    .option("--batch <n>", "samples per step (32)")
    .option("--learning-rate <r>", "at the start; it falls to 0 (0.0005)")
    .option("--seed <n>", "order of the samples (1)")
    .option("--prune <percent>", "make the smallest weights of every layer 0 while training (0)")
    .option("--prune-channels <percent>", "make whole channels 0; the compiler then removes them (0)")
    .option("--json", "print for programs")
    .action(quantize);
  describeCommand(command, {
    examples: [
      [
        "tmc model quantize model.json --calibration calibration.samples --test test.samples --out model.tflite",
        "with a report of the accuracy",
      ],
      [
        "tmc model quantize model.json --calibration c.samples --train train.samples --test t.samples --out m.tflite",
        "quantisation-aware fine-tuning",
      ],
      [
        "tmc model quantize model.json --calibration c.samples --input-range=-4,3.96875 --out model.tflite",
        "input scale of exactly 1/32",
      ],
    ],
    exitCodes: ["ok", "failed", "usage", "missingTool"],
  });
}

/**
 * Quantisation from files to a file: reads the model and the data, quantises, measures, holds the result against the
 * allowed loss, writes the .tflite. It prints nothing: `compiler/cli/commands/model-quantize.ts` does.
 */
import { writeFileSync } from "node:fs";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { Graph } from "../graph.js";
import { loadFloatModel } from "../importers/load-model.js";
import { writeTflite } from "../tflite/write.js";
import { lossMeasure, parametersOf, type LossMeasure, type QuantizationLoss } from "./accuracy.js";
import type { CalibrationMethod, Range } from "./calibrate.js";
import type { ActivationType } from "./parameters.js";
import { foldGraph } from "./fold.js";
import { checkSamples, quantizeFolded } from "./post-training.js";
import { loadTrainer, type FineTuneOptions, type Progress } from "../train/trainer.js";
import { readSamples } from "./samples.js";

export type FileTraining = Omit<FineTuneOptions, "calibration" | "quantized"> & {
  /** Samples to train on. */
  readonly file: string;
};

export interface QuantizeFilesOptions {
  readonly model: string;
  readonly calibration: string;
  readonly out: string;
  readonly test: string | undefined;
  /** As `LossMeasure.lost`. */
  readonly maxLoss: number;
  readonly biasCorrection: boolean;
  /** Fine-tuning before the quantisation. */
  readonly training: FileTraining | undefined;
  readonly method: CalibrationMethod;
  readonly activations: ActivationType;
  readonly percentile: number;
  readonly inputRange: Range | undefined;
}

/** Shape and quantisation of the model's input or output: real = scale * (q - zeroPoint). */
export interface ModelEnd {
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface QuantizeFilesResult {
  readonly input: ModelEnd;
  readonly output: ModelEnd;
  /** Size of the .tflite. */
  readonly bytes: number;
  /** Absent without test data. */
  readonly loss: QuantizationLoss | undefined;
  /** As `LossMeasure.lost`; absent without test data. */
  readonly lost: number | undefined;
  /** TMC3226 when more was lost than allowed; then nothing was written. */
  readonly failure: UserError | undefined;
}

const lossTexts: Readonly<Record<LossMeasure["measure"], (lost: string, type: ActivationType) => string>> = {
  accuracy: (lost, type) => `the ${type} model loses ${lost} percentage points of accuracy`,
  agreement: (lost, type) =>
    `the ${type} model loses ${lost} percentage points of agreement with the float model`,
  error: (lost, type) => `the error of the ${type} model is ${lost} percent larger`,
};

function describeEnd(graph: Graph, index: number): ModelEnd {
  return { shape: graph.tensors[index]?.shape ?? [], ...parametersOf(graph, index) };
}

/** `progress` hears of the fine-tuning. Throws UserError TMC3034, TMC3200 to TMC3229; too much loss is a result, so that the report can still be shown. */
export async function quantizeFiles(
  options: QuantizeFilesOptions,
  progress?: Progress,
): Promise<QuantizeFilesResult> {
  const { method, percentile, activations, maxLoss, biasCorrection, training } = options;
  const range = options.inputRange === undefined ? {} : { inputRange: options.inputRange };
  const source = loadFloatModel(options.model);
  const calibration = readSamples(options.calibration);
  const test = options.test === undefined ? undefined : readSamples(options.test);
  const original = foldGraph(source);
  let float = original;
  if (training !== undefined) {
    const samples = readSamples(training.file);
    checkSamples(original, samples, "training");
    checkSamples(original, calibration, "calibration");
    if (activations === "int16") {
      // A layer that int16 does not support is refused before the training, not after it.
      quantizeFolded(original, calibration, { method, percentile, activations, ...range });
    }
    const trainer = await loadTrainer();
    const tuning = {
      ...training,
      quantized: true,
      calibration: { method, percentile, activations, ...range },
    };
    float = await trainer.fineTune(original, samples, calibration.inputs, tuning, progress);
  }
  const settings = {
    method,
    activations,
    percentile,
    biasCorrection,
    ...range,
    ...(test === undefined ? {} : { test }),
  };
  const { quantized, loss } = quantizeFolded(float, calibration, settings, original);
  const file = writeTflite(quantized);
  const measured = loss === undefined ? undefined : lossMeasure(loss);
  const failure =
    measured === undefined || measured.lost <= maxLoss
      ? undefined
      : new UserError(
          "TMC3226",
          `${lossTexts[measured.measure](measured.lost.toFixed(2), activations)}, --max-loss allows ${maxLoss}; ${options.out} was not written`,
          `See the layer that loses most; try more calibration data, --method entropy or percentile, --bias-correction, fine-tuning with --train, ${activations === "int8" ? "--activations int16 (more exact, slower), " : ""}or allow more with --max-loss.`,
        );
  if (failure === undefined) {
    write(options.out, file);
  }
  return {
    input: describeEnd(quantized, quantized.inputs[0] ?? -1),
    output: describeEnd(quantized, quantized.outputs[0] ?? -1),
    bytes: file.length,
    loss,
    lost: measured?.lost,
    failure,
  };
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError("TMC3228", `cannot write "${path}" (${reason})`, "Check --out.", ExitCode.usage);
  }
}

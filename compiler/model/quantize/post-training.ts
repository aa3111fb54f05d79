/**
 * The whole of post-training quantisation in one call: fold, calibrate, quantise, and measure when there is test data.
 * `tmc model quantize` and training scripts use it; it reads and writes no files.
 */
import { UserError } from "../../diagnostics/user-error.js";
import { elementCount, type Graph } from "../graph.js";
import { lower } from "../lower.js";
import { measureLoss, type QuantizationLoss } from "./accuracy.js";
import { correctBiases } from "./bias-correction.js";
import { calibrate, type CalibrationOptions, type Range } from "./calibrate.js";
import type { FloatGraph } from "./float-graph.js";
import { foldGraph } from "./fold.js";
import { activationParameters } from "./parameters.js";
import { quantizeGraph } from "./quantize.js";
import { activationsAsProducts, rescaleInputs } from "./rescale.js";
import type { Samples } from "./samples.js";

export interface PostTrainingOptions extends CalibrationOptions {
  /** Range of the model's input in its unit, e.g. that of a sensor; found by calibration when absent. */
  readonly inputRange?: Range;
  /** Moves biases so that the means of all channels are those of the float model (`bias-correction.ts`). */
  readonly biasCorrection?: boolean;
  /** Samples for the report; none: no report. */
  readonly test?: Samples;
}

export interface PostTrainingResult {
  /** Folded, float32. */
  readonly float: Graph;
  /** Same tensor and operator numbers, int8 or int16 activations. */
  readonly quantized: Graph;
  readonly loss?: QuantizationLoss;
}

/**
 * Quantises `source`. Errors TMC3222 (no samples), TMC3223 (samples of another shape), TMC3224 (labels do not fit),
 * TMC30xx (a layer that int16 activations do not support).
 */
export function quantizeAfterTraining(
  source: FloatGraph,
  calibration: Samples,
  options: PostTrainingOptions,
): PostTrainingResult {
  return quantizeFolded(foldGraph(source), calibration, options);
}

/** The same for a folded graph. What is lost is measured against `original`, which has other weights after fine-tuning. */
export function quantizeFolded(
  folded: Graph,
  calibration: Samples,
  options: PostTrainingOptions,
  original: Graph = folded,
): PostTrainingResult {
  checkShape(folded, calibration, "calibration");
  const { activations = "int8", inputRange } = options;
  const fixed = inputRange === undefined ? undefined : activationParameters(inputRange, activations);
  const source = activations === "int16" ? activationsAsProducts(folded) : folded;
  const measured = calibrate(source, calibration.inputs, options);
  const { graph: float, ranges } = rescaleInputs(source, measured, fixed, activations);
  const rounded = quantizeGraph(float, ranges, fixed, activations);
  if (activations === "int16") {
    lower(rounded); // refuses what has int8 arithmetic only
  }
  const quantized =
    options.biasCorrection === true ? correctBiases(float, rounded, calibration.inputs) : rounded;
  const { test } = options;
  if (test === undefined) {
    return { float, quantized };
  }
  checkSamples(float, test, "test");
  return {
    float,
    quantized,
    loss: measureLoss(float, quantized, test, original === folded ? float : original),
  };
}

/** Samples to train on or to test with: errors as above. `what` is for messages. */
export function checkSamples(float: Graph, test: Samples, what: string): void {
  checkShape(float, test, what);
  const outputs = elementCount(float.tensors[float.outputs[0] ?? -1]?.shape ?? []);
  const targets = test.targets[0]?.length ?? outputs;
  if (targets !== outputs) {
    throw new UserError(
      "TMC3224",
      `the ${what} data has targets of ${targets} values, the model has ${outputs} outputs`,
      "A target is what the model should put out: give as many values as it has outputs.",
    );
  }
  if (test.labels.length > 0 && test.labels.length !== outputs) {
    throw new UserError(
      "TMC3224",
      `the ${what} data has ${test.labels.length} labels, the model has ${outputs} outputs`,
      "Classes are compared with the index of the largest output: give one label per output, or a file without labels.",
    );
  }
}

function checkShape(graph: Graph, samples: Samples, what: string): void {
  if (samples.inputs.length === 0) {
    throw new UserError(
      "TMC3222",
      `the ${what} data has no samples`,
      "Give some dozens of inputs that look like those in use, of every class.",
    );
  }
  const shape = graph.tensors[graph.inputs[0] ?? -1]?.shape ?? [];
  if (elementCount(samples.shape) !== elementCount(shape)) {
    throw new UserError(
      "TMC3223",
      `the ${what} data has samples of shape [${samples.shape.join(", ")}], the model takes [${shape.slice(1).join(", ")}]`,
      "Make the data file with inputs of the model's shape.",
    );
  }
}

/**
 * Fine-tuning of a trained model before it is quantised: the interface, and the way to an implementation. The only one is
 * `fine-tune.ts`, on TensorFlow.js; that package is loaded here and not before someone trains.
 */
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { Graph } from "../graph.js";
import type { CalibrationOptions, Range } from "../quantize/calibrate.js";
import type { Samples } from "../quantize/samples.js";

export interface FineTuneOptions {
  /** Passes over the training samples, at least 1. */
  readonly epochs: number;
  /** Samples per step, at least 1. */
  readonly batchSize: number;
  /** At the start; falls to 0 along a half cosine. Above 0. */
  readonly learningRate: number;
  /** Order of the samples: with the same seed the same weights. */
  readonly seed: number;
  /** Computes with int8 weights and integer activations, as the quantised model will (quantisation-aware). */
  readonly quantized: boolean;
  /** Fraction of the weights of every layer that become 0, from 0 to below 1. */
  readonly sparsity: number;
  /** Fraction of the output channels of every layer but the last whose weights become 0, from 0 to below 1. */
  readonly channelSparsity: number;
  /** How ranges of activations are found; as for the quantisation that follows. */
  readonly calibration: CalibrationOptions & { readonly inputRange?: Range };
}

/** After each epoch, from 1: its mean loss. */
export type Progress = (epoch: number, loss: number) => void;

export interface Trainer {
  /**
   * The folded float `graph` with other weights. The loss is the cross-entropy of the classes of `training`, or the mean
   * square error from its targets; samples with neither are to give what `graph` gives.
   * Throws UserError TMC3229 for operators that cannot be trained.
   */
  fineTune(
    graph: Graph,
    training: Samples,
    calibration: readonly Float32Array[],
    options: FineTuneOptions,
    progress?: Progress,
  ): Promise<Graph>;
}

/** Throws UserError TMC3229 when TensorFlow.js is not installed. */
export async function loadTrainer(): Promise<Trainer> {
  try {
    await import("@tensorflow/tfjs");
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UserError(
      "TMC3229",
      `training needs the package @tensorflow/tfjs, which cannot be loaded (${reason})`,
      "Run npm install @tensorflow/tfjs, or quantise without --train.",
      ExitCode.missingTool,
    );
  }
  const { TfjsTrainer } = await import("./fine-tune.js");
  return TfjsTrainer.load();
}

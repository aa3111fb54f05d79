/**
 * What the worker is asked and what it answers: plain data that threads can pass on. TensorFlow.js and the quantiser run
 * there and nowhere else in the node.
 */
import type { ModelCost } from "../inspect-model.js";
import type { Metrics } from "../model-records.js";

/** Items as a model takes them: `count` × elements of `shape`, in the data's unit. */
export interface SampleSet {
  readonly shape: readonly number[];
  readonly count: number;
  readonly values: Float32Array;
  /** Of each item, an index into the labels; empty for regression and for unlabelled items. */
  readonly classes: Uint8Array;
  /** Of each item, for regression. */
  readonly targets: Float32Array;
}

export type Architecture = "mlp" | "conv1d" | "conv2d";
export type ModelTask = "classification" | "regression";

export interface TrainTask {
  readonly kind: "train";
  readonly name: string;
  readonly task: ModelTask;
  readonly labels: readonly string[];
  readonly training: SampleSet;
  /** May be empty: then the training loss decides. */
  readonly validation: SampleSet;
  readonly architecture: Architecture;
  /** Filters of the convolutions, or units of the hidden dense layers; empty: the defaults. */
  readonly units: readonly number[];
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly patience: number | undefined;
  readonly budgetS: number | undefined;
  /** A model (.tflite, float) whose weights are gone on from. */
  readonly from: Uint8Array | undefined;
}

export interface TrainResult {
  readonly model: Uint8Array;
  readonly metrics: Metrics;
  readonly epochs: number;
}

export interface MeasureTask {
  readonly kind: "measure";
  readonly name: string;
  readonly model: Uint8Array;
  readonly task: ModelTask;
  readonly labels: readonly string[];
  readonly samples: SampleSet;
}

export interface MeasureResult {
  readonly metrics: Metrics;
  /** Rows: true class; columns: decided. Undefined for regression. */
  readonly confusion: number[][] | undefined;
}

export interface OptimizeTask {
  readonly kind: "optimize";
  readonly name: string;
  readonly model: Uint8Array;
  readonly calibration: SampleSet;
  /** For training with quantisation or pruning; may be the calibration items. */
  readonly training: SampleSet;
  readonly labels: readonly string[];
  readonly quantizationAware: boolean;
  /** Share of the channels of each layer but the last. */
  readonly sparsity: number;
  readonly epochs: number;
}

export interface OptimizeResult {
  readonly model: Uint8Array;
  readonly cost: ModelCost;
  readonly metrics: Metrics;
}

export interface AverageTask {
  readonly kind: "average";
  readonly name: string;
  readonly models: readonly Uint8Array[];
  /** Positive, one for each model. */
  readonly weights: readonly number[];
}

export interface AverageResult {
  readonly model: Uint8Array;
}

export type WorkerTask = TrainTask | MeasureTask | OptimizeTask | AverageTask;

export interface ResultOf {
  readonly train: TrainResult;
  readonly measure: MeasureResult;
  readonly optimize: OptimizeResult;
  readonly average: AverageResult;
}

/** From the worker. `code` of a failure is one of the protocol's errors. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly fraction: number; readonly text: string }
  | { readonly kind: "done"; readonly result: ResultOf[keyof ResultOf] }
  | { readonly kind: "failed"; readonly code: string; readonly text: string; readonly field?: string };

export type Report = (fraction: number, text: string) => void;

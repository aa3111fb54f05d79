/**
 * Training with TensorFlow.js on the pure JavaScript backend: the same data, options and seed give the same bytes. The
 * best weights by validation loss are kept; a budget of seconds and patience end it early.
 */
import type * as Tf from "@tensorflow/tfjs";
import { elementCount, tensorAt, type Graph } from "../../../../compiler/model/graph.js";
import { writeTflite } from "../../../../compiler/model/tflite/write.js";
import { DifferentiableGraph } from "../../../../compiler/model/train/differentiable-graph.js";
import { useFastFilterGradients } from "../../../../compiler/model/train/filter-gradients.js";
import { shuffled } from "../../../../compiler/model/train/shuffle.js";
import { OperationFailure } from "../../operations/operation.js";
import { readGraph } from "../inspect-model.js";
import { measure } from "./measure.js";
import { buildNetwork } from "./network.js";
import {
  foldsNormalization,
  normalizationOf,
  normalize,
  targetScaleOf,
  withNormalization,
  withOutputScale,
  type TargetScale,
} from "./normalization.js";
import type { Report, SampleSet, TrainResult, TrainTask } from "./tasks.js";

/** Items of a validation batch: bounds memory. */
const validationBatch = 128;

/** TensorFlow.js on its CPU backend. */
async function loadTensorFlow(): Promise<typeof Tf> {
  const tf = await import("@tensorflow/tfjs");
  await tf.setBackend("cpu");
  await tf.ready();
  useFastFilterGradients(tf);
  return tf;
}

interface Prepared {
  readonly graph: Graph;
  /** The inputs as the graph takes them while it is trained. */
  readonly prepare: (values: Float32Array) => Float32Array;
  /** The trained graph as it takes data in its unit. */
  readonly finish: (graph: Graph) => Graph;
  readonly target: TargetScale;
}

/** @throws OperationFailure descriptor-mismatch when the model to go on from is another one */
function prepared(task: TrainTask): Prepared {
  const classifies = task.task === "classification";
  const outputs = classifies ? task.labels.length : 1;
  const { training, name, architecture, units, seed, from } = task;
  const start =
    from === undefined
      ? buildNetwork({ name, shape: training.shape, architecture, units, outputs, classifies, seed })
      : readGraph(from, name);
  const sizeOf = (end: number | undefined) => elementCount(tensorAt(start, end ?? -1).shape);
  if (sizeOf(start.inputs[0]) !== elementCount(training.shape) || sizeOf(start.outputs[0]) !== outputs) {
    throw new OperationFailure(
      "descriptor-mismatch",
      "the model has other inputs or classes",
      "arguments.from",
    );
  }
  const target = classifies ? { offset: 0, scale: 1 } : targetScaleOf(training.targets);
  const folds = foldsNormalization(start);
  const by = normalizationOf(training, start);
  const inverse = { scale: 1 / target.scale, offset: -target.offset / target.scale };
  const known = from !== undefined;
  const scaled = folds && known ? withNormalization(start, by, "normalized") : start;
  return {
    graph: known && !classifies ? withOutputScale(scaled, inverse) : scaled,
    prepare: (values) => (folds ? normalize(values, by) : values),
    finish: (graph) => {
      const inUnit = folds ? withNormalization(graph, by, "unit") : graph;
      return classifies ? inUnit : withOutputScale(inUnit, target);
    },
    target,
  };
}

/** Loss of the network on items of a set. */
type LossOf = (samples: SampleSet, chosen: readonly number[]) => Tf.Scalar;

function lossFunction(
  tf: typeof Tf,
  network: DifferentiableGraph,
  task: TrainTask,
  graph: Graph,
  target: TargetScale,
): LossOf {
  const shape = tensorAt(graph, graph.inputs[0] ?? -1).shape.slice(1);
  const size = elementCount(shape);
  return (samples, chosen) => {
    const values = new Float32Array(chosen.length * size);
    chosen.forEach((item, i) =>
      values.set(samples.values.subarray(item * size, (item + 1) * size), i * size),
    );
    const x = tf.tensor(values, [chosen.length, ...shape]);
    const output = network.forward(x, undefined).reshape([chosen.length, -1]);
    if (task.task === "classification") {
      const classes = chosen.map((item) => samples.classes[item] ?? 0);
      return tf.losses.softmaxCrossEntropy(tf.oneHot(classes, task.labels.length), output);
    }
    const aims = chosen.map((item) => ((samples.targets[item] ?? 0) - target.offset) / target.scale);
    return tf.losses.meanSquaredError(tf.tensor2d(aims, [chosen.length, 1]), output);
  };
}

function meanLoss(tf: typeof Tf, lossOf: LossOf, samples: SampleSet): number {
  let sum = 0;
  for (let first = 0; first < samples.count; first += validationBatch) {
    const length = Math.min(validationBatch, samples.count - first);
    const chosen = Array.from({ length }, (_, i) => first + i);
    sum += tf.tidy(() => lossOf(samples, chosen).dataSync()[0] ?? NaN) * length;
  }
  return sum / samples.count;
}

/** @throws OperationFailure descriptor-mismatch, function-failed when the training diverges; UserError TMC3229 */
export async function train(task: TrainTask, report: Report): Promise<TrainResult> {
  const tf = await loadTensorFlow();
  // The budget is for training: loading the library is not the data's fault.
  const end = performance.now() + (task.budgetS ?? Infinity) * 1000;
  const { graph, prepare, finish, target } = prepared(task);
  const network = new DifferentiableGraph(tf, graph);
  const optimizer = tf.train.adam(task.learningRate);
  const lossOf = lossFunction(tf, network, task, graph, target);
  const training = { ...task.training, values: prepare(task.training.values) };
  const validation = { ...task.validation, values: prepare(task.validation.values) };
  const { count } = training;
  const batchSize = Math.min(task.batchSize, count);
  const batches = Math.max(1, Math.floor(count / batchSize));
  let best = { loss: Infinity, graph, epoch: 0 };
  let epochs = 0;
  try {
    for (let epoch = 0; epoch < task.epochs && performance.now() < end; epoch++) {
      const order = shuffled(count, task.seed + epoch);
      let sum = 0;
      let done = 0;
      for (; done < batches && performance.now() < end; done++) {
        const progress = (epoch * batches + done) / (task.epochs * batches);
        // Falls to 0 along a half cosine; `learningRate` is protected in the typings though documented as adjustable.
        Object.assign(optimizer, {
          learningRate: 0.5 * task.learningRate * (1 + Math.cos(Math.PI * progress)),
        });
        const chosen = order.slice(done * batchSize, (done + 1) * batchSize);
        sum += tf.tidy(() => optimizer.minimize(() => lossOf(training, chosen), true)?.dataSync()[0] ?? NaN);
      }
      const loss = validation.count > 0 ? meanLoss(tf, lossOf, validation) : sum / Math.max(1, done);
      if (!Number.isFinite(sum) || !Number.isFinite(loss)) {
        throw new OperationFailure(
          "function-failed",
          `diverged in epoch ${epoch + 1}: use a smaller learningRate`,
        );
      }
      epochs = epoch + 1;
      if (loss < best.loss) best = { loss, graph: network.result(), epoch };
      report(epochs / task.epochs, `epoch ${epochs} of ${task.epochs}, loss ${loss.toFixed(4)}`);
      if (task.patience !== undefined && epoch - best.epoch >= task.patience) break;
    }
  } finally {
    network.dispose();
    optimizer.dispose();
  }
  const trained = finish(best.graph);
  const measured = validation.count > 0 ? task.validation : task.training;
  const { metrics } = measure(trained, measured, task.task, task.labels.length);
  return { model: writeTflite({ ...trained, name: task.name }), metrics, epochs };
}

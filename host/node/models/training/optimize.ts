/** A float model as an int8 one: by calibration, or trained for it; with channels pruned where asked. Gives its cost. */
import { elementCount, type Graph } from "../../../../compiler/model/graph.js";
import { decide } from "../../../../compiler/model/quantize/accuracy.js";
import { checkSamples, quantizeFolded } from "../../../../compiler/model/quantize/post-training.js";
import type { Samples } from "../../../../compiler/model/quantize/samples.js";
import { writeTflite } from "../../../../compiler/model/tflite/write.js";
import { loadTrainer } from "../../../../compiler/model/train/trainer.js";
import { costOf, readGraph } from "../inspect-model.js";
import { runnerOf } from "../runner.js";
import { itemOf } from "./measure.js";
import type { OptimizeResult, OptimizeTask, Report, SampleSet } from "./tasks.js";

const method = { method: "minmax", percentile: 100 } as const;
/** Of fine-tuning: small steps from weights that are good already. */
const tuning = { batchSize: 16, learningRate: 0.001, seed: 1, sparsity: 0, calibration: method };

function samplesOf(set: SampleSet, labels: readonly string[]): Samples {
  const size = elementCount(set.shape);
  return {
    shape: set.shape,
    inputs: Array.from({ length: set.count }, (_, i) => set.values.slice(i * size, (i + 1) * size)),
    unit: "",
    labels: set.classes.length > 0 ? labels : [],
    classes: set.classes,
    targets: Array.from(set.targets, (target) => Float32Array.of(target)),
  };
}

/** @throws UserError TMC32xx when the data does not fit or the model cannot be trained */
export async function optimize(task: OptimizeTask, report: Report): Promise<OptimizeResult> {
  const float = readGraph(task.model, task.name);
  const calibration = samplesOf(task.calibration, task.labels);
  let tuned = float;
  if (task.quantizationAware || task.sparsity > 0) {
    const training = samplesOf(task.training, task.labels);
    checkSamples(float, training, "training");
    const trainer = await loadTrainer();
    const options = {
      ...tuning,
      batchSize: Math.min(tuning.batchSize, training.inputs.length),
      epochs: task.epochs,
      quantized: task.quantizationAware,
      channelSparsity: task.sparsity,
    };
    tuned = await trainer.fineTune(float, training, calibration.inputs, options, (epoch, loss) =>
      report((0.8 * epoch) / task.epochs, `epoch ${epoch} of ${task.epochs}, loss ${loss.toFixed(4)}`),
    );
  }
  report(0.8, "calibration");
  const { quantized } = quantizeFolded(tuned, calibration, method);
  const model = writeTflite({ ...quantized, name: task.name });
  const small = readGraph(model, task.name);
  report(0.9, "comparison with the float model");
  return { model, cost: costOf(small), metrics: agreement(float, small, task.calibration) };
}

/** Share of the items on which both decide alike, and how far the outputs are apart, relative to the float ones. */
function agreement(float: Graph, small: Graph, samples: SampleSet): Record<string, number> {
  const original = runnerOf(float);
  const other = runnerOf(small);
  let same = 0;
  let power = 0;
  let noise = 0;
  for (let i = 0; i < samples.count; i++) {
    const item = itemOf(samples, i);
    const expected = Array.from(original(item));
    const found = other(item);
    if (decide(expected) === decide(found)) same++;
    expected.forEach((value, at) => {
      power += value * value;
      noise += (value - (found[at] ?? 0)) ** 2;
    });
  }
  return { agreement: same / samples.count, deviation: power === 0 ? 0 : Math.sqrt(noise / power) };
}

/**
 * How good a model is on items: float models by the float executor, integer models by the exact one, whose bits are the
 * microcontroller's. It trains nothing.
 */
import { elementCount, type Graph } from "../../../../compiler/model/graph.js";
import { decide } from "../../../../compiler/model/quantize/accuracy.js";
import { runnerOf } from "../runner.js";
import type { MeasureResult, ModelTask, Report, SampleSet } from "./tasks.js";

/** Item `index` of the samples. */
export function itemOf({ values, shape }: SampleSet, index: number): Float32Array {
  const size = elementCount(shape);
  return values.subarray(index * size, (index + 1) * size);
}

/** Least probability: a class that was excluded costs 16, not infinitely much. */
const least = 1e-7;
/** Reports after so many items. */
const reportEvery = 64;

/** Probabilities of what a model puts out: as it is after a softmax, else the softmax of it. */
function probabilities(output: ArrayLike<number>, isSoftmax: boolean): number[] {
  const values = Array.from(output);
  if (isSoftmax) return values;
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/**
 * accuracy, loss (cross-entropy), f1 (mean over the classes) and the confusion; or loss (mean square), mae, rmse and r2.
 * @param classes how many; 0 for regression
 */
export function measure(
  graph: Graph,
  samples: SampleSet,
  task: ModelTask,
  classes: number,
  report: Report = () => undefined,
): MeasureResult {
  const run = runnerOf(graph);
  const { count } = samples;
  const last = graph.operators.find(({ output }) => output === graph.outputs[0]);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  let absolute = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const output = run(itemOf(samples, i));
    if (task === "classification") {
      const truth = samples.classes[i] ?? 0;
      const decision = decide(output);
      const row = confusion[truth];
      if (row !== undefined) row[decision] = (row[decision] ?? 0) + 1;
      loss -= Math.log(Math.max(least, probabilities(output, last?.kind === "Softmax")[truth] ?? 0));
    } else {
      const error = (output[0] ?? 0) - (samples.targets[i] ?? 0);
      absolute += Math.abs(error);
      squares += error * error;
    }
    if (i % reportEvery === reportEvery - 1) report((i + 1) / count, `${i + 1} of ${count} items`);
  }
  if (task === "classification") {
    return { metrics: { ...scores(confusion), loss: loss / count }, confusion };
  }
  const mean = samples.targets.reduce((a, b) => a + b, 0) / count;
  const spread = samples.targets.reduce((sum, target) => sum + (target - mean) ** 2, 0);
  const r2 = spread > 0 ? { r2: 1 - squares / spread } : {};
  const square = squares / count;
  return {
    metrics: { loss: square, mae: absolute / count, rmse: Math.sqrt(square), ...r2 },
    confusion: undefined,
  };
}

function scores(confusion: readonly (readonly number[])[]): { accuracy: number; f1: number } {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const total = sum(confusion.map(sum));
  const hits = sum(confusion.map((row, i) => row[i] ?? 0));
  const each = confusion.flatMap((row, i) => {
    const truly = sum(row);
    const decided = sum(confusion.map((other) => other[i] ?? 0));
    // A class that neither occurs nor is decided says nothing.
    return truly + decided === 0 ? [] : [(2 * (row[i] ?? 0)) / (truly + decided)];
  });
  return { accuracy: hits / total, f1: sum(each) / Math.max(1, each.length) };
}

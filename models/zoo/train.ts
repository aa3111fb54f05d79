/**
 * Data and training of the zoo, with TensorFlow.js in pure JavaScript. Everything follows from the seeds: training again
 * gives the same bytes. What is made of a trained model is `check.ts`'s business.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Tf from "@tensorflow/tfjs";
import { loadFloatModel } from "../../compiler/model/importers/load-model.js";
import type { FloatGraph } from "../../compiler/model/quantize/float-graph.js";
import { foldGraph } from "../../compiler/model/quantize/fold.js";
import type { Samples } from "../../compiler/model/quantize/samples.js";
import { writeTflite } from "../../compiler/model/tflite/write.js";
import { useFastFilterGradients } from "../../compiler/model/train/filter-gradients.js";
import { shuffled } from "../../compiler/model/train/shuffle.js";
import { loadTrainer } from "../../compiler/model/train/trainer.js";
import { saveLayersModel } from "../layers-model-file.js";
import { Random } from "../vibration/random.js";
import { Layers } from "./layers.js";
import type { ZooModel } from "./networks.js";

const zooDirectory = dirname(fileURLToPath(import.meta.url));

/** No sample is in two of them. */
export const seeds = { training: 1, test: 2, calibration: 3 } as const;

const batchSize = 20;
/** Decides the first weights and the order of the samples. */
const seed = 5;

export function generate(
  { make, shape, labels, autoencoder }: ZooModel,
  dataSeed: number,
  count: number,
): Samples {
  const random = new Random(dataSeed, shape.length + labels.length);
  const made = Array.from({ length: count }, (_, index) => make(random, index));
  const inputs = made.map((sample) => sample.input);
  const classes = made.flatMap(({ target }) => (typeof target === "number" ? [target] : []));
  const targets = made.flatMap(({ target }) => (typeof target === "number" ? [] : [target]));
  return {
    shape,
    inputs,
    unit: "",
    labels,
    classes: Uint8Array.from(autoencoder === true ? [] : classes),
    targets: autoencoder === true ? inputs : targets,
  };
}

/** Where the trained model lies: in the repository, or below `directory`. */
export function modelFile({ name, asGraph }: ZooModel, directory = zooDirectory): string {
  return join(directory, name, asGraph === true ? "float.tflite" : "model.json");
}

/** The trained float model. */
export function loadTrained(model: ZooModel, directory = zooDirectory): FloatGraph {
  return loadFloatModel(modelFile(model, directory));
}

/** Trains `model` and writes it below `directory`. Gives the mean loss of the last epoch. */
export async function trainModel(model: ZooModel, directory = zooDirectory): Promise<number> {
  const tf = await import("@tensorflow/tfjs");
  await tf.setBackend("cpu");
  await tf.ready();
  useFastFilterGradients(tf);
  const folder = join(directory, model.name);
  mkdirSync(folder, { recursive: true });
  const network = model.build(new Layers(tf, seed));
  const data = generate(model, seeds.training, model.count);
  if (model.asGraph !== true) {
    const loss = await trainLayers(tf, network, model, data);
    await saveLayersModel(network, folder);
    return loss;
  }
  const untrained = join(folder, "untrained");
  await saveLayersModel(network, untrained);
  const graph = foldGraph(loadFloatModel(join(untrained, "model.json")));
  rmSync(untrained, { recursive: true });
  let last = NaN;
  const trained = await (
    await loadTrainer()
  ).fineTune(
    graph,
    data,
    [],
    {
      epochs: model.epochs,
      batchSize,
      learningRate: model.learningRate,
      seed,
      quantized: false,
      sparsity: 0,
      channelSparsity: 0,
      calibration: { method: "minmax", percentile: 100 },
    },
    (_, loss) => (last = loss),
  );
  writeFileSync(modelFile(model, directory), writeTflite(trained));
  return last;
}

async function trainLayers(
  tf: typeof Tf,
  network: Tf.LayersModel,
  { epochs, learningRate, shape }: ZooModel,
  { inputs, classes, targets }: Samples,
): Promise<number> {
  const optimizer = tf.train.adam(learningRate);
  const loss = targets.length > 0 ? "meanSquaredError" : "sparseCategoricalCrossentropy";
  network.compile({ optimizer, loss });
  const batches = Math.floor(inputs.length / batchSize);
  const rows = (arrays: readonly Float32Array[], chosen: readonly number[], rest: readonly number[]) =>
    tf.tensor(Float32Array.from(chosen.flatMap((i) => Array.from(arrays[i] ?? []))), [
      chosen.length,
      ...rest,
    ]);
  let sum = 0;
  for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
    const order = shuffled(inputs.length, seed + epoch);
    sum = 0;
    for (let batch = 0; batch < batches; batch++, step++) {
      // `learningRate` is protected in the typings though documented as adjustable between steps.
      const rate = 0.5 * learningRate * (1 + Math.cos((Math.PI * step) / (batches * epochs)));
      Object.assign(optimizer, { learningRate: rate });
      const chosen = order.slice(batch * batchSize, (batch + 1) * batchSize);
      const x = rows(inputs, chosen, shape);
      const [target] = targets;
      const y =
        target === undefined
          ? tf.tensor1d(chosen.map((i) => classes[i] ?? 0))
          : rows(targets, chosen, target.length === inputs[0]?.length ? shape : [target.length]);
      const result = await network.trainOnBatch(x, y);
      sum += Array.isArray(result) ? (result[0] ?? NaN) : result;
      tf.dispose([x, y]);
    }
  }
  return sum / batches;
}

/** Whether `model` was trained before. */
export function isTrained(model: ZooModel, directory = zooDirectory): boolean {
  return existsSync(modelFile(model, directory));
}

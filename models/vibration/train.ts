/**
 * Trains the vibration classifier and writes everything that the project keeps of it, beside this file:
 * model.json and weights.bin (TensorFlow.js layers model), calibration.samples and test.samples (`quantize/samples.ts`),
 * vibration.tflite (int8), golden/ (inputs and outputs) and model.yaml (descriptor).
 *
 *   npm run train:vibration                      two to four minutes on one core
 *   npm run train:vibration -- --keep-weights    only what follows from the weights: seconds
 *   npm run train:vibration -- --out DIR         into another directory: to see that the bytes are the same
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { StoredSamples } from "../../compiler/model/quantize/samples.js";
import { decodeSamples, encodeSamples } from "../../compiler/model/quantize/samples.js";
import { axes, generateDataset, labels, sensorStep, windowLength, type Dataset } from "./generator.js";
import { saveLayersModel } from "../layers-model-file.js";
import { buildNetwork, loadTensorFlow, trainNetwork } from "./network.js";
import { packModel } from "./pack.js";

/** Seeds of the data sets: no window is in two of them. */
export const seeds = { training: 1, test: 2, calibration: 3, network: 11, order: 7 } as const;

const trainingCount = 2000;
const calibrationCount = 96;
/** Windows that the accuracy in model.yaml is measured on. */
const accuracyCount = 3000;
/** How many of these are kept in test.samples. */
const testFileCount = 150;

/** `data` as a data file: the sensor's integer steps, so nothing is lost. */
export function samplesOf(data: Dataset): StoredSamples {
  return {
    shape: [windowLength, 1, axes],
    type: "int16",
    scale: sensorStep,
    unit: "g",
    labels,
    classes: data.labels,
    values: data.windows,
  };
}

async function train(directory: string): Promise<void> {
  const tf = await loadTensorFlow();
  const network = buildNetwork(tf, seeds.network);
  const data = generateDataset(seeds.training, trainingCount);
  const options = { seed: seeds.order, epochs: 9, batchSize: 30, learningRate: 0.005 };
  const start = Date.now();
  await trainNetwork(tf, network, data, options, (epoch, loss) => {
    const seconds = ((Date.now() - start) / 1000).toFixed(0);
    console.log(`epoch ${epoch} of ${options.epochs}: loss ${loss.toFixed(4)} (${seconds} s)`);
  });
  await saveLayersModel(network, directory);
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { "keep-weights": { type: "boolean", default: false }, out: { type: "string" } },
  });
  const directory = options.out ?? dirname(fileURLToPath(import.meta.url));
  mkdirSync(join(directory, "golden"), { recursive: true });
  if (!options["keep-weights"]) {
    await train(directory);
  }
  const write = (name: string, seed: number, count: number): void => {
    writeFileSync(join(directory, name), encodeSamples(samplesOf(generateDataset(seed, count))));
  };
  write("calibration.samples", seeds.calibration, calibrationCount);
  write("test.samples", seeds.test, testFileCount);
  const test = decodeSamples(
    encodeSamples(samplesOf(generateDataset(seeds.test, accuracyCount))),
    "test data",
  );
  packModel(
    directory,
    test,
    `${accuracyCount} synthetic windows (generator.ts, seed ${seeds.test}), not trained on`,
  );
}

await main();

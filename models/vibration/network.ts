/**
 * The classifier of vibration windows and its training with TensorFlow.js on the pure JavaScript CPU backend. Weights,
 * order of the data and arithmetic follow from the seed alone, so that training again gives the same bytes (V8's
 * Math functions are its own ports of fdlibm and do not depend on the machine).
 *
 * It knows no files: `train.ts` writes them.
 */
import type * as Tf from "@tensorflow/tfjs";
import { axes, labels, windowLength, type Dataset, inUnits } from "./generator.js";
import { Random } from "./random.js";

export type Network = Tf.LayersModel;

/** Loads TensorFlow.js (heavy) and selects its CPU backend. */
export async function loadTensorFlow(): Promise<typeof Tf> {
  const tf = await import("@tensorflow/tfjs");
  await tf.setBackend("cpu");
  await tf.ready();
  return tf;
}

/**
 * [128 samples, 1, 3 axes] → class probabilities. A strided convolution, a depthwise-separable block, a residual
 * depthwise-separable block and two dense layers; about 1300 weights. Batch normalisation is folded when quantised.
 */
export function buildNetwork(tf: typeof Tf, seed: number): Network {
  let layerSeed = seed;
  const initializer = () => tf.initializers.heNormal({ seed: layerSeed++ });
  const normalized = (x: Tf.SymbolicTensor, name: string): Tf.SymbolicTensor =>
    single(tf.layers.batchNormalization({ name: `${name}_bn`, momentum: 0.9 }).apply(x));
  const relu = (x: Tf.SymbolicTensor, name: string): Tf.SymbolicTensor =>
    single(tf.layers.reLU({ name: `${name}_relu` }).apply(x));
  const conv = (x: Tf.SymbolicTensor, name: string, filters: number, kernel: number, stride: number) =>
    single(
      tf.layers
        .conv2d({
          name,
          filters,
          kernelSize: [kernel, 1],
          strides: [stride, 1],
          padding: "same",
          useBias: false,
          kernelInitializer: initializer(),
        })
        .apply(x),
    );
  const depthwise = (x: Tf.SymbolicTensor, name: string, kernel: number, stride: number) =>
    single(
      tf.layers
        .depthwiseConv2d({
          name,
          kernelSize: [kernel, 1],
          strides: [stride, 1],
          padding: "same",
          useBias: false,
          depthwiseInitializer: initializer(),
        })
        .apply(x),
    );

  const input = tf.input({ shape: [windowLength, 1, axes], name: "window" });
  let x = relu(normalized(conv(input, "conv1", 8, 8, 2), "conv1"), "conv1");
  x = relu(normalized(depthwise(x, "depthwise2", 5, 2), "depthwise2"), "depthwise2");
  x = relu(normalized(conv(x, "pointwise2", 16, 1, 1), "pointwise2"), "pointwise2");
  x = single(tf.layers.maxPooling2d({ name: "pool2", poolSize: [2, 1] }).apply(x));
  let y = relu(normalized(depthwise(x, "depthwise3", 5, 1), "depthwise3"), "depthwise3");
  y = normalized(conv(y, "pointwise3", 16, 1, 1), "pointwise3");
  x = relu(single(tf.layers.add({ name: "add3" }).apply([x, y])), "add3");
  x = single(tf.layers.averagePooling2d({ name: "average", poolSize: [windowLength / 8, 1] }).apply(x));
  x = single(tf.layers.flatten({ name: "flatten" }).apply(x));
  const hidden = { units: 16, activation: "relu", kernelInitializer: initializer(), name: "dense4" } as const;
  x = single(tf.layers.dense(hidden).apply(x));
  const last = { units: labels.length, kernelInitializer: initializer(), name: "dense5" };
  x = single(tf.layers.dense(last).apply(x));
  x = single(tf.layers.softmax({ name: "softmax" }).apply(x));
  return tf.model({ name: "vibration", inputs: input, outputs: x });
}

/** Layers here have one output; TensorFlow.js types `apply` for all cases. */
function single(
  result: Tf.Tensor | Tf.Tensor[] | Tf.SymbolicTensor | Tf.SymbolicTensor[],
): Tf.SymbolicTensor {
  if (Array.isArray(result) || !("sourceLayer" in result)) {
    throw new Error("expected one symbolic tensor");
  }
  return result;
}

export interface TrainingOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** At the start; falls to 0 along a half cosine. */
  readonly learningRate: number;
}

/** Trains in place (Adam, cross-entropy). `progress` gets the epoch, from 1, and its mean loss. */
export async function trainNetwork(
  tf: typeof Tf,
  network: Network,
  data: Dataset,
  options: TrainingOptions,
  progress: (epoch: number, loss: number) => void,
): Promise<void> {
  const optimizer = new ScheduledAdam(tf, options.learningRate);
  network.compile({ optimizer: optimizer.adam, loss: "sparseCategoricalCrossentropy" });
  const random = new Random(options.seed);
  const size = windowLength * axes;
  const inputs = inUnits(data.windows);
  const batches = Math.floor(data.count / options.batchSize);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = random.permutation(data.count);
    let loss = 0;
    for (let batch = 0; batch < batches; batch++) {
      optimizer.setProgress((epoch * batches + batch) / (options.epochs * batches));
      const chosen = order.slice(batch * options.batchSize, (batch + 1) * options.batchSize);
      const windows = new Float32Array(chosen.length * size);
      chosen.forEach((index, i) => windows.set(inputs.subarray(index * size, (index + 1) * size), i * size));
      const x = tf.tensor4d(windows, [chosen.length, windowLength, 1, axes]);
      const y = tf.tensor1d(chosen.map((index) => data.labels[index] ?? 0));
      const result = await network.trainOnBatch(x, y);
      loss += Array.isArray(result) ? (result[0] ?? 0) : result;
      tf.dispose([x, y]);
    }
    progress(epoch + 1, loss / batches);
  }
}

/** Adam with a learning rate that falls along a half cosine. */
class ScheduledAdam {
  readonly adam: Tf.AdamOptimizer;

  constructor(
    tf: typeof Tf,
    private readonly initial: number,
  ) {
    this.adam = tf.train.adam(initial);
  }

  /** `done` from 0 to 1. */
  setProgress(done: number): void {
    // `learningRate` is protected in the typings though documented as adjustable between steps.
    Object.assign(this.adam, { learningRate: 0.5 * this.initial * (1 + Math.cos(Math.PI * done)) });
  }
}

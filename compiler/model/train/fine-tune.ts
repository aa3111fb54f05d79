/**
 * The trainer on TensorFlow.js (pure JavaScript, one core): fine-tunes a folded float graph with Adam, with fake
 * quantisation and pruning as asked. Deterministic: the seed orders the samples, nothing else is random.
 *
 * Batch normalisation is folded before: its statistics are those of the first training and stay ("frozen").
 */
import type * as Tf from "@tensorflow/tfjs";
import { UserError } from "../../diagnostics/user-error.js";
import type { Graph } from "../graph.js";
import { calibrate } from "../quantize/calibrate.js";
import { FloatExecutor } from "../quantize/float-executor.js";
import { floatTensor } from "../quantize/float-graph.js";
import { activationParameters, chooseParameters, type ActivationType } from "../quantize/parameters.js";
import type { Samples } from "../quantize/samples.js";
import { DifferentiableGraph, type Grid, type LayerWeights } from "./differentiable-graph.js";
import { useFastFilterGradients } from "./filter-gradients.js";
import { channelMask, magnitudeMask, sparsityAt } from "./prune.js";
import { shuffled } from "./shuffle.js";
import type { FineTuneOptions, Progress, Trainer } from "./trainer.js";

/** Masks are made anew this many times in a training. */
const PRUNING_STEPS = 20;

export class TfjsTrainer implements Trainer {
  private constructor(private readonly tf: typeof Tf) {}

  static async load(): Promise<TfjsTrainer> {
    const tf = await import("@tensorflow/tfjs");
    await tf.setBackend("cpu");
    await tf.ready();
    useFastFilterGradients(tf);
    return new TfjsTrainer(tf);
  }

  async fineTune(
    graph: Graph,
    training: Samples,
    calibration: readonly Float32Array[],
    options: FineTuneOptions,
    progress: Progress = () => undefined,
  ): Promise<Graph> {
    const { tf } = this;
    const network = new DifferentiableGraph(tf, graph);
    const optimizer = tf.train.adam(options.learningRate);
    const targets = training.classes.length > 0 ? [] : targetsOf(graph, training);
    const shape = floatTensor(graph, graph.inputs[0] ?? -1).shape.slice(1);
    const count = training.inputs.length;
    const batches = Math.max(1, Math.floor(count / options.batchSize));
    const steps = batches * options.epochs;
    const pruning = new Pruning(tf, network, graph, options);
    try {
      for (let epoch = 0, step = 0; epoch < options.epochs; epoch++) {
        const grid = options.quantized ? gridOf(network.result(), calibration, options) : undefined;
        const order = shuffled(count, options.seed + epoch);
        let sum = 0;
        for (let batch = 0; batch < batches; batch++, step++) {
          // `learningRate` is protected in the typings though documented as adjustable between steps.
          const learningRate = 0.5 * options.learningRate * (1 + Math.cos((Math.PI * step) / steps));
          Object.assign(optimizer, { learningRate });
          const chosen = order.slice(batch * options.batchSize, (batch + 1) * options.batchSize);
          const loss = tf.tidy(() => {
            const x = tf.tensor(joined(training.inputs, chosen), [chosen.length, ...shape]);
            const value = optimizer.minimize(
              () => this.loss(network, x, training, targets, chosen, grid, options.calibration.activations),
              true,
            );
            return value?.dataSync()[0] ?? NaN;
          });
          sum += loss;
          pruning.apply((step + 1) / steps);
        }
        if (!Number.isFinite(sum)) {
          throw new UserError(
            "TMC3229",
            `the training of model "${graph.name}" diverged in epoch ${epoch + 1}: the loss is ${sum}`,
            "Use a smaller --learning-rate.",
          );
        }
        progress(epoch + 1, sum / batches);
        // Long trainings leave room for others in the process.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return network.result();
    } finally {
      pruning.dispose();
      network.dispose();
      optimizer.dispose();
    }
  }

  private loss(
    network: DifferentiableGraph,
    x: Tf.Tensor,
    training: Samples,
    targets: readonly Float32Array[],
    chosen: readonly number[],
    grid: Grid | undefined,
    activations: ActivationType | undefined,
  ): Tf.Scalar {
    const { tf } = this;
    const output = network.forward(x, grid, activations).reshape([chosen.length, -1]);
    if (training.classes.length > 0) {
      const classes = tf.oneHot(
        chosen.map((i) => training.classes[i] ?? 0),
        training.labels.length,
      );
      return tf.losses.softmaxCrossEntropy(classes, output);
    }
    return tf.losses.meanSquaredError(
      tf.tensor(joined(targets, chosen), [chosen.length, output.shape[1] ?? 1]),
      output,
    );
  }
}

/** What the model is to put out: the samples' targets, or what it puts out now (before a final softmax). */
function targetsOf(graph: Graph, training: Samples): readonly Float32Array[] {
  if (training.targets.length > 0) {
    return training.targets;
  }
  const executor = new FloatExecutor(graph);
  const output = graph.outputs[0] ?? -1;
  const last = graph.operators.find((operator) => operator.output === output);
  const watched = last?.kind === "Softmax" ? last.input : output;
  return training.inputs.map((input) => {
    executor.run(input);
    return executor.tensor(watched).slice();
  });
}

/** The grid that the model with its present weights would be quantised to. */
function gridOf(graph: Graph, inputs: readonly Float32Array[], { calibration }: FineTuneOptions): Grid {
  const { inputRange, activations } = calibration;
  const fixed = inputRange === undefined ? undefined : activationParameters(inputRange, activations);
  return chooseParameters(graph, calibrate(graph, inputs, calibration), fixed, activations);
}

function joined(arrays: readonly Float32Array[], chosen: readonly number[]): Float32Array {
  const size = arrays[0]?.length ?? 0;
  const all = new Float32Array(chosen.length * size);
  chosen.forEach((index, i) => all.set(arrays[index] ?? [], i * size));
  return all;
}

/** Keeps pruned weights at 0, and prunes more as the training goes on. */
class Pruning {
  private readonly masks = new Map<LayerWeights, { filter: Tf.Tensor; bias: Tf.Tensor }>();
  private readonly last: LayerWeights | undefined;
  private made = 0;

  constructor(
    private readonly tf: typeof Tf,
    private readonly network: DifferentiableGraph,
    graph: Graph,
    private readonly options: FineTuneOptions,
  ) {
    // The channels of the last layer are the model's outputs.
    const lastWeighted = graph.operators.findLast((operator) => "filter" in operator);
    this.last = network.layers.find((layer) => layer.operator === lastWeighted);
  }

  /** After the step that ends at `done` (0..1) of the training. */
  apply(done: number): void {
    const { sparsity, channelSparsity } = this.options;
    if (sparsity === 0 && channelSparsity === 0) {
      return;
    }
    const due = Math.floor(done * PRUNING_STEPS);
    if (due > this.made) {
      this.made = due;
      this.dispose();
      for (const layer of this.network.layers) {
        this.masks.set(layer, this.maskOf(layer, done));
      }
    }
    for (const [{ filter, bias }, mask] of this.masks) {
      this.tf.tidy(() => {
        filter.assign(filter.mul(mask.filter));
        bias?.assign(bias.mul(mask.bias));
      });
    }
  }

  dispose(): void {
    this.masks.forEach(({ filter, bias }) => this.tf.dispose([filter, bias]));
    this.masks.clear();
  }

  private maskOf(layer: LayerWeights, done: number): { filter: Tf.Tensor; bias: Tf.Tensor } {
    const { sparsity, channelSparsity } = this.options;
    const weights = layer.filter.dataSync() as Float32Array;
    const { channels } = layer;
    const mask = magnitudeMask(weights, sparsityAt(sparsity, done));
    const biasMask = new Float32Array(channels).fill(1);
    if (layer !== this.last && channelSparsity > 0) {
      const whole = channelMask(weights, channels, (i) => i % channels, sparsityAt(channelSparsity, done));
      whole.forEach((keep, i) => {
        mask[i] = keep * (mask[i] ?? 0);
        // Without a bias the channel is 0, as padding is: then readers with padding can do without it, too.
        biasMask[i % channels] = keep;
      });
    }
    return { filter: this.tf.tensor(mask, layer.filter.shape), bias: this.tf.tensor1d(biasMask) };
  }
}

/**
 * How much an int8 model loses against its float original: accuracy and confusion of both on labelled samples, agreement
 * of their decisions, and the noise of every layer. The int8 side is the exact integer arithmetic of the device.
 */
import type { Graph } from "../graph.js";
import { activationInputs } from "../graph.js";
import { ModelRuntime } from "../runtime.js";
import { FloatExecutor } from "./float-executor.js";
import { floatTensor } from "./float-graph.js";
import { quantizeValue, type TensorParameters } from "./parameters.js";

export interface LayerLoss {
  readonly operator: number;
  readonly kind: string;
  readonly name: string;
  /** Signal to quantisation noise in dB at the layer's output, with all noise from before; Infinity when exact. */
  readonly total: number;
  /** The same for this layer alone: int8 against float arithmetic on equal inputs. */
  readonly own: number;
}

export interface ClassAccuracy {
  readonly label: string;
  readonly count: number;
  /** Fractions of `count`; NaN when it is 0. */
  readonly float: number;
  readonly int8: number;
}

/** Accuracies are fractions 0..1. */
export interface Accuracy {
  readonly float: number;
  readonly int8: number;
  readonly classes: readonly ClassAccuracy[];
  /** counts[true class][decided class]. */
  readonly confusion: { readonly float: readonly number[][]; readonly int8: readonly number[][] };
}

export interface QuantizationLoss {
  readonly samples: number;
  /** Fraction of the samples on which float and int8 decide alike. */
  readonly agreement: number;
  /** Present when the samples have classes. */
  readonly accuracy?: Accuracy;
  readonly layers: readonly LayerLoss[];
  /** Index into `layers` of the smallest `own`. */
  readonly worst: number;
}

/** Index of the largest value; the first of equals. */
export function decide(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if ((values[i] ?? 0) > (values[best] ?? 0)) {
      best = i;
    }
  }
  return best;
}

/** Scale and zero point of a tensor with one of each. */
export function parametersOf(graph: Graph, index: number): TensorParameters {
  const { quantization } = floatTensor(graph, index);
  return { scale: quantization?.scales[0] ?? 1, zeroPoint: quantization?.zeroPoints[0] ?? 0 };
}

/** A float input as the model's int8 input. */
export function quantizeInput(graph: Graph, input: ArrayLike<number>): Int8Array {
  const parameters = parametersOf(graph, graph.inputs[0] ?? -1);
  return Int8Array.from(input, (value) => quantizeValue(value, parameters));
}

/** Sums signal and noise power. */
class Noise {
  private signal = 0;
  private noise = 0;

  add(truth: Float32Array, quantized: Int8Array, { scale, zeroPoint }: TensorParameters): void {
    for (let i = 0; i < truth.length; i++) {
      const value = truth[i] ?? 0;
      this.signal += value * value;
      // Rounded as float tensors are, so that layers that only move data are exact.
      this.noise += (value - Math.fround(scale * ((quantized[i] ?? 0) - zeroPoint))) ** 2;
    }
  }

  decibels(): number {
    return this.noise === 0 ? Infinity : 10 * Math.log10(this.signal / this.noise);
  }
}

/** One operator on its own, in both arithmetics. */
class LayerProbe {
  readonly total = new Noise();
  readonly own = new Noise();
  private readonly float: FloatExecutor;
  private readonly int8: ModelRuntime;
  private readonly inputs: readonly number[];
  private readonly output: number;

  constructor(
    float: Graph,
    private readonly quantized: Graph,
    operator: number,
  ) {
    const alone = (graph: Graph): Graph => {
      const one = graph.operators[operator];
      if (one === undefined) {
        throw new Error(`there is no operator ${operator}`);
      }
      const inputs = [...new Set(activationInputs(one))].filter(
        (tensor) => graph.tensors[tensor]?.data === undefined,
      );
      return { ...graph, operators: [one], inputs, outputs: [one.output] };
    };
    const graph = alone(quantized);
    this.float = new FloatExecutor(alone(float));
    this.int8 = new ModelRuntime(graph);
    this.inputs = graph.inputs;
    this.output = graph.outputs[0] ?? -1;
  }

  /** `truth` has run the whole float model on the sample whose int8 result of this layer is `result`. */
  observe(truth: FloatExecutor, result: Int8Array): void {
    const parameters = parametersOf(this.quantized, this.output);
    this.total.add(truth.tensor(this.output), result, parameters);
    this.inputs.forEach((index, i) => {
      const { scale, zeroPoint } = parametersOf(this.quantized, index);
      const values = Int8Array.from(truth.tensor(index), (value) =>
        quantizeValue(value, { scale, zeroPoint }),
      );
      this.int8.input(i).set(values);
      this.float.tensor(index).set(Float32Array.from(values, (value) => scale * (value - zeroPoint)));
    });
    this.int8.invoke();
    this.float.execute();
    this.own.add(this.float.tensor(this.output), this.int8.output(0), parameters);
  }
}

/** Most samples for the noise of layers: it converges fast and costs two more runs of every layer. */
const PROBED_SAMPLES = 64;

/**
 * Compares `float` (folded) with `quantized` (made of it: same tensor and operator numbers) on `inputs`. `classes` and
 * `labels` are empty when the samples have no classes.
 */
export function measureLoss(
  float: Graph,
  quantized: Graph,
  inputs: readonly Float32Array[],
  classes: Uint8Array,
  labels: readonly string[],
): QuantizationLoss {
  const executor = new FloatExecutor(float);
  const runtime = new ModelRuntime(quantized);
  const probes = quantized.operators.map((_, index) => new LayerProbe(float, quantized, index));
  const counts = () => labels.map(() => labels.map(() => 0));
  const confusion = { float: counts(), int8: counts() };
  let agreeing = 0;
  inputs.forEach((input, sample) => {
    const decided = decide(executor.run(input));
    runtime.onLayer =
      sample < PROBED_SAMPLES
        ? (operator, _tensor, data) => probes[operator]?.observe(executor, data)
        : undefined;
    runtime.input(0).set(quantizeInput(quantized, input));
    runtime.invoke();
    const decidedInt8 = decide(runtime.output(0));
    agreeing += decided === decidedInt8 ? 1 : 0;
    const truth = classes[sample];
    if (truth !== undefined) {
      increment(confusion.float, truth, decided);
      increment(confusion.int8, truth, decidedInt8);
    }
  });
  const layers = quantized.operators.map((operator, index): LayerLoss => {
    const probe = probes[index];
    return {
      operator: index,
      kind: operator.kind,
      name: floatTensor(quantized, operator.output).name,
      total: probe?.total.decibels() ?? NaN,
      own: probe?.own.decibels() ?? NaN,
    };
  });
  const worst = layers.reduce((best, layer, i) => (layer.own < (layers[best]?.own ?? NaN) ? i : best), 0);
  const common = { samples: inputs.length, agreement: agreeing / inputs.length, layers, worst };
  return classes.length === 0 ? common : { ...common, accuracy: accuracyOf(confusion, labels) };
}

function increment(counts: number[][], row: number, column: number): void {
  const cells = counts[row];
  if (cells !== undefined) {
    cells[column] = (cells[column] ?? 0) + 1;
  }
}

function accuracyOf(confusion: { float: number[][]; int8: number[][] }, labels: readonly string[]): Accuracy {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const hits = (counts: readonly number[][]): number => sum(counts.map((row, i) => row[i] ?? 0));
  const total = sum(confusion.float.map(sum));
  return {
    float: hits(confusion.float) / total,
    int8: hits(confusion.int8) / total,
    classes: labels.map((label, i) => {
      const count = sum(confusion.float[i] ?? []);
      return {
        label,
        count,
        float: (confusion.float[i]?.[i] ?? 0) / count,
        int8: (confusion.int8[i]?.[i] ?? 0) / count,
      };
    }),
    confusion,
  };
}

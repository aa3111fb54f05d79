/**
 * How much a quantised model loses against its float original: accuracy and confusion of both on labelled samples, error of
 * both on samples with targets, agreement of their decisions, and the noise of every layer. The quantised side is
 * the exact integer arithmetic of the device; it is called int8 here, whether the activations are int8 or int16.
 */
import type { Graph } from "../graph.js";
import { activationInputs } from "../graph.js";
import { elements, ModelRuntime } from "../runtime.js";
import { FloatExecutor } from "./float-executor.js";
import { floatTensor } from "./float-graph.js";
import type { Samples } from "./samples.js";
import { quantizeValues, type ActivationType, type TensorParameters } from "./parameters.js";

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

/** Of models that put out numbers: root mean square of output - target, in the output's unit. */
export interface RegressionError {
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
  readonly activations: ActivationType;
  readonly samples: number;
  /** Fraction of the samples on which float and int8 decide alike. */
  readonly agreement: number;
  /** Present when the samples have classes. */
  readonly accuracy?: Accuracy;
  /** Present when the samples have targets. */
  readonly error?: RegressionError;
  /** Root mean square of int8 output - float output, relative to that of the float output. */
  readonly deviation: number;
  readonly layers: readonly LayerLoss[];
  /** Indices into `layers`: smallest `own` first, of equals the first layer first. */
  readonly ranking: readonly number[];
}

/** What was lost, in the measure that suits the data. */
export interface LossMeasure {
  /** Percentage points of accuracy or agreement; for "error" by how many percent the error grew. Negative is a gain. */
  readonly lost: number;
  readonly measure: "accuracy" | "error" | "agreement";
}

/** Accuracy when the samples have classes, the error when they have targets, else agreement with the float model. */
export function lossMeasure({ accuracy, error, agreement }: QuantizationLoss): LossMeasure {
  if (accuracy !== undefined) {
    return { measure: "accuracy", lost: 100 * (accuracy.float - accuracy.int8) };
  }
  if (error !== undefined) {
    // A float model without any error: what int8 adds has nothing to be compared with.
    const none = error.int8 === 0 ? 0 : Infinity;
    return { measure: "error", lost: error.float === 0 ? none : 100 * (error.int8 / error.float - 1) };
  }
  return { measure: "agreement", lost: 100 * (1 - agreement) };
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

/** Element type of an activation of a quantised graph. */
export function activationType(graph: Graph, index: number): ActivationType {
  return floatTensor(graph, index).type === "int16" ? "int16" : "int8";
}

/** The integers that the bytes of an activation hold. */
export function integersOf(graph: Graph, index: number, bytes: Int8Array): Int8Array | Int16Array {
  return activationType(graph, index) === "int16" ? elements(bytes) : bytes;
}

/** Float values as the bytes of an activation. */
function quantizedBytes(graph: Graph, index: number, values: ArrayLike<number>): Int8Array {
  const integers = quantizeValues(values, parametersOf(graph, index), activationType(graph, index));
  return new Int8Array(integers.buffer, integers.byteOffset, integers.byteLength);
}

/** A float input as the bytes of the model's input. */
export function quantizeInput(graph: Graph, input: ArrayLike<number>): Int8Array {
  return quantizedBytes(graph, graph.inputs[0] ?? -1, input);
}

/** Sums signal and noise power. */
class Noise {
  private signal = 0;
  private noise = 0;

  add(truth: Float32Array, quantized: Int8Array | Int16Array, { scale, zeroPoint }: TensorParameters): void {
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
    const integers = (bytes: Int8Array) => integersOf(this.quantized, this.output, bytes);
    this.total.add(truth.tensor(this.output), integers(result), parameters);
    this.inputs.forEach((index, i) => {
      const { scale, zeroPoint } = parametersOf(this.quantized, index);
      const bytes = quantizedBytes(this.quantized, index, truth.tensor(index));
      this.int8.input(i).set(bytes);
      const values = integersOf(this.quantized, index, bytes);
      this.float.tensor(index).set(Float32Array.from(values, (value) => scale * (value - zeroPoint)));
    });
    this.int8.invoke();
    this.float.execute();
    this.own.add(this.float.tensor(this.output), integers(this.int8.output(0)), parameters);
  }
}

/** Most samples for the noise of layers: it converges fast and costs two more runs of every layer. */
const PROBED_SAMPLES = 64;

/**
 * Compares `float` (folded) with `quantized` (made of it: same tensor and operator numbers) on samples of the shapes
 * that the model takes and gives. Layers are compared with `float`, decisions and outputs with `original`: the model
 * before it was fine-tuned.
 */
export function measureLoss(
  float: Graph,
  quantized: Graph,
  { inputs, classes, labels, targets }: Pick<Samples, "inputs" | "classes" | "labels" | "targets">,
  original: Graph = float,
): QuantizationLoss {
  const executor = new FloatExecutor(float);
  const reference = original === float ? executor : new FloatExecutor(original);
  const runtime = new ModelRuntime(quantized);
  const probes = quantized.operators.map((_, index) => new LayerProbe(float, quantized, index));
  const counts = () => labels.map(() => labels.map(() => 0));
  const confusion = { float: counts(), int8: counts() };
  const errors = { float: new Squares(), int8: new Squares(), between: new Squares(), signal: new Squares() };
  const output = parametersOf(quantized, quantized.outputs[0] ?? -1);
  let agreeing = 0;
  inputs.forEach((input, sample) => {
    const real = reference.run(input);
    if (reference !== executor && sample < PROBED_SAMPLES) {
      executor.run(input);
    }
    const decided = decide(real);
    runtime.onLayer =
      sample < PROBED_SAMPLES
        ? (operator, _tensor, data) => probes[operator]?.observe(executor, data)
        : undefined;
    runtime.input(0).set(quantizeInput(quantized, input));
    runtime.invoke();
    const integers = integersOf(quantized, quantized.outputs[0] ?? -1, runtime.output(0));
    const decidedInt8 = decide(integers);
    const found = Float32Array.from(integers, (q) => output.scale * (q - output.zeroPoint));
    errors.between.add(found, real);
    errors.signal.add(real);
    const target = targets[sample];
    if (target !== undefined) {
      errors.float.add(real, target);
      errors.int8.add(found, target);
    }
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
  const own = (index: number): number => layers[index]?.own ?? NaN;
  // Infinity - Infinity is no order: equal ones keep theirs.
  const ranking = layers.map((_, i) => i).sort((a, b) => (own(a) === own(b) ? a - b : own(a) - own(b)));
  const power = errors.signal.rootMean();
  const between = errors.between.rootMean();
  return {
    activations: activationType(quantized, quantized.outputs[0] ?? -1),
    samples: inputs.length,
    agreement: agreeing / inputs.length,
    deviation: between === 0 ? 0 : between / power,
    layers,
    ranking,
    ...(classes.length === 0 ? {} : { accuracy: accuracyOf(confusion, labels) }),
    ...(targets.length === 0
      ? {}
      : { error: { float: errors.float.rootMean(), int8: errors.int8.rootMean() } }),
  };
}

/** Root mean square of differences. */
class Squares {
  private sum = 0;
  private count = 0;

  add(values: Float32Array, from?: Float32Array): void {
    values.forEach((value, i) => (this.sum += (value - (from?.[i] ?? 0)) ** 2));
    this.count += values.length;
  }

  rootMean(): number {
    return Math.sqrt(this.sum / this.count);
  }
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

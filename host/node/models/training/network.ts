/**
 * Networks to train, as folded float graphs of the model compiler with weights from a seed: what is trained here is what
 * the quantiser and the writer of .tflite files read. Scaling of their inputs and outputs is in normalization.ts.
 */
import { elementCount, type Graph, type Operator, type Tensor } from "../../../../compiler/model/graph.js";
import { windowGeometry } from "../../../../compiler/model/quantize/float-graph.js";
import { shuffled } from "../../../../compiler/model/train/shuffle.js";
import type { Architecture } from "./tasks.js";

/** Kernels of the layers over time and over images, and how far they move. */
const timeKernel = [5, 1] as const;
const imageKernel = [3, 3] as const;
const stride = 2;

export interface NetworkShape {
  readonly name: string;
  /** Of an item. */
  readonly shape: readonly number[];
  readonly architecture: Architecture;
  /** Empty: the defaults. */
  readonly units: readonly number[];
  readonly outputs: number;
  /** Ends in a softmax. */
  readonly classifies: boolean;
  readonly seed: number;
}

const defaultUnits: Readonly<Record<Architecture, readonly number[]>> = {
  mlp: [32, 16],
  conv1d: [12, 16, 16],
  conv2d: [8, 16, 16],
};

/** By the shape of the items: images, signals of 16 frames and more, else dense. */
export function architectureOf(shape: readonly number[]): Architecture {
  const [first = 1, second = 1] = shape;
  if (shape.length === 3 && second > 1) return "conv2d";
  return shape.length >= 2 && first >= 16 ? "conv1d" : "mlp";
}

export function buildNetwork(wanted: NetworkShape): Graph {
  const { shape, architecture, outputs } = wanted;
  const units = wanted.units.length > 0 ? wanted.units : defaultUnits[architecture];
  const builder = new Builder(wanted.seed);
  const input = builder.tensor(
    "input",
    architecture === "mlp" ? [1, ...shape] : imageShape(shape, architecture),
  );
  let value = input;
  if (architecture === "mlp") {
    units.forEach((count, i) => (value = builder.dense(value, count, "relu", `dense${i + 1}`)));
  } else {
    const kernel = architecture === "conv1d" ? timeKernel : imageKernel;
    units.forEach((count, i) => (value = builder.convolution(value, count, kernel, `conv${i + 1}`)));
    value = builder.average(value, "average");
  }
  value = builder.dense(value, outputs, "none", "output");
  if (wanted.classifies) value = builder.softmax(value);
  const { tensors, operators } = builder;
  return { name: wanted.name, tensors, operators, inputs: [input], outputs: [value] };
}

/** [1, H, W, C] of an item. */
function imageShape(shape: readonly number[], architecture: Architecture): number[] {
  const channels = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
  const frames = elementCount(shape) / channels;
  const [height = 1] = shape;
  return architecture === "conv2d" && shape.length > 2
    ? [1, height, frames / height, channels]
    : [1, frames, 1, channels];
}

class Builder {
  readonly tensors: Tensor[] = [];
  readonly operators: Operator[] = [];

  constructor(private seed: number) {}

  tensor(name: string, shape: readonly number[], data?: Float32Array): number {
    this.tensors.push({ name, type: "float32", shape, ...(data === undefined ? {} : { data }) });
    return this.tensors.length - 1;
  }

  dense(input: number, units: number, activation: "relu" | "none", name: string): number {
    const filter = this.weights(`${name}/kernel`, [units, elementCount(this.shape(input))]);
    const bias = this.tensor(`${name}/bias`, [units], new Float32Array(units));
    const output = this.tensor(name, [1, units]);
    this.operators.push({
      kind: "FullyConnected",
      input,
      filter,
      bias,
      keepNumDims: false,
      activation,
      output,
    });
    return output;
  }

  convolution(input: number, filters: number, kernel: readonly [number, number], name: string): number {
    const [, height = 1, width = 1, channels = 1] = this.shape(input);
    const size = [Math.min(kernel[0], height), Math.min(kernel[1], width)] as const;
    const steps = [size[0] < 2 ? 1 : stride, size[1] < 2 ? 1 : stride] as const;
    // Without padding: the normalisation of the input can be folded into the first layer exactly.
    const rows = windowGeometry(height, size[0], steps[0], 1, "valid").output;
    const columns = windowGeometry(width, size[1], steps[1], 1, "valid").output;
    const filter = this.weights(`${name}/kernel`, [filters, size[0], size[1], channels]);
    const bias = this.tensor(`${name}/bias`, [filters], new Float32Array(filters));
    const output = this.tensor(name, [1, rows, columns, filters]);
    this.operators.push({
      kind: "Conv2D",
      input,
      filter,
      bias,
      padding: "valid",
      strideHeight: steps[0],
      strideWidth: steps[1],
      dilationHeight: 1,
      dilationWidth: 1,
      activation: "relu",
      output,
    });
    return output;
  }

  /** The mean of each channel. */
  average(input: number, name: string): number {
    const [, height = 1, width = 1, channels = 1] = this.shape(input);
    const output = this.tensor(name, [1, 1, 1, channels]);
    this.operators.push({
      kind: "AveragePool2D",
      input,
      padding: "valid",
      strideHeight: 1,
      strideWidth: 1,
      filterHeight: height,
      filterWidth: width,
      activation: "none",
      output,
    });
    return output;
  }

  softmax(input: number): number {
    const output = this.tensor("softmax", this.shape(input));
    this.operators.push({ kind: "Softmax", input, beta: 1, output });
    return output;
  }

  private shape(index: number): readonly number[] {
    return this.tensors[index]?.shape ?? [];
  }

  /** Uniform with deviation sqrt(2 / inputs) (K. He et al., 2015): evenly spread values in an order from the seed. */
  private weights(name: string, shape: readonly number[]): number {
    const count = elementCount(shape);
    const limit = Math.sqrt((6 * (shape[0] ?? 1)) / count);
    this.seed = (this.seed + 0x9e37) | 0;
    const order = shuffled(count, this.seed);
    return this.tensor(
      name,
      shape,
      Float32Array.from(order, (place) => limit * ((2 * place + 1) / count - 1)),
    );
  }
}

/** Random graphs of int16 activations for tests: layers of every kind side by side, and small networks. */
import type { Activation, Graph, Operator, Padding, Tensor, TensorData } from "../../compiler/model/graph.js";
import { windowAxis } from "../../compiler/model/lower-common.js";
import { Random } from "./random-graphs.js";

export const wideLayerKinds = [
  "conv2D",
  "depthwiseConv2D",
  "fullyConnected",
  "binary",
  "pool",
  "sigmoid",
  "softmax",
] as const;

type WideKind = (typeof wideLayerKinds)[number];

const product = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

class WideBuilder {
  readonly tensors: Tensor[] = [];
  readonly operators: Operator[] = [];
  readonly inputs: number[] = [];
  readonly outputs: number[] = [];
  constructor(readonly random: Random) {}

  tensor(shape: readonly number[], scales: readonly number[], data?: TensorData, axis = 0): number {
    const type = data instanceof Int8Array ? "int8" : data instanceof BigInt64Array ? "int64" : "int16";
    const quantization = { scales, zeroPoints: scales.map(() => 0), axis };
    const name = `t${this.tensors.length}`;
    this.tensors.push({ name, type, shape, quantization, ...(data === undefined ? {} : { data }) });
    return this.tensors.length - 1;
  }
  scale(): number {
    return Math.fround(2 ** this.random.int(-16, -8) * (1 + this.random.unit()));
  }
  scaleOf(tensor: number): number {
    return this.tensors[tensor]?.quantization?.scales[0] ?? 1;
  }
  shapeOf(tensor: number): readonly number[] {
    return this.tensors[tensor]?.shape ?? [];
  }
  input(shape: readonly number[]): number {
    const tensor = this.tensor(shape, [this.scale()]);
    this.inputs.push(tensor);
    return tensor;
  }
  /** relu6 and relu_n1_to_1 are refused where 6 / scale leaves int32. */
  fused(scale: number): Activation {
    return scale < 1e-8
      ? "relu"
      : this.random.pick(["none", "none", "relu", "relu6", "relu_n1_to_1"] as const);
  }
  graph(name: string): Graph {
    const { tensors, operators, inputs, outputs } = this;
    return { name, tensors, operators, inputs, outputs };
  }

  /** Filter, bias and output scale: multipliers from 2^-20 to 2^2, biases up to 2^40; scaled sums stay within int32. */
  private weights(input: number, shape: readonly number[], channels: number, axis: number) {
    const { random } = this;
    const perChannel = channels > 1 && random.chance(0.7);
    const scales = Array.from({ length: perChannel ? channels : 1 }, () =>
      Math.fround(2 ** random.int(-10, -4) * (1 + random.unit())),
    );
    const filter = this.tensor(shape, scales, random.int8s(product(shape)), perChannel ? axis : 0);
    const exponent = random.chance(0.2) ? random.int(0, 2) : random.int(-20, -6);
    const largest = Math.max(...scales) * this.scaleOf(input);
    const output = Math.fround(largest / 2 ** exponent / (1 + random.unit()));
    const range = 2 ** random.pick([8, 16, 20, exponent < -12 ? 40 : 20]);
    const data = BigInt64Array.from({ length: channels }, () => BigInt(random.int(-range, range)));
    const biasScales = scales.map((scale) => Math.fround(scale * this.scaleOf(input)));
    const bias = random.chance(0.2) ? undefined : this.tensor([channels], biasScales, data);
    return { filter, bias, output, activation: this.fused(output) };
  }

  private window(height: number, width: number) {
    const { random } = this;
    for (;;) {
      const w = {
        padding: random.pick<Padding>(["same", "valid"]),
        filterHeight: random.int(1, 4),
        filterWidth: random.int(1, 4),
        strideHeight: random.int(1, 2),
        strideWidth: random.int(1, 3),
        dilationHeight: random.pick([1, 1, 2]),
        dilationWidth: random.pick([1, 1, 2]),
      };
      const vertical = windowAxis(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padding).size;
      const horizontal = windowAxis(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padding).size;
      if (vertical > 0 && horizontal > 0) {
        return { ...w, vertical, horizontal };
      }
    }
  }

  convolution(input: number, depthwise: boolean): number {
    const [, height = 1, width = 1, depth = 1] = this.shapeOf(input);
    const { filterHeight, filterWidth, vertical, horizontal, ...window } = this.window(height, width);
    const depthMultiplier = this.random.int(1, 2);
    const channels = depthwise ? depth * depthMultiplier : this.random.int(1, 6);
    const shape = depthwise
      ? [1, filterHeight, filterWidth, channels]
      : [channels, filterHeight, filterWidth, depth];
    const { output: scale, ...weights } = this.weights(input, shape, channels, depthwise ? 3 : 0);
    const output = this.tensor([1, vertical, horizontal, channels], [scale]);
    this.operators.push(
      depthwise
        ? { kind: "DepthwiseConv2D", input, output, ...weights, ...window, depthMultiplier }
        : { kind: "Conv2D", input, output, ...weights, ...window },
    );
    return output;
  }

  fullyConnected(input: number): number {
    const [rows = 1, depth = 1] = this.shapeOf(input);
    const channels = this.random.int(1, 9);
    const { output: scale, ...weights } = this.weights(input, [channels, depth], channels, 0);
    const output = this.tensor([rows, channels], [scale]);
    this.operators.push({ kind: "FullyConnected", input, output, ...weights, keepNumDims: false });
    return output;
  }

  binary(left: number): number {
    const { random } = this;
    const kind = random.pick(["Add", "Sub", "Mul", "Minimum", "Maximum"] as const);
    const extremum = kind === "Minimum" || kind === "Maximum";
    const shape = this.shapeOf(left).map((size) => (random.chance(0.2) ? 1 : size));
    const rightScale = extremum ? this.scaleOf(left) : this.scale();
    const constant = random.chance(0.4);
    const data = Int16Array.from({ length: product(shape) }, () => random.int(-32768, 32767));
    const right = this.tensor(shape, [rightScale], constant ? data : undefined);
    if (!constant) {
      this.inputs.push(right);
    }
    const l = this.scaleOf(left);
    const middle = kind === "Mul" ? l * rightScale : Math.max(l, rightScale);
    const exponent = kind === "Mul" ? random.int(-6, 20) : random.int(-12, 4);
    const scale = extremum ? l : Math.fround(middle * 2 ** exponent * (1 + random.unit()));
    const output = this.tensor(this.shapeOf(left), [scale]);
    const activation = this.fused(scale);
    this.operators.push(
      kind === "Minimum" || kind === "Maximum"
        ? { kind, left, right, output }
        : { kind, left, right, output, activation },
    );
    return output;
  }

  pool(input: number): number {
    const [, height = 1, width = 1, channels = 1] = this.shapeOf(input);
    const w = this.window(height, width);
    const { padding, filterHeight, filterWidth, strideHeight, strideWidth } = w;
    const size = (length: number, filter: number, stride: number): number =>
      windowAxis(length, filter, stride, 1, padding).size;
    const shape = [
      1,
      size(height, filterHeight, strideHeight),
      size(width, filterWidth, strideWidth),
      channels,
    ];
    const output = this.tensor(shape, [this.scaleOf(input)]);
    const kind = this.random.pick(["MaxPool2D", "AveragePool2D"] as const);
    const window = { padding, filterHeight, filterWidth, strideHeight, strideWidth };
    this.operators.push({ kind, input, output, ...window, activation: this.fused(this.scaleOf(input)) });
    return output;
  }

  sigmoid(shape: readonly number[]): number {
    const { random } = this;
    const scale = random.pick([
      2 ** -12,
      2 ** -11,
      Math.fround(2 ** random.int(-30, 0) * (1 + random.unit())),
    ]);
    const input = this.tensor(shape, [scale]);
    this.inputs.push(input);
    const output = this.tensor(shape, [1 / 32768]);
    this.operators.push({ kind: random.pick(["Logistic", "Tanh"] as const), input, output });
    return output;
  }

  softmax(input: number): number {
    const output = this.tensor(this.shapeOf(input), [1 / 32768]);
    const beta = Math.fround(
      Math.min(1 / this.scaleOf(input), this.random.pick([1, 2 ** this.random.int(-4, 4)])),
    );
    this.operators.push({ kind: "Softmax", input, output, beta });
    return output;
  }

  reshape(input: number, shape: readonly number[]): number {
    const output = this.tensor(shape, [this.scaleOf(input)]);
    this.operators.push({ kind: "Reshape", input, output });
    return output;
  }
}

/** `count` layers of one kind side by side, each from its own input to its own output. */
export function wideSideBySide(kind: WideKind, count: number, seed: number): Graph {
  const random = new Random(seed);
  const b = new WideBuilder(random);
  for (let i = 0; i < count; i++) {
    const shape = [1, random.int(1, 7), random.int(1, 7), random.int(1, 7)];
    switch (kind) {
      case "conv2D":
      case "depthwiseConv2D":
        b.outputs.push(b.convolution(b.input(shape), kind === "depthwiseConv2D"));
        break;
      case "fullyConnected":
        b.outputs.push(b.fullyConnected(b.input([random.int(1, 3), random.int(1, 50)])));
        break;
      case "binary":
        b.outputs.push(b.binary(b.input(shape)));
        break;
      case "pool":
        b.outputs.push(b.pool(b.input(shape)));
        break;
      case "sigmoid":
        b.outputs.push(b.sigmoid([1, random.int(1, 60)]));
        break;
      case "softmax":
        b.outputs.push(b.softmax(b.input([random.int(1, 3), random.pick([1, 2, 10, 100, 511])])));
        break;
    }
  }
  return b.graph(`wide-${kind}-${seed}`);
}

/** Convolutions, a pool and a head: the memory plan of tensors of two bytes per element. */
export function wideNetwork(seed: number): Graph {
  const b = new WideBuilder(new Random(seed));
  let x = b.convolution(b.input([1, 7, 6, 3]), false);
  x = b.convolution(x, true);
  x = b.binary(x);
  x = b.pool(x);
  x = b.reshape(x, [1, product(b.shapeOf(x))]);
  b.outputs.push(b.softmax(b.fullyConnected(x)));
  return b.graph(`wide-network-${seed}`);
}

/** Inputs as bytes: random, and the extremes of int16. */
export function wideInputs(graph: Graph, count: number, seed: number): Int8Array[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) =>
    graph.inputs.map((tensor) => {
      const fill = i === 1 ? -32768 : i === 2 ? 32767 : undefined;
      const size = product(graph.tensors[tensor]?.shape ?? []);
      const small = random.pick([32767, 32767, 300]);
      const data = Int16Array.from({ length: size }, () => fill ?? random.int(-small - 1, small));
      return new Int8Array(data.buffer);
    }),
  );
}

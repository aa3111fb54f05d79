/**
 * Random int8 graphs for tests, from a seed: single layers of every kind with extreme parameters, many side by side in
 * one graph (one input and output each), and small networks with branches for the memory plan.
 */
import type {
  Activation,
  Graph,
  Operator,
  Padding,
  Quantization,
  Tensor,
  TensorData,
} from "../../compiler/model/graph.js";
import { windowAxis } from "../../compiler/model/lower-common.js";
import { randomBinary, randomUnary } from "./random-elementwise.js";
import { addMovement, movementKinds } from "./random-movement.js";

/** Small deterministic generator (mulberry32). */
export class Random {
  constructor(private state: number) {}
  /** [0, 1) */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  /** low..high inclusive */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T;
  }
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  /** Mostly any value, often the extremes. */
  int8s(count: number): Int8Array {
    const extreme = this.pick([0, 0, 0.3, 1]);
    return Int8Array.from({ length: count }, () =>
      this.chance(extreme) ? this.pick([-128, -127, 0, 127]) : this.int(-128, 127),
    );
  }
}

const product = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

/** Collects tensors and operators. */
export class GraphBuilder {
  readonly tensors: Tensor[] = [];
  readonly operators: Operator[] = [];
  readonly inputs: number[] = [];
  readonly outputs: number[] = [];
  /**
   * `usual`: weights and scales as trained models have them, so that the fast kernels apply: symmetric weights, right
   * shifts, channels in fours mostly, and sometimes filters of zeros. Without: extremes that the portable kernels meet.
   */
  constructor(
    readonly random: Random,
    readonly usual = false,
  ) {}

  /** A number of channels. */
  channels(): number {
    return this.usual && this.random.chance(0.75) ? 4 * this.random.int(1, 5) : this.random.int(1, 10);
  }

  tensor(shape: readonly number[], quantization: Quantization, data?: TensorData): number {
    const type = data instanceof Int32Array ? "int32" : "int8";
    const name = `t${this.tensors.length}`;
    this.tensors.push({ name, type, shape, quantization, ...(data === undefined ? {} : { data }) });
    return this.tensors.length - 1;
  }
  zeroPoint(): number {
    return this.random.pick([0, -128, 127, this.random.int(-128, 127), this.random.int(-20, 20)]);
  }
  scale(): number {
    return Math.fround(2 ** this.random.int(-10, 2) * (1 + this.random.unit()));
  }
  activation(shape: readonly number[]): number {
    return this.tensor(shape, { scales: [this.scale()], zeroPoints: [this.zeroPoint()], axis: 0 });
  }
  input(shape: readonly number[]): number {
    const tensor = this.activation(shape);
    this.inputs.push(tensor);
    return tensor;
  }
  scaleOf(tensor: number): number {
    return this.tensors[tensor]?.quantization?.scales[0] ?? 1;
  }
  shapeOf(tensor: number): readonly number[] {
    return this.tensors[tensor]?.shape ?? [];
  }
  /** relu6 and relu_n1_to_1 are refused where 6 / scale leaves int32. */
  fused(scale = 1): Activation {
    return scale < 1e-8
      ? this.random.pick(["none", "relu"] as const)
      : this.random.pick(["none", "none", "relu", "relu6", "relu_n1_to_1"] as const);
  }
  graph(name: string): Graph {
    return {
      name,
      tensors: this.tensors,
      operators: this.operators,
      inputs: this.inputs,
      outputs: this.outputs,
    };
  }

  /** Filter, bias and the quantisation of the output of a layer with weights. */
  private weights(input: number, shape: readonly number[], channels: number, axis: number) {
    const { random } = this;
    if (this.usual) {
      return this.usualWeights(input, shape, channels, axis);
    }
    const depth = product(shape) / channels;
    const perChannel = channels > 1 && random.chance(0.7);
    const filterScales = Array.from({ length: perChannel ? channels : 1 }, () => this.scale());
    const filter = this.tensor(
      shape,
      { scales: filterScales, zeroPoints: filterScales.map(() => 0), axis: perChannel ? axis : 0 },
      random.int8s(product(shape)),
    );
    // Real multipliers from 2^-20 to 2^5, so that accumulators reach every output; sometimes up to 2^28.
    const exponent = random.chance(0.1)
      ? random.int(6, 28)
      : random.chance(0.2)
        ? random.int(-1, 5)
        : random.int(-20, -2);
    const largest = Math.max(...filterScales);
    const outputScale = Math.fround((this.scaleOf(input) * largest) / 2 ** exponent / (1 + random.unit()));
    const bias = this.bias(
      channels,
      depth,
      filterScales.map((scale) => this.scaleOf(input) * scale),
    );
    return { filter, bias, output: { scales: [outputScale], zeroPoints: [this.zeroPoint()], axis: 0 } };
  }

  private usualWeights(input: number, shape: readonly number[], channels: number, axis: number) {
    const { random } = this;
    const depth = product(shape) / channels;
    const zero = random.pick([0, 0, 0.3, 0.8]); // how many filters are all zero
    const isZero = Array.from({ length: channels }, () => random.chance(zero));
    const size = random.pick([127, 127, 40]);
    const data = Int8Array.from({ length: product(shape) }, (_, i) => {
      const channel = axis === 0 ? Math.floor(i / depth) : i % channels;
      return isZero[channel] === true ? 0 : random.int(-size, size);
    });
    const perChannel = random.chance(0.7);
    const filterScales = Array.from({ length: perChannel ? channels : 1 }, () =>
      Math.fround(0.01 * (0.3 + random.unit())),
    );
    const scales = filterScales.map((scale) => this.scaleOf(input) * scale);
    const filter = this.tensor(
      shape,
      { scales: filterScales, zeroPoints: filterScales.map(() => 0), axis: perChannel ? axis : 0 },
      data,
    );
    const spread = Math.sqrt(depth) * 40 * size;
    const biasData = Int32Array.from({ length: channels }, () => Math.round((random.unit() - 0.5) * spread));
    const bias = random.chance(0.1)
      ? undefined
      : this.tensor([channels], { scales, zeroPoints: scales.map(() => 0), axis: 0 }, biasData);
    const outputScale = Math.fround((Math.max(...scales) * spread * (0.5 + random.unit())) / 64);
    return { filter, bias, output: { scales: [outputScale], zeroPoints: [this.zeroPoint()], axis: 0 } };
  }

  private bias(channels: number, depth: number, scales: readonly number[]): number | undefined {
    const { random } = this;
    if (random.chance(0.2)) {
      return undefined;
    }
    const extreme = random.chance(0.15);
    const range = 128 * 64 * Math.ceil(Math.sqrt(depth));
    const data = Int32Array.from({ length: channels }, () =>
      extreme ? random.pick([-2147483648, 2147483647, -2147483647, 1 << 30]) : random.int(-range, range),
    );
    return this.tensor([channels], { scales, zeroPoints: scales.map(() => 0), axis: 0 }, data);
  }

  conv2D(input: number, options: Partial<WindowOptions> & { channels?: number } = {}): number {
    const [, height = 1, width = 1, depth = 1] = this.shapeOf(input);
    const channels = options.channels ?? this.channels();
    const w = this.window(height, width, options);
    const { filter, bias, output } = this.weights(
      input,
      [channels, w.filterHeight, w.filterWidth, depth],
      channels,
      0,
    );
    const tensor = this.tensor([1, w.outputHeight, w.outputWidth, channels], output);
    const { padding, strideHeight, strideWidth, dilationHeight, dilationWidth } = w;
    this.operators.push({
      ...{
        kind: "Conv2D",
        input,
        filter,
        bias,
        output: tensor,
        activation: this.fused(this.scaleOf(tensor)),
      },
      ...{ padding, strideHeight, strideWidth, dilationHeight, dilationWidth },
    });
    return tensor;
  }

  depthwiseConv2D(input: number, options: Partial<WindowOptions> & { multiplier?: number } = {}): number {
    const { random } = this;
    const [, height = 1, width = 1, depth = 1] = this.shapeOf(input);
    const depthMultiplier =
      options.multiplier ?? (this.usual && random.chance(0.8) ? 1 : random.pick([1, 1, 2, 3]));
    const channels = depth * depthMultiplier;
    const w = this.window(height, width, options);
    const { filter, bias, output } = this.weights(
      input,
      [1, w.filterHeight, w.filterWidth, channels],
      channels,
      3,
    );
    const tensor = this.tensor([1, w.outputHeight, w.outputWidth, channels], output);
    const { padding, strideHeight, strideWidth, dilationHeight, dilationWidth } = w;
    this.operators.push({
      ...{
        kind: "DepthwiseConv2D",
        input,
        filter,
        bias,
        output: tensor,
        depthMultiplier,
        activation: this.fused(this.scaleOf(tensor)),
      },
      ...{ padding, strideHeight, strideWidth, dilationHeight, dilationWidth },
    });
    return tensor;
  }

  fullyConnected(input: number, channels = this.random.int(1, 12)): number {
    const shape = this.shapeOf(input);
    const depth = shape.at(-1) ?? 1;
    const rows = product(shape) / depth;
    const { filter, bias, output } = this.weights(input, [channels, depth], channels, 0);
    const tensor = this.tensor([rows, channels], output);
    this.operators.push({
      ...{
        kind: "FullyConnected",
        input,
        filter,
        bias,
        output: tensor,
        keepNumDims: false,
        activation: this.fused(this.scaleOf(tensor)),
      },
    });
    return tensor;
  }

  add(left: number, right: number): number {
    const largest = Math.max(this.scaleOf(left), this.scaleOf(right));
    // The output scale may be far below the inputs', but 2 * largest / (2^20 * scale) stays below 1.
    const scale = Math.fround(largest * 2 ** this.random.int(-17, 3) * (1 + this.random.unit()));
    const output = this.tensor(this.shapeOf(left), {
      scales: [scale],
      zeroPoints: [this.zeroPoint()],
      axis: 0,
    });
    this.operators.push({ kind: "Add", left, right, output, activation: this.fused(this.scaleOf(output)) });
    return output;
  }

  pool(input: number, options: Partial<WindowOptions> = {}): number {
    const [, height = 1, width = 1, depth = 1] = this.shapeOf(input);
    const w = this.window(height, width, { dilationHeight: 1, dilationWidth: 1, ...options });
    const quantization = this.tensors[input]?.quantization ?? { scales: [1], zeroPoints: [0], axis: 0 };
    const output = this.tensor([1, w.outputHeight, w.outputWidth, depth], quantization);
    const { padding, strideHeight, strideWidth, filterHeight, filterWidth } = w;
    this.operators.push({
      ...{
        kind: this.random.pick(["MaxPool2D", "AveragePool2D"] as const),
        input,
        output,
        activation: this.fused(this.scaleOf(output)),
      },
      ...{ padding, strideHeight, strideWidth, filterHeight, filterWidth },
    });
    return output;
  }

  reshape(input: number, shape: readonly number[]): number {
    const quantization = this.tensors[input]?.quantization ?? { scales: [1], zeroPoints: [0], axis: 0 };
    const output = this.tensor(shape, quantization);
    this.operators.push({ kind: "Reshape", input, output });
    return output;
  }

  softmax(input: number): number {
    const output = this.tensor(this.shapeOf(input), { scales: [1 / 256], zeroPoints: [-128], axis: 0 });
    // beta * scale from 2^-24 (all equal) to 2^12 (only the maximum).
    const beta = Math.fround(
      (2 ** this.random.int(-24, 12) * (1 + this.random.unit())) / this.scaleOf(input),
    );
    const usual = this.random.chance(0.6) && this.scaleOf(input) > 2 ** -20 ? 1 : beta;
    this.operators.push({ kind: "Softmax", input, output, beta: usual });
    return output;
  }

  /** A random window that gives at least one output. */
  private window(height: number, width: number, options: Partial<WindowOptions>) {
    const { random } = this;
    const threes = this.usual && height >= 3 && width >= 3 && random.chance(0.4);
    const ones = this.usual && random.chance(0.25) ? { filterHeight: 1, filterWidth: 1 } : {};
    const still = "filterHeight" in ones ? { strideHeight: 1, strideWidth: 1 } : {};
    for (;;) {
      const w = {
        padding: random.pick(["same", "valid"] as const),
        filterHeight: threes ? 3 : random.int(1, 5),
        filterWidth: threes ? 3 : random.int(1, 5),
        strideHeight: random.int(1, 3),
        strideWidth: random.int(1, 3),
        dilationHeight: random.pick(this.usual ? [1, 1, 1, 1, 2] : [1, 1, 2, 3]),
        dilationWidth: random.pick(this.usual ? [1, 1, 1, 1, 3] : [1, 1, 2, 3]),
        ...ones,
        ...still,
        ...options,
      };
      const vertical = windowAxis(height, w.filterHeight, w.strideHeight, w.dilationHeight, w.padding);
      const horizontal = windowAxis(width, w.filterWidth, w.strideWidth, w.dilationWidth, w.padding);
      if (vertical.size > 0 && horizontal.size > 0) {
        return { ...w, outputHeight: vertical.size, outputWidth: horizontal.size };
      }
    }
  }
}

export interface WindowOptions {
  readonly padding: Padding;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

export const layerKinds = [
  "conv2D",
  "depthwiseConv2D",
  "fullyConnected",
  "add",
  "pool",
  "softmax",
  "reshape",
  "binary",
  "unary",
  ...movementKinds,
] as const;

/** `count` random layers of one kind side by side, each from its own input to its own output. */
export function sideBySide(
  kind: (typeof layerKinds)[number],
  count: number,
  seed: number,
  usual = false,
): Graph {
  const random = new Random(seed);
  const b = new GraphBuilder(random, usual);
  const image = (): number[] => [
    1,
    random.int(1, 9),
    random.int(1, 9),
    usual ? b.channels() : random.int(1, 9),
  ];
  for (let i = 0; i < count; i++) {
    const shape = image();
    switch (kind) {
      case "conv2D":
        b.outputs.push(b.conv2D(b.input(shape)));
        break;
      case "depthwiseConv2D":
        b.outputs.push(b.depthwiseConv2D(b.input(shape)));
        break;
      case "fullyConnected":
        b.outputs.push(b.fullyConnected(b.input([random.int(1, 3), random.int(1, 70)])));
        break;
      case "add":
        {
          const left = b.input(shape);
          b.outputs.push(b.add(left, random.chance(0.2) ? left : b.input(shape))); // sometimes of equal scales
        }
        break;
      case "pool":
        b.outputs.push(b.pool(b.input(shape)));
        break;
      case "softmax":
        b.outputs.push(b.softmax(b.input([random.int(1, 3), random.pick([1, 2, 10, 12, 100, 511])])));
        break;
      case "binary":
        b.outputs.push(randomBinary(b));
        break;
      case "unary":
        b.outputs.push(randomUnary(b, b.input(shape)));
        break;
      case "reshape":
        b.outputs.push(b.reshape(b.input(shape), [1, product(shape)]));
        break;
      default:
        b.outputs.push(addMovement(b, kind));
        break;
    }
  }
  return b.graph(`${kind}-${usual ? "usual-" : ""}${seed}`);
}

/** A small network: convolutions and residual additions, a pool, a head; every layer kind of a classifier. */
export function network(seed: number, usual = false): Graph {
  const random = new Random(seed);
  const b = new GraphBuilder(random, usual);
  const same = { padding: "same", strideHeight: 1, strideWidth: 1 } as const;
  let x = b.input([1, random.int(4, 9), random.int(4, 9), random.int(1, 4)]);
  for (let block = random.int(1, 3); block > 0; block--) {
    x = b.conv2D(x, { channels: usual ? b.channels() : random.int(2, 8) });
    const branch = b.depthwiseConv2D(x, { ...same, multiplier: 1 });
    const channels = b.shapeOf(x)[3] ?? 1;
    const other = random.chance(0.5)
      ? x
      : b.conv2D(x, { ...same, filterHeight: 1, filterWidth: 1, channels });
    x = random.chance(0.5) ? b.add(branch, other) : b.add(other, branch);
    if (random.chance(0.3)) {
      b.outputs.push(x);
    }
  }
  x = b.pool(x, { padding: "same" });
  x = b.reshape(x, [1, product(b.shapeOf(x))]);
  x = b.fullyConnected(x);
  b.outputs.push(b.softmax(x));
  return b.graph(`network-${usual ? "usual-" : ""}${seed}`);
}

/** A chain of convolutions and pools that is widest in the middle, with a small head: for execution in bands of rows. */
export function chain(seed: number): Graph {
  const random = new Random(5000 + seed);
  const b = new GraphBuilder(random, true);
  let x = b.input([1, random.int(11, 26), random.int(5, 12), random.pick([1, 3, 4, 4])]);
  const window = (stride: number) => ({
    padding: random.pick(["same", "valid"] as const),
    strideHeight: stride,
    strideWidth: stride,
    filterHeight: random.int(1, 4),
    filterWidth: random.int(1, 3),
  });
  x = b.conv2D(x, { ...window(1), channels: random.pick([8, 12, 16, 16]) });
  for (let more = random.int(1, 3); more > 0; more--) {
    x = random.chance(0.5)
      ? b.depthwiseConv2D(x, { ...window(1), multiplier: 1 })
      : random.chance(0.7)
        ? b.conv2D(x, { ...window(1), channels: random.pick([8, 12, 16]) })
        : b.pool(x, window(1));
  }
  x = b.conv2D(x, { ...window(2), channels: 4 });
  x = b.pool(x, { padding: "same", strideHeight: 2, strideWidth: 2 });
  x = b.reshape(x, [1, product(b.shapeOf(x))]);
  b.outputs.push(b.fullyConnected(x, 4));
  return b.graph(`chain-${seed}`);
}

/** Inputs for a graph: random, all -128, all 127. */
export function randomInputs(graph: Graph, count: number, seed: number): Int8Array[][] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) =>
    graph.inputs.map((tensor) => {
      const size = product(graph.tensors[tensor]?.shape ?? []);
      return i === 1
        ? new Int8Array(size).fill(-128)
        : i === 2
          ? new Int8Array(size).fill(127)
          : random.int8s(size);
    }),
  );
}

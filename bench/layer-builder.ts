/**
 * Builds a graph of layers side by side, each from its own input to its own output, with weights as training leaves
 * them: bell-shaped, each channel reaching 127, no channel constant. Deterministic. For measurements, not for tests.
 */
import type {
  Activation,
  Graph,
  Operator,
  Padding,
  Quantization,
  Tensor,
  TensorData,
} from "../compiler/model/graph.js";
import { windowAxis } from "../compiler/model/lower-common.js";

export interface Window {
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly padding?: Padding;
  readonly strideHeight?: number;
  readonly strideWidth?: number;
  readonly dilationHeight?: number;
  readonly dilationWidth?: number;
}

const product = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

export class LayerBuilder {
  private readonly tensors: Tensor[] = [];
  private readonly operators: Operator[] = [];
  private readonly inputs: number[] = [];
  private readonly outputs: number[] = [];
  private state = 1;

  /** [0, 1) */
  private random(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) | 0;
    return (this.state >>> 0) / 4294967296;
  }
  private tensor(shape: readonly number[], quantization: Quantization, data?: TensorData): number {
    const type = data instanceof Int32Array ? "int32" : "int8";
    const name = `t${this.tensors.length}`;
    this.tensors.push({ name, type, shape, quantization, ...(data === undefined ? {} : { data }) });
    return this.tensors.length - 1;
  }
  input(shape: readonly number[], scale = 0.05, zeroPoint = -3): number {
    const tensor = this.tensor(shape, { scales: [scale], zeroPoints: [zeroPoint], axis: 0 });
    this.inputs.push(tensor);
    return tensor;
  }
  private push(operator: Operator): void {
    this.operators.push(operator);
    this.outputs.push(operator.output);
  }
  private shapeOf(tensor: number): readonly number[] {
    return this.tensors[tensor]?.shape ?? [];
  }

  /** `multiplier`: about the real one by which accumulators become outputs. */
  private weights(
    input: number,
    shape: readonly number[],
    channels: number,
    axis: 0 | 3,
    multiplier?: number,
  ) {
    const depth = product(shape) / channels;
    const data = Int8Array.from({ length: product(shape) }, () => {
      const bell = this.random() + this.random() + this.random() + this.random() - 2;
      return Math.max(-127, Math.min(127, Math.round(bell * 80)));
    });
    const scales = Array.from({ length: channels }, () => Math.fround(0.01 * (0.9 + 0.1 * this.random())));
    for (let c = 0; c < channels; c++) {
      data[axis === 0 ? c * depth : c] = 127;
    }
    const filter = this.tensor(shape, { scales, zeroPoints: scales.map(() => 0), axis }, data);
    const inputScale = this.tensors[input]?.quantization?.scales[0] ?? 1;
    const biasScales = scales.map((scale) => Math.fround(scale * inputScale));
    const bias = this.tensor(
      [channels],
      { scales: biasScales, zeroPoints: scales.map(() => 0), axis: 0 },
      Int32Array.from({ length: channels }, () => Math.round((this.random() - 0.5) * 1000)),
    );
    // Without a wish: outputs as wide as random inputs make them.
    const real = multiplier ?? 1 / (Math.sqrt(depth) * 100);
    const scale = Math.fround((0.01 * inputScale) / real);
    return { filter, bias, quantization: { scales: [scale], zeroPoints: [5], axis: 0 } };
  }

  private window(input: number, w: Window) {
    const [, height = 1, width = 1] = this.shapeOf(input);
    const all = {
      padding: "same",
      strideHeight: 1,
      strideWidth: 1,
      dilationHeight: 1,
      dilationWidth: 1,
      ...w,
    } as const;
    const { size: outputHeight } = windowAxis(
      height,
      all.filterHeight,
      all.strideHeight,
      all.dilationHeight,
      all.padding,
    );
    const { size: outputWidth } = windowAxis(
      width,
      all.filterWidth,
      all.strideWidth,
      all.dilationWidth,
      all.padding,
    );
    const { padding, strideHeight, strideWidth, dilationHeight, dilationWidth } = all;
    const strides = { padding, strideHeight, strideWidth };
    return { ...{ outputHeight, outputWidth }, strides, dilations: { dilationHeight, dilationWidth } };
  }

  conv(shape: readonly number[], channels: number, w: Window, multiplier?: number): void {
    const input = this.input([1, ...shape]);
    const { outputHeight, outputWidth, strides, dilations } = this.window(input, w);
    const size = [channels, w.filterHeight, w.filterWidth, shape[2] ?? 1];
    const { filter, bias, quantization } = this.weights(input, size, channels, 0, multiplier);
    const output = this.tensor([1, outputHeight, outputWidth, channels], quantization);
    const tensors = { input, filter, bias, output };
    this.push({ kind: "Conv2D", ...tensors, ...strides, ...dilations, activation: "none" });
  }

  depthwise(shape: readonly number[], depthMultiplier: number, w: Window, multiplier?: number): void {
    const input = this.input([1, ...shape]);
    const { outputHeight, outputWidth, strides, dilations } = this.window(input, w);
    const channels = (shape[2] ?? 1) * depthMultiplier;
    const size = [1, w.filterHeight, w.filterWidth, channels];
    const { filter, bias, quantization } = this.weights(input, size, channels, 3, multiplier);
    const output = this.tensor([1, outputHeight, outputWidth, channels], quantization);
    const tensors = { input, filter, bias, output, depthMultiplier };
    this.push({ kind: "DepthwiseConv2D", ...tensors, ...strides, ...dilations, activation: "none" });
  }

  dense(rows: number, inputs: number, channels: number, multiplier?: number): void {
    const input = this.input([rows, inputs]);
    const { filter, bias, quantization } = this.weights(input, [channels, inputs], channels, 0, multiplier);
    const output = this.tensor([rows, channels], quantization);
    const tensors = { input, filter, bias, output };
    this.push({ kind: "FullyConnected", ...tensors, keepNumDims: false, activation: "none" });
  }

  pool(kind: "MaxPool2D" | "AveragePool2D", shape: readonly number[], w: Window): void {
    const input = this.input([1, ...shape]);
    const { outputHeight, outputWidth, strides } = this.window(input, w);
    const quantization = this.tensors[input]?.quantization ?? { scales: [1], zeroPoints: [0], axis: 0 };
    const output = this.tensor([1, outputHeight, outputWidth, shape[2] ?? 1], quantization);
    const { filterHeight, filterWidth } = w;
    this.push({ kind, input, output, ...strides, filterHeight, filterWidth, activation: "none" });
  }

  /** `scales` of the operands. */
  add(shape: readonly number[], scales: readonly [number, number], activation: Activation): void {
    const left = this.input([1, ...shape], scales[0]);
    const right = this.input([1, ...shape], scales[1], 7);
    const output = this.tensor([1, ...shape], { scales: [0.07], zeroPoints: [1], axis: 0 });
    this.push({ kind: "Add", left, right, output, activation });
  }

  softmax(rows: number, depth: number): void {
    const input = this.input([rows, depth]);
    const output = this.tensor([rows, depth], { scales: [1 / 256], zeroPoints: [-128], axis: 0 });
    this.push({ kind: "Softmax", input, output, beta: 1 });
  }

  graph(name: string): Graph {
    const { tensors, operators, inputs, outputs } = this;
    return { name, tensors, operators, inputs, outputs };
  }
}

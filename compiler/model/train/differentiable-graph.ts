/**
 * A folded float graph as a TensorFlow.js computation with trainable weights, with or without fake quantisation of weights
 * and activations. It knows no loss and no data (`fine-tune.ts` does).
 */
import type * as Tf from "@tensorflow/tfjs";
import { UserError } from "../../diagnostics/user-error.js";
import {
  activationInputs,
  describeOperator,
  elementCount,
  type Activation,
  type Graph,
  type Operator,
} from "../graph.js";
import { movesOrReduces } from "../graph-movement.js";
import { floatConstant, floatTensor } from "../quantize/float-graph.js";
import { activationBounds, type ActivationType, type TensorParameters } from "../quantize/parameters.js";
import { differentiableBinary, differentiableUnary } from "./differentiable-elementwise.js";
import {
  differentiableMovement,
  isTrainableMovement,
  trainableMovements,
} from "./differentiable-movement.js";
import { fakeQuantize, fakeQuantizeWeights } from "./fake-quantize.js";

type Weighted = Extract<Operator, { filter: number }>;
type Pool = Extract<Operator, { kind: "MaxPool2D" | "AveragePool2D" }>;

/** Weights of one operator. The filter is [KH, KW, I, O], [KH, KW, C, M] (depthwise) or [I, O] (dense). */
export interface LayerWeights {
  readonly operator: Weighted;
  readonly filter: Tf.Variable;
  readonly bias: Tf.Variable | undefined;
  readonly channels: number;
}

/** Scale and zero point of every activation tensor; undefined: not quantised. */
export type Grid = readonly (TensorParameters | undefined)[];

export class DifferentiableGraph {
  /** One per operator with weights, in their order. */
  readonly layers: readonly LayerWeights[];
  private readonly weights: ReadonlyMap<Operator, LayerWeights>;

  /** Throws UserError TMC3229 for what cannot be trained. */
  constructor(
    private readonly tf: typeof Tf,
    private readonly graph: Graph,
  ) {
    graph.tensors.forEach((tensor) => {
      if (tensor.data === undefined && tensor.shape[0] !== 1) {
        throw untrainable(
          graph,
          `a tensor of shape [${tensor.shape.join(", ")}], which has no batch dimension`,
        );
      }
    });
    graph.operators.forEach((operator, i) => {
      const rank = floatTensor(graph, operator.output).shape.length;
      const batched = activationInputs(operator)
        .map((index) => floatTensor(graph, index))
        .every(({ data, shape }) => data !== undefined || shape.length === rank);
      // Operands of another rank would be aligned at the batch.
      if (!trainable.has(operator.kind) || ("left" in operator && !batched)) {
        throw untrainable(graph, describeOperator(graph, i));
      }
    });
    const odd = graph.operators.findIndex((one) => movesOrReduces(one) && !isTrainableMovement(one));
    if (odd >= 0) {
      throw untrainable(graph, `${describeOperator(graph, odd)} with these attributes`);
    }
    this.layers = graph.operators.flatMap((operator) =>
      "filter" in operator ? [this.variables(operator)] : [],
    );
    if (this.layers.length === 0) {
      throw untrainable(graph, "it has no weights");
    }
    this.weights = new Map(this.layers.map((layer) => [layer.operator, layer]));
  }

  /**
   * The output for a batch of inputs [B, ...]; of models that end in a softmax its input. With `grid` every weight and
   * activation takes values of its grid of integers: weights of int8, activations of `activations`.
   */
  forward(input: Tf.Tensor, grid: Grid | undefined, activations: ActivationType = "int8"): Tf.Tensor {
    const bounds = activationBounds[activations];
    const values = new Map<number, Tf.Tensor>();
    const put = (index: number, value: Tf.Tensor): void => {
      const parameters = grid?.[index];
      values.set(index, parameters === undefined ? value : fakeQuantize(this.tf, value, parameters, bounds));
    };
    put(this.graph.inputs[0] ?? -1, input);
    const get = (index: number): Tf.Tensor => {
      const { data, shape } = floatTensor(this.graph, index);
      const value =
        data === undefined ? values.get(index) : this.tf.tensor(floatConstant(this.graph, index), [...shape]);
      if (value === undefined) {
        throw new Error(`tensor ${index} of model "${this.graph.name}" is read before it is written`);
      }
      return value;
    };
    const output = this.graph.outputs[0] ?? -1;
    for (const operator of this.graph.operators) {
      if (operator.kind === "Softmax" && operator.output === output) {
        return get(operator.input).mul(operator.beta);
      }
      put(operator.output, this.apply(operator, get, grid !== undefined));
    }
    return get(output);
  }

  /** The graph with the present weights. */
  result(): Graph {
    const tensors = [...this.graph.tensors];
    for (const { operator, filter, bias } of this.layers) {
      const stored = toStored(
        filter.dataSync() as Float32Array,
        operator,
        floatTensor(this.graph, operator.filter).shape,
      );
      tensors[operator.filter] = { ...floatTensor(this.graph, operator.filter), data: stored };
      if (operator.bias !== undefined && bias !== undefined) {
        const data = Float32Array.from(bias.dataSync());
        tensors[operator.bias] = { ...floatTensor(this.graph, operator.bias), data };
      }
    }
    return { ...this.graph, tensors };
  }

  dispose(): void {
    for (const { filter, bias } of this.layers) {
      filter.dispose();
      bias?.dispose();
    }
  }

  private variables(operator: Weighted): LayerWeights {
    const { tf, graph } = this;
    const { shape } = floatTensor(graph, operator.filter);
    const stored = floatConstant(graph, operator.filter);
    const [outputs = 1, height = 1, width = 1, inputs = 1] = shape;
    const multiplier = operator.kind === "DepthwiseConv2D" ? operator.depthMultiplier : 1;
    const used: number[] =
      operator.kind === "FullyConnected"
        ? [height, outputs]
        : operator.kind === "Conv2D"
          ? [height, width, inputs, outputs]
          : [height, width, inputs / multiplier, multiplier];
    const filter = tf.variable(tf.tensor(toUsed(stored, operator, shape), used));
    const bias =
      operator.bias === undefined
        ? undefined
        : tf.variable(tf.tensor1d(floatConstant(graph, operator.bias).slice()));
    return { operator, filter, bias, channels: operator.kind === "DepthwiseConv2D" ? inputs : outputs };
  }

  private apply(operator: Operator, get: (index: number) => Tf.Tensor, quantized: boolean): Tf.Tensor {
    const { tf } = this;
    if (movesOrReduces(operator)) {
      const { shape } = floatTensor(this.graph, operator.output);
      const inputs = activationInputs(operator).map(get);
      return this.shaped(differentiableMovement(tf, operator, inputs, shape.slice(1)), operator.output);
    }
    switch (operator.kind) {
      case "Conv2D":
      case "DepthwiseConv2D":
      case "FullyConnected":
        return activate(this.weighted(operator, get(operator.input), quantized), operator.activation);
      case "Add":
      case "Maximum":
      case "Minimum":
      case "Mul":
      case "PRelu":
      case "Sub":
        return activate(
          differentiableBinary(tf, operator.kind, get(operator.left), get(operator.right)),
          "activation" in operator ? operator.activation : "none",
        );
      case "HardSwish":
      case "LeakyRelu":
      case "Logistic":
      case "Quantize":
      case "Relu":
      case "Relu6":
      case "ReluN1To1":
      case "Tanh":
        return differentiableUnary(operator, get(operator.input));
      case "MaxPool2D":
      case "AveragePool2D":
        return activate(this.pool(operator, get(operator.input)), operator.activation);
      case "Reshape":
        return this.shaped(get(operator.input), operator.output);
      case "Softmax":
        return tf.softmax(get(operator.input).mul(operator.beta));
    }
  }

  /** `value` in the shape of tensor `index`, with the batch of `value`. */
  private shaped(value: Tf.Tensor, index: number): Tf.Tensor {
    const [, ...rest] = floatTensor(this.graph, index).shape;
    return value.reshape([value.size / elementCount(rest), ...rest]);
  }

  private weighted(operator: Weighted, input: Tf.Tensor, quantized: boolean): Tf.Tensor {
    const { tf } = this;
    const layer = this.weights.get(operator);
    if (layer === undefined) {
      throw new Error("an operator without its weights");
    }
    const kept = operator.kind === "FullyConnected" ? 0 : operator.kind === "Conv2D" ? 1 : 2;
    const filter = quantized ? fakeQuantizeWeights(tf, layer.filter, kept) : layer.filter;
    let output: Tf.Tensor;
    if (operator.kind === "FullyConnected") {
      const rows = input.reshape([-1, layer.filter.shape[0] ?? 1]) as Tf.Tensor2D;
      output = tf.matMul(rows, filter as Tf.Tensor2D);
    } else {
      const window = spread(filter as Tf.Tensor4D, operator.dilationHeight, operator.dilationWidth);
      const strides: [number, number] = [operator.strideHeight, operator.strideWidth];
      const convolve = operator.kind === "Conv2D" ? tf.conv2d : tf.depthwiseConv2d;
      output = convolve(input as Tf.Tensor4D, window, strides, operator.padding);
    }
    const moved = layer.bias === undefined ? output : output.add(layer.bias);
    return operator.kind === "FullyConnected" ? this.shaped(moved, operator.output) : moved;
  }

  private pool(operator: Pool, input: Tf.Tensor): Tf.Tensor {
    const { tf } = this;
    const apply = operator.kind === "MaxPool2D" ? tf.maxPool : tf.avgPool;
    const size: [number, number] = [operator.filterHeight, operator.filterWidth];
    const strides: [number, number] = [operator.strideHeight, operator.strideWidth];
    return apply(input as Tf.Tensor4D, size, strides, operator.padding);
  }
}

const trainable: ReadonlySet<string> = new Set([
  ...trainableMovements,
  "Conv2D",
  "DepthwiseConv2D",
  "FullyConnected",
  "Add",
  "HardSwish",
  "LeakyRelu",
  "Logistic",
  "Maximum",
  "MaxPool2D",
  "Minimum",
  "Mul",
  "PRelu",
  "AveragePool2D",
  "Quantize",
  "Relu",
  "Relu6",
  "ReluN1To1",
  "Reshape",
  "Softmax",
  "Sub",
  "Tanh",
]);

function untrainable(graph: Graph, what: string): UserError {
  return new UserError(
    "TMC3229",
    `model "${graph.name}" cannot be trained: ${what}`,
    `Operators that can be trained: ${[...trainable].sort().join(", ")}. Quantise without --train.`,
  );
}

function activate(x: Tf.Tensor, activation: Activation): Tf.Tensor {
  switch (activation) {
    case "none":
      return x;
    case "relu":
      return x.relu();
    case "relu6":
      return x.clipByValue(0, 6);
    case "relu_n1_to_1":
      return x.clipByValue(-1, 1);
  }
}

/** A dilated filter as the one with zeros in between that does the same: TensorFlow.js has no gradient of dilations. */
function spread(filter: Tf.Tensor4D, dilationHeight: number, dilationWidth: number): Tf.Tensor4D {
  const [height, width, inputs, outputs] = filter.shape;
  const rows = (height - 1) * dilationHeight + 1;
  const columns = (width - 1) * dilationWidth + 1;
  let spreadOut: Tf.Tensor = filter;
  if (dilationHeight > 1) {
    const row = width * inputs * outputs;
    spreadOut = spreadOut
      .reshape([height, 1, row])
      .pad([
        [0, 0],
        [0, dilationHeight - 1],
        [0, 0],
      ])
      .reshape([height * dilationHeight, row])
      .slice([0, 0], [rows, row]);
  }
  if (dilationWidth > 1) {
    const column = inputs * outputs;
    spreadOut = spreadOut
      .reshape([rows, width, 1, column])
      .pad([
        [0, 0],
        [0, 0],
        [0, dilationWidth - 1],
        [0, 0],
      ])
      .reshape([rows, width * dilationWidth, column])
      .slice([0, 0, 0], [rows, columns, column]);
  }
  return spreadOut.reshape([rows, columns, inputs, outputs]);
}

/** [O, rest] → [rest, O]; depthwise filters have the same order in both. */
function toUsed(stored: Float32Array, { kind }: Weighted, [outputs = 1]: readonly number[]): Float32Array {
  return kind === "DepthwiseConv2D" ? stored.slice() : transpose(stored, outputs);
}

function toStored(used: Float32Array, { kind }: Weighted, [outputs = 1]: readonly number[]): Float32Array {
  return kind === "DepthwiseConv2D" ? used.slice() : transpose(used, used.length / outputs);
}

/** [rows, columns] → [columns, rows]. */
function transpose(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
}

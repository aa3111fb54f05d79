/**
 * Float graph → model graph: batch normalisation goes into the weights before it, activations into the operator before
 * them, reshapes that change nothing disappear. The result computes the same function (up to float rounding) with the
 * operators an int8 model has.
 *
 * What cannot be fused becomes an operator of its own: a normalisation a 1x1 depthwise convolution, an activation Relu or
 * Relu6, or a 1x1 max-pooling with an activation that TFLite Micro has no operator for (exact in int8, because pooling
 * keeps its input's scale).
 */
import type { Activation, Graph, Operator, Tensor } from "../graph.js";
import { elementCount, renumberOperator } from "../graph.js";
import {
  floatConstant,
  floatInputs,
  floatTensor,
  type ActivationLayer,
  type BatchNormalization,
  type FloatGraph,
} from "./float-graph.js";

/** What fuses: any operator with an `activation` attribute. */
type Fusable = Extract<Operator, { activation: Activation }>;
type Weighted = Extract<Operator, { filter: number }>;

/** The activation that does `first`, then `second`; undefined when there is no such one. */
function combine(first: Activation, second: Activation): Activation | undefined {
  if (first === "none" || first === second) {
    return second;
  }
  if (second === "none") {
    return first;
  }
  const both = new Set([first, second]);
  return both.has("relu") && both.has("relu6") ? "relu6" : undefined;
}

/** Operators that are an activation of their own. */
const separateActivations = { Relu: "relu", Relu6: "relu6", ReluN1To1: "relu_n1_to_1" } as const;

class Folder {
  readonly tensors: Tensor[];
  readonly operators: Operator[] = [];
  /** How many operators and model outputs read each tensor. */
  private readonly readers: number[];
  /** Tensors that are another tensor under a new name. */
  private readonly alias = new Map<number, number>();

  constructor(private readonly graph: FloatGraph) {
    this.tensors = [...graph.tensors];
    this.readers = graph.tensors.map(() => 0);
    for (const index of [...graph.operators.flatMap(floatInputs), ...graph.outputs]) {
      this.readers[index] = (this.readers[index] ?? 0) + 1;
    }
  }

  resolve(index: number): number {
    return this.alias.get(index) ?? index;
  }

  fold(): Graph {
    for (const operator of this.graph.operators) {
      if (operator.kind === "BatchNormalization") {
        this.normalization({ ...operator, input: this.resolve(operator.input) });
      } else if (operator.kind === "Activation") {
        this.activation({ ...operator, input: this.resolve(operator.input) });
      } else if (operator.kind === "Reshape") {
        this.reshape(this.resolve(operator.input), operator.output);
      } else if (operator.kind in separateActivations) {
        const activation = separateActivations[operator.kind as keyof typeof separateActivations];
        const [input = -1] = floatInputs(operator);
        this.activation({
          kind: "Activation",
          input: this.resolve(input),
          output: operator.output,
          activation,
        });
      } else {
        // Outputs have no alias yet, constants never.
        this.operators.push(renumberOperator(operator, (index) => this.resolve(index)));
      }
    }
    this.addBiases();
    const { name, inputs, outputs } = this.graph;
    return compact({
      name,
      tensors: this.tensors,
      operators: this.operators,
      inputs,
      outputs: outputs.map((index) => this.resolve(index)),
    });
  }

  /** Where the operator is that writes `tensor`, if only one reader sees that tensor; else -1. */
  private soleProducer(tensor: number): number {
    return this.readers[tensor] === 1
      ? this.operators.findIndex((operator) => operator.output === tensor)
      : -1;
  }

  private constant(data: Float32Array, shape: readonly number[], name: string): number {
    this.tensors.push({ name, type: "float32", shape, data });
    this.readers.push(1);
    return this.tensors.length - 1;
  }

  private normalization(layer: BatchNormalization): void {
    const factor = layer.gamma.map((gamma, c) => gamma / Math.sqrt((layer.variance[c] ?? 0) + layer.epsilon));
    const offset = layer.beta.map((beta, c) => beta - (layer.mean[c] ?? 0) * (factor[c] ?? 0));
    const at = this.soleProducer(layer.input);
    const producer = this.operators[at];
    const { name } = floatTensor(this.graph, layer.output);
    if (producer !== undefined && "filter" in producer && producer.activation === "none") {
      this.operators[at] = this.scaled(producer, factor, offset, layer.output);
      return;
    }
    this.inRank4(layer.input, layer.output, (input, output) => {
      const channels = factor.length;
      this.operators.push({
        kind: "DepthwiseConv2D",
        input,
        output,
        filter: this.constant(factor, [1, 1, 1, channels], `${name}/factor`),
        bias: this.constant(offset, [channels], `${name}/offset`),
        padding: "valid",
        strideHeight: 1,
        strideWidth: 1,
        dilationHeight: 1,
        dilationWidth: 1,
        depthMultiplier: 1,
        activation: "none",
      });
    });
  }

  /** `operator` with output channel c multiplied by factor[c] and moved by offset[c]. */
  private scaled(operator: Weighted, factor: Float32Array, offset: Float32Array, output: number): Weighted {
    // The graph so far: the weights may be those of an earlier normalisation.
    const graph = { ...this.graph, tensors: this.tensors };
    const old = floatTensor(graph, operator.filter);
    const filter = floatConstant(graph, operator.filter);
    const bias = operator.bias === undefined ? undefined : floatConstant(graph, operator.bias);
    const channels = factor.length;
    const perChannel = filter.length / channels;
    const channelOf = (i: number): number =>
      operator.kind === "DepthwiseConv2D" ? i % channels : Math.floor(i / perChannel);
    return {
      ...operator,
      output,
      filter: this.constant(
        filter.map((w, i) => w * (factor[channelOf(i)] ?? 0)),
        old.shape,
        old.name,
      ),
      bias: this.constant(
        offset.map((move, c) => (bias?.[c] ?? 0) * (factor[c] ?? 0) + move),
        [channels],
        `${floatTensor(this.graph, output).name}/bias`,
      ),
    };
  }

  /** The schema lets a bias be absent, but some kernels of LiteRT 2 read it all the same: zeros stand for none. */
  private addBiases(): void {
    this.operators.forEach((operator, at) => {
      if ("filter" in operator && operator.bias === undefined) {
        const { shape, name } = this.tensors[operator.output] ?? { shape: [], name: "" };
        const channels = shape.at(-1) ?? 1;
        const bias = this.constant(new Float32Array(channels), [channels], `${name}/bias`);
        this.operators[at] = { ...operator, bias };
      }
    });
  }

  private activation(layer: ActivationLayer): void {
    const at = this.soleProducer(layer.input);
    const producer = this.operators[at];
    if (producer !== undefined && "activation" in producer) {
      const activation = combine(producer.activation, layer.activation);
      if (activation !== undefined) {
        const fused: Fusable = { ...producer, activation, output: layer.output };
        this.operators[at] = fused;
        return;
      }
    }
    if (layer.activation !== "relu_n1_to_1") {
      const kind = layer.activation === "relu" ? "Relu" : "Relu6";
      this.operators.push({ kind, input: layer.input, output: layer.output });
      return;
    }
    this.inRank4(layer.input, layer.output, (input, output) => {
      this.operators.push({
        kind: "MaxPool2D",
        input,
        output,
        padding: "valid",
        filterHeight: 1,
        filterWidth: 1,
        strideHeight: 1,
        strideWidth: 1,
        activation: layer.activation,
      });
    });
  }

  /** Emits an elementwise operator for tensors of rank 4, between reshapes when `input` has another rank. */
  private inRank4(input: number, output: number, emit: (input: number, output: number) => void): void {
    const { shape, name } = this.tensors[input] ?? { shape: [], name: "" };
    if (shape.length === 4) {
      emit(input, output);
      return;
    }
    const channels = shape.at(-1) ?? 1;
    const square = [1, 1, elementCount(shape) / channels, channels];
    const wide = this.intermediate(square, `${name}/rank4`);
    const result = this.intermediate(square, `${floatTensor(this.graph, output).name}/rank4`);
    this.reshape(input, wide);
    emit(this.resolve(wide), result);
    this.reshape(result, output);
  }

  /** A new activation tensor with one reader. */
  private intermediate(shape: readonly number[], name: string): number {
    this.tensors.push({ name, type: "float32", shape });
    this.readers.push(1);
    return this.tensors.length - 1;
  }

  private reshape(input: number, output: number): void {
    const at = this.soleProducer(input);
    const producer = this.operators[at];
    if (producer?.kind === "Reshape") {
      // Of two reshapes in a row the first is superfluous.
      this.operators.splice(at, 1);
      this.reshape(producer.input, output);
      return;
    }
    if (this.tensors[input]?.shape.join() === this.tensors[output]?.shape.join() && this.written(input)) {
      this.alias.set(output, input);
      // Readers of the new name read the old tensor, instead of this reshape.
      this.readers[input] = (this.readers[input] ?? 0) - 1 + (this.readers[output] ?? 0);
      return;
    }
    this.operators.push({ kind: "Reshape", input, output });
  }

  /** The input of the model must stay an input even when its only reader is a reshape to the model's output. */
  private written(tensor: number): boolean {
    return this.operators.some((operator) => operator.output === tensor);
  }
}

/** Leaves out tensors that nothing reads or writes, and numbers the rest in the order of execution. */
function compact(graph: Graph): Graph {
  const place = new Map<number, number>();
  const tensors: Tensor[] = [];
  const at = (index: number): number => {
    const known = place.get(index);
    if (known !== undefined) {
      return known;
    }
    const tensor = graph.tensors[index];
    if (tensor === undefined) {
      throw new Error(`model "${graph.name}" has no tensor ${index}`);
    }
    tensors.push(tensor);
    place.set(index, tensors.length - 1);
    return tensors.length - 1;
  };
  const inputs = graph.inputs.map(at);
  const operators = graph.operators.map((operator) => renumberOperator(operator, at));
  return { name: graph.name, tensors, operators, inputs, outputs: graph.outputs.map(at) };
}

/** The graph without normalisation and stand-alone activations. */
export function foldGraph(graph: FloatGraph): Graph {
  return new Folder(graph).fold();
}

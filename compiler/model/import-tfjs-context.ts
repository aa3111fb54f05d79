/**
 * What the importers of single TensorFlow.js layers work with: the graph under construction, and one layer's attributes,
 * weights and inputs, read with checks whose errors name the layer. It knows no layer class (`import-tfjs-layers.ts` does).
 */
import { UserError } from "../diagnostics/user-error.js";
import type { Padding, Tensor } from "./graph.js";
import type { Constant } from "./importers/constants.js";
import type { TfjsWeight } from "./import-tfjs-files.js";
import { checkActivation, MAX_ACTIVATIONS, tooLarge } from "./importers/limits.js";
import type { FloatGraph, FloatOperator } from "./quantize/float-graph.js";

/** A tensor and the shape that the layers model gives it, without the batch dimension. */
export interface Value {
  readonly tensor: number;
  readonly shape: readonly number[];
}

const namedActivations = ["linear", "relu", "relu6", "sigmoid", "softmax", "tanh"] as const;

/** What the attribute "activation" may be. */
export type NamedActivation = (typeof namedActivations)[number];

/** Collects tensors and operators. */
export class GraphBuilder {
  private readonly tensors: Tensor[] = [];
  private readonly operators: FloatOperator[] = [];
  private elements = 0;

  /** A new activation of the layers model's shape. */
  value(shape: readonly number[], name: string): Value {
    const [time = 1, channels = 1] = shape;
    const held = shape.length === 2 ? [1, time, 1, channels] : [1, ...shape];
    return { tensor: this.activation(held, name), shape };
  }

  /** A new activation of the graph's shape. @throws UserError TMC3210 when there are too many elements. */
  activation(held: readonly number[], name: string): number {
    this.elements += checkActivation(held, name);
    if (this.elements > MAX_ACTIVATIONS) {
      throw tooLarge(`its activations have more than ${MAX_ACTIVATIONS} elements`);
    }
    this.tensors.push({ name, type: "float32", shape: held });
    return this.tensors.length - 1;
  }

  /** A new constant. */
  constant(values: Float32Array, shape: readonly number[], name: string): number {
    this.tensors.push({ name, type: "float32", shape, data: values });
    return this.tensors.length - 1;
  }

  /** A new constant of any type. */
  typedConstant({ type, shape, data, quantization }: Constant, name: string): number {
    this.tensors.push({ name, type, shape, data, ...(quantization === undefined ? {} : { quantization }) });
    return this.tensors.length - 1;
  }

  add(operator: FloatOperator): void {
    this.operators.push(operator);
  }

  known(values: ReadonlyMap<string, Value>, name: string): Value {
    const value = values.get(name);
    if (value === undefined) {
      throw new UserError(
        "TMC3206",
        `the topology names a layer "${name}" that it does not have`,
        "Save the model again with model.save() of TensorFlow.js.",
      );
    }
    return value;
  }

  graph(name: string, input: Value, output: Value): FloatGraph {
    return this.graphOf(name, [input.tensor], [output.tensor]);
  }

  /** `inputs` and `outputs` are tensor numbers. */
  graphOf(name: string, inputs: readonly number[], outputs: readonly number[]): FloatGraph {
    const { tensors, operators } = this;
    return { name, tensors, operators, inputs, outputs };
  }
}

/** One layer while it is imported: its attributes, weights and inputs, and the errors that name it. */
export class LayerContext {
  constructor(
    readonly builder: GraphBuilder,
    private readonly weights: ReadonlyMap<string, TfjsWeight>,
    readonly name: string,
    readonly className: string,
    private readonly config: Readonly<Record<string, unknown>>,
    readonly inputs: readonly Value[],
  ) {}

  attributeError(attribute: string, value: unknown, supported: string): UserError {
    return new UserError(
      "TMC3205",
      `layer "${this.name}" (${this.className}): ${attribute} = ${JSON.stringify(value ?? null)} is not supported`,
      `Supported for ${attribute}: ${supported}.`,
    );
  }

  shapeError(problem: string): UserError {
    return new UserError(
      "TMC3207",
      `layer "${this.name}" (${this.className}): ${problem}`,
      "The topology and the weights must come from the same model: save it again with model.save().",
    );
  }

  /** The only input; `rank` without the batch dimension, if the layer insists. */
  input(rank?: number): Value {
    const [value] = this.inputs;
    if (value === undefined || this.inputs.length !== 1) {
      throw this.shapeError(`has ${this.inputs.length} inputs instead of 1`);
    }
    if (rank !== undefined && value.shape.length !== rank) {
      throw this.shapeError(`takes ${rank} dimensions, but gets [${value.shape.join(", ")}]`);
    }
    return value;
  }

  attribute(name: string): unknown {
    return this.config[name];
  }

  /** Fails unless the attribute is absent or one of `allowed`. */
  require(name: string, allowed: readonly unknown[], supported: string): void {
    const value = this.config[name];
    if (value !== undefined && value !== null && !allowed.includes(value)) {
      throw this.attributeError(name, value, supported);
    }
  }

  /** A positive integer. */
  count(name: string, otherwise?: number): number {
    const value = this.config[name] ?? otherwise;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
      throw this.attributeError(name, value, "a positive integer");
    }
    return value;
  }

  /** Height and width of `rank` 2; of rank 1 the width is 1. A single number stands for both. */
  pair(name: string, rank: 1 | 2, otherwise?: number): [number, number] {
    const value = this.config[name] ?? otherwise;
    const list: unknown[] = Array.isArray(value) ? value : Array<unknown>(rank).fill(value);
    const good = list.filter((v): v is number => typeof v === "number" && Number.isInteger(v) && v > 0);
    const [height, width = 1] = good;
    if (good.length !== rank || list.length !== rank || height === undefined) {
      throw this.attributeError(name, value, `${rank} positive integer${rank === 1 ? "" : "s"}`);
    }
    return [height, width];
  }

  padding(): Padding {
    const value = this.config["padding"] ?? "valid";
    if (value !== "same" && value !== "valid") {
      throw this.attributeError("padding", value, '"same", "valid"');
    }
    return value;
  }

  activationName(): NamedActivation {
    const value = this.config["activation"] ?? "linear";
    const name = namedActivations.find((one) => one === value);
    if (name === undefined) {
      throw this.attributeError("activation", value, namedActivations.map((one) => `"${one}"`).join(", "));
    }
    return name;
  }

  /** The layer's weight `part`, of whatever shape. */
  anyWeight(part: string): TfjsWeight {
    const suffix = `${this.name}/${part}`;
    let found = this.weights.get(suffix);
    for (const [name, weight] of this.weights) {
      // Keras' converter may put scopes before the layer's name and ":0" after the weight's.
      found ??= `/${name.replace(/:\d+$/, "")}`.endsWith(`/${suffix}`) ? weight : undefined;
    }
    if (found === undefined) {
      throw this.shapeError(`there is no weight "${suffix}" in the manifest`);
    }
    return found;
  }

  /** The layer's weight `part` of exactly this shape. */
  weight(part: string, shape: readonly number[]): Float32Array {
    const found = this.anyWeight(part);
    if (found.shape.length !== shape.length || found.shape.some((size, i) => size !== shape[i])) {
      throw this.shapeError(
        `weight "${this.name}/${part}" has shape [${found.shape.join(", ")}], the topology asks for [${shape.join(", ")}]`,
      );
    }
    if (!(found.values instanceof Float32Array)) {
      throw this.shapeError(`weight "${this.name}/${part}" has integers`);
    }
    return found.values;
  }

  bias(channels: number): number | undefined {
    if (this.config["use_bias"] === false) {
      return undefined;
    }
    return this.builder.constant(this.weight("bias", [channels]), [channels], `${this.name}/bias`);
  }

  /** The output value of the layer. */
  output(shape: readonly number[]): Value {
    return this.builder.value(shape, this.name);
  }

  /** Applies the layer's `activation` attribute after the operator that computed `value`. */
  activated(value: Value): Value {
    const name = this.activationName();
    return name === "linear" ? value : this.apply(name, value);
  }

  apply(activation: Exclude<NamedActivation, "linear">, input: Value): Value {
    const output = this.output(input.shape);
    const ends = { input: input.tensor, output: output.tensor };
    switch (activation) {
      case "softmax":
        this.builder.add({ kind: "Softmax", ...ends, beta: 1 });
        break;
      case "sigmoid":
        this.builder.add({ kind: "Logistic", ...ends });
        break;
      case "tanh":
        this.builder.add({ kind: "Tanh", ...ends });
        break;
      default:
        this.builder.add({ kind: "Activation", ...ends, activation });
    }
    return output;
  }
}

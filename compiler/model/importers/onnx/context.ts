/**
 * One node of an ONNX graph while it is imported: its attributes and inputs, read with checks whose errors name the node. It
 * knows no operator (`operators-*.ts` do).
 */
import { elementCount } from "../../graph.js";
import type { GraphBuilder } from "../../import-tfjs-context.js";
import { numbersOf, type Constant } from "../constants.js";
import { MAX_RANK } from "../limits.js";
import { channelsLastOrder, heldAxis, heldList, heldShape, plainOrder, sameLayout } from "../layout.js";
import { NodeErrors } from "../node-context.js";
import type { NodeProto } from "./proto.js";
import type { QuantisationNotes } from "./quantisation-notes.js";
import type { TensorDecoder } from "./tensors.js";

/** A tensor that the graph computes. */
export interface Activation {
  readonly kind: "activation";
  /** In the graph that is built. */
  readonly tensor: number;
  /** As the model has it. */
  readonly shape: readonly number[];
  /** See `layout.ts`. */
  readonly order: readonly number[];
  /**
   * Set after a reshape to [1, n] of something that does not lie as the model has it: element i of the held tensor is
   * element `elements[i]` of the model's.
   */
  readonly elements?: Int32Array;
}

export type Value = Activation | (Constant & { readonly kind: "constant" });

export const constantValue = (constant: Constant): Value => ({ kind: "constant", ...constant });

/** Attributes that change nothing in an inference. */
const ignoredAttributes: ReadonlySet<string> = new Set(["name", "momentum", "spatial", "seed"]);

export class OnnxNode extends NodeErrors {
  private readonly read = new Set<string>();

  constructor(
    builder: GraphBuilder,
    model: string,
    readonly node: NodeProto,
    /** Version of ONNX's own operators. */
    readonly opset: number,
    /** Undefined: an optional input that is not given. */
    readonly inputs: readonly (Value | undefined)[],
    readonly notes: QuantisationNotes,
    private readonly decoder: TensorDecoder,
  ) {
    super(builder, model, node.name === "" ? (node.outputs[0] ?? "") : node.name, node.type);
  }

  /** Fails when the node has an attribute that its importer did not look at. */
  checkAttributes(): void {
    for (const [name, attribute] of this.node.attributes) {
      if (!this.read.has(name) && !ignoredAttributes.has(name)) {
        throw this.attributeError(name, attribute.int ?? attribute.text ?? null, "absent");
      }
    }
  }

  private attribute(name: string): ReturnType<NodeProto["attributes"]["get"]> {
    this.read.add(name);
    return this.node.attributes.get(name);
  }

  has(name: string): boolean {
    return this.attribute(name) !== undefined;
  }

  int(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    if (attribute === undefined) {
      return otherwise;
    }
    if (attribute.int === undefined || !Number.isSafeInteger(attribute.int)) {
      throw this.attributeError(name, attribute.int ?? null, "an integer");
    }
    return attribute.int;
  }

  float(name: string, otherwise: number): number {
    const attribute = this.attribute(name);
    if (attribute === undefined) {
      return otherwise;
    }
    if (attribute.float === undefined || !Number.isFinite(attribute.float)) {
      throw this.attributeError(name, attribute.float ?? null, "a number");
    }
    return attribute.float;
  }

  text(name: string, otherwise: string): string {
    return this.attribute(name)?.text ?? otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name)?.ints;
  }

  floats(name: string): readonly number[] | undefined {
    return this.attribute(name)?.floats;
  }

  constantAttribute(name: string): Constant | undefined {
    const tensor = this.attribute(name)?.tensor;
    return tensor === undefined ? undefined : this.decoder.decode(tensor, `${this.where}: ${name}`);
  }

  /** Fails unless the attribute is absent or has `value`. */
  requireInt(name: string, value: number): void {
    const given = this.int(name, value);
    if (given !== value) {
      throw this.attributeError(name, given, String(value));
    }
  }

  /** `count` integers of at least `least`. */
  list(name: string, count: number, otherwise: number, least: number): number[] {
    const given = this.ints(name) ?? new Array<number>(count).fill(otherwise);
    if (given.length !== count || !given.every((value) => Number.isSafeInteger(value) && value >= least)) {
      throw this.attributeError(name, given, `${count} integers of at least ${least}`);
    }
    return [...given];
  }

  /** Input `index`, which must be given. */
  value(index: number): Value {
    const value = this.inputs[index];
    if (value === undefined) {
      throw this.shapeError(`has no input ${index}`);
    }
    return value;
  }

  /** Input `index`, computed by the graph, lying as the model has it or reordered. */
  activation(index: number): Activation {
    const value = this.value(index);
    if (value.kind !== "activation") {
      throw this.structureError(
        `input ${index} is a constant`,
        "Simplify the model when exporting it, so that constants are folded.",
      );
    }
    return value;
  }

  /** Input `index`, known now; undefined when it is not given. */
  constant(index: number): Constant | undefined {
    const value = this.inputs[index];
    if (value !== undefined && value.kind !== "constant") {
      throw this.structureError(
        `input ${index} is computed by the model`,
        "Weights, shapes and other parameters must be constants: export the model for inference, with folded constants.",
      );
    }
    return value;
  }

  /** Input `index` as a constant that must be given. */
  requiredConstant(index: number): Constant {
    const constant = this.constant(index);
    if (constant === undefined) {
      throw this.shapeError(`has no input ${index}`);
    }
    return constant;
  }

  /** Input `index` as float data; quantised constants are none. */
  floatConstant(index: number, shape: readonly number[]): Float32Array {
    const { data, shape: given, quantization } = this.requiredConstant(index);
    if (!(data instanceof Float32Array) || quantization !== undefined) {
      throw this.structureError(`input ${index} is not float32`, "Export the model with float32 weights.");
    }
    if (given.join() !== shape.join()) {
      throw this.shapeError(
        `input ${index} has the shape [${given.join(", ")}] instead of [${shape.join(", ")}]`,
      );
    }
    return data;
  }

  /** Integers of input `index` (a shape, axes); undefined when it is not given. */
  integers(index: number): number[] | undefined {
    const constant = this.constant(index);
    if (constant === undefined) {
      return undefined;
    }
    if (constant.data.length > MAX_RANK * 2 || constant.type === "float32") {
      throw this.shapeError(`input ${index} is not a short list of integers`);
    }
    return numbersOf(constant);
  }

  /** A dimension number of a tensor of rank `rank`, counted from the end when negative. */
  axis(value: number, rank: number, name = "axis"): number {
    const axis = value < 0 ? value + rank : value;
    if (!Number.isSafeInteger(axis) || axis < 0 || axis >= rank) {
      throw this.attributeError(name, value, `${-rank} to ${rank - 1}`);
    }
    return axis;
  }

  /** A new activation for the node's output. */
  output(shape: readonly number[], order: readonly number[], name = this.node.outputs[0] ?? ""): Activation {
    if (shape.length > MAX_RANK || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
      throw this.shapeError(`its output would have the shape [${shape.join(", ")}]`);
    }
    const tensor = this.builder.activation(heldShape(shape, order), name);
    return { kind: "activation", tensor, shape, order };
  }

  /** The same elements under another name, for what is the same tensor in the graph. */
  renamed(value: Activation, shape: readonly number[], order: readonly number[]): Activation {
    return { kind: "activation", tensor: value.tensor, shape, order };
  }

  /** `value` in `order`: as it is, or moved by a reshape that only shifts dimensions of size 1. */
  inOrder(value: Activation, order: readonly number[]): Activation {
    if (value.elements === undefined && value.order.join() === order.join()) {
      return value;
    }
    if (value.elements !== undefined) {
      throw this.structureError(
        `needs a tensor of shape [${value.shape.join(", ")}] as the model has it, but it is a flattened image`,
        "Flatten an image before a dense layer only.",
      );
    }
    if (!sameLayout(value.shape, value.order, order)) {
      const output = this.output(value.shape, order);
      const permutation = heldList(
        order.map((axis) => heldAxis(value.order, axis)),
        plainOrder(order.length),
        2,
      );
      if (permutation.length > 4) {
        throw this.structureError(
          `transposes ${value.shape.length} dimensions`,
          "Up to 4 dimensions are supported.",
        );
      }
      this.builder.add({ kind: "Transpose", input: value.tensor, output: output.tensor, permutation });
      this.keepNotes(value, output);
      return output;
    }
    return this.reshaped(value, value.shape, order);
  }

  channelsLast(value: Activation): Activation {
    return this.inOrder(value, channelsLastOrder(value.shape.length));
  }

  plain(value: Activation): Activation {
    return this.inOrder(value, plainOrder(value.shape.length));
  }

  /** The held elements of `value` in the same sequence, as another shape. */
  reshaped(value: Activation, shape: readonly number[], order: readonly number[]): Activation {
    const from = heldShape(value.shape, value.order);
    const to = heldShape(shape, order);
    if (elementCount(from) !== elementCount(to)) {
      throw this.shapeError(`reshapes [${value.shape.join(", ")}] to [${shape.join(", ")}]`);
    }
    if (from.join() === to.join()) {
      return this.renamed(value, shape, order);
    }
    const output = this.output(shape, order);
    this.builder.add({ kind: "Reshape", input: value.tensor, output: output.tensor });
    this.keepNotes(value, output);
    return output;
  }

  /** What is known of how `from` is held in int8 holds for `to` as well: it has the same numbers. */
  keepNotes(from: Activation, to: Activation): void {
    const known = this.notes.of(from.tensor);
    if (known !== undefined) {
      this.notes.note(to.tensor, known, this.where);
    }
  }
}

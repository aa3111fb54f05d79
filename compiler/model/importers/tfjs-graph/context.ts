/**
 * One node of a TensorFlow graph (as tensorflowjs_converter writes it) while it is imported: its attributes and inputs, read
 * with checks whose errors name the node. It knows no operation (`operations.ts` does).
 */
import { elementCount } from "../../graph.js";
import type { GraphBuilder } from "../../import-tfjs-context.js";
import { numbersOf, type Constant } from "../constants.js";
import { heldShape, plainOrder } from "../layout.js";
import { MAX_RANK } from "../limits.js";
import { NodeErrors } from "../node-context.js";
import type { GraphNode } from "./files.js";

/** A tensor that the graph computes, channels-last as TensorFlow has it. */
export interface Activation {
  readonly kind: "activation";
  readonly tensor: number;
  readonly shape: readonly number[];
  /** Set between SpaceToBatchND and BatchToSpaceND, which surround a dilated convolution; `shape` is that of the source. */
  readonly blocks?: { readonly sizes: readonly number[]; readonly before: readonly number[] };
}

export type Value = Activation | (Constant & { readonly kind: "constant" });

/** The shape in the graph: rank 3 is held as an image of width 1. */
export const held = (shape: readonly number[]): number[] => heldShape(shape, plainOrder(shape.length));

export class TfNode extends NodeErrors {
  constructor(
    builder: GraphBuilder,
    model: string,
    readonly node: GraphNode,
    readonly inputs: readonly Value[],
  ) {
    super(builder, model, node.name, node.op);
  }

  text(name: string, otherwise: string): string {
    const value = this.node.attr[name]?.s;
    return value === undefined ? otherwise : Buffer.from(value, "base64").toString("latin1");
  }

  texts(name: string): string[] {
    return (this.node.attr[name]?.list?.s ?? []).map((s) => Buffer.from(s, "base64").toString("latin1"));
  }

  ints(name: string): number[] | undefined {
    return this.node.attr[name]?.list?.i?.map(Number);
  }

  int(name: string, otherwise: number): number {
    return Number(this.node.attr[name]?.i ?? otherwise);
  }

  float(name: string, otherwise: number): number {
    return this.node.attr[name]?.f ?? otherwise;
  }

  bool(name: string, otherwise: boolean): boolean {
    return this.node.attr[name]?.b ?? otherwise;
  }

  requireFalse(name: string): void {
    if (this.bool(name, false)) {
      throw this.attributeError(name, true, "false");
    }
  }

  /** [1, height, width, 1] → [height, width]. */
  window(name: string): [number, number] {
    const list = this.ints(name) ?? [1, 1, 1, 1];
    const [batch, height = 0, width = 0, channels] = list;
    const good = list.length === 4 && list.every((v) => Number.isSafeInteger(v) && v >= 1);
    if (!good || batch !== 1 || channels !== 1) {
      throw this.attributeError(name, list, "[1, height, width, 1]");
    }
    return [height, width];
  }

  value(index: number): Value {
    const value = this.inputs[index];
    if (value === undefined) {
      throw this.shapeError(`has no input ${index}`);
    }
    return value;
  }

  activation(index: number, rank?: number): Activation {
    const value = this.value(index);
    if (value.kind !== "activation") {
      throw this.structureError(`input ${index} is a constant`, "Let the converter fold constants.");
    }
    if (value.blocks !== undefined) {
      throw this.structureError(
        "reads a tensor between SpaceToBatchND and BatchToSpaceND",
        "The two are supported around a dilated convolution.",
      );
    }
    if (rank !== undefined && value.shape.length !== rank) {
      throw this.shapeError(`takes ${rank} dimensions, but gets [${value.shape.join(", ")}]`);
    }
    return value;
  }

  constant(index: number): Constant {
    const value = this.value(index);
    if (value.kind !== "constant") {
      throw this.structureError(
        `input ${index} is computed by the model`,
        "Weights and parameters must be constants: convert a frozen model with a fixed input shape.",
      );
    }
    return value;
  }

  /** Float data of a constant with `rank` dimensions. */
  weights(index: number, rank: number): { shape: readonly number[]; data: Float32Array } {
    const { shape, data } = this.constant(index);
    if (shape.length !== rank || !(data instanceof Float32Array)) {
      throw this.shapeError(
        `input ${index} has the shape [${shape.join(", ")}] instead of ${rank} dimensions`,
      );
    }
    return { shape, data };
  }

  /** A short list of integers. */
  integers(index: number): number[] {
    const constant = this.constant(index);
    if (constant.data.length > 2 * MAX_RANK || constant.type === "float32") {
      throw this.shapeError(`input ${index} is not a short list of integers`);
    }
    return numbersOf(constant);
  }

  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value;
    if (!Number.isSafeInteger(axis) || axis < 0 || axis >= rank) {
      throw this.attributeError("axis", value, `${-rank} to ${rank - 1}`);
    }
    return axis;
  }

  output(shape: readonly number[]): Activation {
    if (shape.length > MAX_RANK || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
      throw this.shapeError(`its output would have the shape [${shape.join(", ")}]`);
    }
    return { kind: "activation", tensor: this.builder.activation(held(shape), this.name), shape };
  }

  /** The same elements in another shape. */
  reshaped(value: Activation, shape: readonly number[]): Activation {
    if (elementCount(value.shape) !== elementCount(shape)) {
      throw this.shapeError(`reshapes [${value.shape.join(", ")}] to [${shape.join(", ")}]`);
    }
    if (held(value.shape).join() === held(shape).join()) {
      return { ...value, shape };
    }
    const output = this.output(shape);
    this.builder.add({ kind: "Reshape", input: value.tensor, output: output.tensor });
    return output;
  }
}

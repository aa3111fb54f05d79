/**
 * A model's layers while passes rewrite them. Layers work on bytes and know their own shapes, so a tensor may stand for
 * another one with the same bytes in another shape. Passes keep every bit of every tensor that remains.
 */
import { elementCount, tensorAt, type Graph, type Tensor } from "../graph.js";
import { layerInputs, type Layer } from "../layers.js";

/** One thing that a pass did. */
export interface PassChange {
  /** "padding merged" … */
  readonly pass: string;
  /** The operator that is not computed any more, or not as it stands. */
  readonly operator: number;
  /** The operator that does its work now; undefined when nothing has to be done. */
  readonly into: number | undefined;
}

/** `layer` with other input tensors. */
export function withInputs(layer: Layer, place: (tensor: number) => number): Layer {
  if ("inputs" in layer) {
    return { ...layer, inputs: layer.inputs.map(place) };
  }
  if ("left" in layer) {
    return { ...layer, left: place(layer.left), right: place(layer.right) };
  }
  return { ...layer, input: place(layer.input) };
}

export class Program {
  readonly tensors: Tensor[];
  layers: Layer[];
  outputs: number[];
  readonly changes: PassChange[] = [];
  /** By tensor that is not computed any more: the tensor that holds its bytes. */
  private readonly holders = new Map<number, number>();

  constructor(
    readonly graph: Graph,
    layers: readonly Layer[],
  ) {
    this.tensors = [...graph.tensors];
    this.layers = [...layers];
    this.outputs = [...graph.outputs];
  }

  /** The tensor that holds the bytes of `tensor`. */
  holder(tensor: number): number {
    let at = tensor;
    for (let next = this.holders.get(at); next !== undefined; next = this.holders.get(at)) {
      at = next;
    }
    return at;
  }

  /** The constant bytes of a tensor, if it has them. */
  constant(tensor: number): Int8Array | undefined {
    const { data } = this.tensors[tensor] ?? tensorAt(this.graph, tensor);
    return data instanceof Int8Array ? data : undefined;
  }

  size(tensor: number): number {
    return elementCount(tensorAt(this.graph, tensor).shape);
  }

  producer(tensor: number): Layer | undefined {
    return this.layers.find((layer) => layer.output === tensor);
  }

  /** The layers that read a tensor, each once. */
  readers(tensor: number): Layer[] {
    return this.layers.filter((layer) => layerInputs(layer).includes(tensor));
  }

  isOutput(tensor: number): boolean {
    return this.outputs.includes(tensor);
  }

  /** The only layer that reads the tensor, if nothing else needs it. */
  soleReader(tensor: number): Layer | undefined {
    const [first, ...rest] = this.readers(tensor);
    return rest.length === 0 && !this.isOutput(tensor) ? first : undefined;
  }

  /**
   * Whether `tensor` may be `holder` from now on: an output of the model needs memory that the model writes, so it can be
   * neither a constant nor an input.
   */
  mayStandFor(tensor: number, holder: number): boolean {
    return (
      !this.isOutput(tensor) || (this.constant(holder) === undefined && !this.graph.inputs.includes(holder))
    );
  }

  /** Removes `layer`: its output has the bytes of `holder`. */
  replaceBy(layer: Layer, holder: number, pass: string, into?: number): void {
    this.holders.set(layer.output, holder);
    this.layers = this.layers
      .filter((one) => one !== layer)
      .map((one) =>
        layerInputs(one).includes(layer.output)
          ? withInputs(one, (tensor) => (tensor === layer.output ? holder : tensor))
          : one,
      );
    this.outputs = this.outputs.map((tensor) => (tensor === layer.output ? holder : tensor));
    this.changes.push({ pass, operator: layer.operator, into });
  }

  /** Puts `by` in the place of `layer`. */
  exchange(layer: Layer, by: Layer): void {
    this.layers = this.layers.map((one) => (one === layer ? by : one));
  }

  /** Removes `layer`, whose output nothing reads any more. */
  remove(layer: Layer, pass: string, into?: number): void {
    this.layers = this.layers.filter((one) => one !== layer);
    this.changes.push({ pass, operator: layer.operator, into });
  }

  /** Tensors that are not computed any more, with the tensors that hold their bytes, where those still are. */
  standIns(): ReadonlyMap<number, number> {
    const there = new Set([...this.graph.inputs, ...this.layers.map(({ output }) => output)]);
    return new Map(
      [...this.holders.keys()]
        .map((tensor) => [tensor, this.holder(tensor)] as const)
        .filter(([, holder]) => there.has(holder) || this.constant(holder) !== undefined),
    );
  }
}

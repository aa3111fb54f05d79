/**
 * Executes an int8 model on Node.js: the same layers, arithmetic and memory plan as the generated C, bit for bit.
 * Used by the host runtime for `model.infer` and by `tmc model run`. For float models there is nothing here.
 */
import { tensorAt, type Graph } from "./graph.js";
import type { Layer } from "./layers.js";
import { lower } from "./lower.js";
import { planMemory, type MemoryPlan } from "./plan.js";
import { elementwise, lookup } from "./reference/elementwise.js";
import { move, reduce, resize } from "./reference/movement.js";
import { add, conv2D, depthwiseConv2D, fullyConnected, pool, softmax } from "./reference/kernels.js";

/** Called after each operator with its number, the number of the tensor it wrote, and a view of that tensor. */
export type LayerCallback = (operator: number, tensor: number, data: Int8Array) => void;

export class ModelRuntime {
  readonly graph: Graph;
  readonly layers: readonly Layer[];
  readonly plan: MemoryPlan;
  /** Set to watch layers; the data must be copied to be kept. */
  onLayer: LayerCallback | undefined;
  private readonly arena: Int8Array;

  /** Throws UserError TMC30xx when the graph is not an int8 model that can be executed exactly. */
  constructor(graph: Graph) {
    this.graph = graph;
    this.layers = lower(graph);
    this.plan = planMemory(graph, this.layers);
    this.arena = new Int8Array(this.plan.arenaBytes);
  }

  get inputCount(): number {
    return this.graph.inputs.length;
  }
  get outputCount(): number {
    return this.graph.outputs.length;
  }

  /** Input tensor `i` (NHWC); write it before each invoke(): its memory may hold other tensors in between. */
  input(i: number): Int8Array {
    return this.view(endOf(this.graph.inputs, i, "input"));
  }

  /** Output tensor `i`; valid from invoke() until an input is written. */
  output(i: number): Int8Array {
    return this.view(endOf(this.graph.outputs, i, "output"));
  }

  /** One inference. Takes time, allocates nothing large, cannot fail. */
  invoke(): void {
    for (const layer of this.layers) {
      executeLayer(layer, (tensor) => this.view(tensor));
      this.onLayer?.(layer.operator, layer.output, this.view(layer.output));
    }
  }

  /** The memory of a tensor: a view of the arena, or a constant. */
  private view(tensor: number): Int8Array {
    const placement = this.plan.placements.get(tensor);
    if (placement !== undefined) {
      return this.arena.subarray(placement.offset, placement.offset + placement.bytes);
    }
    const data = tensorAt(this.graph, tensor).data;
    if (!(data instanceof Int8Array)) {
      throw new Error(`tensor ${tensor} of model "${this.graph.name}" has no memory`);
    }
    return data;
  }
}

/** Computes one layer with the reference kernels; `view` gives the memory of a tensor. */
export function executeLayer(layer: Layer, view: (tensor: number) => Int8Array): void {
  const output = view(layer.output);
  switch (layer.kind) {
    case "Conv2D":
      return conv2D(layer, view(layer.input), output);
    case "DepthwiseConv2D":
      return depthwiseConv2D(layer, view(layer.input), output);
    case "FullyConnected":
      return fullyConnected(layer, view(layer.input), output);
    case "Add":
      return add(layer, view(layer.left), view(layer.right), output);
    case "Elementwise":
      return elementwise(layer, view(layer.left), view(layer.right), output);
    case "Lookup":
      return lookup(layer, view(layer.input), output);
    case "MaxPool2D":
    case "AveragePool2D":
      return pool(layer, view(layer.input), output);
    case "Reshape":
      output.set(view(layer.input));
      return;
    case "Softmax":
      return softmax(layer, view(layer.input), output);
    case "Move":
      return move(layer, layer.inputs.map(view), output);
    case "Resize":
      return resize(layer, view(layer.input), output);
    case "Reduce":
      return reduce(layer, view(layer.input), output);
  }
}

function endOf(tensors: readonly number[], i: number, what: string): number {
  const tensor = tensors[i];
  if (tensor === undefined) {
    throw new RangeError(`the model has ${tensors.length} ${what} tensors; there is no ${what} ${i}`);
  }
  return tensor;
}

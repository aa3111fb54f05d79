/**
 * Executes an int8 model on Node.js: the same layers, arithmetic and memory plan as the generated C, bit for bit.
 * Tensors are seen as bytes, of int16 models too (`elements`). Used by the host runtime for `model.infer` and by `tmc model run`. For float models there is nothing here.
 */
import { tensorAt, type Graph } from "./graph.js";
import type { Layer } from "./layers.js";
import { lower } from "./lower.js";
import { planMemory, type MemoryPlan } from "./plan.js";
import { elementwise, lookup } from "./reference/elementwise.js";
import { move, reduce, resize } from "./reference/movement.js";
import {
  wideConv2D,
  wideDepthwiseConv2D,
  wideFullyConnected,
  widePool,
  wideSigmoid,
  wideSoftmax,
} from "./reference/wide.js";
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
    if (data instanceof Int16Array) {
      return new Int8Array(data.buffer, data.byteOffset, data.byteLength);
    }
    if (!(data instanceof Int8Array)) {
      throw new Error(`tensor ${tensor} of model "${this.graph.name}" has no memory`);
    }
    return data;
  }
}

/** The bytes of an int16 tensor as elements, low byte first on every host we run on. */
export function elements(bytes: Int8Array): Int16Array {
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
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
      return layer.wide
        ? elementwise(layer, elements(view(layer.left)), elements(view(layer.right)), elements(output))
        : elementwise(layer, view(layer.left), view(layer.right), output);
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
    case "WideConv2D":
      return wideConv2D(layer, elements(view(layer.input)), elements(output));
    case "WideDepthwiseConv2D":
      return wideDepthwiseConv2D(layer, elements(view(layer.input)), elements(output));
    case "WideFullyConnected":
      return wideFullyConnected(layer, elements(view(layer.input)), elements(output));
    case "WideMaxPool2D":
    case "WideAveragePool2D":
      return widePool(layer, elements(view(layer.input)), elements(output));
    case "WideLogistic":
    case "WideTanh":
      return wideSigmoid(layer, elements(view(layer.input)), elements(output));
    case "WideSoftmax":
      return wideSoftmax(layer, elements(view(layer.input)), elements(output));
  }
}

function endOf(tensors: readonly number[], i: number, what: string): number {
  const tensor = tensors[i];
  if (tensor === undefined) {
    throw new RangeError(`the model has ${tensors.length} ${what} tensors; there is no ${what} ${i}`);
  }
  return tensor;
}

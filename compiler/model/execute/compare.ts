/** Finds where two inferences of one model part: the first layer in execution order, then the first element. */
import { describeOperator, tensorAt, type Graph } from "../graph.js";
import type { Inference } from "./inference.js";

export interface Difference {
  /** `operator 3 (Conv2D), tensor 25 "conv"` or `output 0`. */
  readonly place: string;
  /** Undefined for an output of the model. */
  readonly operator: number | undefined;
  readonly element: number;
  /** `[0, 3, 1, 7]` */
  readonly position: readonly number[];
  readonly left: number | undefined;
  readonly right: number | undefined;
  /** How many elements of the tensor differ. */
  readonly count: number;
  readonly of: number;
}

/** Undefined when both are equal on every layer that both have, and on every output. */
export function firstDifference(graph: Graph, left: Inference, right: Inference): Difference | undefined {
  const others = new Map(right.layers.map((layer) => [`${layer.operator} ${layer.tensor}`, layer]));
  for (const layer of left.layers) {
    // A compiled model can do without some tensors: those that it shows are compared.
    const other = others.get(`${layer.operator} ${layer.tensor}`);
    const difference = other === undefined ? undefined : differ(graph, layer.tensor, layer.data, other.data);
    if (difference !== undefined) {
      return {
        ...difference,
        place: layerPlace(graph, layer.operator, layer.tensor),
        operator: layer.operator,
      };
    }
  }
  for (const [i, tensor] of graph.outputs.entries()) {
    const difference = differ(graph, tensor, left.outputs[i], right.outputs[i]);
    if (difference !== undefined) {
      return { ...difference, place: `output ${i}`, operator: undefined };
    }
  }
  return undefined;
}

export function layerPlace(graph: Graph, operator: number, tensor: number): string {
  const name = graph.tensors[tensor]?.name ?? "";
  return `${describeOperator(graph, operator)}, tensor ${tensor}${name === "" ? "" : ` "${name}"`}`;
}

/** Where two versions of a tensor differ. */
export function differ(
  graph: Graph,
  tensor: number,
  left: Int8Array | undefined,
  right: Int8Array | undefined,
): Omit<Difference, "place" | "operator"> | undefined {
  const length = Math.max(left?.length ?? 0, right?.length ?? 0);
  let first = -1;
  let count = 0;
  for (let i = 0; i < length; i++) {
    if (left?.[i] !== right?.[i]) {
      first = first < 0 ? i : first;
      count++;
    }
  }
  if (first < 0) {
    return undefined;
  }
  return {
    element: first,
    position: positionOf(first, tensorAt(graph, tensor).shape),
    left: left?.[first],
    right: right?.[first],
    count,
    of: length,
  };
}

/** Row-major index to coordinates. */
function positionOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return [...shape]
    .reverse()
    .map((dimension) => {
      const at = rest % dimension;
      rest = Math.floor(rest / dimension);
      return at;
    })
    .reverse();
}

/** `operator 3 (…), element 17 at [0, 1, 2]: 5 on node, 6 on host (12 of 400 differ)`. */
export function describeDifference(difference: Difference, leftName: string, rightName: string): string {
  const { place, element, position, left, right, count, of } = difference;
  const shown = (value: number | undefined): string => (value === undefined ? "nothing" : String(value));
  return `${place}, element ${element} at [${position.join(", ")}]: ${shown(left)} ${leftName}, ${shown(right)} ${rightName} (${count} of ${of} differ)`;
}

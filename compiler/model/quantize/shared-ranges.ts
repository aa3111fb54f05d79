/**
 * Tensors that must have one scale and zero point, because an operator between them copies without rescaling: their
 * common range covers what each of them holds. Which parameters follow from a range is `parameters.ts`'s business.
 */
import { activationInputs, type Graph, type Operator } from "../graph.js";
import type { Range } from "./calibrate.js";

/** Whether the output has the parameters of the inputs. */
export function keepsParameters(operator: Operator): boolean {
  switch (operator.kind) {
    case "MaxPool2D":
    case "AveragePool2D":
    case "Maximum":
    case "Minimum":
    case "Relu6": // TFLite Micro's kernel does not rescale
    case "Reshape":
    case "Concatenation":
    case "Pad":
    case "Slice":
    case "Transpose":
    case "ResizeNearestNeighbor":
    case "ReduceMax":
    case "ReduceMin":
      return true;
    default:
      return false;
  }
}

function union(a: Range | undefined, b: Range): Range {
  return a === undefined ? b : { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}

/**
 * By tensor: the range that covers every tensor that it shares parameters with. `ranges` are those of calibration;
 * constants have none and are looked at, as is a value that pads. `clamp` gives what a fused activation leaves of a range.
 */
export function sharedRanges(
  graph: Graph,
  ranges: readonly (Range | undefined)[],
  clamp: (range: Range, operator: Operator) => Range,
): (Range | undefined)[] {
  const parent = graph.tensors.map((_, index) => index);
  const find = (index: number): number => {
    let at = index;
    for (let up = parent[at] ?? at; up !== at; up = parent[at] ?? at) {
      at = up;
    }
    return at;
  };
  const covered: (Range | undefined)[] = graph.tensors.map(() => undefined);
  const cover = (index: number, range: Range | undefined): void => {
    if (range !== undefined) {
      covered[index] = union(covered[index], range);
    }
  };
  graph.inputs.forEach((index) => cover(index, ranges[index]));
  for (const operator of graph.operators) {
    const range = ranges[operator.output];
    if (!keepsParameters(operator)) {
      cover(operator.output, range === undefined ? undefined : clamp(range, operator));
      continue;
    }
    for (const input of activationInputs(operator)) {
      parent[find(input)] = find(operator.output);
      const data = graph.tensors[input]?.data;
      if (data instanceof Float32Array) {
        cover(input, {
          low: data.reduce((a, b) => Math.min(a, b), 0),
          high: data.reduce((a, b) => Math.max(a, b), 0),
        });
      }
    }
    if (operator.kind === "Pad" && operator.value !== undefined && Number.isFinite(operator.value)) {
      cover(operator.output, { low: operator.value, high: operator.value });
    }
  }
  const groups: (Range | undefined)[] = graph.tensors.map(() => undefined);
  covered.forEach((range, index) => {
    if (range !== undefined) {
      groups[find(index)] = union(groups[find(index)], range);
    }
  });
  return graph.tensors.map((_, index) => groups[find(index)]);
}

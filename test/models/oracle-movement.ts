/**
 * The second implementation of operators that move or reduce data: one output element at a time, by its coordinates and
 * nothing else.
 */
import { tensorAt, type Graph } from "../../compiler/model/graph.js";
import type { Movement, Reduction } from "../../compiler/model/graph-movement.js";
import { fixed, scale, scaled, wrap, zero } from "./oracle-arithmetic.js";

type Coordinates = readonly number[];

function coordinates(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size;
      rest = (rest - at) / size;
      return at;
    })
    .toReversed();
}

function indexOf(at: Coordinates, shape: readonly number[]): number {
  return shape.reduce((index, size, d) => index * size + (at[d] ?? 0), 0);
}

const product = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

export function movement(
  graph: Graph,
  operator: Movement | Reduction,
  get: (tensor: number) => Int8Array,
): Int8Array {
  const { shape } = tensorAt(graph, operator.output);
  return Int8Array.from({ length: product(shape) }, (_, index) => {
    const at = coordinates(index, shape);
    return "axes" in operator
      ? reduced(graph, operator, at, index, get(operator.input))
      : moved(graph, operator, at, index, get);
  });
}

function moved(
  graph: Graph,
  operator: Movement,
  at: Coordinates,
  index: number,
  get: (tensor: number) => Int8Array,
): number {
  if (operator.kind === "Concatenation") {
    let position = at[operator.axis] ?? 0;
    for (const tensor of operator.inputs) {
      const { shape } = tensorAt(graph, tensor);
      const size = shape[operator.axis] ?? 0;
      if (position < size) {
        return get(tensor)[indexOf(at.with(operator.axis, position), shape)] ?? NaN;
      }
      position -= size;
    }
    return NaN;
  }
  const { shape } = tensorAt(graph, operator.input);
  const from = (place: Coordinates): number => get(operator.input)[indexOf(place, shape)] ?? NaN;
  switch (operator.kind) {
    case "Pad": {
      const place = at.map((position, d) => position - (operator.before[d] ?? 0));
      const inside = place.every((position, d) => position >= 0 && position < (shape[d] ?? 0));
      return inside ? from(place) : (operator.value ?? Number(zero(tensorAt(graph, operator.output))));
    }
    case "Slice": {
      const inSlice = coordinates(index, operator.sizes);
      return from(
        inSlice.map((position, d) => (operator.begin[d] ?? 0) + position * (operator.strides[d] ?? 1)),
      );
    }
    case "Transpose":
      return from(shape.map((_, d) => at[operator.permutation.indexOf(d)] ?? 0));
    case "ResizeNearestNeighbor": {
      const sizes = tensorAt(graph, operator.output).shape;
      const nearest = (position: number, input: number, output: number): number => {
        const corners = operator.alignCorners && output > 1;
        const ratio = corners ? Math.fround((input - 1) / (output - 1)) : Math.fround(input / output);
        const exact = Math.fround((position + (operator.halfPixelCenters ? 0.5 : 0)) * ratio);
        return Math.min(operator.alignCorners ? Math.floor(exact + 0.5) : Math.floor(exact), input - 1);
      };
      const [n = 0, y = 0, x = 0, c = 0] = at;
      const row = nearest(y, shape[1] ?? 1, sizes[1] ?? 1);
      return from([n, row, nearest(x, shape[2] ?? 1, sizes[2] ?? 1), c]);
    }
  }
}

function reduced(
  graph: Graph,
  { kind, input, output, axes }: Reduction,
  at: Coordinates,
  index: number,
  data: Int8Array,
): number {
  const { shape } = tensorAt(graph, input);
  const kept = shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const place = coordinates(
    index,
    kept.map((d) => shape[d] ?? 1),
  );
  const values = [...data].filter((_, i) => {
    const own = coordinates(i, shape);
    return kept.every((d, k) => own[d] === place[k]);
  });
  if (kind === "ReduceMax" || kind === "ReduceMin") {
    return kind === "ReduceMax" ? Math.max(...values) : Math.min(...values);
  }
  const [from, to] = [tensorAt(graph, input), tensorAt(graph, output)];
  const sum = values.reduce((total, value) => total + BigInt(value) - zero(from), 0n);
  const { multiplier, shift } = fixed(scale(from) / scale(to));
  // A mean divides the multiplier, with as many more bits as the count has.
  const bits = kind === "Sum" ? 0 : Math.min(values.length.toString(2).length - 1, 31 + shift);
  const divided = kind === "Sum" ? multiplier : (multiplier << BigInt(bits)) / BigInt(values.length);
  const result = wrap(scaled(sum, { multiplier: divided, shift: shift - bits }) + zero(to));
  return Math.max(-128, Math.min(127, Number(result)));
}

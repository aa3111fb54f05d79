/** Random operators that move or reduce data, for the builder of random graphs: shapes of up to 5 dimensions, extremes. */
import type { Quantization } from "../../compiler/model/graph.js";
import type { GraphBuilder } from "./random-graphs.js";

export const movementKinds = ["concatenation", "pad", "slice", "transpose", "resize", "reduce"] as const;
export type MovementKind = (typeof movementKinds)[number];

const none: Quantization = { scales: [1], zeroPoints: [0], axis: 0 };

/** A shape with few elements, sometimes of many dimensions. */
function anyShape(b: GraphBuilder): number[] {
  const rank = b.random.pick([1, 2, 3, 4, 4, 5]);
  return [1, ...Array.from({ length: rank }, () => b.random.int(1, rank > 3 ? 4 : 9))];
}

function sameAs(b: GraphBuilder, input: number, shape: readonly number[]): number {
  return b.tensor(shape, b.tensors[input]?.quantization ?? none);
}

/** One operator of the kind on a new input, or on `given` where its shape allows any. */
export function addMovement(b: GraphBuilder, kind: MovementKind, given?: number): number {
  const { random } = b;
  const input = given ?? b.input(kind === "resize" ? [1, ...threeSizes(b)] : anyShape(b));
  const shape = b.shapeOf(input);
  switch (kind) {
    case "concatenation": {
      const axis = random.int(1, shape.length - 1);
      const inputs = Array.from({ length: random.int(0, 3) }, () => {
        const other = random.chance(0.2) ? input : sameAs(b, input, shape.with(axis, random.int(1, 6)));
        if (other !== input) {
          b.inputs.push(other);
        }
        return other;
      }).toSpliced(random.int(0, 3), 0, input);
      const size = inputs.reduce((sum, tensor) => sum + (b.shapeOf(tensor)[axis] ?? 0), 0);
      const output = sameAs(b, input, shape.with(axis, size));
      b.operators.push({ kind: "Concatenation", inputs, output, axis });
      return output;
    }
    case "pad": {
      const image = random.chance(0.5);
      const amounts = (): number[] =>
        shape.map((_, d) => (d === 0 || (image && d === shape.length - 1) ? 0 : random.int(0, 3)));
      const [before, after] = [amounts(), amounts()];
      const output = sameAs(
        b,
        input,
        shape.map((size, d) => size + (before[d] ?? 0) + (after[d] ?? 0)),
      );
      const value = random.pick([undefined, undefined, -128, 127, random.int(-128, 127)]);
      b.operators.push({ kind: "Pad", input, output, before, after, value });
      return output;
    }
    case "slice": {
      const strides = shape.map(() => random.pick([1, 1, 1, 2, 3, -1, -2]));
      const begin = shape.map((size) => random.int(0, size - 1));
      const sizes = shape.map((size, d) => {
        const [first = 0, stride = 1] = [begin[d], strides[d]];
        return random.int(1, Math.floor((stride > 0 ? size - 1 - first : first) / Math.abs(stride)) + 1);
      });
      const kept = random.chance(0.3) ? sizes.filter((size, d) => d === 0 || size > 1) : sizes;
      const output = sameAs(b, input, kept);
      b.operators.push({ kind: "Slice", input, output, begin, sizes, strides });
      return output;
    }
    case "transpose": {
      const permutation = shape.map((_, d) => d);
      for (let i = permutation.length - 1; i > 1; i--) {
        const j = random.int(1, i);
        const [a = 0, c = 0] = [permutation[i], permutation[j]];
        permutation[i] = c;
        permutation[j] = a;
      }
      const output = sameAs(
        b,
        input,
        permutation.map((d) => shape[d] ?? 1),
      );
      b.operators.push({ kind: "Transpose", input, output, permutation });
      return output;
    }
    case "resize": {
      const [, height = 1, width = 1, channels = 1] = shape;
      const size = (from: number): number => random.pick([from * random.int(1, 3), random.int(1, 9)]);
      const output = sameAs(b, input, [1, size(height), size(width), channels]);
      const [alignCorners, halfPixelCenters] = random.pick([
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const);
      b.operators.push({ kind: "ResizeNearestNeighbor", input, output, alignCorners, halfPixelCenters });
      return output;
    }
    case "reduce": {
      const reduction = random.pick(["Mean", "Mean", "Sum", "ReduceMax", "ReduceMin"] as const);
      const some = shape.map((_, d) => d).filter((d) => d > 0 && random.chance(0.5));
      const axes = some.length === 0 ? [shape.length - 1] : some;
      const keep = random.chance(0.5);
      const reducedShape = shape.flatMap((size, d) => (axes.includes(d) ? (keep ? [1] : []) : [size]));
      const rescales = reduction === "Mean" || reduction === "Sum";
      const scale = Math.fround(b.scaleOf(input) * 2 ** random.int(-6, 9) * (1 + random.unit()));
      const output = rescales
        ? b.tensor(reducedShape, { scales: [scale], zeroPoints: [b.zeroPoint()], axis: 0 })
        : sameAs(b, input, reducedShape);
      b.operators.push({ kind: reduction, input, output, axes });
      return output;
    }
  }
}

function threeSizes(b: GraphBuilder): number[] {
  return [b.random.int(1, 7), b.random.int(1, 7), b.random.int(1, 5)];
}

/** The normative kernels that copy and reduce, on Node.js: the same order and arithmetic as `runtime-c/kernels`. */
import type { Axis, Loop, Move, MoveLayer, ReduceLayer, ResizeLayer } from "../layers-movement.js";
import { multiplyByQuantizedMultiplier } from "./arithmetic.js";

/** `output` must not overlap an input. */
export function move(layer: MoveLayer, inputs: readonly Int8Array[], output: Int8Array): void {
  if (layer.fill !== undefined) {
    output.fill(layer.fill);
  }
  copyMoves(layer.moves, inputs, output);
}

type Elements = Int8Array | Float32Array;

/** The moves alone, of elements of any type. */
export function copyMoves(moves: readonly Move[], inputs: readonly Elements[], output: Elements): void {
  for (const { input, from, to, run, loops } of moves) {
    const source = inputs[input] ?? [];
    everyTime(loops, from, to, (read, write) => {
      for (let i = 0; i < run; i++) {
        output[write + i] = source[read + i] ?? 0;
      }
    });
  }
}

function everyTime(
  [outer, ...inner]: readonly Loop[],
  from: number,
  to: number,
  copy: (read: number, write: number) => void,
): void {
  if (outer === undefined) {
    copy(from, to);
    return;
  }
  for (let i = 0; i < outer.count; i++) {
    everyTime(inner, from + i * outer.from, to + i * outer.to, copy);
  }
}

export function resize(
  layer: Pick<ResizeLayer, "rows" | "columns" | "run">,
  input: Elements,
  output: Elements,
): void {
  let out = 0;
  for (const row of layer.rows) {
    for (const column of layer.columns) {
      for (let i = 0; i < layer.run; i++) {
        output[out++] = input[row + column + i] ?? 0;
      }
    }
  }
}

/** Every position that the nested axes reach, outermost first. */
export function positions(axes: readonly Axis[]): number[] {
  return axes.reduce<number[]>(
    (starts, { count, step }) =>
      starts.flatMap((start) => Array.from({ length: count }, (_, i) => start + i * step)),
    [0],
  );
}

export function reduce(layer: ReduceLayer, input: Int8Array, output: Int8Array): void {
  const inner = positions(layer.reduced);
  positions(layer.kept).forEach((start, out) => {
    let sum = layer.total;
    let least = 127;
    let greatest = -128;
    for (const position of inner) {
      const value = input[start + position] ?? 0;
      sum += value;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
    }
    if (layer.reduce === "sum") {
      const scaled = multiplyByQuantizedMultiplier(sum, layer.multiplier, layer.shift);
      output[out] = Math.min(Math.max((scaled + layer.outputOffset) | 0, -128), 127);
    } else {
      output[out] = layer.reduce === "max" ? greatest : least;
    }
  });
}

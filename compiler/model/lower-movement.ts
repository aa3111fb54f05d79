/**
 * Lowers the operators that copy elements: concatenation, padding, slicing, transposition, resizing. Each becomes nested
 * loops over runs of neighbouring elements, as few loops as its shapes allow.
 */
import { UserError } from "../diagnostics/user-error.js";
import { activationInputs, elementCount, tensorAt, type Graph, type Tensor } from "./graph.js";
import type {
  Concatenation,
  Movement,
  Pad,
  ResizeNearestNeighbor,
  Slice,
  Transpose,
} from "./graph-movement.js";
import { MAX_LOOPS, type Loop, type Move, type MoveLayer, type ResizeLayer } from "./layers-movement.js";
import { perTensor, shapeError, text } from "./lower-common.js";
import { roundHalfAway } from "./reference/arithmetic.js";

/** Elements from one index of each dimension to the next. */
export function stepsOf(shape: readonly number[]): number[] {
  const steps = shape.map(() => 1);
  for (let d = shape.length - 2; d >= 0; d--) {
    steps[d] = (steps[d + 1] ?? 1) * (shape[d + 1] ?? 1);
  }
  return steps;
}

/** @throws UserError TMC3012, TMC3013, TMC3021. */
export function lowerMovement(
  graph: Graph,
  operator: Movement,
  index: number,
  where: string,
): MoveLayer | ResizeLayer {
  const output = tensorAt(graph, operator.output);
  for (const tensor of activationInputs(operator)) {
    checkSameParameters(tensorAt(graph, tensor), output, where);
  }
  const common = { operator: index, output: operator.output };
  const plan = planMovement(graph, operator, where);
  if (operator.kind === "ResizeNearestNeighbor" && "rows" in plan) {
    return { kind: "Resize", ...common, input: operator.input, ...plan };
  }
  const pads = operator.kind === "Pad" && [...operator.before, ...operator.after].some((count) => count > 0);
  return {
    kind: "Move",
    ...common,
    what: operator.kind,
    inputs: activationInputs(operator),
    moves: "rows" in plan ? [] : plan,
    fill: pads ? (operator.value ?? perTensor(output, where).zeroPoint) : undefined,
    count: elementCount(output.shape),
  };
}

/** What the operator copies, from its shapes alone; types and quantisation do not matter. @throws UserError TMC3012, TMC3013. */
export function planMovement(
  graph: Pick<Graph, "name" | "tensors">,
  operator: Movement,
  where: string,
): readonly Move[] | Pick<ResizeLayer, "rows" | "columns" | "run"> {
  const output = tensorAt(graph, operator.output);
  if (operator.kind === "Concatenation") {
    return concatenation(graph, operator, output, where);
  }
  const input = tensorAt(graph, operator.input);
  switch (operator.kind) {
    case "Pad":
      return [padding(input, operator, output, where)];
    case "Slice":
      return [slice(input, operator, output, where)];
    case "Transpose":
      return [transposition(input, operator, output, where)];
    case "ResizeNearestNeighbor": {
      const resized = resize(input, operator, output, where);
      return "rows" in resized ? resized : [resized];
    }
  }
}

/** What copies does not rescale. @throws UserError TMC3021. */
export function checkSameParameters(input: Tensor, output: Tensor, where: string): void {
  const i = perTensor(input, where);
  const o = perTensor(output, where);
  if (i.scale !== o.scale || i.zeroPoint !== o.zeroPoint) {
    throw new UserError(
      "TMC3021",
      `${where}: the operator does not rescale, but its input "${input.name}" has scale ${i.scale}, zero point ${i.zeroPoint} and its output ${o.scale}, ${o.zeroPoint}`,
      "Quantise the model again with `tmc model quantize`, which gives such tensors equal parameters, or put a QUANTIZE before the operator.",
    );
  }
}

/** A move with neighbouring loops merged where both sides go on without a gap. */
export function mergedMove(
  dimensions: readonly Loop[],
  at: Omit<Move, "run" | "loops">,
  where: string,
): Move {
  const loops: Loop[] = [];
  for (const inner of dimensions.filter(({ count }) => count > 1)) {
    const outer = loops.at(-1);
    if (outer?.from === inner.from * inner.count && outer.to === inner.to * inner.count) {
      loops[loops.length - 1] = { ...inner, count: outer.count * inner.count };
    } else {
      loops.push(inner);
    }
  }
  const last = loops.at(-1);
  const contiguous = last?.from === 1 && last.to === 1;
  if (contiguous) {
    loops.pop();
  }
  if (loops.length > MAX_LOOPS) {
    throw new UserError(
      "TMC3012",
      `${where}: more than ${MAX_LOOPS} dimensions that change places are not supported`,
      "Reshape the tensor so that fewer dimensions remain.",
    );
  }
  return { ...at, run: contiguous ? last.count : 1, loops };
}

function concatenation(
  graph: Pick<Graph, "name" | "tensors">,
  { inputs, axis }: Concatenation,
  output: Tensor,
  where: string,
): Move[] {
  const to = stepsOf(output.shape);
  let done = 0;
  const moves = inputs.map((tensor, input) => {
    const { shape } = tensorAt(graph, tensor);
    const fits = shape.every((size, d) => d === axis || size === output.shape[d]);
    if (!fits || shape.length !== output.shape.length || axis >= shape.length) {
      throw shapeError(where, `joins ${text(shape)} along dimension ${axis} to ${text(output.shape)}`);
    }
    const from = stepsOf(shape);
    const dimensions = shape.map((count, d) => ({ count, from: from[d] ?? 1, to: to[d] ?? 1 }));
    const move = mergedMove(dimensions, { input, from: 0, to: done * (to[axis] ?? 1) }, where);
    done += shape[axis] ?? 1;
    return move;
  });
  if (done !== output.shape[axis]) {
    throw shapeError(where, `joins ${done} along dimension ${axis} to ${text(output.shape)}`);
  }
  return moves;
}

function padding(input: Tensor, { before, after }: Pad, output: Tensor, where: string): Move {
  const fits = input.shape.every((size, d) => size + (before[d] ?? 0) + (after[d] ?? 0) === output.shape[d]);
  if (!fits || input.shape.length !== output.shape.length || before.length !== input.shape.length) {
    throw shapeError(
      where,
      `pads ${text(input.shape)} by ${text(before)} and ${text(after)} to ${text(output.shape)}`,
    );
  }
  const from = stepsOf(input.shape);
  const to = stepsOf(output.shape);
  const dimensions = input.shape.map((count, d) => ({ count, from: from[d] ?? 1, to: to[d] ?? 1 }));
  const start = before.reduce((sum, count, d) => sum + count * (to[d] ?? 1), 0);
  return mergedMove(dimensions, { input: 0, from: 0, to: start }, where);
}

function slice(input: Tensor, { begin, sizes, strides }: Slice, output: Tensor, where: string): Move {
  const inside = input.shape.every((size, d) => {
    const first = begin[d] ?? -1;
    const last = first + ((sizes[d] ?? 0) - 1) * (strides[d] ?? 0);
    return first >= 0 && first < size && last >= 0 && last < size && (sizes[d] ?? 0) > 0;
  });
  if (!inside || begin.length !== input.shape.length || elementCount(sizes) !== elementCount(output.shape)) {
    throw shapeError(
      where,
      `takes ${text(sizes)} from ${text(begin)} by ${text(strides)} of ${text(input.shape)} to ${text(output.shape)}`,
    );
  }
  const from = stepsOf(input.shape);
  const to = stepsOf(sizes);
  const dimensions = sizes.map((count, d) => ({
    count,
    from: (strides[d] ?? 1) * (from[d] ?? 1),
    to: to[d] ?? 1,
  }));
  const start = begin.reduce((sum, position, d) => sum + position * (from[d] ?? 1), 0);
  return mergedMove(dimensions, { input: 0, from: start, to: 0 }, where);
}

function transposition(input: Tensor, { permutation }: Transpose, output: Tensor, where: string): Move {
  const fits = permutation.every((d, i) => input.shape[d] === output.shape[i]);
  if (
    !fits ||
    new Set(permutation).size !== input.shape.length ||
    permutation.length !== output.shape.length
  ) {
    throw shapeError(where, `permutes ${text(input.shape)} by ${text(permutation)} to ${text(output.shape)}`);
  }
  const from = stepsOf(input.shape);
  const to = stepsOf(output.shape);
  const dimensions = output.shape.map((count, i) => ({
    count,
    from: from[permutation[i] ?? 0] ?? 1,
    to: to[i] ?? 1,
  }));
  return mergedMove(dimensions, { input: 0, from: 0, to: 0 }, where);
}

/** The input position that each output position copies: float32 arithmetic, as the reference has it. */
function nearest(
  input: number,
  output: number,
  { alignCorners, halfPixelCenters }: ResizeNearestNeighbor,
): number[] {
  const scale =
    alignCorners && output > 1
      ? Math.fround((input - 1) / Math.fround(output - 1))
      : Math.fround(input / Math.fround(output));
  return Array.from({ length: output }, (_, i) => {
    const position = Math.fround(Math.fround(i + (halfPixelCenters ? 0.5 : 0)) * scale);
    const rounded = alignCorners ? roundHalfAway(position) : Math.floor(position);
    return Math.max(0, Math.min(rounded, input - 1));
  });
}

/** Loops that give the positions: each repeated as often as the others, in equal steps; undefined when there are none. */
function loopsOf(positions: readonly number[]): { repeat: number; step: number } | undefined {
  const first = positions[0] ?? 0;
  const change = positions.findIndex((position) => position !== first);
  const repeat = change < 0 ? positions.length : change;
  const step = (positions[repeat] ?? first) - first;
  const regular =
    positions.length % repeat === 0 &&
    positions.every((position, i) => position === first + Math.floor(i / repeat) * step);
  return regular ? { repeat, step } : undefined;
}

function resize(
  input: Tensor,
  operator: ResizeNearestNeighbor,
  output: Tensor,
  where: string,
): Move | Pick<ResizeLayer, "rows" | "columns" | "run"> {
  const [batch = 0, height = 0, width = 0, channels = 0] = input.shape;
  const [outputBatch, outputHeight = 0, outputWidth = 0, outputChannels] = output.shape;
  const ranks = input.shape.length === 4 && output.shape.length === 4;
  if (!ranks || batch !== outputBatch || channels !== outputChannels) {
    throw shapeError(where, `resizes ${text(input.shape)} to ${text(output.shape)}`);
  }
  const rows = nearest(height, outputHeight, operator);
  const columns = nearest(width, outputWidth, operator);
  const down = loopsOf(rows);
  const across = loopsOf(columns);
  const row = width * channels;
  if (down !== undefined && across !== undefined) {
    const outputRow = outputWidth * channels;
    const dimensions: readonly Loop[] = [
      { count: batch, from: height * row, to: outputHeight * outputRow },
      { count: outputHeight / down.repeat, from: down.step * row, to: down.repeat * outputRow },
      { count: down.repeat, from: 0, to: outputRow },
      { count: outputWidth / across.repeat, from: across.step * channels, to: across.repeat * channels },
      { count: across.repeat, from: 0, to: channels },
      { count: channels, from: 1, to: 1 },
    ];
    const from = (rows[0] ?? 0) * row + (columns[0] ?? 0) * channels;
    return mergedMove(dimensions, { input: 0, from, to: 0 }, where);
  }
  return {
    rows: Int32Array.from({ length: batch * outputHeight }, (_, i) => {
      const image = Math.floor(i / outputHeight) * height;
      return (image + (rows[i % outputHeight] ?? 0)) * row;
    }),
    columns: Int32Array.from(columns, (x) => x * channels),
    run: channels,
  };
}

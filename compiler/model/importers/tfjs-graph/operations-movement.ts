/** TensorFlow's operations that copy elements, and elementwise ones: padding, concatenation, slices, resizing, arithmetic, functions. */
import type { Binary } from "../../graph.js";
import { heldAxis, heldList, plainOrder } from "../layout.js";
import { held, type Activation, type TfNode } from "./context.js";

type Operation = (node: TfNode) => Activation;

const plain = <T>(list: readonly T[], absent: T): T[] => heldList(list, plainOrder(list.length), absent);

function pad(node: TfNode): Activation {
  const value = node.activation(0);
  const list = node.integers(1);
  const filler = node.inputs.length > 2 ? Number(node.constant(2).data[0] ?? 0) : 0;
  if (list.length !== 2 * value.shape.length || list.some((count) => count < 0)) {
    throw node.attributeError("paddings", list, "two counts of at least 0 for each dimension");
  }
  const before = value.shape.map((_, axis) => list[2 * axis] ?? 0);
  const after = value.shape.map((_, axis) => list[2 * axis + 1] ?? 0);
  const output = node.output(
    value.shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0)),
  );
  node.builder.add({
    kind: "Pad",
    input: value.tensor,
    output: output.tensor,
    before: plain(before, 0),
    after: plain(after, 0),
    value: filler === 0 ? undefined : filler,
  });
  return output;
}

function concat(node: TfNode): Activation {
  const values = node.inputs.slice(0, -1).map((_, index) => node.activation(index));
  const [first] = values;
  const [given = -1] = node.integers(node.inputs.length - 1);
  if (first === undefined) {
    throw node.shapeError("has no inputs");
  }
  const axis = node.axis(given, first.shape.length);
  const fits = values.every(
    ({ shape }) =>
      shape.length === first.shape.length && shape.every((size, d) => d === axis || size === first.shape[d]),
  );
  if (!fits) {
    throw node.shapeError(
      `joins ${values.map(({ shape }) => `[${shape.join(", ")}]`).join(", ")} along ${axis}`,
    );
  }
  const total = values.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const output = node.output(first.shape.with(axis, total));
  node.builder.add({
    kind: "Concatenation",
    inputs: values.map(({ tensor }) => tensor),
    output: output.tensor,
    axis: heldAxis(plainOrder(first.shape.length), axis),
  });
  return output;
}

/** Most copies along one dimension. */
const MAX_COPIES = 64;

/** Copies one after the other, dimension by dimension. */
function tile(node: TfNode): Activation {
  const source = node.activation(0);
  const copies = node.integers(1);
  if (copies.length !== source.shape.length || !copies.every((count) => count >= 1 && count <= MAX_COPIES)) {
    throw node.attributeError("multiples", copies, `1 to ${MAX_COPIES} for each dimension`);
  }
  return copies.reduce((value, count, axis) => {
    if (count === 1) {
      return value;
    }
    const output = node.output(value.shape.with(axis, (value.shape[axis] ?? 1) * count));
    node.builder.add({
      kind: "Concatenation",
      inputs: new Array<number>(count).fill(value.tensor),
      output: output.tensor,
      axis: heldAxis(plainOrder(value.shape.length), axis),
    });
    return output;
  }, source);
}

function emitSlice(
  node: TfNode,
  value: Activation,
  begin: readonly number[],
  sizes: readonly number[],
  strides: readonly number[],
): Activation {
  const output = node.output(sizes);
  node.builder.add({
    kind: "Slice",
    input: value.tensor,
    output: output.tensor,
    begin: plain(begin, 0),
    sizes: plain(sizes, 1),
    strides: plain(strides, 1),
  });
  return output;
}

function slice(node: TfNode): Activation {
  const value = node.activation(0);
  const begin = node.integers(1);
  const sizes = node
    .integers(2)
    .map((size, axis) => (size === -1 ? (value.shape[axis] ?? 0) - (begin[axis] ?? 0) : size));
  const fits = value.shape.every(
    (size, axis) => (begin[axis] ?? -1) >= 0 && (begin[axis] ?? 0) + (sizes[axis] ?? size) <= size,
  );
  if (begin.length !== value.shape.length || sizes.length !== begin.length || !fits) {
    throw node.shapeError(
      `takes [${sizes.join(", ")}] from [${begin.join(", ")}] of [${value.shape.join(", ")}]`,
    );
  }
  return emitSlice(
    node,
    value,
    begin,
    sizes,
    value.shape.map(() => 1),
  );
}

function stridedSlice(node: TfNode): Activation {
  const value = node.activation(0);
  const rank = value.shape.length;
  const [begins, ends, steps] = [node.integers(1), node.integers(2), node.integers(3)];
  for (const mask of ["ellipsis_mask", "new_axis_mask", "shrink_axis_mask"]) {
    if (node.int(mask, 0) !== 0) {
      throw node.attributeError(mask, node.int(mask, 0), "0");
    }
  }
  const masked = (name: string, axis: number): boolean => (node.int(name, 0) & (1 << axis)) !== 0;
  const begin: number[] = [];
  const sizes = value.shape.map((size, axis) => {
    const step = steps[axis] ?? 1;
    const clamp = (at: number): number => Math.max(0, Math.min(size, at < 0 ? at + size : at));
    const from = axis >= begins.length || masked("begin_mask", axis) ? 0 : clamp(begins[axis] ?? 0);
    const to = axis >= ends.length || masked("end_mask", axis) ? size : clamp(ends[axis] ?? size);
    if (step < 1) {
      throw node.attributeError("strides", steps, "at least 1");
    }
    begin.push(from);
    return Math.ceil((to - from) / step);
  });
  return emitSlice(
    node,
    value,
    begin,
    sizes,
    Array.from({ length: rank }, (_, axis) => steps[axis] ?? 1),
  );
}

function transpose(node: TfNode): Activation {
  const value = node.activation(0);
  const permutation = node.integers(1);
  const rank = value.shape.length;
  if (
    permutation.length !== rank ||
    plainOrder(rank).some((axis) => !permutation.includes(axis)) ||
    rank > 4
  ) {
    throw node.attributeError("perm", permutation, `each of 0 to ${rank - 1} once, at most 4 dimensions`);
  }
  const output = node.output(permutation.map((axis) => value.shape[axis] ?? 1));
  const own = plainOrder(rank);
  node.builder.add({
    kind: "Transpose",
    input: value.tensor,
    output: output.tensor,
    permutation: plain(
      permutation.map((axis) => heldAxis(own, axis)),
      2,
    ),
  });
  return output;
}

function resizeNearest(node: TfNode): Activation {
  const value = node.activation(0, 4);
  const [height = 0, width = 0] = node.integers(1);
  const output = node.output([1, height, width, value.shape[3] ?? 1]);
  node.builder.add({
    kind: "ResizeNearestNeighbor",
    input: value.tensor,
    output: output.tensor,
    alignCorners: node.bool("align_corners", false),
    halfPixelCenters: node.bool("half_pixel_centers", false),
  });
  return output;
}

/** With NumPy's broadcasting of equal ranks, or of a constant of lower rank. */
export function binary(kind: Binary["kind"]): Operation {
  return (node) => {
    const ranks = [0, 1].map((index) => node.value(index).shape.length);
    const rank = Math.max(...ranks);
    const operands = [0, 1].map((index) => {
      const value = node.value(index);
      if (value.kind === "activation") {
        const { tensor, shape } = node.activation(index);
        return { tensor, shape };
      }
      const shape = [...new Array<number>(rank - value.shape.length).fill(1), ...value.shape];
      if (!(value.data instanceof Float32Array)) {
        throw node.shapeError(`input ${index} is not float32`);
      }
      return {
        tensor: node.builder.typedConstant({ ...value, shape: held(shape) }, `${node.name}/constant`),
        shape,
      };
    });
    const [left, right] = operands;
    const shape = Array.from({ length: rank }, (_, axis) =>
      Math.max(left?.shape[axis] ?? 1, right?.shape[axis] ?? 1),
    );
    const fits = operands.every(
      (operand) =>
        operand.shape.length === rank &&
        operand.shape.every((size, axis) => size === 1 || size === shape[axis]),
    );
    if (left === undefined || right === undefined || !fits) {
      throw node.shapeError(
        `combines shapes ${operands.map((o) => `[${o.shape.join(", ")}]`).join(" and ")}`,
      );
    }
    const output = node.output(shape);
    const common = { left: left.tensor, right: right.tensor, output: output.tensor };
    node.builder.add(
      kind === "Add" || kind === "Sub" || kind === "Mul"
        ? { kind, ...common, activation: "none" }
        : { kind, ...common },
    );
    return output;
  };
}

function unary(kind: "Logistic" | "Tanh"): Operation {
  return (node) => {
    const value = node.activation(0);
    const output = node.output(value.shape);
    node.builder.add({ kind, input: value.tensor, output: output.tensor });
    return output;
  };
}

function leakyRelu(node: TfNode): Activation {
  const value = node.activation(0);
  const output = node.output(value.shape);
  const alpha = Math.fround(node.float("alpha", 0.2));
  node.builder.add({ kind: "LeakyRelu", input: value.tensor, output: output.tensor, alpha });
  return output;
}

export const movementOperations: Readonly<Record<string, Operation>> = {
  ConcatV2: concat,
  LeakyRelu: leakyRelu,
  Maximum: binary("Maximum"),
  Minimum: binary("Minimum"),
  Pad: pad,
  PadV2: pad,
  Prelu: binary("PRelu"),
  ResizeNearestNeighbor: resizeNearest,
  Sigmoid: unary("Logistic"),
  Slice: slice,
  StridedSlice: stridedSlice,
  Tanh: unary("Tanh"),
  Tile: tile,
  Transpose: transpose,
};

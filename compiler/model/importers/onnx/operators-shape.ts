/** ONNX operators that change shapes or the order of dimensions. Most cost nothing: they change how later nodes see a tensor. */
import { elementCount } from "../../graph.js";
import { modelIndices, plainOrder, sameLayout, transposedOrder } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";

/** The same elements in the model's sequence, as `shape`. */
function reshapeTo(node: OnnxNode, value: Activation, shape: readonly number[]): Activation {
  if (elementCount(shape) !== elementCount(value.shape)) {
    throw node.shapeError(`reshapes [${value.shape.join(", ")}] to [${shape.join(", ")}]`);
  }
  const plain = plainOrder(value.shape.length);
  const order = plainOrder(shape.length);
  if (value.elements === undefined && sameLayout(value.shape, value.order, plain)) {
    return node.reshaped(value, shape, order);
  }
  // Dimensions of size 1 that come or go do not move anything.
  const relevant = (sizes: readonly number[]): number[] =>
    sizes.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const before = relevant(value.shape);
  const after = relevant(shape);
  if (
    value.elements === undefined &&
    before.map((axis) => value.shape[axis]).join() === after.map((axis) => shape[axis]).join()
  ) {
    const moved = value.order.flatMap((axis) => after[before.indexOf(axis)] ?? []);
    const ones = order.filter((axis) => !after.includes(axis));
    return node.reshaped(value, shape, [
      ...ones.filter((axis) => axis === 0),
      ...ones.filter((axis) => axis !== 0),
      ...moved,
    ]);
  }
  if (shape.length > 2 || elementCount(shape) !== shape.at(-1)) {
    return node.reshaped(node.plain(value), shape, order);
  }
  const elements = value.elements ?? modelIndices(value.shape, value.order);
  const { tensor } = node.reshaped({ ...value, shape: [elements.length], order: [0] }, shape, order);
  return { kind: "activation", tensor, shape, order, elements };
}

export function reshape(node: OnnxNode): Activation {
  const value = node.activation(0);
  const target = node.integers(1) ?? node.ints("shape") ?? [];
  const zero = node.int("allowzero", 0) === 0;
  const count = elementCount(value.shape);
  const known = target.map((size, axis) => (size === 0 && zero ? (value.shape[axis] ?? 0) : size));
  const rest = known.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const shape = known.map((size) => (size === -1 ? count / rest : size));
  if (
    known.filter((size) => size === -1).length > 1 ||
    !shape.every((size) => Number.isSafeInteger(size) && size >= 1)
  ) {
    throw node.shapeError(`reshapes [${value.shape.join(", ")}] to [${target.join(", ")}]`);
  }
  return reshapeTo(node, value, shape);
}

export function flatten(node: OnnxNode): Activation {
  const value = node.activation(0);
  const given = node.int("axis", 1);
  const axis = given === value.shape.length ? given : node.axis(given, value.shape.length);
  const rows = elementCount(value.shape.slice(0, axis));
  return reshapeTo(node, value, [rows, elementCount(value.shape) / rows]);
}

export function squeeze(node: OnnxNode): Activation {
  const value = node.activation(0);
  const given = node.ints("axes") ?? node.integers(1);
  const axes = given?.map((axis) => node.axis(axis, value.shape.length, "axes"));
  const gone = (axis: number): boolean => axes?.includes(axis) ?? value.shape[axis] === 1;
  if (value.shape.some((size, axis) => gone(axis) && size !== 1)) {
    throw node.attributeError("axes", given, "dimensions of size 1");
  }
  return reshapeTo(
    node,
    value,
    value.shape.filter((_, axis) => !gone(axis)),
  );
}

export function unsqueeze(node: OnnxNode): Activation {
  const value = node.activation(0);
  const given = node.ints("axes") ?? node.integers(1) ?? [];
  const rank = value.shape.length + given.length;
  const axes = given.map((axis) => node.axis(axis, rank, "axes"));
  const rest = [...value.shape];
  const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? 1)));
  return reshapeTo(node, value, shape);
}

/** Only the order of dimensions changes; the elements stay where they are. */
export function transpose(node: OnnxNode): Activation {
  const value = node.activation(0);
  const rank = value.shape.length;
  const perm = node.ints("perm") ?? plainOrder(rank).reverse();
  if (perm.length !== rank || plainOrder(rank).some((axis) => !perm.includes(axis))) {
    throw node.attributeError("perm", perm, `each of 0 to ${rank - 1} once`);
  }
  const source = value.elements === undefined ? value : node.plain(value);
  const shape = perm.map((axis) => source.shape[axis] ?? 1);
  const order = transposedOrder(source.order, perm);
  return node.reshaped(source, shape, order);
}

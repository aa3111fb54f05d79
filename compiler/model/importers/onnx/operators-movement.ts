/** ONNX operators that copy elements: padding, concatenation, slices, nearest resizing. */
import { numbersOf } from "../constants.js";
import { heldAxis, heldList } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";
import { addPad } from "./operators-window.js";

/** With a constant at the borders. */
export function pad(node: OnnxNode): Activation {
  const given = node.activation(0);
  const value = given.elements === undefined ? given : node.plain(given);
  const rank = value.shape.length;
  const mode = node.text("mode", "constant");
  if (mode !== "constant") {
    throw node.attributeError("mode", mode, "constant");
  }
  const pads = node.ints("pads") ?? node.integers(1) ?? [];
  const listed = node.integers(3)?.map((axis) => node.axis(axis, rank, "axes"));
  const axes = listed ?? value.shape.map((_, axis) => axis);
  if (pads.length !== 2 * axes.length || !pads.every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw node.attributeError("pads", pads, "two counts of at least 0 for each dimension");
  }
  const filler =
    node.constant(2) === undefined ? node.float("value", 0) : Number(node.constant(2)?.data[0] ?? 0);
  if (filler !== 0 && node.notes.of(value.tensor) !== undefined) {
    throw node.attributeError("constant_value", filler, "0 in quantised models");
  }
  const before = value.shape.map((_, axis) => pads[axes.indexOf(axis)] ?? 0);
  const after = value.shape.map((_, axis) => pads[axes.length + axes.indexOf(axis)] ?? 0);
  const clean = (list: number[]): number[] => list.map((count, axis) => (axes.includes(axis) ? count : 0));
  return addPad(node, value, clean(before), clean(after), filler);
}

/** Of computed tensors, in the order of the first. */
export function concat(node: OnnxNode): Activation {
  const values = node.inputs.map((_, index) => node.activation(index));
  const [given] = values;
  if (given === undefined) {
    throw node.shapeError("has no inputs");
  }
  const first = given.elements === undefined ? given : node.plain(given);
  const axis = node.axis(node.int("axis", NaN), first.shape.length);
  const inputs = values.map((value) => node.inOrder(value, first.order));
  const fits = inputs.every(
    ({ shape }) =>
      shape.length === first.shape.length && shape.every((size, d) => d === axis || size === first.shape[d]),
  );
  if (!fits) {
    throw node.shapeError(
      `joins ${values.map(({ shape }) => `[${shape.join(", ")}]`).join(", ")} along ${axis}`,
    );
  }
  const total = inputs.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  const output = node.output(first.shape.with(axis, total), first.order);
  node.builder.add({
    kind: "Concatenation",
    inputs: inputs.map(({ tensor }) => tensor),
    output: output.tensor,
    axis: heldAxis(first.order, axis),
  });
  return output;
}

export function slice(node: OnnxNode): Activation {
  const given = node.activation(0);
  const value = given.elements === undefined ? given : node.plain(given);
  const { shape, order } = value;
  const starts = node.ints("starts") ?? node.integers(1) ?? [];
  const ends = node.ints("ends") ?? node.integers(2) ?? [];
  const axes = (node.ints("axes") ?? node.integers(3) ?? starts.map((_, i) => i)).map((axis) =>
    node.axis(axis, shape.length, "axes"),
  );
  const steps = node.integers(4) ?? starts.map(() => 1);
  const begin = shape.map(() => 0);
  const sizes = [...shape];
  const strides = shape.map(() => 1);
  axes.forEach((axis, i) => {
    const size = shape[axis] ?? 1;
    const step = steps[i] ?? 1;
    const clamp = (at: number): number => Math.max(0, Math.min(size, at < 0 ? at + size : at));
    if (!Number.isSafeInteger(step) || step < 1) {
      throw node.attributeError("steps", steps, "at least 1");
    }
    const [from, to] = [clamp(starts[i] ?? 0), clamp(ends[i] ?? 0)];
    begin[axis] = from;
    sizes[axis] = Math.ceil((to - from) / step);
    strides[axis] = step;
  });
  const output = node.output(sizes, order);
  node.builder.add({
    kind: "Slice",
    input: value.tensor,
    output: output.tensor,
    begin: heldList(begin, order, 0),
    sizes: heldList(sizes, order, 1),
    strides: heldList(strides, order, 1),
  });
  node.keepNotes(value, output);
  return output;
}

/** Nearest neighbour, by whole factors: all its coordinate conventions agree there. */
export function resize(node: OnnxNode): Activation {
  const input = node.channelsLast(node.activation(0));
  const { shape } = input;
  const mode = node.text("mode", "nearest");
  if (mode !== "nearest" || shape.length > 4 || shape.length < 3) {
    throw node.attributeError("mode", mode, "nearest, on images");
  }
  const transform = node.text("coordinate_transformation_mode", "half_pixel");
  const nearest = node.text("nearest_mode", "round_prefer_floor");
  const agreeing =
    (transform === "asymmetric" && nearest === "floor") ||
    transform.startsWith("half_pixel") ||
    node.type === "Upsample";
  if (!agreeing || nearest === "ceil" || nearest === "round_prefer_ceil") {
    throw node.attributeError(
      "nearest_mode",
      `${nearest}, ${transform}`,
      "half_pixel, or asymmetric with floor",
    );
  }
  node.float("cubic_coeff_a", 0);
  node.requireInt("antialias", 0);
  node.requireInt("exclude_outside", 0);
  const upsample = node.type === "Upsample";
  const scales = upsample ? (node.floats("scales") ?? list(node, 1)) : list(node, 2);
  const target = node.inputs.length > 3 ? node.integers(3) : undefined;
  const sizes = target ?? shape.map((size, axis) => size * (scales?.[axis] ?? NaN));
  const whole = sizes.every((size, axis) => Number.isInteger(size / (shape[axis] ?? 1)) && size >= 1);
  if (sizes.length !== shape.length || !whole || sizes[0] !== 1 || sizes[1] !== shape[1]) {
    throw node.attributeError("scales", scales ?? target ?? null, "whole factors of height and width");
  }
  const output = node.output(sizes, input.order);
  node.builder.add({
    kind: "ResizeNearestNeighbor",
    input: input.tensor,
    output: output.tensor,
    alignCorners: false,
    halfPixelCenters: false,
  });
  node.keepNotes(input, output);
  return output;
}

function list(node: OnnxNode, index: number): number[] | undefined {
  const constant = node.constant(index);
  return constant === undefined || constant.data.length === 0 || constant.data.length > 4
    ? undefined
    : numbersOf(constant);
}

/** Layers of TensorFlow.js that move data: concatenation, padding, cropping, nearest upsampling, permutation. */
import type { LayerContext, Value } from "./import-tfjs-context.js";

/** Dimension of the tensor that holds dimension `axis` (1: the first after the batch) of a value: [T, C] is [1, T, 1, C]. */
function heldAxis(value: Value, axis: number): number {
  return value.shape.length === 2 && axis === 2 ? 3 : axis;
}

function concatenate(layer: LayerContext): Value {
  const [first, ...rest] = layer.inputs;
  if (first === undefined || rest.length === 0) {
    throw layer.shapeError(`has ${layer.inputs.length} inputs, at least 2 are needed`);
  }
  const rank = first.shape.length;
  const given = layer.attribute("axis") ?? -1;
  const axis = given === -1 ? rank : given;
  if (typeof axis !== "number" || !Number.isInteger(axis) || axis < 1 || axis > rank) {
    throw layer.attributeError("axis", given, `-1 or 1 to ${rank}`);
  }
  const others = (value: Value): string => value.shape.map((size, i) => (i === axis - 1 ? "" : size)).join();
  const odd = rest.find((value) => value.shape.length !== rank || others(value) !== others(first));
  if (odd !== undefined) {
    throw layer.shapeError(
      `joins shapes [${first.shape.join(", ")}] and [${odd.shape.join(", ")}] along dimension ${axis}`,
    );
  }
  const total = layer.inputs.reduce((sum, value) => sum + (value.shape[axis - 1] ?? 0), 0);
  const output = layer.output(first.shape.with(axis - 1, total));
  layer.builder.add({
    kind: "Concatenation",
    inputs: layer.inputs.map((value) => value.tensor),
    output: output.tensor,
    axis: heldAxis(first, axis),
  });
  return output;
}

/** [[top, bottom], [left, right]] from that, from [rows, columns] or from one number. Not negative. */
function sides(layer: LayerContext, name: string, otherwise: number): [[number, number], [number, number]] {
  const value = layer.attribute(name) ?? otherwise;
  const both: unknown[] = Array.isArray(value) ? value : [value, value];
  const pairs = both.map((side: unknown) => (Array.isArray(side) ? (side as unknown[]) : [side, side]));
  const numbers = pairs
    .flat()
    .filter((side): side is number => typeof side === "number" && Number.isInteger(side) && side >= 0);
  const [top = 0, bottom = 0, left = 0, right = 0] = numbers;
  if (numbers.length !== 4 || pairs.length !== 2 || pairs.some((pair) => pair.length !== 2)) {
    throw layer.attributeError(name, value, "[[top, bottom], [left, right]], not negative");
  }
  return [
    [top, bottom],
    [left, right],
  ];
}

/** Rows, columns and channels of the only input. */
function image(layer: LayerContext): { input: Value; height: number; width: number; channels: number } {
  layer.require("data_format", ["channels_last", "channelsLast"], '"channels_last"');
  const input = layer.input(3);
  const [height = 1, width = 1, channels = 1] = input.shape;
  return { input, height, width, channels };
}

function zeroPadding(layer: LayerContext): Value {
  const { input, height, width, channels } = image(layer);
  const [[top, bottom], [left, right]] = sides(layer, "padding", 1);
  const output = layer.output([height + top + bottom, width + left + right, channels]);
  layer.builder.add({
    kind: "Pad",
    input: input.tensor,
    output: output.tensor,
    before: [0, top, left, 0],
    after: [0, bottom, right, 0],
    value: undefined,
  });
  return output;
}

function cropping(layer: LayerContext): Value {
  const { input, height, width, channels } = image(layer);
  const [[top, bottom], [left, right]] = sides(layer, "cropping", 0);
  const sizes = [height - top - bottom, width - left - right, channels];
  if (sizes.some((size) => size < 1)) {
    throw layer.shapeError(`cuts everything off an input of ${height} x ${width}`);
  }
  const output = layer.output(sizes);
  layer.builder.add({
    kind: "Slice",
    input: input.tensor,
    output: output.tensor,
    begin: [0, top, left, 0],
    sizes: [1, ...sizes],
    strides: [1, 1, 1, 1],
  });
  return output;
}

function upSampling(layer: LayerContext): Value {
  const { input, height, width, channels } = image(layer);
  layer.require("interpolation", ["nearest"], '"nearest"');
  const [rows, columns] = layer.pair("size", 2, 2);
  const output = layer.output([height * rows, width * columns, channels]);
  layer.builder.add({
    kind: "ResizeNearestNeighbor",
    input: input.tensor,
    output: output.tensor,
    alignCorners: false,
    halfPixelCenters: false,
  });
  return output;
}

function permute(layer: LayerContext): Value {
  const input = layer.input();
  const rank = input.shape.length;
  const given: unknown = layer.attribute("dims");
  const dims = (Array.isArray(given) ? (given as unknown[]) : []).filter(
    (axis): axis is number => typeof axis === "number",
  );
  if (dims.toSorted((a, b) => a - b).join() !== input.shape.map((_, i) => i + 1).join()) {
    throw layer.attributeError("dims", given, `the numbers 1 to ${rank}, each once`);
  }
  const output = layer.output(dims.map((axis) => input.shape[axis - 1] ?? 1));
  const [first = 1, second = 2] = dims;
  const permutation = rank === 2 ? [0, heldAxis(input, first), 2, heldAxis(input, second)] : [0, ...dims];
  layer.builder.add({ kind: "Transpose", input: input.tensor, output: output.tensor, permutation });
  return output;
}

/** By class name of TensorFlow.js and Keras. */
export const movementImporters: Readonly<Record<string, (layer: LayerContext) => Value>> = {
  Concatenate: concatenate,
  Cropping2D: cropping,
  Permute: permute,
  UpSampling2D: upSampling,
  ZeroPadding2D: zeroPadding,
};

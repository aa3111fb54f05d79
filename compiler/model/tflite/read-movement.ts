/**
 * Reads the operators of .tflite files that move or reduce data. Their axes, positions and sizes stand in constant
 * tensors; masks, negative axes and operators with several outputs are resolved here, so that the graph knows few kinds.
 */
import { UserError } from "../../diagnostics/user-error.js";
import type { Operator, Tensor } from "../graph.js";
import {
  activation,
  attribute,
  constantIntegers,
  damaged,
  operands,
  present,
  required,
  type Context,
} from "./read-context.js";
import { concatenationFields, packFields, resizeNearestFields, stridedSliceFields } from "./schema.js";

const shapeOf = (context: Context, tensor: number): readonly number[] => context.tensors[tensor]?.shape ?? [];

/** A dimension of a tensor with `rank` dimensions, counted from the end when negative. */
function axisOf(context: Context, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= rank) {
    throw attribute(context, "axis", String(axis));
  }
  return resolved;
}

/** Constant operand `position` with one number for each dimension of the input. */
function perDimension(context: Context, position: number, name: string, rank: number): readonly number[] {
  const values = constantIntegers(context, position, name);
  if (values.length !== rank) {
    throw damaged(`${context.where} has ${values.length} numbers in ${name} for ${rank} dimensions`);
  }
  return values;
}

export function readConcatenation(context: Context): Operator {
  const options = required(context);
  operands(context, 1, Infinity);
  const fused = activation(context, options, concatenationFields.activation);
  if (fused !== "none") {
    throw attribute(context, "fused_activation_function", fused.toUpperCase());
  }
  const inputs = context.inputs.map((input, i) => present(context, input, `input ${i}`));
  const axis = axisOf(
    context,
    options.int32(concatenationFields.axis, "axis", 0),
    shapeOf(context, context.output).length,
  );
  return { kind: "Concatenation", inputs, output: context.output, axis };
}

/** PAD, and PADV2 with the value in a third operand. */
export function readPad(context: Context): Operator {
  const withValue = context.schema.kind === "PadV2";
  const [first, , third] = operands(context, withValue ? 3 : 2, withValue ? 3 : 2);
  const input = present(context, first, "input");
  const rank = shapeOf(context, input).length;
  const paddings = perDimension(context, 1, "paddings", 2 * rank);
  const wrong = paddings.find((count) => count < 0 || count > 1 << 20);
  if (wrong !== undefined) {
    throw attribute(context, "paddings", String(wrong));
  }
  return {
    kind: "Pad",
    input,
    output: context.output,
    before: paddings.filter((_, i) => i % 2 === 0),
    after: paddings.filter((_, i) => i % 2 === 1),
    value: withValue ? padValue(context, present(context, third, "constant_values")) : undefined,
  };
}

function padValue(context: Context, tensor: number): number {
  const value: Tensor | undefined = context.tensors[tensor];
  const output = context.tensors[context.output];
  const [element] = value?.data ?? [];
  if (element === undefined || value?.data?.length !== 1) {
    throw attribute(context, "constant_values", "computed at run time");
  }
  const [own, theirs] = [value, output].map((one) =>
    [one?.quantization?.scales[0] ?? 0, one?.quantization?.zeroPoints[0] ?? 0].join(", "),
  );
  if (own !== theirs || value.type !== output?.type) {
    throw new UserError(
      "TMC3021",
      `${context.where}: constant_values is ${value.type} with scale and zero point ${own}, the output ${output?.type} with ${theirs}`,
      "Quantise the model again: the value that pads has the type and the parameters of the output.",
    );
  }
  return Number(element);
}

export function readReduction(context: Context): Operator {
  const { kind } = context.schema;
  if (kind !== "Mean" && kind !== "Sum" && kind !== "ReduceMax" && kind !== "ReduceMin") {
    throw new Error(`${kind} is not a reduction`);
  }
  const [first] = operands(context, 2, 2);
  const input = present(context, first, "input");
  const rank = shapeOf(context, input).length;
  const axes = constantIntegers(context, 1, "axis").map((axis) => axisOf(context, axis, rank));
  return { kind, input, output: context.output, axes: [...new Set(axes)].sort((a, b) => a - b) };
}

export function readSlice(context: Context): Operator {
  const [first] = operands(context, 3, 3);
  const input = present(context, first, "input");
  const shape = shapeOf(context, input);
  const begin = perDimension(context, 1, "begin", shape.length);
  const sizes = perDimension(context, 2, "size", shape.length).map((size, d) =>
    size === -1 ? (shape[d] ?? 0) - (begin[d] ?? 0) : size,
  );
  return { kind: "Slice", input, output: context.output, begin, sizes, strides: shape.map(() => 1) };
}

export function readStridedSlice(context: Context): Operator {
  const options = required(context);
  const f = stridedSliceFields;
  for (const [field, name] of [
    [f.ellipsisMask, "ellipsis_mask"],
    [f.newAxisMask, "new_axis_mask"],
  ] as const) {
    const mask = options.int32(field, name, 0);
    if (mask !== 0) {
      throw attribute(context, name, String(mask));
    }
  }
  if (options.bool(f.offset, "offset")) {
    throw attribute(context, "offset", "true");
  }
  const [first] = operands(context, 4, 4);
  const input = present(context, first, "input");
  const shape = shapeOf(context, input);
  const starts = perDimension(context, 1, "begin", shape.length);
  const ends = perDimension(context, 2, "end", shape.length);
  const strides = perDimension(context, 3, "strides", shape.length);
  const beginMask = options.int32(f.beginMask, "begin_mask", 0);
  const endMask = options.int32(f.endMask, "end_mask", 0);
  const shrinkMask = options.int32(f.shrinkAxisMask, "shrink_axis_mask", 0);
  const has = (mask: number, d: number): boolean => ((mask >> d) & 1) === 1;
  const begin: number[] = [];
  const sizes: number[] = [];
  shape.forEach((size, d) => {
    const stride = strides[d] ?? 0;
    if (stride === 0) {
      throw attribute(context, "strides", "0");
    }
    const forward = stride > 0;
    /** Negative positions count from the end; then both ends are moved into the dimension. */
    const inside = (position: number): number => {
      const resolved = position < 0 ? position + size : position;
      return forward ? Math.min(Math.max(resolved, 0), size) : Math.min(Math.max(resolved, -1), size - 1);
    };
    const start = has(beginMask, d) ? (forward ? 0 : size - 1) : inside(starts[d] ?? 0);
    const end = has(endMask, d) ? (forward ? size : -1) : inside(ends[d] ?? 0);
    begin.push(start);
    sizes.push(has(shrinkMask, d) ? 1 : Math.max(0, Math.ceil((end - start) / stride)));
  });
  if (sizes.some((size) => size === 0)) {
    throw attribute(context, "begin, end and strides", "an empty range");
  }
  return { kind: "Slice", input, output: context.output, begin, sizes, strides };
}

/** One slice for each output. */
function slices(context: Context, input: number, axis: number, sizes: readonly number[]): Operator[] {
  const shape = shapeOf(context, input);
  let done = 0;
  return context.outputs.map((output, i) => {
    const size = sizes[i] ?? 0;
    const begin = shape.map((_, d) => (d === axis ? done : 0));
    done += size;
    return {
      kind: "Slice",
      input,
      output,
      begin,
      sizes: shape.map((whole, d) => (d === axis ? size : whole)),
      strides: shape.map(() => 1),
    };
  });
}

/** SPLIT into equal parts: the axis comes first. */
export function readSplit(context: Context): Operator[] {
  const [, second] = operands(context, 2, 2);
  const input = present(context, second, "input");
  const shape = shapeOf(context, input);
  const [axis = 0] = constantIntegers(context, 0, "split_dim");
  const resolved = axisOf(context, axis, shape.length);
  const parts = context.outputs.length;
  if ((shape[resolved] ?? 0) % parts !== 0) {
    throw attribute(context, "num_splits", String(parts));
  }
  return slices(
    context,
    input,
    resolved,
    context.outputs.map(() => (shape[resolved] ?? 0) / parts),
  );
}

/** SPLIT_V into parts of given sizes, one of which may be -1: the rest. */
export function readSplitV(context: Context): Operator[] {
  const [first] = operands(context, 3, 3);
  const input = present(context, first, "input");
  const shape = shapeOf(context, input);
  const given = constantIntegers(context, 1, "size_splits");
  const [axis = 0] = constantIntegers(context, 2, "split_dim");
  const resolved = axisOf(context, axis, shape.length);
  const known = given.reduce((sum, size) => sum + Math.max(0, size), 0);
  const sizes = given.map((size) => (size === -1 ? (shape[resolved] ?? 0) - known : size));
  if (
    sizes.length !== context.outputs.length ||
    sizes.some((size) => size < 1) ||
    sizes.reduce((a, b) => a + b, 0) !== shape[resolved]
  ) {
    throw attribute(context, "size_splits", given.join(", "));
  }
  return slices(context, input, resolved, sizes);
}

/** UNPACK: a split into parts of size 1, whose outputs do not have the dimension. */
export function readUnpack(context: Context): Operator[] {
  const [first] = operands(context, 1, 1);
  const input = present(context, first, "input");
  const shape = shapeOf(context, input);
  const axis = axisOf(context, required(context).int32(packFields.axis, "axis", 0), shape.length);
  if (shape[axis] !== context.outputs.length) {
    throw damaged(`${context.where} has ${context.outputs.length} outputs instead of ${shape[axis]}`);
  }
  return slices(
    context,
    input,
    axis,
    context.outputs.map(() => 1),
  );
}

/** PACK: a concatenation of reshaped inputs. */
export function readPack(context: Context): Operator[] {
  operands(context, 1, Infinity);
  const { output } = context;
  const rank = shapeOf(context, output).length;
  const axis = axisOf(context, required(context).int32(packFields.axis, "axis", 0), rank);
  const operators = context.inputs.map((given, i): Operator => {
    const input = present(context, given, `input ${i}`);
    const from = context.tensors[input];
    if (from === undefined) {
      throw new Error(`no tensor ${input}`);
    }
    const { data: _, ...tensor } = from;
    const shape = from.shape.toSpliced(axis, 0, 1);
    return { kind: "Reshape", input, output: context.addTensor({ ...tensor, shape }) };
  });
  const inputs = operators.map((operator) => operator.output);
  return [...operators, { kind: "Concatenation", inputs, output, axis }];
}

export function readTranspose(context: Context): Operator {
  const [first] = operands(context, 2, 2);
  const input = present(context, first, "input");
  const rank = shapeOf(context, input).length;
  const permutation = perDimension(context, 1, "perm", rank).map((axis) => axisOf(context, axis, rank));
  return { kind: "Transpose", input, output: context.output, permutation };
}

/** The new size stands in a constant operand too; the output tensor has it. */
export function readResizeNearest(context: Context): Operator {
  const options = required(context);
  const [input] = operands(context, 2, 2);
  return {
    kind: "ResizeNearestNeighbor",
    input: present(context, input, "input"),
    output: context.output,
    alignCorners: options.bool(resizeNearestFields.alignCorners, "align_corners"),
    halfPixelCenters: options.bool(resizeNearestFields.halfPixelCenters, "half_pixel_centers"),
  };
}

/** SQUEEZE and EXPAND_DIMS: the output tensor has the new shape. */
export function readReshapeLike(context: Context): Operator {
  const [input] = operands(context, 1, 2);
  return { kind: "Reshape", input: present(context, input, "input"), output: context.output };
}

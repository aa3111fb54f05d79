/** The part of the table of `operator-support.ts` for operators that move or reduce data. */

const same = "the output has the scale and zero point of its inputs, exactly";
const constants = "constants";
const axis = "a dimension of the input, counted from the end when negative; a constant";
const movement = { types: "int8", fast: "" } as const;
const dimensions = "at most 5 dimensions change places, neighbours that stay together counted as one";
const reduction = {
  ...movement,
  shapes: "any shape → the dimensions in axis have size 1, or are left out",
  attributes: { axis: "dimensions of the input, counted from the end when negative; constants" },
} as const;
const many = "at most 8388608 inputs for one output";
const parts = "each output is computed as a SLICE, and `tmc` numbers the operators after it accordingly";

export const movementSupport = {
  CONCATENATION: {
    ...movement,
    shapes: "inputs whose shapes are equal but for one dimension",
    attributes: { axis, fused_activation_function: "NONE" },
    limits: [same, "at most 64 inputs; an input may be a constant"],
  },
  EXPAND_DIMS: {
    ...movement,
    shapes: "any shape → any shape with as many elements",
    attributes: {},
    limits: ["computed as a RESHAPE"],
  },
  MEAN: { ...reduction, limits: [many, "input scale over output scale is at most 2^30"] },
  PACK: {
    ...movement,
    shapes: "inputs of one shape → that shape with a new dimension",
    attributes: { axis },
    limits: [same, "computed as RESHAPEs and a CONCATENATION"],
  },
  PAD: {
    ...movement,
    shapes: "any shape → each dimension with paddings before and after",
    attributes: { paddings: "0 to 1048576; constants" },
    limits: [same, dimensions, "pads with the zero point"],
  },
  PADV2: {
    ...movement,
    shapes: "any shape → each dimension with paddings before and after",
    attributes: { paddings: "0 to 1048576; constants", constant_values: "one constant" },
    limits: [same, dimensions, "constant_values has the type and the parameters of the output"],
  },
  REDUCE_MAX: { ...reduction, limits: [many, same] },
  REDUCE_MIN: { ...reduction, limits: [many, same] },
  RESIZE_NEAREST_NEIGHBOR: {
    ...movement,
    shapes: "[N, H, W, C] → [N, OH, OW, C]",
    attributes: { align_corners: "false and true", half_pixel_centers: "false and true" },
    limits: [same],
  },
  SLICE: {
    ...movement,
    shapes: "any shape → a part of each dimension",
    attributes: { begin: constants, size: `${constants}; -1 for the rest` },
    limits: [same, dimensions],
  },
  SPLIT: {
    ...movement,
    shapes: "any shape → equal parts of one dimension",
    attributes: { split_dim: constants, axis, num_splits: "a divisor of the dimension's size" },
    limits: [same, parts],
  },
  SPLIT_V: {
    ...movement,
    shapes: "any shape → parts of one dimension",
    attributes: {
      split_dim: constants,
      axis,
      size_splits: "constants whose sum is the dimension's size, each at least 1; one may be -1: the rest",
    },
    limits: [same, parts],
  },
  SQUEEZE: {
    ...movement,
    shapes: "any shape → any shape with as many elements",
    attributes: {},
    limits: ["computed as a RESHAPE"],
  },
  STRIDED_SLICE: {
    ...movement,
    shapes: "any shape → every n-th element of a part of each dimension",
    attributes: {
      begin: constants,
      end: constants,
      strides: "constants, not 0; may be negative",
      "begin, end and strides": "at least one element in each dimension",
      begin_mask: "any",
      end_mask: "any",
      shrink_axis_mask: "any",
      ellipsis_mask: "0",
      new_axis_mask: "0",
      offset: "false",
    },
    limits: [same, dimensions],
  },
  SUM: { ...reduction, limits: [many, "input scale over output scale is at most 2^30"] },
  TRANSPOSE: {
    ...movement,
    shapes: "any shape → its dimensions in another order",
    attributes: { perm: constants, axis },
    limits: [same, dimensions],
  },
  UNPACK: {
    ...movement,
    shapes: "any shape → its parts along one dimension, without that dimension",
    attributes: { axis },
    limits: [same, parts],
  },
} as const;

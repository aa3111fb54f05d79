/**
 * The part of the .tflite schema (version 3) that the reader needs: field numbers, enum values, names for messages.
 * Fields are numbered in the order of the schema; a union takes two (type, then value).
 */
import type { Activation, ElementType, OperatorKind } from "../graph.js";
import type { OperatorName } from "../operator-support.js";

export const modelFields = { version: 0, operatorCodes: 1, subgraphs: 2, buffers: 4 } as const;
export const operatorCodeFields = {
  deprecatedBuiltinCode: 0,
  customCode: 1,
  version: 2,
  builtinCode: 3,
} as const;
export const subgraphFields = { tensors: 0, inputs: 1, outputs: 2, operators: 3 } as const;
export const bufferFields = { data: 0, offset: 1, size: 2 } as const;
export const tensorFields = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  isVariable: 5,
  sparsity: 6,
  shapeSignature: 7,
  externalBuffer: 10,
} as const;
export const quantizationFields = { scale: 2, zeroPoint: 3, detailsType: 4, quantizedDimension: 6 } as const;
export const operatorFields = {
  opcodeIndex: 0,
  inputs: 1,
  outputs: 2,
  optionsType: 3,
  options: 4,
} as const;
export const conv2DFields = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  activation: 3,
  dilationWidth: 4,
  dilationHeight: 5,
  quantizedBiasType: 6,
} as const;
export const depthwiseConv2DFields = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  depthMultiplier: 3,
  activation: 4,
  dilationWidth: 5,
  dilationHeight: 6,
} as const;
export const pool2DFields = {
  padding: 0,
  strideWidth: 1,
  strideHeight: 2,
  filterWidth: 3,
  filterHeight: 4,
  activation: 5,
} as const;
export const fullyConnectedFields = {
  activation: 0,
  weightsFormat: 1,
  keepNumDims: 2,
  asymmetricQuantizeInputs: 3,
  quantizedBiasType: 4,
} as const;
export const softmaxFields = { beta: 0 } as const;
export const addFields = { activation: 0, potScaleInt16: 1 } as const;
export const concatenationFields = { axis: 0, activation: 1 } as const;
export const reducerFields = { keepDims: 0 } as const;
export const stridedSliceFields = {
  beginMask: 0,
  endMask: 1,
  ellipsisMask: 2,
  newAxisMask: 3,
  shrinkAxisMask: 4,
  offset: 5,
} as const;
export const resizeNearestFields = { alignCorners: 0, halfPixelCenters: 1 } as const;
/** Of PACK and UNPACK. */
export const packFields = { axis: 1 } as const;

/** Operators of files that become other kinds in the graph. */
export type ReadKind =
  OperatorKind | "PadV2" | "StridedSlice" | "Split" | "SplitV" | "Squeeze" | "ExpandDims" | "Pack" | "Unpack";

/** What the reader knows of an operator: its name in the schema, its options in the union, the newest known version. */
export interface OperatorSchema {
  readonly kind: ReadKind;
  readonly name: OperatorName;
  readonly optionsType: number;
  readonly optionsName: string;
  readonly maxVersion: number;
}

/** By builtin code. */
export const operatorSchemas: ReadonlyMap<number, OperatorSchema> = new Map([
  [0, { kind: "Add", name: "ADD", optionsType: 11, optionsName: "AddOptions", maxVersion: 5 }],
  [
    1,
    {
      kind: "AveragePool2D",
      name: "AVERAGE_POOL_2D",
      optionsType: 5,
      optionsName: "Pool2DOptions",
      maxVersion: 3,
    },
  ],
  [3, { kind: "Conv2D", name: "CONV_2D", optionsType: 1, optionsName: "Conv2DOptions", maxVersion: 8 }],
  [
    4,
    {
      kind: "DepthwiseConv2D",
      name: "DEPTHWISE_CONV_2D",
      optionsType: 2,
      optionsName: "DepthwiseConv2DOptions",
      maxVersion: 7,
    },
  ],
  [
    9,
    {
      kind: "FullyConnected",
      name: "FULLY_CONNECTED",
      optionsType: 8,
      optionsName: "FullyConnectedOptions",
      maxVersion: 12,
    },
  ],
  [
    17,
    { kind: "MaxPool2D", name: "MAX_POOL_2D", optionsType: 5, optionsName: "Pool2DOptions", maxVersion: 3 },
  ],
  [22, { kind: "Reshape", name: "RESHAPE", optionsType: 17, optionsName: "ReshapeOptions", maxVersion: 1 }],
  [25, { kind: "Softmax", name: "SOFTMAX", optionsType: 9, optionsName: "SoftmaxOptions", maxVersion: 3 }],
  [
    2,
    {
      kind: "Concatenation",
      name: "CONCATENATION",
      optionsType: 10,
      optionsName: "ConcatenationOptions",
      maxVersion: 4,
    },
  ],
  [34, { kind: "Pad", name: "PAD", optionsType: 22, optionsName: "PadOptions", maxVersion: 4 }],
  [
    39,
    { kind: "Transpose", name: "TRANSPOSE", optionsType: 26, optionsName: "TransposeOptions", maxVersion: 6 },
  ],
  [40, { kind: "Mean", name: "MEAN", optionsType: 27, optionsName: "ReducerOptions", maxVersion: 3 }],
  [43, { kind: "Squeeze", name: "SQUEEZE", optionsType: 30, optionsName: "SqueezeOptions", maxVersion: 2 }],
  [
    45,
    {
      kind: "StridedSlice",
      name: "STRIDED_SLICE",
      optionsType: 32,
      optionsName: "StridedSliceOptions",
      maxVersion: 8,
    },
  ],
  [49, { kind: "Split", name: "SPLIT", optionsType: 35, optionsName: "SplitOptions", maxVersion: 4 }],
  [60, { kind: "PadV2", name: "PADV2", optionsType: 43, optionsName: "PadV2Options", maxVersion: 4 }],
  [65, { kind: "Slice", name: "SLICE", optionsType: 48, optionsName: "SliceOptions", maxVersion: 6 }],
  [
    70,
    {
      kind: "ExpandDims",
      name: "EXPAND_DIMS",
      optionsType: 52,
      optionsName: "ExpandDimsOptions",
      maxVersion: 1,
    },
  ],
  [74, { kind: "Sum", name: "SUM", optionsType: 27, optionsName: "ReducerOptions", maxVersion: 3 }],
  [
    82,
    { kind: "ReduceMax", name: "REDUCE_MAX", optionsType: 27, optionsName: "ReducerOptions", maxVersion: 3 },
  ],
  [83, { kind: "Pack", name: "PACK", optionsType: 59, optionsName: "PackOptions", maxVersion: 4 }],
  [88, { kind: "Unpack", name: "UNPACK", optionsType: 64, optionsName: "UnpackOptions", maxVersion: 4 }],
  [
    89,
    { kind: "ReduceMin", name: "REDUCE_MIN", optionsType: 27, optionsName: "ReducerOptions", maxVersion: 3 },
  ],
  [
    97,
    {
      kind: "ResizeNearestNeighbor",
      name: "RESIZE_NEAREST_NEIGHBOR",
      optionsType: 74,
      optionsName: "ResizeNearestNeighborOptions",
      maxVersion: 4,
    },
  ],
  [102, { kind: "SplitV", name: "SPLIT_V", optionsType: 79, optionsName: "SplitVOptions", maxVersion: 2 }],
] satisfies [number, OperatorSchema][]);

/** Names of builtin operators that the compiler does not execute, for messages: by builtin code up to 117. */
const operatorNames =
  "ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH".split(
    " ",
  );

export function operatorName(builtinCode: number): string {
  return operatorNames[builtinCode] ?? `builtin operator ${builtinCode}`;
}

export const CUSTOM_OPERATOR = 32;

const tensorTypeNames =
  "FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4".split(
    " ",
  );

export function tensorTypeName(code: number): string {
  return tensorTypeNames[code] ?? `tensor type ${code}`;
}

/** By tensor type code; types that a graph cannot hold are absent. */
export const elementTypes: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [0, "float32"],
  [2, "int32"],
  [3, "uint8"],
  [4, "int64"],
  [6, "bool"],
  [7, "int16"],
  [9, "int8"],
]);

/** By activation code; TANH (4) and SIGN_BIT (5) are not supported as fused activations. */
export const activations: ReadonlyMap<number, Activation> = new Map<number, Activation>([
  [0, "none"],
  [1, "relu"],
  [2, "relu_n1_to_1"],
  [3, "relu6"],
]);

const activationNames = ["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"];

export function activationName(code: number): string {
  return activationNames[code] ?? `activation ${code}`;
}

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
/** Of AddOptions and SubOptions; MulOptions has the first only. */
export const arithmeticFields = { activation: 0, potScaleInt16: 1 } as const;
export const leakyReluFields = { alpha: 0 } as const;
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

/** [builtin code, kind, name, member of the options union (0: none), its name, newest version]. */
const operatorRows: readonly (readonly [number, ReadKind, OperatorName, number, string, number])[] = [
  [0, "Add", "ADD", 11, "AddOptions", 5],
  [1, "AveragePool2D", "AVERAGE_POOL_2D", 5, "Pool2DOptions", 3],
  [2, "Concatenation", "CONCATENATION", 10, "ConcatenationOptions", 4],
  [3, "Conv2D", "CONV_2D", 1, "Conv2DOptions", 8],
  [4, "DepthwiseConv2D", "DEPTHWISE_CONV_2D", 2, "DepthwiseConv2DOptions", 7],
  [9, "FullyConnected", "FULLY_CONNECTED", 8, "FullyConnectedOptions", 12],
  [14, "Logistic", "LOGISTIC", 0, "", 3],
  [17, "MaxPool2D", "MAX_POOL_2D", 5, "Pool2DOptions", 3],
  [18, "Mul", "MUL", 21, "MulOptions", 7],
  [19, "Relu", "RELU", 0, "", 3],
  [20, "ReluN1To1", "RELU_N1_TO_1", 0, "", 3],
  [21, "Relu6", "RELU6", 0, "", 3],
  [22, "Reshape", "RESHAPE", 17, "ReshapeOptions", 1],
  [25, "Softmax", "SOFTMAX", 9, "SoftmaxOptions", 3],
  [28, "Tanh", "TANH", 0, "", 3],
  [34, "Pad", "PAD", 22, "PadOptions", 4],
  [39, "Transpose", "TRANSPOSE", 26, "TransposeOptions", 6],
  [40, "Mean", "MEAN", 27, "ReducerOptions", 3],
  [41, "Sub", "SUB", 28, "SubOptions", 5],
  [43, "Squeeze", "SQUEEZE", 30, "SqueezeOptions", 2],
  [45, "StridedSlice", "STRIDED_SLICE", 32, "StridedSliceOptions", 8],
  [49, "Split", "SPLIT", 35, "SplitOptions", 4],
  [54, "PRelu", "PRELU", 0, "", 1],
  [55, "Maximum", "MAXIMUM", 39, "MaximumMinimumOptions", 4],
  [57, "Minimum", "MINIMUM", 39, "MaximumMinimumOptions", 4],
  [60, "PadV2", "PADV2", 43, "PadV2Options", 4],
  [65, "Slice", "SLICE", 48, "SliceOptions", 6],
  [70, "ExpandDims", "EXPAND_DIMS", 52, "ExpandDimsOptions", 1],
  [74, "Sum", "SUM", 27, "ReducerOptions", 3],
  [82, "ReduceMax", "REDUCE_MAX", 27, "ReducerOptions", 3],
  [83, "Pack", "PACK", 59, "PackOptions", 4],
  [88, "Unpack", "UNPACK", 64, "UnpackOptions", 4],
  [89, "ReduceMin", "REDUCE_MIN", 27, "ReducerOptions", 3],
  [97, "ResizeNearestNeighbor", "RESIZE_NEAREST_NEIGHBOR", 74, "ResizeNearestNeighborOptions", 4],
  [98, "LeakyRelu", "LEAKY_RELU", 75, "LeakyReluOptions", 2],
  [102, "SplitV", "SPLIT_V", 79, "SplitVOptions", 2],
  [114, "Quantize", "QUANTIZE", 89, "QuantizeOptions", 3],
  [117, "HardSwish", "HARD_SWISH", 91, "HardSwishOptions", 1],
];

/** By builtin code. */
export const operatorSchemas: ReadonlyMap<number, OperatorSchema> = new Map(
  operatorRows.map(([code, kind, name, optionsType, optionsName, maxVersion]) => [
    code,
    { kind, name, optionsType, optionsName, maxVersion },
  ]),
);

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

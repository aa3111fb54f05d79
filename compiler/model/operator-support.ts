/**
 * What the int8 compiler executes, operator by operator: the one table that error messages, `tmc model ops` and
 * docs/model-operators.md are made from. It decides nothing: the reader and lowering do, and quote from here.
 *
 * Keys are the names of the .tflite schema. An operator that `tflite/schema.ts` reads and that is not in here does not
 * compile.
 */
import { movementSupport } from "./operator-support-movement.js";

/** Of strides, dilations and windows. */
export const MAX_ATTRIBUTE = 1 << 20;
/** The exact sum of a softmax row must stay below 512 (TFLite Micro stops beyond). */
export const MAX_SOFTMAX_DEPTH = 511;

export interface OperatorSupport {
  /** Shapes of inputs and outputs in one line. */
  readonly shapes: string;
  /** Element types of activations, weights and biases. */
  readonly types: string;
  /** By attribute as error messages name it: what is supported. Attributes of the schema that are not listed have no effect. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What else must hold. */
  readonly limits: readonly string[];
  /** When a fast kernel computes it (portable C, and DSP instructions on Cortex-M4); "" when only the portable kernel does. */
  readonly fast: string;
}

const count = `1 to ${MAX_ATTRIBUTE}`;
const window = { padding: "SAME (0) and VALID (1)", stride_h: count, stride_w: count } as const;
const dilation = { dilation_h_factor: count, dilation_w_factor: count } as const;
const fused = { fused_activation_function: "NONE, RELU, RELU6, RELU_N1_TO_1" } as const;
const weighted = {
  types: "int8 or int16; weights int8; bias int32, or int64 with int16",
  limits: [
    "filter and bias are constants",
    "weights have one scale, or one per output channel, and zero points 0; the bias has input scale times filter scale",
    "input scale times filter scale over output scale is at most 2^30",
  ],
} as const;
const bias = { quantized_bias_type: "unset, INT32 (2; not with int16 activations) and INT64 (4)" } as const;
const pool = {
  shapes: "[1, H, W, C] → [1, OH, OW, C]",
  types: "int8",
  attributes: { ...window, filter_height: count, filter_width: count, ...fused },
  limits: ["the output has the scale and zero point of the input"],
} as const;
const binary = {
  shapes:
    "two shapes that broadcast as in NumPy, over at most 4 dimensions after joining those that behave alike",
  types: "int8",
  fast: "",
} as const;
const constantOperand = "an input may be a constant; one constant value makes it a table of 256 results";
const unary = {
  shapes: "any shape → the same shape",
  types: "int8",
  attributes: {},
  fast: "always: a table of 256 results, made at compile time",
} as const;
const ratio = "input scale over output scale is at most 2^30";
const sums = "twice the larger input scale over the output scale is below 2^20";
const rightShifts =
  "every channel is scaled down, its accumulator proved to stay within 30 bits, the second of each pair within 23";

export const operatorSupport = {
  ADD: {
    ...binary,
    attributes: fused,
    limits: [constantOperand, sums],
    fast: "equal shapes, and a sum that is scaled down to the output",
  },
  AVERAGE_POOL_2D: {
    ...pool,
    fast: "at least 4 channels",
  },
  CONV_2D: {
    shapes: "[1, H, W, C], filter [O, KH, KW, C], bias [O] or none → [1, OH, OW, O]",
    ...weighted,
    attributes: { ...window, ...dilation, ...fused, ...bias },
    limits: ["no groups: a filter covers all input channels", ...weighted.limits],
    fast: `always; fastest with at least 2 output channels, when ${rightShifts}`,
  },
  DEPTHWISE_CONV_2D: {
    shapes: "[1, H, W, C], filter [1, KH, KW, C*M], bias [C*M] or none → [1, OH, OW, C*M]",
    ...weighted,
    attributes: { ...window, ...dilation, depth_multiplier: count, ...fused },
    fast: "at most 16 rows in a window and 32 KB of scratch memory; fastest without dilation, with depth multiplier 1, channels a multiple of 4, accumulators proved to stay within 30 bits",
  },
  FULLY_CONNECTED: {
    shapes: "rows of K elements, filter [O, K], bias [O] or none → rows of O elements",
    ...weighted,
    attributes: { weights_format: "DEFAULT (0)", keep_num_dims: "false and true", ...fused, ...bias },
    fast: `always; fastest when ${rightShifts}`,
  },
  HARD_SWISH: {
    ...unary,
    limits: ["input scale 2^-22 to 2^24, input scale over output scale 2^-9 to 128"],
  },
  LEAKY_RELU: { ...unary, attributes: { alpha: "a finite number" }, limits: [ratio] },
  LOGISTIC: {
    ...unary,
    limits: ["input scale 2^-28 to 2^35", "the output has the scale 1/256 and the zero point -128"],
  },
  MAXIMUM: {
    ...binary,
    attributes: {},
    limits: [constantOperand, "inputs and output have the same scale and zero point"],
  },
  MAX_POOL_2D: { ...pool, fast: "at least 4 channels" },
  MINIMUM: {
    ...binary,
    attributes: {},
    limits: [constantOperand, "inputs and output have the same scale and zero point"],
  },
  MUL: {
    ...binary,
    attributes: fused,
    limits: [constantOperand, "the product of the input scales over the output scale is at most 2^30"],
  },
  PRELU: {
    ...binary,
    shapes: "input, slopes that broadcast to its shape → the input's shape",
    attributes: {},
    limits: [ratio, "the same times the scale of the slopes is at most 2^30"],
  },
  QUANTIZE: {
    ...unary,
    limits: ["from int8 to int8 only: a model whose inputs are float is converted with int8 inputs", ratio],
  },
  RELU: { ...unary, limits: [ratio] },
  RELU6: {
    ...unary,
    limits: [ratio, "another scale or zero point of the output as TFLite has it, not TFLite Micro"],
  },
  RELU_N1_TO_1: { ...unary, limits: [ratio, "as TFLite has it; TFLite Micro does not know it"] },
  RESHAPE: {
    shapes: "any shape → any shape with as many elements",
    types: "int8",
    attributes: {},
    limits: ["costs nothing where the memory plan leaves the elements in place"],
    fast: "",
  },
  SOFTMAX: {
    shapes: "any shape; over the last dimension",
    types: "int8",
    attributes: { beta: "a positive finite number" },
    limits: [
      `at most ${MAX_SOFTMAX_DEPTH} elements in the last dimension`,
      "the output has the scale 1/256 and the zero point -128",
    ],
    fast: "",
  },
  ...movementSupport,
  SUB: { ...binary, attributes: fused, limits: [constantOperand, sums] },
  TANH: {
    ...unary,
    limits: ["input scale 2^-28 to 2^35", "the output has the scale 1/128 and the zero point 0"],
  },
} as const satisfies Readonly<Record<string, OperatorSupport>>;

/** Name of a supported operator in the .tflite schema. */
export type OperatorName = keyof typeof operatorSupport;

/** Names in alphabetical order. */
export const supportedOperatorNames = (Object.keys(operatorSupport) as OperatorName[]).sort();

/** What an int8 model may contain; messages that refuse an operator end with it. */
export const supportedOperators = supportedOperatorNames.join(", ");

/** What is supported for an attribute, for the message that refuses its value. */
export function supportedValues(operator: OperatorName, attribute: string): string {
  const attributes: Readonly<Record<string, string>> = operatorSupport[operator].attributes;
  return attributes[attribute] ?? "see `tmc model ops`";
}

/** Operators of int16 activations, by name. */
export const wideKinds: readonly string[] = [
  "ADD",
  "AVERAGE_POOL_2D",
  "CONV_2D",
  "DEPTHWISE_CONV_2D",
  "FULLY_CONNECTED",
  "LOGISTIC",
  "MAXIMUM",
  "MAX_POOL_2D",
  "MINIMUM",
  "MUL",
  "RESHAPE",
  "SOFTMAX",
  "SUB",
  "TANH",
];

/** What every model must keep to, whatever its operators. */
export const modelLimits: readonly string[] = [
  "one subgraph with at least one input and one output, batch size 1, no unknown dimensions, no variable, sparse or external tensors",
  "activations have one positive finite scale and one zero point in -128..127",
  `int16 activations (all of a model or none) have zero point 0, int8 weights and int64 biases; operators: ${wideKinds.join(", ")}; LOGISTIC, TANH and SOFTMAX put out 1/32768`,
  "at most 4096 tensors, operators and operator codes, 6 dimensions, 64 MiB per tensor, 64 MiB of weights, 65536 output channels, 256 MiB of activations",
];

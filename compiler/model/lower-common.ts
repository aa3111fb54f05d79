/** What lowering needs for more than one operator: checked quantisation parameters, clamps, window geometry. */
import { UserError } from "../diagnostics/user-error.js";
import { tensorAt, type Activation, type Graph, type Padding, type Tensor } from "./graph.js";
import type { Clamp, WindowGeometry } from "./layers.js";
import { quantizeMultiplier, roundHalfAway, type FixedMultiplier } from "./reference/arithmetic.js";

/** The reference shifts an int32 left by at most this much. */
export const MAX_LEFT_SHIFT = 30;

/** "[1, 8, 8, 3]" */
export function text(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

export function shapeError(where: string, what: string): UserError {
  return new UserError("TMC3013", `${where} ${what}, which does not fit`, "Export the model again.");
}

/** Scale and zero point of an activation tensor. */
export interface PerTensor {
  readonly scale: number;
  /** Within min and max; 0 of int16. */
  readonly zeroPoint: number;
  /** Bounds of the element type. */
  readonly min: number;
  readonly max: number;
}

/** Whether activations like this one are int16. */
export function isWide(tensor: Tensor): boolean {
  return tensor.type === "int16";
}

/** Throws unless the tensor is int8 or int16 with one scale and zero point and batch size 1. `what` names it in messages. */
export function activationTensor(graph: Graph, index: number, what: string): void {
  const tensor = tensorAt(graph, index);
  if (tensor.type !== "int8" && tensor.type !== "int16") {
    throw new UserError(
      "TMC3020",
      `${what} has the type ${tensor.type}; supported: int8 and int16`,
      tensor.type === "float32" && !isConverted(graph, index)
        ? "Quantise the model first: `tmc model quantize`."
        : "Convert the model to full int8, inputs and outputs included (inference_input_type = tf.int8 of the TFLite converter).",
    );
  }
  if (tensor.shape.length >= 4 && tensor.shape[0] !== 1) {
    throw new UserError(
      "TMC3004",
      `the model's structure is not supported: ${what} has the shape ${text(tensor.shape)} with a batch of ${tensor.shape[0]}`,
      "Export the model with a fixed batch size of 1.",
    );
  }
  perTensor(tensor, what);
}

/** Whether an int8 model converts tensor `index` at its edge. */
function isConverted(graph: Graph, index: number): boolean {
  return graph.operators.some((operator) => operator.kind === "Quantize" && operator.input === index);
}

export function perTensor(tensor: Tensor, where: string): PerTensor {
  const scale = tensor.quantization?.scales[0];
  const zeroPoint = tensor.quantization?.zeroPoints[0];
  const refuse = (reason: string): UserError =>
    new UserError("TMC3021", `${where}: tensor "${tensor.name}" ${reason}`, "Quantise the model again.");
  if (scale === undefined || zeroPoint === undefined) {
    throw refuse("has no quantisation parameters");
  }
  if (tensor.quantization?.scales.length !== 1) {
    throw refuse("is an activation with more than one scale");
  }
  if (!(scale > 0 && Number.isFinite(scale))) {
    throw refuse(`has the scale ${scale}`);
  }
  if (isWide(tensor)) {
    if (zeroPoint !== 0) {
      throw refuse(`has the zero point ${zeroPoint}; int16 allows 0`);
    }
    return { scale, zeroPoint, min: -32768, max: 32767 };
  }
  if (!(Number.isInteger(zeroPoint) && zeroPoint >= -128 && zeroPoint <= 127)) {
    throw refuse(`has the zero point ${zeroPoint}; int8 allows -128..127`);
  }
  return { scale, zeroPoint, min: -128, max: 127 };
}

/** The bounds of a fused activation: real bounds divided in float32 and rounded, as the reference does. */
export function activationClamp(activation: Activation, output: PerTensor, where: string): Clamp {
  const quantized = (real: number): number => {
    const steps = roundHalfAway(Math.fround(Math.fround(real) / Math.fround(output.scale)));
    if (Math.abs(steps) > 2147483647) {
      throw new UserError(
        "TMC3022",
        `${where}: the output scale ${output.scale} is too small for its fused activation`,
        "Calibrate the model with more representative data.",
      );
    }
    return output.zeroPoint + steps;
  };
  const { min, max } = output;
  switch (activation) {
    case "none":
      return { min, max };
    case "relu":
      return { min: Math.max(min, quantized(0)), max };
    case "relu6":
      return { min: Math.max(min, quantized(0)), max: Math.min(max, quantized(6)) };
    case "relu_n1_to_1":
      return { min: Math.max(min, quantized(-1)), max: Math.min(max, quantized(1)) };
  }
}

/** The multiplier `real`, finite and not negative; `what` names it in messages. Throws TMC3022 beyond 2^30. */
export function fixedMultiplier(real: number, what: string, where: string): FixedMultiplier {
  const fixed = quantizeMultiplier(Number.isFinite(real) ? real : 2 ** 64);
  if (fixed.shift > MAX_LEFT_SHIFT) {
    throw new UserError(
      "TMC3022",
      `${where}: ${what} is ${real}; at most 2^${MAX_LEFT_SHIFT} can be expressed`,
      "Calibrate the model with more representative data: the scales of its tensors are too far apart.",
    );
  }
  return fixed;
}

interface WindowAttributes {
  readonly padding: Padding;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
}

/** Sizes and padding by TFLite's rules; throws TMC3013 when the output's shape is not the one they give. */
export function windowGeometry(
  input: Tensor,
  output: Tensor,
  filter: { readonly height: number; readonly width: number },
  attributes: WindowAttributes,
  where: string,
): WindowGeometry {
  const [, inputHeight = 0, inputWidth = 0, inputChannels = 0] = input.shape;
  const [, outputHeight = 0, outputWidth = 0, outputChannels = 0] = output.shape;
  if (input.shape.length !== 4 || output.shape.length !== 4) {
    throw shapeError(
      where,
      `maps ${text(input.shape)} to ${text(output.shape)}, not [1, H, W, C] to [1, H, W, C]`,
    );
  }
  const vertical = windowAxis(
    inputHeight,
    filter.height,
    attributes.strideHeight,
    attributes.dilationHeight,
    attributes.padding,
  );
  const horizontal = windowAxis(
    inputWidth,
    filter.width,
    attributes.strideWidth,
    attributes.dilationWidth,
    attributes.padding,
  );
  if (vertical.size !== outputHeight || horizontal.size !== outputWidth) {
    throw shapeError(
      where,
      `maps ${text(input.shape)} to ${text(output.shape)}, where a ${filter.height}x${filter.width} window with ${attributes.padding} padding, stride ${attributes.strideHeight}x${attributes.strideWidth} and dilation ${attributes.dilationHeight}x${attributes.dilationWidth} gives ${vertical.size}x${horizontal.size}`,
    );
  }
  return {
    inputHeight,
    inputWidth,
    inputChannels,
    outputHeight,
    outputWidth,
    outputChannels,
    filterHeight: filter.height,
    filterWidth: filter.width,
    strideHeight: attributes.strideHeight,
    strideWidth: attributes.strideWidth,
    dilationHeight: attributes.dilationHeight,
    dilationWidth: attributes.dilationWidth,
    padTop: vertical.pad,
    padLeft: horizontal.pad,
  };
}

/** Output size and leading padding along one axis. */
export function windowAxis(
  input: number,
  filter: number,
  stride: number,
  dilation: number,
  padding: Padding,
): { size: number; pad: number } {
  const extent = (filter - 1) * dilation + 1;
  const size =
    padding === "same" ? Math.ceil(input / stride) : Math.floor((input + stride - extent) / stride);
  const total = Math.max(0, (size - 1) * stride + extent - input);
  return { size, pad: Math.floor(total / 2) };
}

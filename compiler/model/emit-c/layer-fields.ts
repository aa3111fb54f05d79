/** What the descriptions of layers in C are made of: fields, nested structs, and where tensors and constants are. */
import type { Requantization, WindowGeometry } from "../layers.js";
import { structFields, type ConstantData } from "./constants.js";

/** C expression for the first byte of a tensor. */
export type TensorExpression = (tensor: number) => string;

/** What the layers of a model share. */
export interface ModelContext {
  readonly prefix: string;
  readonly expression: TensorExpression;
  /** C expression for the scratch memory of the layer, a `uint32_t *`. */
  readonly scratch: (operator: number) => string;
  /**
   * Declares a constant array and returns its name; equal data is declared once. `reads`: how often an inference reads
   * it, for weights, which the board may take in RAM.
   */
  readonly constant: (name: string, type: string, data: ConstantData, reads?: number) => string;
}

/** Of one layer, of which it is known how often it reads its weights. */
export interface LayerContext extends ModelContext {
  readonly weights: (name: string, type: string, data: ConstantData) => string;
}

export type Field = readonly [string, number | string];

export interface Description {
  readonly struct: string;
  readonly kernel: string;
  readonly fields: readonly Field[];
  /** Tensors in the order of the kernel's parameters; default: the layer's inputs, then its output. */
  readonly operands?: readonly number[];
  /** C functions that the fields name. */
  readonly functions?: readonly { readonly name: string; readonly text: string }[];
  /** The kernel takes scratch memory before the output. */
  readonly scratch?: true;
}

/** A nested struct on its own lines. */
export function structText(fields: readonly Field[]): string {
  return `{\n${structFields(fields, "        ")}\n    }`;
}

/** A `tmc_window`. */
export function windowText(g: WindowGeometry): string {
  return structText([
    ["input_height", g.inputHeight],
    ["input_width", g.inputWidth],
    ["input_channels", g.inputChannels],
    ["output_height", g.outputHeight],
    ["output_width", g.outputWidth],
    ["output_channels", g.outputChannels],
    ["filter_height", g.filterHeight],
    ["filter_width", g.filterWidth],
    ["stride_height", g.strideHeight],
    ["stride_width", g.strideWidth],
    ["dilation_height", g.dilationHeight],
    ["dilation_width", g.dilationWidth],
    ["pad_top", g.padTop],
    ["pad_left", g.padLeft],
  ]);
}

/** A `tmc_requantization`. */
export function requantizationFields(
  layer: Requantization,
  name: string,
  { constant }: LayerContext,
): readonly Field[] {
  return [
    ["multiplier", constant(`${name}_multiplier`, "int32_t", layer.multiplier)],
    ["shift", constant(`${name}_shift`, "int8_t", layer.shift)],
    ["output_offset", layer.outputOffset],
    ["min", layer.clamp.min],
    ["max", layer.clamp.max],
  ];
}

/** The biases of a layer, or NULL. */
export function biasText(
  layer: { readonly bias: Int32Array | undefined },
  name: string,
  { constant }: LayerContext,
): string {
  return layer.bias === undefined ? "NULL" : constant(`${name}_bias`, "int32_t", layer.bias);
}

/** What the descriptions of layers in C are made of: fields, nested structs, and where tensors and constants are. */
import type { WindowGeometry } from "../layers.js";
import { structFields, type ConstantData } from "./constants.js";

/** C expression for the first byte of a tensor. */
export type TensorExpression = (tensor: number) => string;

export interface LayerContext {
  readonly prefix: string;
  readonly expression: TensorExpression;
  /** C expression for the scratch memory of the layer, a `uint32_t *`. */
  readonly scratch: (operator: number) => string;
  /** Declares a constant array and returns its name; equal data is declared once. */
  readonly constant: (name: string, type: string, data: ConstantData) => string;
}

export type Field = readonly [string, number | string];

export interface Description {
  readonly struct: string;
  readonly kernel: string;
  readonly fields: readonly Field[];
  /** Tensors in the order of the kernel's parameters; default: the layer's inputs, then its output. */
  readonly operands?: readonly number[];
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

/** The constant struct and kernel of a layer that a fast kernel computes. The structs are in tmc/kernels.h. */
import {
  copiesWeights,
  depthwiseColumns,
  fastAdd,
  paddedDepth,
  type KernelChoice,
} from "../kernels/choose.js";
import {
  packConv2D,
  packDense,
  packDepthwise,
  packGeneralConv2D,
  packDepthwiseTaps,
  packGeneralDense,
  packRequantization,
  packWinograd,
} from "../kernels/pack.js";
import { gatherFunction } from "./gather-code.js";
import type {
  AddLayer,
  Clamp,
  Conv2DLayer,
  DepthwiseConv2DLayer,
  FullyConnectedLayer,
  Layer,
} from "../layers.js";
import {
  biasText,
  requantizationFields,
  structText,
  windowText,
  type Description,
  type Field,
  type LayerContext,
} from "./layer-fields.js";

/** What `layerCode` prints for the layer; undefined for the portable kernel. `name` is the layer's stem. */
export function describeFast(
  layer: Layer,
  kernel: KernelChoice,
  name: string,
  context: LayerContext,
): Description | undefined {
  if (kernel.name === "portable") {
    return undefined;
  }
  const conv = kernel.as ?? layer;
  if (conv.kind === "Conv2D" && kernel.name === "winograd") {
    return winogradConv2D(conv, kernel, name, context);
  }
  if (conv.kind === "Conv2D") {
    return kernel.name === "conv-general"
      ? generalConv2D(conv, kernel, name, context)
      : fastConv2D(conv, kernel, name, context);
  }
  switch (layer.kind) {
    case "DepthwiseConv2D":
      return kernel.name === "depthwise"
        ? fastDepthwise(layer, kernel, name, context)
        : generalDepthwise(layer, kernel, name, context);
    case "FullyConnected":
      return kernel.name === "dense-general"
        ? generalDense(layer, name, context)
        : fastDense(layer, kernel, name, context);
    case "Add":
      return fastAddition(layer);
    default:
      return undefined;
  }
}

function clampFields({ min, max }: Clamp): readonly Field[] {
  return [
    ["min", min],
    ["max", max],
  ];
}

/** The same int16 in both halves of a word. */
function bothHalves(value: number): string {
  const half = (value & 0xffff).toString(16).padStart(4, "0");
  return `0x${half}${half}U`;
}

/** The fields of `tmc_fast_conv2d`, and the function that gathers small windows. */
function convFields(
  layer: Conv2DLayer,
  kernel: KernelChoice,
  name: string,
  stream: Uint32Array,
  { prefix, weights }: LayerContext,
): { fields: readonly Field[]; functions: NonNullable<Description["functions"]> } {
  const offsets = bothHalves(layer.inputOffset);
  const gatherName = `${prefix}_${name}_gather`;
  const gather = kernel.name === "conv1x1" ? undefined : gatherFunction(gatherName, layer.geometry, offsets);
  const fields: readonly Field[] = [
    ["window", windowText(layer.geometry)],
    ["stream", weights(`${name}_stream`, "uint32_t", stream)],
    ["pairs", paddedDepth(layer) / 2],
    ["triples", kernel.triples],
    ["copies", kernel.name !== "conv-general" && copiesWeights(layer, kernel.triples) ? "true" : "false"],
    ["input_offset", layer.inputOffset],
    ["offsets", offsets],
    ...clampFields(layer.clamp),
    ["gather", gather === undefined ? "NULL" : gatherName],
  ];
  return { fields, functions: gather === undefined ? [] : [{ name: gatherName, text: gather }] };
}

function fastConv2D(
  layer: Conv2DLayer,
  kernel: KernelChoice,
  name: string,
  context: LayerContext,
): Description {
  const stream = packConv2D(layer, kernel.requantization);
  const variants: Partial<Record<KernelChoice["name"], string>> = {
    conv1x1: "_1x1",
    "conv-dilated": "_dilated",
  };
  return {
    struct: "tmc_fast_conv2d",
    kernel: `tmc_fast_conv2d${variants[kernel.name] ?? ""}_s8`,
    scratch: true,
    ...convFields(layer, kernel, name, stream, context),
  };
}

function winogradConv2D(
  layer: Conv2DLayer,
  kernel: KernelChoice,
  name: string,
  { weights }: LayerContext,
): Description {
  const stream = packWinograd(layer, kernel.requantization);
  return {
    struct: "tmc_winograd_conv2d",
    kernel: "tmc_winograd_conv2d_s8",
    scratch: true,
    fields: [
      ["window", windowText(layer.geometry)],
      ["stream", weights(`${name}_stream`, "uint32_t", stream)],
      ["triples", kernel.triples],
      ["input_offset", layer.inputOffset],
      ["offsets", bothHalves(layer.inputOffset)],
      ...clampFields(layer.clamp),
    ],
  };
}

function generalConv2D(
  layer: Conv2DLayer,
  kernel: KernelChoice,
  name: string,
  context: LayerContext,
): Description {
  const { fields, functions } = convFields(layer, kernel, name, packGeneralConv2D(layer), context);
  return {
    struct: "tmc_general_conv2d",
    kernel: "tmc_general_conv2d_s8",
    scratch: true,
    functions,
    fields: [
      ["conv", structText(fields)],
      ["bias", biasText(layer, name, context)],
      ["requantization", structText(requantizationFields(layer, name, context))],
    ],
  };
}

/** Windows of 3x3 have kernels of their own. */
function depthwiseVariant({ geometry: g }: DepthwiseConv2DLayer): string {
  const threes = g.filterHeight === 3 && g.filterWidth === 3;
  return threes && g.strideWidth === 1 ? "_3x3" : threes && g.strideWidth === 2 ? "_3x3_stride2" : "";
}

function fastDepthwise(
  layer: DepthwiseConv2DLayer,
  kernel: KernelChoice,
  name: string,
  { weights }: LayerContext,
): Description {
  const stream = packDepthwise(layer, kernel.requantization, kernel.triples > 1);
  return {
    struct: "tmc_fast_depthwise_conv2d",
    kernel: `tmc_fast_depthwise_conv2d${depthwiseVariant(layer)}_s8`,
    scratch: true,
    fields: [
      ["window", windowText(layer.geometry)],
      ["stream", weights(`${name}_stream`, "uint32_t", stream)],
      ["columns", depthwiseColumns(layer)],
      ["copies", kernel.triples > 1 ? "true" : "false"],
      ["offsets", bothHalves(layer.inputOffset)],
      ...clampFields(layer.clamp),
    ],
  };
}

function generalDepthwise(
  layer: DepthwiseConv2DLayer,
  kernel: KernelChoice,
  name: string,
  context: LayerContext,
): Description {
  const right = kernel.requantization.length > 0;
  const stream = right ? packDepthwise(layer, kernel.requantization, false) : packDepthwiseTaps(layer);
  return {
    struct: "tmc_general_depthwise_conv2d",
    kernel: "tmc_general_depthwise_conv2d_s8",
    scratch: true,
    fields: [
      ["window", windowText(layer.geometry)],
      ["depth_multiplier", layer.depthMultiplier],
      ["stream", context.weights(`${name}_stream`, "uint32_t", stream)],
      ["right", right ? "true" : "false"],
      ["bias", right ? "NULL" : biasText(layer, name, context)],
      ["columns", depthwiseColumns(layer)],
      ["offsets", bothHalves(layer.inputOffset)],
      [
        "requantization",
        structText(right ? clampFields(layer.clamp) : requantizationFields(layer, name, context)),
      ],
    ],
  };
}

function fastDense(
  layer: FullyConnectedLayer,
  kernel: KernelChoice,
  name: string,
  { constant, weights }: LayerContext,
): Description {
  const wide = kernel.name === "dense-wide";
  const { words, step } = packRequantization(kernel.requantization);
  const shifts = Array.from({ length: words.length / 3 }, (_, i) => words.slice(3 * i, 3 * i + 3));
  return {
    struct: "tmc_fast_fully_connected",
    kernel: wide ? "tmc_fast_fully_connected_wide_s8" : "tmc_fast_fully_connected_s8",
    fields: [
      ["rows", layer.rows],
      ["input_depth", layer.inputDepth],
      ["output_depth", layer.outputDepth],
      ["stream", weights(`${name}_stream`, "uint32_t", packDense(layer, wide))],
      ["requantization", constant(`${name}_requantization`, "tmc_right_shift", shifts)],
      ["requantization_step", step],
      ...clampFields(layer.clamp),
    ],
  };
}

function generalDense(layer: FullyConnectedLayer, name: string, context: LayerContext): Description {
  const { stream, bias } = packGeneralDense(layer);
  return {
    struct: "tmc_general_fully_connected",
    kernel: "tmc_general_fully_connected_s8",
    fields: [
      ["rows", layer.rows],
      ["input_depth", layer.inputDepth],
      ["output_depth", layer.outputDepth],
      ["stream", context.weights(`${name}_stream`, "uint32_t", stream)],
      ["bias", context.constant(`${name}_bias`, "int32_t", bias)],
      ["requantization", structText(requantizationFields(layer, name, context))],
    ],
  };
}

function fastAddition(layer: AddLayer): Description | undefined {
  const fast = fastAdd(layer);
  if (fast === undefined) {
    return undefined;
  }
  const left = { offset: layer.leftOffset, multiplier: layer.leftMultiplier, shift: -layer.leftShift };
  const right = { offset: layer.rightOffset, multiplier: layer.rightMultiplier, shift: -layer.rightShift };
  const scaled = fast.scaled === "right" ? right : left;
  const equal = fast.scaled === undefined;
  return {
    struct: "tmc_fast_add",
    kernel: equal ? "tmc_fast_add_equal_s8" : "tmc_fast_add_s8",
    operands:
      fast.scaled === "right"
        ? [layer.right, layer.left, layer.output]
        : [layer.left, layer.right, layer.output],
    fields: [
      ["count", layer.count],
      ["scaled_offset", equal ? left.offset + right.offset : scaled.offset],
      ["scaled_multiplier", scaled.multiplier],
      ["scaled_shift", scaled.shift],
      ["scaled_rounding", fast.rounding],
      [
        "output",
        structText([
          ["multiplier", fast.output.multiplier],
          ["rounding", fast.output.rounding],
          ["shift", fast.output.shift],
        ]),
      ],
      ...clampFields(layer.clamp),
    ],
  };
}

/** C for one layer: its constant struct and a static function that passes it to the kernel. */
import {
  layerInputs,
  type AddLayer,
  type Clamp,
  type DepthwiseConv2DLayer,
  type ElementwiseLayer,
  type Factor,
  type Four,
  type Layer,
  type PoolLayer,
  type ReshapeLayer,
  type SoftmaxLayer,
} from "../layers.js";
import type { KernelChoice } from "../kernels/choose.js";
import type { MoveLayer } from "../layers-movement.js";
import { structFields } from "./constants.js";
import { weightReads } from "./weights-in-ram.js";
import { describeWide } from "./wide-code.js";
import { describeFast } from "./fast-layer-code.js";
import { describeReduce, describeResize, moveCode } from "./movement-code.js";
import {
  biasText,
  requantizationFields,
  structText,
  windowText,
  type Description,
  type Field,
  type LayerContext,
  type ModelContext,
} from "./layer-fields.js";

export interface LayerCode {
  /** The struct and the function; "" when there is nothing to do. */
  readonly definition: string;
  /** The statement that runs it; "" when there is nothing to do. */
  readonly call: string;
  /** The C names it declares. */
  readonly symbols: readonly string[];
}

export function layerCode(layer: Layer, choice: KernelChoice, model: ModelContext): LayerCode {
  const reads = weightReads(layer, choice);
  const context: LayerContext = {
    ...model,
    weights: (name, type, data) => model.constant(name, type, data, reads),
  };
  if (layer.kind === "Reshape") {
    return reshapeCode(layer, context);
  }
  if (layer.kind === "Move") {
    return moveCode(layer, stem(layer), context);
  }
  const description = describeFast(layer, choice, stem(layer), context) ?? describe(layer, choice, context);
  const { struct, kernel, fields } = description;
  const name = `${context.prefix}_${stem(layer)}`;
  const tensors = description.operands ?? [...layerInputs(layer), layer.output];
  const operands = tensors.map(context.expression);
  if (description.scratch === true) {
    operands.splice(-1, 0, context.scratch(layer.operator));
  }
  const functions = description.functions ?? [];
  const definition = [
    ...functions.flatMap(({ text }) => [text, ""]),
    `static const ${struct} ${name}_layer = {`,
    structFields(fields, "    "),
    "};",
    "",
    `static void ${name}(void) {`,
    `    ${kernel}(&${name}_layer, ${operands.join(", ")});`,
    "}",
  ].join("\n");
  return {
    definition,
    call: `${name}();`,
    symbols: [name, `${name}_layer`, ...functions.map((one) => one.name)],
  };
}

/** `op03_conv2d`. */
function stem(layer: Layer): string {
  const kind =
    layer.kind === "Move" ? layer.what : layer.kind === "Elementwise" ? layer.operation : layer.kind;
  return `op${String(layer.operator).padStart(2, "0")}_${kind.toLowerCase()}`;
}

/** Nothing when the plan put the output in the input's place. */
function reshapeCode(layer: ReshapeLayer, { prefix, expression }: LayerContext): LayerCode {
  const from = expression(layer.input);
  const to = expression(layer.output);
  if (from === to) {
    return { definition: "", call: "", symbols: [] };
  }
  const name = `${prefix}_${stem(layer)}`;
  return {
    definition: `static void ${name}(void) {\n    memcpy(${to}, ${from}, ${layer.count});\n}`,
    call: `${name}();`,
    symbols: [name],
  };
}

function describe(
  layer: Exclude<Layer, ReshapeLayer | MoveLayer>,
  choice: KernelChoice,
  context: LayerContext,
): Description {
  switch (layer.kind) {
    case "Conv2D":
    case "FullyConnected":
      throw new Error(`${layer.kind} has fast kernels only, and none was chosen`);
    case "DepthwiseConv2D":
      return {
        struct: "tmc_depthwise_conv2d",
        kernel: "tmc_depthwise_conv2d_s8",
        fields: [
          ["window", windowText(layer.geometry)],
          ["depth_multiplier", layer.depthMultiplier],
          ...weighted(layer, context),
        ],
      };
    case "Add":
      return { struct: "tmc_add", kernel: "tmc_add_s8", fields: addFields(layer) };
    case "Elementwise":
      return {
        struct: "tmc_elementwise",
        kernel: `tmc_elementwise_${layer.operation.toLowerCase()}_${layer.wide ? "s16" : "s8"}`,
        fields: elementwiseFields(layer),
      };
    case "Lookup":
      return {
        struct: "tmc_lookup",
        kernel: "tmc_lookup_s8",
        fields: [
          ["count", layer.count],
          ["table", context.weights(`${stem(layer)}_table`, "int8_t", layer.table)],
        ],
      };
    case "MaxPool2D":
      return {
        struct: "tmc_pool2d",
        kernel: choice.name === "pool" ? "tmc_fast_max_pool2d_s8" : "tmc_max_pool2d_s8",
        fields: poolFields(layer),
      };
    case "AveragePool2D":
      return {
        struct: "tmc_pool2d",
        kernel: choice.name === "pool" ? "tmc_fast_average_pool2d_s8" : "tmc_average_pool2d_s8",
        fields: poolFields(layer),
      };
    case "WideAveragePool2D":
    case "WideConv2D":
    case "WideDepthwiseConv2D":
    case "WideFullyConnected":
    case "WideLogistic":
    case "WideMaxPool2D":
    case "WideSoftmax":
    case "WideTanh":
      return describeWide(layer, stem(layer), context);
    case "Softmax":
      return { struct: "tmc_softmax", kernel: "tmc_softmax_s8", fields: softmaxFields(layer) };
    case "Resize":
      return describeResize(layer, stem(layer), context);
    case "Reduce":
      return describeReduce(layer);
  }
}

function weighted(layer: DepthwiseConv2DLayer, context: LayerContext): readonly Field[] {
  const name = stem(layer);
  return [
    ["filter", context.weights(`${name}_filter`, "int8_t", layer.filter)],
    ["bias", biasText(layer, name, context)],
    ["input_offset", layer.inputOffset],
    ["requantization", structText(requantizationFields(layer, name, context))],
  ];
}

function addFields(layer: AddLayer): readonly Field[] {
  return [
    ["count", layer.count],
    ["left_offset", layer.leftOffset],
    ["left_multiplier", layer.leftMultiplier],
    ["left_shift", layer.leftShift],
    ["right_offset", layer.rightOffset],
    ["right_multiplier", layer.rightMultiplier],
    ["right_shift", layer.rightShift],
    ["output_offset", layer.outputOffset],
    ["output_multiplier", layer.outputMultiplier],
    ["output_shift", layer.outputShift],
    ...clamp(layer.clamp),
  ];
}

function elementwiseFields(layer: ElementwiseLayer): readonly Field[] {
  const { left, right, output } = layer.factors;
  const list = (numbers: Four): string => `{${numbers.join(", ")}}`;
  const factor = (f: Factor): string =>
    structText([
      ["offset", f.offset],
      ["multiplier", f.multiplier],
      ["shift", f.shift],
    ]);
  return [
    ["shape", list(layer.shape)],
    ["left_steps", list(layer.leftSteps)],
    ["right_steps", list(layer.rightSteps)],
    ["left", factor(left)],
    ["right", factor(right)],
    ["output", factor(output)],
    ...clamp(layer.clamp),
  ];
}

function poolFields(layer: PoolLayer): readonly Field[] {
  return [["window", windowText(layer.geometry)], ...clamp(layer.clamp)];
}

function softmaxFields(layer: SoftmaxLayer): readonly Field[] {
  return [
    ["rows", layer.rows],
    ["depth", layer.depth],
    ["multiplier", layer.multiplier],
    ["shift", layer.shift],
    ["min_difference", layer.minDifference],
  ];
}

function clamp({ min, max }: Clamp): readonly Field[] {
  return [
    ["min", min],
    ["max", max],
  ];
}

/** The constant struct and kernel of a layer of int16 activations. The structs are in tmc/kernels.h. */
import type { WideLayer, WideWeights } from "../layers-wide.js";
import { windowText, type Description, type Field, type LayerContext } from "./layer-fields.js";

/** `name` is the layer's stem. */
export function describeWide(layer: WideLayer, name: string, context: LayerContext): Description {
  const { constant } = context;
  switch (layer.kind) {
    case "WideConv2D":
    case "WideDepthwiseConv2D": {
      const depthwise = layer.kind === "WideDepthwiseConv2D";
      return {
        struct: "tmc_wide_conv2d",
        kernel: depthwise ? "tmc_wide_depthwise_conv2d_s16" : "tmc_wide_conv2d_s16",
        fields: [
          ["window", windowText(layer.geometry)],
          ["depth_multiplier", depthwise ? layer.depthMultiplier : 0],
          ...weighted(layer, name, context),
        ],
      };
    }
    case "WideFullyConnected":
      return {
        struct: "tmc_wide_fully_connected",
        kernel: "tmc_wide_fully_connected_s16",
        fields: [
          ["rows", layer.rows],
          ["input_depth", layer.inputDepth],
          ["output_depth", layer.outputDepth],
          ...weighted(layer, name, context),
        ],
      };
    case "WideMaxPool2D":
    case "WideAveragePool2D":
      return {
        struct: "tmc_pool2d",
        kernel: layer.kind === "WideMaxPool2D" ? "tmc_wide_max_pool2d_s16" : "tmc_wide_average_pool2d_s16",
        fields: [
          ["window", windowText(layer.geometry)],
          ["min", layer.clamp.min],
          ["max", layer.clamp.max],
        ],
      };
    case "WideLogistic":
    case "WideTanh":
      return {
        struct: "tmc_wide_sigmoid",
        kernel: layer.kind === "WideTanh" ? "tmc_wide_tanh_s16" : "tmc_wide_logistic_s16",
        fields: [
          ["count", layer.count],
          ["multiplier", layer.multiplier],
          ["shift", layer.shift],
          ["table", constant("sigmoid_table", "uint16_t", layer.table)],
        ],
      };
    case "WideSoftmax":
      return {
        struct: "tmc_wide_softmax",
        kernel: "tmc_wide_softmax_s16",
        fields: [
          ["rows", layer.rows],
          ["depth", layer.depth],
          ["multiplier", layer.multiplier],
          ["shift", layer.shift],
          ["exponentials", constant("exponentials", "int16_t", layer.exponentials)],
          ["reciprocals", constant("reciprocals", "int16_t", layer.reciprocals)],
        ],
      };
  }
}

function weighted(layer: WideWeights, name: string, { constant, weights }: LayerContext): readonly Field[] {
  return [
    ["filter", weights(`${name}_filter`, "int8_t", layer.filter)],
    ["bias", layer.bias === undefined ? "NULL" : constant(`${name}_bias`, "int64_t", layer.bias)],
    ["multiplier", constant(`${name}_multiplier`, "int32_t", layer.multiplier)],
    ["shift", constant(`${name}_shift`, "int8_t", layer.shift)],
    ["min", layer.clamp.min],
    ["max", layer.clamp.max],
  ];
}

/**
 * Weights and biases of imported layers: float ones as they are, quantised ones (QDQ) as TFLite's int8 layers need them, or a
 * refusal where those cannot express them.
 */
import type { Quantization } from "../../graph.js";
import type { Constant } from "../constants.js";
import type { Activation, OnnxNode } from "./context.js";
import { notExact } from "./quantisation-notes.js";

/** Puts `constant` into the graph; returns its tensor. */
export function addConstant(node: OnnxNode, constant: Constant, part: string): number {
  return node.builder.typedConstant(constant, `${node.name}/${part}`);
}

/**
 * Adds the filter, whose dimension `axis` counts output channels, and the bias of a layer that reads `input`.
 * @throws UserError TMC3207 when the bias does not fit, TMC3212 when quantised weights have no exact int8 form
 */
export function addWeights(
  node: OnnxNode,
  input: Activation,
  filter: Constant,
  axis: number,
  bias: Constant | undefined,
): { filter: number; bias: number | undefined } {
  const channels = filter.shape[axis] ?? 1;
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== channels)) {
    throw node.shapeError(`a bias of [${bias.shape.join(", ")}] for ${channels} output channels`);
  }
  if (filter.quantization === undefined) {
    if (filter.type !== "float32" || (bias !== undefined && bias.type !== "float32")) {
      throw node.structureError("its weights are neither float32 nor quantised", "Export the model again.");
    }
    return {
      filter: addConstant(node, filter, "filter"),
      bias: bias === undefined ? undefined : addConstant(node, bias, "bias"),
    };
  }
  const { scales } = checkedFilter(node, filter, axis, filter.quantization);
  const held = node.notes.of(input.tensor);
  if (held === undefined) {
    throw notExact(
      node.where,
      "its weights are quantised, but its input is not",
      "Quantise activations and weights (static quantisation), or export the float model.",
    );
  }
  const biasScales = scales.map((scale) => Math.fround(scale * held.scale));
  return {
    filter: addConstant(node, filter, "filter"),
    bias: addConstant(node, int32Bias(node, bias, channels, biasScales), "bias"),
  };
}

function checkedFilter(
  node: OnnxNode,
  filter: Constant,
  axis: number,
  quantization: Quantization,
): Quantization {
  if (filter.type !== "int8") {
    throw notExact(node.where, `its weights are ${filter.type}`, "Quantise weights to int8.");
  }
  if (quantization.zeroPoints.some((zero) => zero !== 0)) {
    throw notExact(
      node.where,
      "its weights have a zero point other than 0",
      "Quantise weights symmetrically (onnxruntime: weight_type QInt8, extra_options WeightSymmetric).",
    );
  }
  if (quantization.scales.length > 1 && quantization.axis !== axis) {
    throw notExact(
      node.where,
      "its weights have several scales, but not one for each output channel",
      "Quantise weights per tensor or per output channel.",
    );
  }
  return quantization;
}

/** `bias`, float or int32, or zeros, in steps of input scale times filter scale. */
function int32Bias(
  node: OnnxNode,
  bias: Constant | undefined,
  channels: number,
  scales: readonly number[],
): Constant {
  const quantization = { scales, zeroPoints: scales.map(() => 0), axis: 0 };
  const scaleOf = (channel: number): number => scales[scales.length === 1 ? 0 : channel] ?? 1;
  const shape = [channels];
  if (bias === undefined) {
    return { type: "int32", shape, data: new Int32Array(channels), quantization };
  }
  const given = bias.quantization;
  if (bias.data instanceof Float32Array) {
    const steps = Array.from(bias.data, (value, c) => Math.round(value / scaleOf(c)));
    if (!steps.every((step) => Math.abs(step) < 2 ** 31)) {
      throw notExact(node.where, "its bias does not fit into int32", "Calibrate the model again.");
    }
    return { type: "int32", shape, data: Int32Array.from(steps), quantization };
  }
  if (
    !(bias.data instanceof Int32Array) ||
    given === undefined ||
    given.zeroPoints.some((zero) => zero !== 0)
  ) {
    throw notExact(node.where, `its bias is ${bias.type}`, "Quantise biases to int32 with zero point 0.");
  }
  const equal = Array.from({ length: channels }, (_, c) => {
    const own = given.scales[given.scales.length === 1 ? 0 : c] ?? 0;
    return Math.abs(own - scaleOf(c)) <= scaleOf(c) * 1e-5;
  }).every(Boolean);
  if (!equal) {
    throw notExact(
      node.where,
      "the scale of its bias is not that of its input times that of its weights",
      "Quantise the model again with a tool that follows that rule, as onnxruntime does.",
    );
  }
  return { type: "int32", shape, data: bias.data, quantization };
}

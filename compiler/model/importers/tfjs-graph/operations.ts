/** What each operation of TensorFlow becomes in the float graph, by its name. Operations that are not in here are refused by name, never skipped. */
import type { Padding } from "../../graph.js";
import { elementCount } from "../../graph.js";
import { windowGeometry } from "../../quantize/float-graph.js";
import { floatConstantOf, transposeConstant } from "../constants.js";
import { held, type Activation, type TfNode } from "./context.js";
import { binary, movementOperations } from "./operations-movement.js";

type Operation = (node: TfNode) => Activation;

type Pair = [number, number];

interface Window {
  readonly padding: Padding;
  readonly size: Pair;
}

function window(node: TfNode, input: Activation, kernel: Pair, strides: Pair, dilations: Pair): Window {
  const layout = node.text("data_format", "NHWC");
  if (layout !== "NHWC") {
    throw node.attributeError("data_format", layout, "NHWC");
  }
  const text = node.text("padding", "VALID");
  if (text !== "SAME" && text !== "VALID") {
    throw node.attributeError("padding", text, "SAME, VALID");
  }
  const padding = text === "SAME" ? "same" : "valid";
  const [, height = 1, width = 1] = input.shape;
  const size: Pair = [
    windowGeometry(height, kernel[0], strides[0], dilations[0], padding).output,
    windowGeometry(width, kernel[1], strides[1], dilations[1], padding).output,
  ];
  if (!(size[0] >= 1 && size[1] >= 1)) {
    throw node.shapeError(
      `a window of ${kernel.join(" x ")} does not fit into an input of [${input.shape.join(", ")}]`,
    );
  }
  return { padding, size };
}

/** What `fused_ops` may add behind the bias. */
const fusedActivations = ["Relu", "Relu6", "LeakyRelu", "Sigmoid", "Tanh"] as const;
type FusedActivation = (typeof fusedActivations)[number];

/** What `fused_ops` adds behind a layer: a bias (input 2 of the node) and an activation. */
function fused(node: TfNode): { bias: number | undefined; activation: FusedActivation | undefined } {
  const list = node.texts("fused_ops");
  const [first, second, ...rest] = list[0] === "BiasAdd" ? list : [undefined, ...list];
  const activation = fusedActivations.find((name) => name === second);
  if (rest.length > 0 || (second !== undefined && activation === undefined)) {
    throw node.attributeError("fused_ops", list, `BiasAdd, then one of ${fusedActivations.join(", ")}`);
  }
  const bias = first === undefined ? undefined : biasOf(node, 2);
  return { bias, activation };
}

function biasOf(node: TfNode, index: number): number {
  const { shape, data } = node.weights(index, 1);
  return node.builder.typedConstant(floatConstantOf(data, shape), `${node.name}/bias`);
}

/** The float activation that `fused_ops` asks for. */
function activated(node: TfNode, value: Activation, activation: FusedActivation | undefined): Activation {
  if (activation === undefined) {
    return value;
  }
  const output = node.output(value.shape);
  const ends = { input: value.tensor, output: output.tensor };
  switch (activation) {
    case "Relu":
    case "Relu6":
      node.builder.add({ kind: "Activation", ...ends, activation: activation === "Relu" ? "relu" : "relu6" });
      break;
    case "LeakyRelu":
      node.builder.add({
        kind: "LeakyRelu",
        ...ends,
        alpha: Math.fround(node.float("leakyrelu_alpha", 0.2)),
      });
      break;
    case "Sigmoid":
      node.builder.add({ kind: "Logistic", ...ends });
      break;
    case "Tanh":
      node.builder.add({ kind: "Tanh", ...ends });
  }
  return output;
}

function convolution(depthwise: boolean): Operation {
  return (node) => {
    const source = node.value(0);
    const blocks = source.kind === "activation" ? source.blocks : undefined;
    const input =
      blocks === undefined || source.kind !== "activation"
        ? node.activation(0, 4)
        : { kind: source.kind, tensor: source.tensor, shape: source.shape };
    const { shape, data } = node.weights(1, 4);
    const [height = 1, width = 1, channels = 1, last = 1] = shape;
    const [, , , given] = input.shape;
    if (channels !== given) {
      throw node.shapeError(`weights for ${channels} channels on an input of [${input.shape.join(", ")}]`);
    }
    const strides = node.window("strides");
    const dilations: Pair =
      blocks === undefined ? node.window("dilations") : [blocks.sizes[0] ?? 1, blocks.sizes[1] ?? 1];
    const filters = depthwise ? channels * last : last;
    const { padding, size } = window(node, input, [height, width], strides, dilations);
    if (blocks !== undefined && (strides.some((s) => s !== 1) || padding === "same")) {
      throw node.structureError(
        "strides or padding between SpaceToBatchND and BatchToSpaceND",
        "Convert the model again with a newer converter.",
      );
    }
    // [KH, KW, I, O] → [O, KH, KW, I]; of depthwise filters [KH, KW, C, M] and [1, KH, KW, C*M] have one order of elements.
    const filter = depthwise
      ? floatConstantOf(data, [1, height, width, filters])
      : transposeConstant(floatConstantOf(data, shape), [3, 0, 1, 2]);
    const { bias, activation } = fused(node);
    const output = node.output([1, ...size, filters]);
    const common = {
      input: input.tensor,
      filter: node.builder.typedConstant(filter, `${node.name}/filter`),
      bias,
      output: output.tensor,
      padding,
      strideHeight: strides[0],
      strideWidth: strides[1],
      dilationHeight: dilations[0],
      dilationWidth: dilations[1],
      activation: "none",
    } as const;
    node.builder.add(
      depthwise
        ? { kind: "DepthwiseConv2D", ...common, depthMultiplier: last }
        : { kind: "Conv2D", ...common },
    );
    const result = activated(node, output, activation);
    return blocks === undefined ? result : { ...result, blocks };
  };
}

/** Opens a dilated convolution. Padding that is more than alignment to blocks is refused by `batchToSpace`, which knows the crops. */
function spaceToBatch(node: TfNode): Activation {
  const value = node.activation(0, 4);
  const sizes = node.integers(1);
  const paddings = node.integers(2);
  if (sizes.length !== 2 || paddings.length !== 4 || !sizes.every((size) => size >= 1)) {
    throw node.shapeError("its block shape is not [height, width]");
  }
  return { ...value, blocks: { sizes, before: [paddings[0] ?? 0, paddings[2] ?? 0] } };
}

/** Closes it: the crops take away what alignment added. */
function batchToSpace(node: TfNode): Activation {
  const value = node.value(0);
  const crops = node.integers(2);
  if (value.kind !== "activation" || value.blocks === undefined) {
    throw node.structureError(
      "without SpaceToBatchND",
      "The two are supported around a dilated convolution.",
    );
  }
  const { before } = value.blocks;
  if (before.some((size) => size !== 0) || (crops[0] ?? 0) !== 0 || (crops[2] ?? 0) !== 0) {
    throw node.attributeError(
      "paddings",
      before,
      "padding at the end only (dilated convolutions with VALID padding)",
    );
  }
  return { kind: "activation", tensor: value.tensor, shape: value.shape };
}

function pool(kind: "MaxPool2D" | "AveragePool2D"): Operation {
  return (node) => {
    const input = node.activation(0, 4);
    const kernel = node.window("ksize");
    const strides = node.window("strides");
    const { padding, size } = window(node, input, kernel, strides, [1, 1]);
    const output = node.output([1, ...size, input.shape[3] ?? 1]);
    node.builder.add({
      kind,
      input: input.tensor,
      output: output.tensor,
      padding,
      filterHeight: kernel[0],
      filterWidth: kernel[1],
      strideHeight: strides[0],
      strideWidth: strides[1],
      activation: "none",
    });
    return output;
  };
}

/** The mean or maximum over all dimensions between batch and channels. */
function reduce(kind: "MaxPool2D" | "AveragePool2D"): Operation {
  return (node) => {
    const value = node.activation(0);
    const rank = value.shape.length;
    const axes = node.integers(1).map((axis) => node.axis(axis, rank));
    const [, height = 1, width = 1] = held(value.shape);
    const wanted = value.shape.flatMap((_, axis) => (axis > 0 && axis < rank - 1 ? [axis] : []));
    if (
      rank < 3 ||
      rank > 4 ||
      wanted.some((axis) => !axes.includes(axis)) ||
      axes.length !== wanted.length
    ) {
      throw node.attributeError("axis", axes, "all dimensions between batch and channels");
    }
    const channels = value.shape[rank - 1] ?? 1;
    const pooled = node.output([1, ...wanted.map(() => 1), channels]);
    node.builder.add({
      kind,
      input: value.tensor,
      output: pooled.tensor,
      padding: "valid",
      filterHeight: height,
      filterWidth: width,
      strideHeight: height,
      strideWidth: width,
      activation: "none",
    });
    return node.bool("keep_dims", false) ? pooled : node.reshaped(pooled, [1, channels]);
  };
}

/** With constant weights at the right. */
function matMul(node: TfNode): Activation {
  node.requireFalse("transpose_a");
  node.requireFalse("adj_x");
  const input = node.activation(0);
  const { shape, data } = node.weights(1, 2);
  const transposed = node.bool("transpose_b", false) || node.bool("adj_y", false);
  const matrix = floatConstantOf(data, shape);
  const filter = transposed ? matrix : transposeConstant(matrix, [1, 0]);
  const [units = 1, depth] = filter.shape;
  if (input.shape.length < 2 || input.shape.at(-1) !== depth) {
    throw node.shapeError(`weights for ${depth} inputs on an input of [${input.shape.join(", ")}]`);
  }
  const { bias, activation } = fused(node);
  const output = node.output([...input.shape.slice(0, -1), units]);
  node.builder.add({
    kind: "FullyConnected",
    input: input.tensor,
    filter: node.builder.typedConstant(filter, `${node.name}/filter`),
    bias,
    output: output.tensor,
    keepNumDims: input.shape.length > 2,
    activation: "none",
  });
  return activated(node, output, activation);
}

function normalize(
  node: TfNode,
  input: Activation,
  [gamma, beta, mean, variance]: readonly Float32Array[],
  epsilon: number,
): Activation {
  const output = node.output(input.shape);
  const channels = input.shape.at(-1) ?? 1;
  node.builder.add({
    kind: "BatchNormalization",
    input: input.tensor,
    output: output.tensor,
    gamma: gamma ?? new Float32Array(channels).fill(1),
    beta: beta ?? new Float32Array(channels),
    mean: mean ?? new Float32Array(channels),
    variance: variance ?? new Float32Array(channels).fill(1),
    epsilon,
  });
  return output;
}

function batchNormalization(node: TfNode): Activation {
  if (node.bool("is_training", true)) {
    throw node.attributeError("is_training", true, "false");
  }
  const input = node.activation(0);
  const channels = input.shape.at(-1) ?? 1;
  const parts = [1, 2, 3, 4].map((index) => {
    const { shape, data } = node.weights(index, 1);
    if (shape[0] !== channels) {
      throw node.shapeError(`input ${index} has ${shape[0]} elements for ${channels} channels`);
    }
    return data;
  });
  return normalize(node, input, parts, node.float("epsilon", 1e-4));
}

/** y = factor * x + offset by the constant of the channel, or the only one. */
function affine(of: (constant: number, left: boolean) => { factor: number; offset: number }): Operation {
  return (node) => {
    const left = node.value(0).kind === "constant";
    const input = node.activation(left ? 1 : 0);
    const { shape, data } = node.constant(left ? 0 : 1);
    const channels = input.shape.at(-1) ?? 1;
    const perChannel = shape.at(-1) === channels && elementCount(shape) === channels;
    if (
      !(data instanceof Float32Array) ||
      shape.length > input.shape.length ||
      !(perChannel || data.length === 1)
    ) {
      throw node.shapeError(
        `combines [${input.shape.join(", ")}] with a constant of [${shape.join(", ")}]; one number, or one per channel, is supported`,
      );
    }
    const list = Array.from({ length: channels }, (_, c) => of(data[data.length === 1 ? 0 : c] ?? 0, left));
    const gamma = Float32Array.from(list, ({ factor }) => factor);
    return normalize(node, input, [gamma, Float32Array.from(list, ({ offset }) => offset)], 0);
  };
}

const addConstant = affine((c) => ({ factor: 1, offset: c }));

/** A constant per channel is a normalisation, which folds into the layer before; anything else is `kind`. */
function affineOr(kind: "Add" | "Sub" | "Mul", constant: Operation): Operation {
  const general = binary(kind);
  return (node) => {
    const index = [0, 1].find((i) => node.value(i).kind === "constant");
    if (index === undefined) {
      return general(node);
    }
    const { shape } = node.constant(index);
    const channels = node.activation(1 - index).shape.at(-1) ?? 1;
    const count = elementCount(shape);
    return count === 1 || (count === channels && shape.at(-1) === channels) ? constant(node) : general(node);
  };
}

function clamp(activation: "Relu" | "Relu6"): Operation {
  return (node) => activated(node, node.activation(0), activation);
}

function softmax(node: TfNode): Activation {
  const input = node.activation(0);
  const output = node.output(input.shape);
  node.builder.add({ kind: "Softmax", input: input.tensor, output: output.tensor, beta: 1 });
  return output;
}

function reshape(node: TfNode): Activation {
  const value = node.activation(0);
  const target = node.integers(1);
  const rest = target.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return node.reshaped(
    value,
    target.map((size) => (size === -1 ? elementCount(value.shape) / rest : size)),
  );
}

function squeeze(node: TfNode): Activation {
  const value = node.activation(0);
  const given = (node.ints("squeeze_dims") ?? []).map((axis) => node.axis(axis, value.shape.length));
  const gone = (axis: number): boolean =>
    given.length === 0 ? value.shape[axis] === 1 : given.includes(axis);
  return node.reshaped(
    value,
    value.shape.filter((_, axis) => !gone(axis)),
  );
}

function expandDims(node: TfNode): Activation {
  const value = node.activation(0);
  const [at = 0] = node.integers(1);
  return node.reshaped(value, value.shape.toSpliced(node.axis(at, value.shape.length + 1), 0, 1));
}

export const operations: Readonly<Partial<Record<string, Operation>>> = {
  ...movementOperations,
  _FusedConv2D: convolution(false),
  _FusedMatMul: matMul,
  Add: affineOr("Add", addConstant),
  AddV2: affineOr("Add", addConstant),
  AvgPool: pool("AveragePool2D"),
  BatchMatMulV2: matMul,
  BatchToSpaceND: batchToSpace,
  BiasAdd: addConstant,
  Conv2D: convolution(false),
  DepthwiseConv2dNative: convolution(true),
  ExpandDims: expandDims,
  FusedBatchNorm: batchNormalization,
  FusedBatchNormV2: batchNormalization,
  FusedBatchNormV3: batchNormalization,
  FusedDepthwiseConv2dNative: convolution(true),
  Identity: (node) => node.activation(0),
  MatMul: matMul,
  Max: reduce("MaxPool2D"),
  MaxPool: pool("MaxPool2D"),
  Mean: reduce("AveragePool2D"),
  Mul: affineOr(
    "Mul",
    affine((c) => ({ factor: c, offset: 0 })),
  ),
  RealDiv: (node) =>
    affine((c, left) => {
      if (left || c === 0) {
        throw node.shapeError("divides a constant, or by 0");
      }
      return { factor: 1 / c, offset: 0 };
    })(node),
  Relu: clamp("Relu"),
  Relu6: clamp("Relu6"),
  Reshape: reshape,
  Softmax: softmax,
  SpaceToBatchND: spaceToBatch,
  Squeeze: squeeze,
  StopGradient: (node) => node.activation(0),
  Sub: affineOr(
    "Sub",
    affine((c, left) => (left ? { factor: -1, offset: c } : { factor: 1, offset: -c })),
  ),
};

/** For messages. */
export function supportedOperations(): string {
  return Object.keys(operations).sort().join(", ");
}

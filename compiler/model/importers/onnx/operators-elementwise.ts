/** ONNX operators that work on each element, on pairs of elements, or on rows. */
import type { Activation as Clamp } from "../../graph.js";
import { transposeConstant } from "../constants.js";
import { heldShape, plainOrder, sameLayout } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";

/** An output like `value` for an operator that does not care where elements lie. */
function like(node: OnnxNode, value: Activation): Activation {
  const output = node.output(value.shape, value.order);
  return value.elements === undefined ? output : { ...output, elements: value.elements };
}

export function clampBy(activation: Exclude<Clamp, "none">): (node: OnnxNode) => Activation {
  return (node) => {
    const value = node.activation(0);
    const output = like(node, value);
    node.builder.add({ kind: "Activation", input: value.tensor, output: output.tensor, activation });
    return output;
  };
}

/** With bounds that are a fused activation of TFLite. */
export function clip(node: OnnxNode): Activation {
  const bound = (index: number, name: string, otherwise: number): number => {
    const constant = node.constant(index);
    const given =
      constant === undefined ? node.float(name, otherwise) : Number(constant.data[0] ?? otherwise);
    return Math.abs(given) > 3e38 ? Math.sign(given) * Infinity : given;
  };
  const low = bound(1, "min", -Infinity);
  const high = bound(2, "max", Infinity);
  const known = [
    { low: 0, high: Infinity, activation: "relu" },
    { low: 0, high: 6, activation: "relu6" },
    { low: -1, high: 1, activation: "relu_n1_to_1" },
  ] as const;
  if (low === -Infinity && high === Infinity) {
    return node.activation(0);
  }
  const found = known.find((entry) => entry.low === low && entry.high === high);
  if (found === undefined) {
    throw node.attributeError("min, max", [String(low), String(high)], "0 to 6, 0 and more, -1 to 1");
  }
  return clampBy(found.activation)(node);
}

/** Nothing happens in an inference. */
export function passed(node: OnnxNode): Activation {
  return node.activation(0);
}

export function softmax(node: OnnxNode): Activation {
  const value = node.activation(0);
  const rank = value.shape.length;
  const opset = node.int("opset", node.opset); // of the quantised form, whose own version is another
  const given = node.int("axis", opset < 13 ? 1 : -1);
  const axis = node.axis(given, rank);
  // Before version 13 the softmax was over all dimensions from `axis` on.
  const beyond = opset < 13 ? value.shape.slice(axis + 1) : [];
  const last = [...value.order].reverse().find((dimension) => value.shape[dimension] !== 1) ?? rank - 1;
  const fits = value.elements === undefined && (last === axis || value.shape[axis] === 1);
  if (!fits || beyond.some((size) => size !== 1)) {
    throw node.attributeError("axis", given, "the dimension of channels or classes, the last one in memory");
  }
  // The rows must be the last held dimension, also when others of size 1 stand behind it.
  const order = [...value.order.filter((dimension) => dimension !== axis), axis];
  const input = node.inOrder(value, order);
  const output = node.output(input.shape, input.order);
  node.builder.add({ kind: "Softmax", input: input.tensor, output: output.tensor, beta: 1 });
  noteFixed(node, "Softmax", input, output);
  return output;
}

type BinaryKind = "Add" | "Sub" | "Mul" | "Minimum" | "Maximum" | "PRelu";

/** Of two computed tensors of one rank, or of one and a constant, with broadcasting. */
export function binary(kind: BinaryKind): (node: OnnxNode) => Activation {
  return (node) => {
    const [first, second] = [node.value(0), node.value(1)];
    if (first.kind === "constant" || second.kind === "constant") {
      return withConstant(node, kind, first.kind === "constant");
    }
    const [left, right] = aligned(node, first, second);
    const output = node.output(broadcast(node, left.shape, right.shape), left.order);
    emitBinary(node, kind, left.tensor, right.tensor, output.tensor);
    return left.elements === undefined ? output : { ...output, elements: left.elements };
  };
}

function emitBinary(node: OnnxNode, kind: BinaryKind, left: number, right: number, output: number): void {
  const operands = { left, right, output };
  node.builder.add(
    kind === "Add" || kind === "Sub" || kind === "Mul"
      ? { kind, ...operands, activation: "none" }
      : { kind, ...operands },
  );
}

/** One of the operands is a constant, of a shape that is broadcast to that of the other. */
function withConstant(node: OnnxNode, kind: BinaryKind, constantLeft: boolean): Activation {
  const given = node.activation(constantLeft ? 1 : 0);
  const value = given.elements === undefined ? given : node.plain(given);
  const constant = node.requiredConstant(constantLeft ? 0 : 1);
  const rank = value.shape.length;
  const shape = [...new Array<number>(Math.max(0, rank - constant.shape.length)).fill(1), ...constant.shape];
  if (shape.length !== rank || (constant.quantization?.scales.length ?? 1) > 1) {
    throw node.shapeError(
      `combines [${value.shape.join(", ")}] with a constant of [${constant.shape.join(", ")}]`,
    );
  }
  if (constant.type !== "float32" && constant.quantization === undefined) {
    throw node.structureError(`its constant is ${constant.type}`, "Export the model with float32 constants.");
  }
  if (constant.data instanceof Float32Array && node.notes.of(value.tensor) !== undefined) {
    throw node.structureError(
      "arithmetic with a float constant in a quantised model",
      "Quantise the constant as well, or fold it into the layer before it.",
    );
  }
  const output = node.output(broadcast(node, value.shape, shape), value.order);
  const moved = transposeConstant({ ...constant, shape }, value.order);
  const operand = node.builder.typedConstant(
    { ...moved, shape: heldShape(shape, value.order) },
    `${node.name}/constant`,
  );
  const [left, right] = constantLeft ? [operand, value.tensor] : [value.tensor, operand];
  emitBinary(node, kind, left, right, output.tensor);
  return output;
}

function broadcast(node: OnnxNode, left: readonly number[], right: readonly number[]): number[] {
  const shape = left.map((size, axis) => Math.max(size, right[axis] ?? 1));
  const fits = [left, right].every((one) => one.every((size, axis) => size === 1 || size === shape[axis]));
  if (!fits || left.length !== right.length) {
    throw node.shapeError(`combines shapes [${left.join(", ")}] and [${right.join(", ")}]`);
  }
  return shape;
}

/**
 * An arithmetic operator with a constant per channel is a normalisation, which folds into the layer before; else it is
 * `kind`, or refused when there is none.
 */
export function affineOr(
  kind: "Add" | "Sub" | "Mul" | undefined,
  of: (constant: number, left: boolean) => { factor: number; offset: number },
): (node: OnnxNode) => Activation {
  return (node) => {
    const index = [0, 1].find((i) => node.value(i).kind === "constant");
    if (index === undefined || !perChannel(node, index)) {
      if (kind === undefined) {
        throw node.structureError(
          "divides by other than a float constant per channel",
          "Multiply by its inverse.",
        );
      }
      return binary(kind)(node);
    }
    return affine(node, of);
  };
}

/** Whether constant input `index` is a float per channel of the other input, or one for all. */
function perChannel(node: OnnxNode, index: number): boolean {
  const value = node.value(1 - index);
  const { data, shape } = node.requiredConstant(index);
  if (
    value.kind !== "activation" ||
    node.notes.of(value.tensor) !== undefined ||
    !(data instanceof Float32Array)
  ) {
    return false;
  }
  const rank = value.shape.length;
  const channel = value.order[rank - 1] ?? 0;
  const offset = rank - shape.length;
  const onlyChannels = shape.every(
    (size, axis) => size === 1 || (axis + offset === channel && size === value.shape[channel]),
  );
  return value.elements === undefined && offset >= 0 && (data.length === 1 || onlyChannels);
}

/** Outputs that int8 layers hold with a fixed scale and zero point. */
const fixedOutputs: Readonly<Partial<Record<string, { scale: number; zeroPoint: number }>>> = {
  Softmax: { scale: 1 / 256, zeroPoint: -128 },
  Logistic: { scale: 1 / 256, zeroPoint: -128 },
  Tanh: { scale: 1 / 128, zeroPoint: 0 },
};

function noteFixed(node: OnnxNode, kind: string, input: Activation, output: Activation): void {
  const fixed = fixedOutputs[kind];
  if (fixed !== undefined && node.notes.of(input.tensor) !== undefined) {
    node.notes.note(output.tensor, fixed, node.where);
  }
}

export function unary(kind: "Logistic" | "Tanh" | "HardSwish"): (node: OnnxNode) => Activation {
  return (node) => {
    const value = node.activation(0);
    const output = like(node, value);
    node.builder.add({ kind, input: value.tensor, output: output.tensor });
    noteFixed(node, kind, value, output);
    return output;
  };
}

export function leakyRelu(node: OnnxNode): Activation {
  const value = node.activation(0);
  const output = like(node, value);
  const alpha = Math.fround(node.float("alpha", 0.01));
  node.builder.add({ kind: "LeakyRelu", input: value.tensor, output: output.tensor, alpha });
  return output;
}

/** Both in the order of the first. */
export function aligned(node: OnnxNode, left: Activation, right: Activation): [Activation, Activation] {
  if (left.shape.length !== right.shape.length) {
    throw node.shapeError(
      `combines shapes [${left.shape.join(", ")}] and [${right.shape.join(", ")}]; equal numbers of dimensions are supported`,
    );
  }
  if (left.elements !== undefined || right.elements !== undefined) {
    if (left.elements?.join() === right.elements?.join()) {
      return [left, right];
    }
    throw node.structureError(
      "combines two tensors whose elements lie in different orders",
      "Flatten after this layer instead of before it.",
    );
  }
  return sameLayout(left.shape, left.order, right.order) ||
    !sameLayout(left.shape, right.order, plainOrder(left.shape.length))
    ? [left, node.inOrder(right, left.order)]
    : [node.inOrder(left, right.order), right];
}

/** The constant side of a binary node, and whether it is the left one. */
function constantSide(node: OnnxNode): {
  value: Activation;
  constant: Float32Array;
  shape: readonly number[];
  left: boolean;
} {
  const left = node.value(0).kind === "constant";
  const value = node.activation(left ? 1 : 0);
  const constant = node.requiredConstant(left ? 0 : 1);
  if (!(constant.data instanceof Float32Array) || node.notes.of(value.tensor) !== undefined) {
    throw node.structureError(
      "arithmetic with a constant in a quantised model",
      "Fold the constant into the layer before it, and quantise the model again.",
    );
  }
  return { value, constant: constant.data, shape: constant.shape, left };
}

/** y = factor * x + offset with numbers that depend on the constant of the channel, or on the only one. */
function affine(
  node: OnnxNode,
  of: (constant: number, left: boolean) => { factor: number; offset: number },
): Activation {
  const { value, constant, shape, left } = constantSide(node);
  const rank = value.shape.length;
  // Channels are the last held dimension.
  const channel = value.order[rank - 1] ?? 0;
  const channels = value.shape[channel] ?? 1;
  const offset = rank - shape.length;
  const perChannel =
    offset >= 0 &&
    shape.every((size, axis) => size === 1 || (axis + offset === channel && size === channels));
  if (value.elements !== undefined || (constant.length !== 1 && !perChannel)) {
    throw node.shapeError(
      `combines [${value.shape.join(", ")}] with a constant of [${shape.join(", ")}]; one number, or one per channel, is supported`,
    );
  }
  const list = Array.from({ length: channels }, (_, c) =>
    of(constant[constant.length === 1 ? 0 : c] ?? 0, left),
  );
  const output = node.output(value.shape, value.order);
  node.builder.add({
    kind: "BatchNormalization",
    input: value.tensor,
    output: output.tensor,
    gamma: Float32Array.from(list, ({ factor }) => factor),
    beta: Float32Array.from(list, (entry) => entry.offset),
    mean: new Float32Array(channels),
    variance: new Float32Array(channels).fill(1),
    epsilon: 0,
  });
  return output;
}

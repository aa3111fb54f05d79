/**
 * ONNX operators of quantised models: QuantizeLinear and DequantizeLinear, which only say how tensors are held, and
 * QLinearConv and QLinearMatMul, which are a layer between such pairs. uint8 becomes int8 by subtracting 128 from values and
 * zero points: exact, since real = scale * (q - zeroPoint).
 */
import { numbersOf, transposeConstant, type Constant } from "../constants.js";
import { constantValue, type Activation, type OnnxNode, type Value } from "./context.js";
import { dense } from "./operators-dense.js";
import { aligned } from "./operators-elementwise.js";
import { convolve } from "./operators-window.js";
import { notExact, type Int8Parameters } from "./quantisation-notes.js";

interface Parameters {
  readonly scales: readonly number[];
  /** Of the int8 or int32 form. */
  readonly zeroPoints: readonly number[];
  readonly type: "int8" | "uint8" | "int32";
}

/** Scale and zero point in inputs `at` and `at + 1` of a node. */
function parameters(node: OnnxNode, at: number): Parameters {
  const scale = node.requiredConstant(at);
  const zero = node.constant(at + 1);
  const type = zero?.type ?? "uint8";
  if (type !== "int8" && type !== "uint8" && type !== "int32") {
    throw notExact(node.where, `quantisation to ${type} is not supported`, "Quantise to int8 or uint8.");
  }
  const scales = numbersOf(scale);
  if (!(scale.data instanceof Float32Array) || scales.length === 0 || !scales.every((s) => s > 0)) {
    throw node.shapeError("its scale is not a list of positive numbers");
  }
  const zeros = zero === undefined ? scales.map(() => 0) : numbersOf(zero);
  if (zeros.length !== scales.length) {
    throw node.shapeError(`it has ${scales.length} scales and ${zeros.length} zero points`);
  }
  return { scales, zeroPoints: type === "uint8" ? zeros.map((z) => z - 128) : zeros, type };
}

/** Those of an activation: one scale, int8 or uint8. */
function perTensor(node: OnnxNode, at: number): Int8Parameters {
  const { scales, zeroPoints, type } = parameters(node, at);
  const [scale = 1] = scales;
  const [zeroPoint = 0] = zeroPoints;
  if (scales.length !== 1 || type === "int32") {
    throw notExact(
      node.where,
      "activations need one scale and an int8 or uint8 zero point",
      "Quantise activations per tensor, weights per tensor or per channel.",
    );
  }
  return { scale, zeroPoint };
}

/** A stored quantised constant with its meaning; `axis` counts the scales if there are several. */
function quantised(node: OnnxNode, constant: Constant, at: number, axis: number): Constant {
  const { scales, zeroPoints, type } = parameters(node, at);
  if (constant.type !== type && !(constant.type === "int8" && node.constant(at + 1) === undefined)) {
    throw node.shapeError(`${constant.type} data with a zero point of ${type}`);
  }
  if (scales.length > 1 && constant.shape[axis] !== scales.length) {
    throw node.shapeError(
      `${scales.length} scales along dimension ${axis} of [${constant.shape.join(", ")}]`,
    );
  }
  const quantization = { scales, zeroPoints, axis: scales.length > 1 ? axis : 0 };
  return constant.data instanceof Uint8Array
    ? {
        type: "int8",
        shape: constant.shape,
        data: Int8Array.from(constant.data, (q) => q - 128),
        quantization,
      }
    : {
        ...constant,
        quantization:
          constant.type === type ? quantization : { ...quantization, zeroPoints: scales.map(() => 0) },
      };
}

/** round half to even, as ONNX defines it. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

/** `value` held with `wanted`: noted, or requantised if it has other parameters already. */
function held(node: OnnxNode, value: Activation, wanted: Int8Parameters): Activation {
  const known = node.notes.of(value.tensor);
  if (known === undefined || (known.scale === wanted.scale && known.zeroPoint === wanted.zeroPoint)) {
    node.notes.note(value.tensor, wanted, node.where);
    return value;
  }
  const output = node.output(value.shape, value.order);
  node.builder.add({ kind: "Quantize", input: value.tensor, output: output.tensor });
  node.notes.note(output.tensor, wanted, node.where);
  return value.elements === undefined ? output : { ...output, elements: value.elements };
}

export function quantizeLinear(node: OnnxNode): Value {
  const value = node.value(0);
  const given = node.int("axis", 1);
  node.requireInt("saturate", 1);
  node.requireInt("block_size", 0);
  node.int("output_dtype", 0);
  if (value.kind === "activation") {
    return held(node, value, perTensor(node, 1));
  }
  const { scales, zeroPoints, type } = parameters(node, 1);
  const { data, shape } = value;
  if (!(data instanceof Float32Array) || value.quantization !== undefined || type === "int32") {
    throw node.shapeError("quantises a constant that is not float32");
  }
  const axis = scales.length > 1 ? node.axis(given, shape.length) : 0;
  if (scales.length > 1 && shape[axis] !== scales.length) {
    throw node.shapeError(`${scales.length} scales along dimension ${axis} of [${shape.join(", ")}]`);
  }
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channel = (i: number): number => (scales.length > 1 ? Math.floor(i / inner) % scales.length : 0);
  const steps = Int8Array.from(data, (real, i) =>
    Math.max(
      -128,
      Math.min(127, roundEven(Math.fround(real / (scales[channel(i)] ?? 1))) + (zeroPoints[channel(i)] ?? 0)),
    ),
  );
  return constantValue({ type: "int8", shape, data: steps, quantization: { scales, zeroPoints, axis } });
}

export function dequantizeLinear(node: OnnxNode): Value {
  const value = node.value(0);
  const given = node.int("axis", 1);
  node.requireInt("block_size", 0);
  if (value.kind === "activation") {
    node.notes.note(value.tensor, perTensor(node, 1), node.where);
    return value;
  }
  if (value.quantization !== undefined) {
    return value; // quantised by a node of the graph: it has its meaning already
  }
  const single = node.requiredConstant(1).data.length === 1;
  return constantValue(quantised(node, value, 1, single ? 0 : node.axis(given, value.shape.length)));
}

/** Inputs: x, its scale, its zero point, w, scale, zero point, y scale, zero point, bias. */
export function qLinearConv(node: OnnxNode): Activation {
  const input = node.activation(0);
  node.notes.note(input.tensor, perTensor(node, 1), node.where);
  const weights = quantised(node, node.requiredConstant(3), 4, 0);
  const output = convolve(node, input, weights, storedBias(node, node.constant(8), weights, input));
  node.notes.note(output.tensor, perTensor(node, 6), node.where);
  return output;
}

/** Inputs: a, its scale, its zero point, b, scale, zero point, y scale, zero point. */
export function qLinearMatMul(node: OnnxNode): Activation {
  const input = node.activation(0);
  node.notes.note(input.tensor, perTensor(node, 1), node.where);
  const weights = node.requiredConstant(3);
  if (weights.shape.length !== 2) {
    throw node.shapeError(`its weights have the shape [${weights.shape.join(", ")}] instead of 2 dimensions`);
  }
  const filter = transposeConstant(quantised(node, weights, 4, 1), [1, 0]);
  const output = dense(node, input, filter, undefined);
  node.notes.note(output.tensor, perTensor(node, 6), node.where);
  return output;
}

/** Inputs: a, its scale, its zero point, b, scale, zero point, bias, y scale, zero point. Of com.microsoft. */
export function qGemm(node: OnnxNode): Activation {
  node.requireInt("transA", 0);
  if (node.float("alpha", 1) !== 1) {
    throw node.attributeError("alpha", node.float("alpha", 1), "1");
  }
  const input = node.activation(0);
  node.notes.note(input.tensor, perTensor(node, 1), node.where);
  const weights = node.requiredConstant(3);
  if (weights.shape.length !== 2) {
    throw node.shapeError(`its weights have the shape [${weights.shape.join(", ")}] instead of 2 dimensions`);
  }
  const transposed = node.int("transB", 0) === 1;
  const stored = quantised(node, weights, 4, transposed ? 0 : 1);
  const filter = transposed ? stored : transposeConstant(stored, [1, 0]);
  const output = dense(node, input, filter, storedBias(node, node.constant(6), filter, input));
  node.notes.note(output.tensor, perTensor(node, 7), node.where);
  return output;
}

/** An int32 bias whose scale is not stored, since it follows: input scale times weight scale. */
function storedBias(
  node: OnnxNode,
  bias: Constant | undefined,
  weights: Constant,
  input: Activation,
): Constant | undefined {
  const own = node.notes.of(input.tensor)?.scale ?? 1;
  const scales = weights.quantization?.scales.map((scale) => scale * own) ?? [];
  return bias === undefined
    ? undefined
    : { ...bias, quantization: { scales, zeroPoints: scales.map(() => 0), axis: 0 } };
}

/** Inputs: a, its scale, its zero point, b, scale, zero point, y scale, zero point. Of com.microsoft. */
export function qLinearBinary(kind: "Add" | "Mul"): (node: OnnxNode) => Activation {
  return (node) => {
    const left = node.activation(0);
    const right = node.activation(3);
    node.notes.note(left.tensor, perTensor(node, 1), node.where);
    node.notes.note(right.tensor, perTensor(node, 4), node.where);
    const [a, b] = aligned(node, left, right);
    if (a.shape.join() !== b.shape.join()) {
      throw node.shapeError(`combines shapes [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`);
    }
    const output = node.output(a.shape, a.order);
    node.builder.add({
      kind,
      left: a.tensor,
      right: b.tensor,
      output: output.tensor,
      activation: "none",
    });
    node.notes.note(output.tensor, perTensor(node, 6), node.where);
    return a.elements === undefined ? output : { ...output, elements: a.elements };
  };
}

/** `of` between x, its scale, its zero point, and y scale, zero point. Of com.microsoft. */
export function qLinearUnary(of: (node: OnnxNode) => Activation): (node: OnnxNode) => Activation {
  return (node) => {
    node.requireInt("channels_last", 0);
    node.notes.note(node.activation(0).tensor, perTensor(node, 1), node.where);
    return held(node, of(node), perTensor(node, 3));
  };
}

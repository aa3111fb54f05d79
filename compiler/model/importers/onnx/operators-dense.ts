/** ONNX operators that become fully connected layers. */
import { gatherData, transposeConstant, type Constant } from "../constants.js";
import { plainOrder } from "../layout.js";
import type { Activation, OnnxNode } from "./context.js";
import { addWeights } from "./weights.js";

export function gemm(node: OnnxNode): Activation {
  for (const name of ["alpha", "beta"]) {
    const factor = node.float(name, 1);
    if (factor !== 1) {
      throw node.attributeError(name, factor, "1");
    }
  }
  node.requireInt("transA", 0);
  const value = node.activation(0);
  if (value.shape.length !== 2) {
    throw node.shapeError(`takes 2 dimensions, but gets [${value.shape.join(", ")}]`);
  }
  const weights = matrix(node, node.requiredConstant(1));
  const filter = node.int("transB", 0) === 1 ? weights : transposeConstant(weights, [1, 0]);
  return dense(node, value, filter, row(node, node.constant(2), filter.shape[0] ?? 1));
}

/** With constant weights at the right. */
export function matMul(node: OnnxNode): Activation {
  return dense(
    node,
    node.activation(0),
    transposeConstant(matrix(node, node.requiredConstant(1)), [1, 0]),
    undefined,
  );
}

function matrix(node: OnnxNode, weights: Constant): Constant {
  if (weights.shape.length !== 2) {
    throw node.shapeError(`its weights have the shape [${weights.shape.join(", ")}] instead of 2 dimensions`);
  }
  return weights;
}

/** A bias as [units]; ONNX lets [1, units] and a single number stand for it. */
function row(node: OnnxNode, bias: Constant | undefined, units: number): Constant | undefined {
  if (bias === undefined) {
    return undefined;
  }
  if (bias.data.length === 1 && units > 1) {
    return { ...bias, shape: [units], data: gatherData(bias.data, new Int32Array(units)) };
  }
  const [last = 1] = bias.shape.slice(-1);
  if (bias.data.length !== last) {
    throw node.shapeError(`a bias of [${bias.shape.join(", ")}] for ${units} units`);
  }
  return { ...bias, shape: [last] };
}

/** `filter` is [units, depth], `bias` [units]. */
export function dense(
  node: OnnxNode,
  value: Activation,
  filter: Constant,
  bias: Constant | undefined,
): Activation {
  const rank = value.shape.length;
  const depth = value.shape[rank - 1] ?? 1;
  const [units = 1, width] = filter.shape;
  if (rank < 1 || width !== depth) {
    throw node.shapeError(`weights for ${width} inputs on an input of [${value.shape.join(", ")}]`);
  }
  const shape = [...value.shape.slice(0, -1), units];
  let input = value;
  let weights = filter;
  if (value.elements !== undefined) {
    // Element i of the input is the model's element elements[i]: so are the columns of the weights.
    const { elements } = value;
    const columns = Int32Array.from(
      { length: filter.data.length },
      (_, i) => Math.floor(i / depth) * depth + (elements[i % depth] ?? 0),
    );
    weights = { ...filter, data: gatherData(filter.data, columns) };
    input = { kind: "activation", tensor: value.tensor, shape: value.shape, order: plainOrder(rank) };
  } else if (value.order[rank - 1] !== rank - 1) {
    input = node.plain(value);
  }
  const constants = addWeights(node, input, weights, 0, bias);
  const output = node.output(shape, input.order);
  node.builder.add({
    kind: "FullyConnected",
    input: input.tensor,
    ...constants,
    output: output.tensor,
    keepNumDims: rank > 2,
    activation: "none",
  });
  return output;
}

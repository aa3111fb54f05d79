/**
 * Post-training quantisation: a folded float graph and the ranges of its activations give the integer graph that
 * `tflite/write.ts` stores and the compiler turns into C. How ranges are found is `calibrate.ts`'s business, how good the
 * result is `accuracy.ts`'s.
 */
import { activationInputs, renumberOperator, type Graph, type Operator, type Tensor } from "../graph.js";
import type { Range } from "./calibrate.js";
import { floatConstant, floatTensor } from "./float-graph.js";
import {
  chooseParameters,
  quantizeOperand,
  quantizeValue,
  quantizeWeights,
  type ActivationType,
  type FloatWeights,
  type TensorParameters,
} from "./parameters.js";
import { keepsParameters } from "./shared-ranges.js";

type Weighted = Extract<Operator, { filter: number }>;

function weightsOf(graph: Graph, operator: Weighted): FloatWeights {
  const values = floatConstant(graph, operator.filter);
  const { shape } = floatTensor(graph, operator.filter);
  const depthwise = operator.kind === "DepthwiseConv2D";
  const channels = shape[depthwise ? 3 : 0] ?? 1;
  const perChannel = values.length / channels;
  return {
    values,
    bias: operator.bias === undefined ? undefined : floatConstant(graph, operator.bias),
    channels,
    channelOf: depthwise ? (i) => i % channels : (i) => Math.floor(i / perChannel),
    perTensor: operator.kind === "FullyConnected",
    axis: depthwise ? 3 : 0,
  };
}

/**
 * The graph of `graph` (folded, float32) with activations of `type` and int8 weights, with the same tensor numbers (a filter or bias that several
 * operators share is copied, since its scale depends on the input). `input` fixes the parameters of the model's input.
 */
export function quantizeGraph(
  graph: Graph,
  ranges: readonly (Range | undefined)[],
  input?: TensorParameters,
  type: ActivationType = "int8",
): Graph {
  const parameters = chooseParameters(graph, ranges, input, type);
  const tensors = graph.tensors.map((tensor, index): Tensor => {
    const chosen = parameters[index];
    if (chosen === undefined) {
      return tensor; // a constant: replaced below
    }
    const { scale, zeroPoint } = chosen;
    return { ...tensor, type, quantization: { scales: [scale], zeroPoints: [zeroPoint], axis: 0 } };
  });
  const taken = new Set<number>();
  const place = (index: number, tensor: Tensor): number => {
    if (taken.has(index)) {
      tensors.push(tensor);
      return tensors.length - 1;
    }
    taken.add(index);
    tensors[index] = tensor;
    return index;
  };
  const operators = graph.operators.map((operator): Operator => {
    if (operator.kind === "Pad" && operator.value !== undefined) {
      const chosen = parameters[operator.output] ?? { scale: 1, zeroPoint: 0 };
      return { ...operator, value: quantizeValue(operator.value, chosen, type) };
    }
    if (!("filter" in operator)) {
      const constants = new Map<number, number>();
      for (const index of activationInputs(operator)) {
        const tensor = floatTensor(graph, index);
        if (tensor.data !== undefined && !constants.has(index)) {
          const shared = keepsParameters(operator) ? parameters[operator.output] : undefined;
          const quantized = quantizeOperand(floatConstant(graph, index), shared, type);
          constants.set(index, place(index, { ...tensor, type, ...quantized }));
        }
      }
      return constants.size === 0
        ? operator
        : renumberOperator(operator, (index) => constants.get(index) ?? index);
    }
    const { filter, bias } = quantizeWeights(
      weightsOf(graph, operator),
      parameters[operator.input]?.scale ?? 1,
      type,
    );
    const filterTensor = floatTensor(graph, operator.filter);
    const moved = {
      ...operator,
      filter: place(operator.filter, { ...filterTensor, type: "int8", ...filter }),
    };
    if (operator.bias === undefined || bias === undefined) {
      return moved;
    }
    const biasTensor = floatTensor(graph, operator.bias);
    const biasType = type === "int16" ? "int64" : "int32";
    return { ...moved, bias: place(operator.bias, { ...biasTensor, type: biasType, ...bias }) };
  });
  return { ...graph, tensors, operators };
}

/**
 * Prepares a float graph for operators that do not rescale: before inputs whose parameters are not those of the output
 * stands a Quantize, which changes nothing in float. Inputs differ when they are fixed: of the model, of softmax, logistic
 * and tanh; the others have got a common range (`shared-ranges.ts`). For int16, which has no Quantize, a product with 1
 * stands there, and for activations that could not be fused.
 */
import type { Graph, Operator, Tensor } from "../graph.js";
import { activationInputs, renumberOperator } from "../graph.js";
import type { Range } from "./calibrate.js";
import { floatTensor } from "./float-graph.js";
import { chooseParameters, type ActivationType, type TensorParameters } from "./parameters.js";
import { keepsParameters, sharedRanges } from "./shared-ranges.js";

export interface RescaledGraph {
  readonly graph: Graph;
  /** One for each of its tensors; undefined for constants. */
  readonly ranges: readonly (Range | undefined)[];
}

/** `graph` is folded; `ranges` are those of its tensors; `input` fixes the parameters of the model's input. */
export function rescaleInputs(
  graph: Graph,
  ranges: readonly (Range | undefined)[],
  input?: TensorParameters,
  type: ActivationType = "int8",
): RescaledGraph {
  const parameters = chooseParameters(graph, ranges, input, type);
  const shared = sharedRanges(graph, ranges, (range) => range);
  const tensors: Tensor[] = [...graph.tensors];
  const operators: Operator[] = [];
  const extended = [...ranges];
  for (const operator of graph.operators) {
    const wanted = parameters[operator.output];
    const moved = new Map<number, number>();
    for (const index of keepsParameters(operator) ? activationInputs(operator) : []) {
      const own = parameters[index];
      const equal = own?.scale === wanted?.scale && own?.zeroPoint === wanted?.zeroPoint;
      if (own !== undefined && !equal && !moved.has(index)) {
        const { name, shape } = floatTensor(graph, index);
        const output = tensors.push({ name: `${name}/rescaled`, type: "float32", shape }) - 1;
        extended[output] = shared[operator.output];
        operators.push(
          type === "int16"
            ? { kind: "Mul", left: index, right: placeOne(tensors, extended), output, activation: "none" }
            : { kind: "Quantize", input: index, output },
        );
        moved.set(index, output);
      }
    }
    operators.push(
      moved.size === 0 ? operator : renumberOperator(operator, (index) => moved.get(index) ?? index),
    );
  }
  return { graph: { ...graph, tensors, operators }, ranges: extended };
}

const wideActivations = { Relu: "relu", Relu6: "relu6", ReluN1To1: "relu_n1_to_1" } as const;

/** `graph` with its stand-alone activations as products with 1 that clamp: the same in float, and int16 has them. */
export function activationsAsProducts(graph: Graph): Graph {
  const tensors: Tensor[] = [...graph.tensors];
  const operators = graph.operators.map((operator): Operator => {
    const { kind } = operator;
    if (kind !== "Relu" && kind !== "Relu6" && kind !== "ReluN1To1") {
      return operator;
    }
    const { input, output } = operator;
    return { kind: "Mul", left: input, right: placeOne(tensors), output, activation: wideActivations[kind] };
  });
  return { ...graph, tensors, operators };
}

/** Adds the constant 1 to `tensors` (and its absent range to `ranges`); gives its number. */
function placeOne(tensors: Tensor[], ranges?: (Range | undefined)[]): number {
  ranges?.push(undefined);
  return tensors.push({ name: "one", type: "float32", shape: [1], data: Float32Array.of(1) }) - 1;
}

/**
 * Prepares a float graph for operators that do not rescale: before inputs whose parameters are not those of the output
 * stands a Quantize, which changes nothing in float. Inputs differ when they are fixed: of the model, of softmax, logistic
 * and tanh; the others have got a common range (`shared-ranges.ts`).
 */
import type { Graph, Operator, Tensor } from "../graph.js";
import { activationInputs, renumberOperator } from "../graph.js";
import type { Range } from "./calibrate.js";
import { floatTensor } from "./float-graph.js";
import { chooseParameters, type TensorParameters } from "./parameters.js";
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
): RescaledGraph {
  const parameters = chooseParameters(graph, ranges, input);
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
        operators.push({ kind: "Quantize", input: index, output });
        moved.set(index, output);
      }
    }
    operators.push(
      moved.size === 0 ? operator : renumberOperator(operator, (index) => moved.get(index) ?? index),
    );
  }
  return { graph: { ...graph, tensors, operators }, ranges: extended };
}

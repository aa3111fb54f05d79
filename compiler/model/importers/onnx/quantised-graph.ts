/**
 * From the graph of a QDQ model to an int8 graph: activations are fused, every tensor gets the scale and zero point that its
 * QuantizeLinear named, or that follow from its operator. A tensor without any would be computed in float: refused.
 */
import {
  activationInputs,
  renumberOperator,
  tensorAt,
  type Graph,
  type Operator,
  type Tensor,
} from "../../graph.js";
import type { FloatGraph, FloatOperator } from "../../quantize/float-graph.js";
import { foldGraph } from "../../quantize/fold.js";
import { keepsParameters } from "../../quantize/shared-ranges.js";
import { notExact, type Int8Parameters, type QuantisationNotes } from "./quantisation-notes.js";

/** Parameters by tensor of `graph`; those not named follow from neighbours. */
function complete(graph: FloatGraph, notes: QuantisationNotes): (Int8Parameters | undefined)[] {
  const known = graph.tensors.map((_, index) => notes.of(index));
  const keeps = (operator: FloatOperator): operator is Operator =>
    operator.kind !== "BatchNormalization" && operator.kind !== "Activation" && keepsParameters(operator);
  for (const operator of graph.operators) {
    if (keeps(operator) && operator.kind !== "Concatenation") {
      known[operator.output] ??= known[activationInputs(operator)[0] ?? -1];
    }
  }
  for (const operator of [...graph.operators].reverse()) {
    if (keeps(operator)) {
      for (const input of activationInputs(operator)) {
        known[input] ??= known[operator.output];
      }
    }
  }
  return known;
}

type Params = Pick<Tensor, "quantization">;

const sameParameters = ({ quantization: a }: Params, { quantization: b }: Params): boolean =>
  a?.scales[0] === b?.scales[0] && a?.zeroPoints[0] === b?.zeroPoints[0];

/** Inputs of operators that do not rescale get the parameters of the output, by a Quantize before them where they differ. */
function rescaled(graph: Graph): Graph {
  const tensors = [...graph.tensors];
  const operators: Operator[] = [];
  for (const operator of graph.operators) {
    const output = tensorAt(graph, operator.output);
    const joins =
      operator.kind === "Concatenation" || operator.kind === "Maximum" || operator.kind === "Minimum";
    const moved = new Map<number, number>();
    for (const index of joins ? activationInputs(operator) : []) {
      const input = tensorAt(graph, index);
      if (
        input.data === undefined &&
        input.type === "int8" &&
        !sameParameters(input, output) &&
        !moved.has(index)
      ) {
        const { quantization } = output;
        const extra = quantization === undefined ? {} : { quantization };
        const { name, shape } = input;
        const to = tensors.push({ name: `${name}/rescaled`, type: "int8", shape, ...extra }) - 1;
        operators.push({ kind: "Quantize", input: index, output: to });
        moved.set(index, to);
      }
    }
    operators.push(renumberOperator(operator, (index) => moved.get(index) ?? index));
  }
  return { ...graph, tensors, operators };
}

/**
 * The int8 graph of `graph`, whose notes say how its tensors are held.
 * @throws UserError TMC3212 when part of the model is not quantised, or its scales cannot be those of int8 layers
 */
export function quantisedGraph(graph: FloatGraph, notes: QuantisationNotes): Graph {
  const known = complete(graph, notes);
  const tensors = graph.tensors.map((tensor, index): Tensor => {
    const parameters = known[index];
    if (tensor.data !== undefined || parameters === undefined) {
      return tensor;
    }
    const { scale, zeroPoint } = parameters;
    return { ...tensor, type: "int8", quantization: { scales: [scale], zeroPoints: [zeroPoint], axis: 0 } };
  });
  const folded = rescaled(foldGraph({ ...graph, tensors }));
  for (const operator of folded.operators) {
    const output = folded.tensors[operator.output];
    const where = `model "${graph.name}", layer "${output?.name ?? ""}" (${operator.kind})`;
    if (output?.type !== "int8") {
      throw notExact(
        where,
        "is computed in float between quantised layers",
        "Quantise every layer (its output needs a QuantizeLinear), or export the float model and use `tmc model quantize`.",
      );
    }
    const inputs = keepsParameters(operator)
      ? activationInputs(operator).map((index) => tensorAt(folded, index))
      : [];
    if (inputs.some((input) => !sameParameters(input, output))) {
      throw notExact(
        where,
        "its input and output have different scales, but it moves values unchanged",
        "Quantise the model so that such layers keep the scale of their input.",
      );
    }
  }
  return folded;
}

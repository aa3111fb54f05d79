/**
 * From the graph of a QDQ model to an int8 graph: activations are fused, every tensor gets the scale and zero point that its
 * QuantizeLinear named, or that follow from its operator. A tensor without any would be computed in float: refused.
 */
import type { Graph, Operator, Tensor } from "../../graph.js";
import type { FloatGraph } from "../../quantize/float-graph.js";
import { foldGraph } from "../../quantize/fold.js";
import { notExact, type Int8Parameters, type QuantisationNotes } from "./quantisation-notes.js";

/** Outputs that hold the same numbers as the input. */
const keepsValues = (operator: Operator): boolean =>
  operator.kind === "Reshape" || operator.kind === "MaxPool2D";

/** Parameters by tensor of `graph`; those not named follow from neighbours. */
function complete(graph: FloatGraph, notes: QuantisationNotes): (Int8Parameters | undefined)[] {
  const known = graph.tensors.map((_, index) => notes.of(index));
  for (const operator of graph.operators) {
    if (operator.kind === "Softmax") {
      known[operator.output] ??= { scale: 1 / 256, zeroPoint: -128 };
    } else if (operator.kind === "Reshape" || operator.kind === "MaxPool2D") {
      known[operator.output] ??= known[operator.input];
    }
  }
  for (const operator of [...graph.operators].reverse()) {
    if (operator.kind === "Reshape" || operator.kind === "MaxPool2D") {
      known[operator.input] ??= known[operator.output];
    }
  }
  return known;
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
  const folded = foldGraph({ ...graph, tensors });
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
    const input = "input" in operator ? folded.tensors[operator.input]?.quantization : undefined;
    if (
      keepsValues(operator) &&
      (input?.scales[0] !== output.quantization?.scales[0] ||
        input?.zeroPoints[0] !== output.quantization?.zeroPoints[0])
    ) {
      throw notExact(
        where,
        "its input and output have different scales, but it moves values unchanged",
        "Quantise the model so that such layers keep the scale of their input.",
      );
    }
  }
  return folded;
}

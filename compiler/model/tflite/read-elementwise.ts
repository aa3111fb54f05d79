/** Readers of the elementwise operators: their operands, fused activations and attributes. Used by `read-operators.ts` only. */
import type { Activation, ElementwiseKind, Operator } from "../graph.js";
import { activation, attribute, operands, present, required, type Context } from "./read-context.js";
import { arithmeticFields, leakyReluFields } from "./schema.js";

export const elementwiseReaders: Readonly<Record<ElementwiseKind, (context: Context) => Operator>> = {
  Add: (context) => ({ kind: "Add", ...pair(context), ...fused(context) }),
  HardSwish: (context) => ({ kind: "HardSwish", ...single(context) }),
  LeakyRelu(context) {
    const alpha = required(context).float32(leakyReluFields.alpha, "alpha", 0);
    if (!Number.isFinite(alpha)) {
      throw attribute(context, "alpha", String(alpha));
    }
    return { kind: "LeakyRelu", ...single(context), alpha };
  },
  Logistic: (context) => ({ kind: "Logistic", ...single(context) }),
  Maximum: (context) => ({ kind: "Maximum", ...pair(context) }),
  Minimum: (context) => ({ kind: "Minimum", ...pair(context) }),
  Mul: (context) => ({ kind: "Mul", ...pair(context), ...fused(context) }),
  PRelu: (context) => ({ kind: "PRelu", ...pair(context) }),
  Quantize: (context) => ({ kind: "Quantize", ...single(context) }),
  Relu: (context) => ({ kind: "Relu", ...single(context) }),
  Relu6: (context) => ({ kind: "Relu6", ...single(context) }),
  ReluN1To1: (context) => ({ kind: "ReluN1To1", ...single(context) }),
  Sub: (context) => ({ kind: "Sub", ...pair(context), ...fused(context) }),
  Tanh: (context) => ({ kind: "Tanh", ...single(context) }),
};

/** The only input, and the output. */
function single(context: Context) {
  const [input] = operands(context, 1, 1);
  return { input: present(context, input, "input 0"), output: context.output };
}

/** Both operands, and the output. */
function pair(context: Context) {
  const [left, right] = operands(context, 2, 2);
  return {
    left: present(context, left, "input 0"),
    right: present(context, right, "input 1"),
    output: context.output,
  };
}

/** The fused activation; options may be absent. */
function fused(context: Context): { activation: Activation } {
  const { options } = context;
  return {
    activation: options === undefined ? "none" : activation(context, options, arithmeticFields.activation),
  };
}

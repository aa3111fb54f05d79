/** Elementwise operators as TensorFlow.js computations, without their fused activations. For `differentiable-graph.ts`. */
import type * as Tf from "@tensorflow/tfjs";
import type { Binary, LeakyRelu, Unary } from "../graph.js";

/** `left` and `right` broadcast. */
export function differentiableBinary(
  tf: typeof Tf,
  kind: Binary["kind"],
  left: Tf.Tensor,
  right: Tf.Tensor,
): Tf.Tensor {
  switch (kind) {
    case "Add":
      return tf.add(left, right);
    case "Maximum":
      return tf.maximum(left, right);
    case "Minimum":
      return tf.minimum(left, right);
    case "Mul":
      return tf.mul(left, right);
    case "PRelu":
      return tf.prelu(left, right);
    case "Sub":
      return tf.sub(left, right);
  }
}

export function differentiableUnary(operator: LeakyRelu | Unary, input: Tf.Tensor): Tf.Tensor {
  switch (operator.kind) {
    case "HardSwish":
      return input.mul(input.add(3).clipByValue(0, 6)).div(6);
    case "LeakyRelu":
      return input.leakyRelu(operator.alpha);
    case "Logistic":
      return input.sigmoid();
    case "Quantize":
      return input;
    case "Relu":
      return input.relu();
    case "Relu6":
      return input.clipByValue(0, 6);
    case "ReluN1To1":
      return input.clipByValue(-1, 1);
    case "Tanh":
      return input.tanh();
  }
}

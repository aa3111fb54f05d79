/** Operators that move or reduce data as TensorFlow.js computations on batches. For `differentiable-graph.ts`. */
import type * as Tf from "@tensorflow/tfjs";
import type { Movement, Reduction } from "../graph-movement.js";

export const trainableMovements: readonly (Movement | Reduction)["kind"][] = [
  "Concatenation",
  "Mean",
  "Pad",
  "ReduceMax",
  "ReduceMin",
  "ResizeNearestNeighbor",
  "Slice",
  "Sum",
  "Transpose",
];

/** Whether the operator works on each input of a batch by itself, in a way that has a gradient. */
export function isTrainableMovement(operator: Movement | Reduction): boolean {
  switch (operator.kind) {
    case "Concatenation":
      return operator.axis > 0;
    case "Pad":
      return operator.before[0] === 0 && operator.after[0] === 0;
    case "Slice":
      return operator.strides.every((stride) => stride === 1);
    case "Transpose":
      return operator.permutation[0] === 0;
    case "ResizeNearestNeighbor":
      return true;
    default:
      return !operator.axes.includes(0);
  }
}

/** `shape` is that of the output without the batch; a result of another shape has the same elements in the same order. */
export function differentiableMovement(
  tf: typeof Tf,
  operator: Movement | Reduction,
  inputs: readonly Tf.Tensor[],
  shape: readonly number[],
): Tf.Tensor {
  const [input] = inputs;
  if (input === undefined) {
    throw new Error(`${operator.kind} without an input`);
  }
  switch (operator.kind) {
    case "Concatenation":
      return tf.concat([...inputs], operator.axis);
    case "Pad":
      return input.pad(
        operator.before.map((before, d) => [before, operator.after[d] ?? 0]),
        operator.value ?? 0,
      );
    case "Slice":
      return input.slice([...operator.begin], [input.shape[0] ?? 1, ...operator.sizes.slice(1)]);
    case "Transpose":
      return input.transpose([...operator.permutation]);
    case "ResizeNearestNeighbor": {
      const [height = 1, width = 1] = shape;
      const { alignCorners, halfPixelCenters } = operator;
      return tf.image.resizeNearestNeighbor(
        input as Tf.Tensor4D,
        [height, width],
        alignCorners,
        halfPixelCenters,
      );
    }
    case "Mean":
      return input.mean([...operator.axes]);
    case "Sum":
      return input.sum([...operator.axes]);
    case "ReduceMax":
      return input.max([...operator.axes]);
    case "ReduceMin":
      return input.min([...operator.axes]);
  }
}

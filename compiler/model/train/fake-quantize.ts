/**
 * Fake quantisation: float tensors take the values that int8 tensors can hold, and gradients pass as if nothing had
 * happened (straight-through; Y. Bengio et al. 2013), for activations only inside their range. B. Jacob et al.,
 * "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018), section 3.
 *
 * Scales are those of `quantize/parameters.ts`, so what is trained is what is deployed, up to the rounding of sums.
 */
import type * as Tf from "@tensorflow/tfjs";
import type { TensorParameters } from "../quantize/parameters.js";

/** `x` on the grid of an activation; clipped values have no gradient. */
export function fakeQuantize(
  tf: typeof Tf,
  x: Tf.Tensor,
  { scale, zeroPoint }: TensorParameters,
  [lowest, highest]: readonly [number, number] = [-128, 127],
): Tf.Tensor {
  const low = scale * (lowest - zeroPoint);
  const high = scale * (highest - zeroPoint);
  const quantize = tf.customGrad((input, save) => {
    const value = input as Tf.Tensor;
    (save as Tf.GradSaveFunc)([value]);
    return {
      value: value.clipByValue(low, high).div(scale).round().mul(scale),
      gradFunc: (dy: Tf.Tensor, saved: Tf.Tensor[]) => {
        const [seen = value] = saved;
        const half = scale / 2;
        return dy.mul(
          seen
            .greater(low - half)
            .logicalAnd(seen.less(high + half))
            .cast("float32"),
        );
      },
    };
  });
  return quantize(x);
}

/** Weights on a symmetric grid of 255 steps, one for each index of the last `kept` dimensions together, or one for all. */
export function fakeQuantizeWeights(tf: typeof Tf, weights: Tf.Tensor, kept: number): Tf.Tensor {
  const axes = Array.from({ length: weights.rank - kept }, (_, i) => i);
  const quantize = tf.customGrad((input) => {
    const value = input as Tf.Tensor;
    const scale = value.abs().max(axes, true).div(127).maximum(1e-30);
    return { value: value.div(scale).round().mul(scale), gradFunc: (dy: Tf.Tensor) => dy };
  });
  return quantize(weights);
}

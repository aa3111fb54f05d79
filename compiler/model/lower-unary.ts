/**
 * Lowers the elementwise functions of one tensor to tables of 256 results, computed as the reference computes an element
 * (`reference/unary.ts`). Nothing of them is left for run time but the lookup.
 */
import { UserError } from "../diagnostics/user-error.js";
import { elementCount, tensorAt, type Graph, type LeakyRelu, type Unary } from "./graph.js";
import type { Clamp, LookupLayer } from "./layers.js";
import { lookupTable } from "./lower-binary.js";
import {
  activationClamp,
  fixedMultiplier,
  perTensor,
  shapeError,
  text,
  type PerTensor,
} from "./lower-common.js";
import { quantizeMultiplier, type FixedMultiplier } from "./reference/arithmetic.js";
import {
  hardSwish,
  leakyRelu,
  logisticOf,
  requantized,
  tanhOf,
  type SigmoidInput,
  type UnaryFunction,
} from "./reference/unary.js";

export function lowerUnary(
  graph: Graph,
  operator: LeakyRelu | Unary,
  index: number,
  where: string,
): LookupLayer {
  const input = tensorAt(graph, operator.input);
  const output = tensorAt(graph, operator.output);
  if (text(input.shape) !== text(output.shape)) {
    throw shapeError(where, `maps ${text(input.shape)} to ${text(output.shape)}`);
  }
  const compute = functionOf(operator, perTensor(input, where), perTensor(output, where), where);
  return {
    kind: "Lookup",
    operator: index,
    input: operator.input,
    output: operator.output,
    count: elementCount(output.shape),
    table: lookupTable(compute),
  };
}

function functionOf(
  operator: LeakyRelu | Unary,
  input: PerTensor,
  output: PerTensor,
  where: string,
): UnaryFunction {
  const bounded = (clamp: Clamp, ratio: number): UnaryFunction =>
    requantized(input.zeroPoint, scaleRatio(ratio, where), output.zeroPoint, clamp);
  // The reference divides in single precision for activations, in double for Quantize.
  const ratio = Math.fround(input.scale / output.scale);
  switch (operator.kind) {
    case "Relu":
      return bounded(activationClamp("relu", output, where), ratio);
    case "Relu6":
      return bounded(activationClamp("relu6", output, where), ratio);
    case "ReluN1To1":
      return bounded(activationClamp("relu_n1_to_1", output, where), ratio);
    case "Quantize":
      return bounded({ min: -128, max: 127 }, input.scale / output.scale);
    case "LeakyRelu": {
      const slope = Math.fround(Math.fround(input.scale * operator.alpha) / output.scale);
      return leakyRelu(
        input.zeroPoint,
        scaleRatio(ratio, where),
        scaleRatio(Math.abs(slope), where),
        slope < 0,
        output.zeroPoint,
      );
    }
    case "Logistic":
      checkOutput(output, { scale: 1 / 256, zeroPoint: -128 }, "a logistic", where);
      return logisticOf(sigmoidInput(input, where));
    case "Tanh":
      checkOutput(output, { scale: 1 / 128, zeroPoint: 0 }, "a tanh", where);
      return tanhOf(sigmoidInput(input, where));
    case "HardSwish":
      return hardSwishOf(input, output, where);
  }
}

function scaleRatio(ratio: number, where: string): FixedMultiplier {
  return fixedMultiplier(ratio, "input scale over output scale", where);
}

function checkOutput(
  actual: PerTensor,
  wanted: Pick<PerTensor, "scale" | "zeroPoint">,
  what: string,
  where: string,
): void {
  if (actual.scale !== wanted.scale || actual.zeroPoint !== wanted.zeroPoint) {
    throw new UserError(
      "TMC3021",
      `${where}: the output of ${what} has scale 1/${1 / wanted.scale} and zero point ${wanted.zeroPoint}, not ${actual.scale} and ${actual.zeroPoint}`,
      "Quantise the model again.",
    );
  }
}

/** Inputs as Q4.27; those whose magnitude is 15 or more saturate. */
function sigmoidInput({ scale, zeroPoint }: PerTensor, where: string): SigmoidInput {
  const factor = quantizeMultiplier(scale * 2 ** 27);
  if (factor.shift < 0 || factor.shift > 62) {
    throw outOfRange(`the input scale is ${scale}; supported: 2^-28 to 2^35`, where);
  }
  return { zeroPoint, factor, radius: Math.floor((15 * 2 ** 27) / 2 ** factor.shift) };
}

function hardSwishOf(input: PerTensor, output: PerTensor, where: string): UnaryFunction {
  const fine = Math.fround(input.scale / 128); // inputs are shifted left by 7 bits
  const onOutput = quantizeMultiplier(Math.fround(fine / output.scale));
  if (onOutput.shift > 0 || onOutput.shift < -15) {
    throw outOfRange(
      `input scale ${input.scale} over output scale ${output.scale} is ${input.scale / output.scale}; supported: 2^-9 to 128`,
      where,
    );
  }
  const reluish = quantizeMultiplier(Math.fround(fine / Math.fround(3 / 32768)));
  if (reluish.shift < -15 || reluish.shift > 31) {
    throw outOfRange(`the input scale is ${input.scale}; supported: 2^-22 to 2^24`, where);
  }
  return hardSwish(input.zeroPoint, reluish, onOutput, output.zeroPoint);
}

function outOfRange(what: string, where: string): UserError {
  return new UserError(
    "TMC3022",
    `${where}: ${what}`,
    "Calibrate the model with more representative data: the scales of its tensors are too far apart.",
  );
}

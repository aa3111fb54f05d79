/** Checks of additions, pools and softmax; as in `runtime-c/kernels/package_check_steps.c`. */
import { Addition, FastAddition, Kernel, Pool, Reason, Softmax, Step } from "./format.js";
import type { StepCheck } from "./step-check.js";
import {
  MAX_SOFTMAX_DEPTH,
  times,
  size3,
  within,
  multiplierFits,
  clampFits,
  rightShiftFits,
} from "./step-check.js";
import { windowOf, windowFits, windowInputs, windowOutputs } from "./check-weighted-steps.js";

function checkSum(check: StepCheck, second: number, count: number): number {
  if (count < 1) {
    return Reason.badShape;
  }
  check.work = count;
  return check.reads(second, 0, count) === undefined ? Reason.badTensor : check.tensors(count, 0, count, 0);
}

export function checkAdd(check: StepCheck): number {
  for (let i = Addition.numbers; i < Addition.min; i += 3) {
    if (
      !within(check.word(i), -128, 128) ||
      !multiplierFits(check.word(i + 1)) ||
      !within(check.word(i + 2), -31, 0)
    ) {
      return Reason.badNumber;
    }
  }
  return clampFits(check.word(Addition.min), check.word(Addition.max))
    ? checkSum(check, Addition.right, check.word(Addition.count))
    : Reason.badNumber;
}

export function checkFastAdd(check: StepCheck): number {
  const [multiplier, rounding, shift] = [0, 1, 2].map((i) => check.word(FastAddition.output + i));
  const equal = check.word(Step.kernel) === Kernel.addEqual; // both offsets, no multiplication
  const offset = equal ? 256 : 128;
  const fits =
    within(check.word(FastAddition.offset), -offset, offset) &&
    multiplierFits(check.word(FastAddition.multiplier)) &&
    within(check.word(FastAddition.shift), equal ? 0 : 1, 31) &&
    within(check.word(FastAddition.rounding), -(2 ** 30), 2 ** 30) &&
    rightShiftFits(0, rounding ?? 0, shift ?? 0, 0) &&
    multiplierFits(multiplier ?? 0) &&
    clampFits(check.word(FastAddition.min), check.word(FastAddition.max));
  return fits ? checkSum(check, FastAddition.plain, check.word(FastAddition.count)) : Reason.badNumber;
}

export function checkPool(check: StepCheck): number {
  const w = windowOf(check);
  const kernel = check.word(Step.kernel);
  const fast = kernel === Kernel.averagePoolFast || kernel === Kernel.maxPoolFast;
  if (!windowFits(w) || w.dh !== 1 || w.dw !== 1 || w.ic !== w.oc || (fast && w.ic < 4)) {
    return Reason.badShape;
  }
  if (!clampFits(check.word(Pool.min), check.word(Pool.max))) {
    return Reason.badNumber;
  }
  check.work = times(windowOutputs(w), size3(w.fh, w.fw, 1));
  return check.tensors(windowInputs(w), 0, windowOutputs(w), 0);
}

export function checkSoftmax(check: StepCheck): number {
  const rows = check.word(Softmax.rows);
  const depth = check.word(Softmax.depth);
  const shift = check.word(Softmax.shift);
  const least = check.word(Softmax.minDifference);
  if (rows < 1 || !within(depth, 1, MAX_SOFTMAX_DEPTH)) {
    return Reason.badShape;
  }
  const multiplier = check.word(Softmax.multiplier);
  if (
    !multiplierFits(multiplier) ||
    !within(shift, 0, 31) ||
    least > 0 ||
    least < -Math.floor(2 ** 31 / 2 ** shift)
  ) {
    return Reason.badNumber;
  }
  const count = size3(rows, depth, 1);
  check.work = 2 * count;
  return check.tensors(count, 0, count, 0);
}

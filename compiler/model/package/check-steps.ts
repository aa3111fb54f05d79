/**
 * What the kernels take for granted, checked for one step of a package: the same checks in the same order as
 * `runtime-c/kernels/package_check_steps.c`. Sizes are at most 2^32 - 1: more is that.
 */
import { Kernel, Reason, Step } from "./format.js";
import type { StepCheck } from "./step-check.js";
import { checkConv, checkDepthwise, checkDense } from "./check-weighted-steps.js";
import { checkAdd, checkFastAdd, checkPool, checkSoftmax } from "./check-value-steps.js";
import {
  checkCopy,
  checkFill,
  checkMove,
  checkLookup,
  checkElementwise,
  checkResize,
  checkReduce,
} from "./check-moving-steps.js";

/** Whether the kernel of the step reads and writes only what it may; one of `Reason`. */
export function checkStep(check: StepCheck): number {
  switch (check.word(Step.kernel)) {
    case Kernel.conv:
    case Kernel.conv1x1:
    case Kernel.convDilated:
    case Kernel.convGeneral:
      return checkConv(check);
    case Kernel.depthwise:
    case Kernel.depthwiseGeneral:
    case Kernel.depthwisePortable:
      return checkDepthwise(check);
    case Kernel.dense:
    case Kernel.denseWide:
    case Kernel.denseGeneral:
      return checkDense(check);
    case Kernel.add:
      return checkAdd(check);
    case Kernel.addFast:
    case Kernel.addEqual:
      return checkFastAdd(check);
    case Kernel.maxPool:
    case Kernel.averagePool:
    case Kernel.averagePoolFast:
    case Kernel.maxPoolFast:
      return checkPool(check);
    case Kernel.softmax:
      return checkSoftmax(check);
    case Kernel.copy:
      return checkCopy(check);
    case Kernel.fill:
      return checkFill(check);
    case Kernel.move:
      return checkMove(check);
    case Kernel.lookup:
      return checkLookup(check);
    case Kernel.elementwise:
      return checkElementwise(check);
    case Kernel.resize:
      return checkResize(check);
    case Kernel.sum:
    case Kernel.reduceMax:
    case Kernel.reduceMin:
      return checkReduce(check);
    default:
      return Reason.badProgram;
  }
}

/** Checks of what copies, moves, looks up, resizes and reduces; as in `runtime-c/kernels/package_check_moving.c`. */
import {
  Copy,
  ElementwiseStep,
  Lookup,
  operations,
  Fill,
  MoveStep,
  Reason,
  Reduction,
  ResizeStep,
  Step,
} from "./format.js";
import type { StepCheck } from "./step-check.js";
import { MAX_REDUCED, MAX_TOTAL, times, size3, type Extent, apart, within, clampFits } from "./step-check.js";

export function checkCopy(check: StepCheck): number {
  const count = check.word(Copy.count);
  if (count < 1) {
    return Reason.badShape;
  }
  check.work = count;
  return separate(check.reads(Step.input, 0, count), check.writes(Step.output, 0, count));
}

function separate(read: Extent | undefined, written: Extent | undefined): number {
  if (read === undefined || written === undefined) {
    return Reason.badTensor;
  }
  return apart(read, written) ? Reason.ok : Reason.badOverlap;
}

export function checkFill(check: StepCheck): number {
  const count = check.word(Fill.count);
  if (count < 1) {
    return Reason.badShape;
  }
  if (!within(check.word(Fill.value), -128, 127)) {
    return Reason.badNumber;
  }
  check.work = count;
  return check.writes(Step.output, 0, count) === undefined ? Reason.badTensor : Reason.ok;
}

/** The least and the greatest position that loops reach. */
class Reach {
  greatest: number;
  constructor(public least: number) {
    this.greatest = least;
  }
  extend(count: number, step: number): void {
    const distance = (count - 1) * step;
    this.least += Math.min(distance, 0);
    this.greatest += Math.max(distance, 0);
  }
  get fits(): boolean {
    return this.least >= 0 && this.greatest <= MAX_TOTAL;
  }
  get bytes(): number {
    return this.greatest - this.least;
  }
}

export function checkMove(check: StepCheck): number {
  const run = check.word(MoveStep.run);
  const depth = check.word(MoveStep.depth);
  if (run < 1 || !within(depth, 0, 4)) {
    return Reason.badShape;
  }
  const from = new Reach(check.word(MoveStep.from));
  const to = new Reach(check.word(MoveStep.to));
  check.work = run;
  for (let i = -1; i < depth; i++) {
    const loop = i < 0 ? MoveStep.inner : MoveStep.outer + 3 * i;
    const count = check.word(loop);
    if (count < 1) {
      return Reason.badShape;
    }
    check.work = times(check.work, count);
    from.extend(count, check.word(loop + 1));
    to.extend(count, check.word(loop + 2));
  }
  if (!from.fits || !to.fits) {
    return Reason.badTensor;
  }
  return separate(
    check.reads(Step.input, from.least, from.bytes + run),
    check.writes(Step.output, to.least, to.bytes + run),
  );
}

export function checkLookup(check: StepCheck): number {
  const count = check.word(Lookup.count);
  if (count < 1) {
    return Reason.badShape;
  }
  if (!check.constant(Lookup.table, 256)) {
    return Reason.badConstant;
  }
  check.work = count;
  return check.tensors(count, 0, count, 0);
}

export function checkElementwise(check: StepCheck): number {
  const operation = check.word(ElementwiseStep.operation);
  let count = 1;
  const left = new Reach(0);
  const right = new Reach(0);
  if (!within(operation, 0, operations.length - 1)) {
    return Reason.badShape;
  }
  for (let i = 0; i < 4; i++) {
    const size = check.word(ElementwiseStep.shape + i);
    const leftStep = check.word(ElementwiseStep.leftSteps + i);
    const rightStep = check.word(ElementwiseStep.rightSteps + i);
    if (size < 1 || leftStep < 0 || rightStep < 0) {
      return Reason.badShape;
    }
    count = times(count, size);
    left.extend(size, leftStep);
    right.extend(size, rightStep);
  }
  const isSum = operation <= operations.indexOf("Sub");
  for (let i = 0; i < 9; i += 3) {
    const factor = ElementwiseStep.factors + i;
    if (
      !within(check.word(factor), -128, 128) ||
      check.word(factor + 1) < 0 ||
      !within(check.word(factor + 2), -31, isSum && i < 6 ? 0 : 30)
    ) {
      return Reason.badNumber;
    }
  }
  if (!clampFits(check.word(ElementwiseStep.min), check.word(ElementwiseStep.max))) {
    return Reason.badNumber;
  }
  check.work = count;
  const fits =
    left.fits &&
    right.fits &&
    check.reads(Step.input, 0, left.greatest + 1) !== undefined &&
    check.reads(ElementwiseStep.right, 0, right.greatest + 1) !== undefined &&
    check.writes(Step.output, 0, count) !== undefined;
  return fits ? Reason.ok : Reason.badTensor;
}

/** The greatest offset in a table; undefined when one is out of range. */
function greatestOf(check: StepCheck, at: number, count: number): number | undefined {
  let greatest = 0;
  for (let i = 0; i < count; i++) {
    const offset = check.constantWord(at, i);
    if (!within(offset, 0, MAX_TOTAL)) {
      return undefined;
    }
    greatest = Math.max(greatest, offset);
  }
  return greatest;
}

export function checkResize(check: StepCheck): number {
  const rows = check.word(ResizeStep.rows);
  const columns = check.word(ResizeStep.columns);
  const run = check.word(ResizeStep.run);
  if (rows < 1 || columns < 1 || run < 1) {
    return Reason.badShape;
  }
  if (
    !check.constant(ResizeStep.rowTable, 4 * rows) ||
    !check.constant(ResizeStep.columnTable, 4 * columns)
  ) {
    return Reason.badConstant;
  }
  const row = greatestOf(check, ResizeStep.rowTable, rows);
  const column = greatestOf(check, ResizeStep.columnTable, columns);
  if (row === undefined || column === undefined) {
    return Reason.badNumber;
  }
  check.work = size3(rows, columns, run);
  return separate(check.reads(Step.input, 0, row + column + run), check.writes(Step.output, 0, check.work));
}

export function checkReduce(check: StepCheck): number {
  const counts: [number, number] = [1, 1];
  const from = new Reach(0);
  for (let i = 0; i < 6; i++) {
    const count = check.word(Reduction.kept + 2 * i);
    if (count < 1) {
      return Reason.badShape;
    }
    const kind = i < 3 ? 0 : 1;
    counts[kind] = times(counts[kind], count);
    from.extend(count, check.word(Reduction.kept + 2 * i + 1));
  }
  if (counts[1] > MAX_REDUCED) {
    return Reason.badShape;
  }
  if (
    !within(check.word(Reduction.total), -MAX_TOTAL, MAX_TOTAL) ||
    check.word(Reduction.multiplier) < 0 ||
    !within(check.word(Reduction.shift), -31, 30) ||
    !within(check.word(Reduction.outputOffset), -128, 127)
  ) {
    return Reason.badNumber;
  }
  check.work = times(counts[0], counts[1]);
  const fits =
    from.fits &&
    check.reads(Step.input, from.least, from.bytes + 1) !== undefined &&
    check.writes(Step.output, 0, counts[0]) !== undefined;
  return fits ? Reason.ok : Reason.badTensor;
}

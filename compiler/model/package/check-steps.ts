/**
 * What the kernels take for granted, checked for one step of a package: the same checks in the same order as
 * `runtime-c/kernels/package_check_steps.c`. Sizes are at most 2^32 - 1: more is that.
 */
import {
  Addition,
  Conv,
  Copy,
  Dense,
  ElementwiseStep,
  Lookup,
  operations,
  Depthwise,
  DIGEST_BYTES,
  FastAddition,
  Fill,
  IN_PACKAGE,
  Kernel,
  MoveStep,
  Pool,
  Reason,
  Reduction,
  ResizeStep,
  Softmax,
  Step,
  Weights,
} from "./format.js";

const MAX_DIMENSION = 65535;
const MAX_TRIPLES = 8;
const MAX_DEPTHWISE_ROWS = 16;
const MAX_SOFTMAX_DEPTH = 511;
const MAX_SHIFT_RIGHT = 22;
const MAX_REDUCED = 2 ** 20;
const MAX_TOTAL = 2 ** 28;
const MIN_WIDE_CHANNELS = 12;
const MOST = 2 ** 32 - 1;

/** a * b, or 2^32 - 1 if it is more. */
export function times(a: number, b: number): number {
  return Math.min(a * b, MOST);
}

function size3(a: number, b: number, c: number): number {
  return times(times(a, b), c);
}

/** [start, end) of the arena; empty for what lies in the package. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

function apart(a: Extent, b: Extent): boolean {
  return a.end <= b.start || b.end <= a.start;
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** One step of a package, whose words can all be read. */
export class StepCheck {
  /** Multiplications, comparisons or copies of the step; set by `checkStep`. */
  work = 0;
  private readonly view: DataView;
  private readonly end: number;

  constructor(
    bytes: Uint8Array,
    private readonly at: number,
    private readonly arena: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length - DIGEST_BYTES;
  }

  word(i: number): number {
    return this.view.getInt32(this.at + 4 * i, true);
  }
  private unsigned(i: number): number {
    return this.view.getUint32(this.at + 4 * i, true);
  }
  /** Word `i` of a constant whose offset is in word `at`. */
  constantWord(at: number, i: number): number {
    return this.view.getInt32(this.unsigned(at) + 4 * i, true);
  }
  constantByte(at: number, i: number): number {
    return this.view.getInt8(this.unsigned(at) + i);
  }

  /** Undefined when it does not fit. */
  reads(at: number, first: number, bytes: number, beyond = 0): Extent | undefined {
    const word = this.unsigned(at);
    const inPackage = word >= IN_PACKAGE;
    const start = (inPackage ? word - IN_PACKAGE : word) + first;
    if (start + bytes + beyond > (inPackage ? this.end : this.arena)) {
      return undefined;
    }
    return inPackage ? { start: 0, end: 0 } : { start, end: start + bytes };
  }
  writes(at: number, first: number, bytes: number): Extent | undefined {
    const start = this.unsigned(at) + first;
    return start + bytes <= this.arena ? { start, end: start + bytes } : undefined;
  }
  tensors(input: number, beyond: number, output: number, scratch: number): number {
    const read = this.reads(Step.input, 0, input, beyond);
    const written = this.writes(Step.output, 0, output);
    const work = this.writes(Step.scratch, 0, scratch);
    if (read === undefined || written === undefined || work === undefined || work.start % 4 !== 0) {
      return Reason.badTensor;
    }
    return scratch === 0 || (apart(work, read) && apart(work, written)) ? Reason.ok : Reason.badOverlap;
  }
  constant(at: number, bytes: number, alignment = 4): boolean {
    const offset = this.unsigned(at);
    return offset % alignment === 0 && offset + bytes <= this.end;
  }
}

function multiplierFits(multiplier: number): boolean {
  return multiplier === 0 || multiplier >= 2 ** 30;
}

function clampFits(min: number, max: number): boolean {
  return min >= -128 && min <= max && max <= 127;
}

function rightShiftFits(multiplier: number, rounding: number, shift: number, outputOffset: number): boolean {
  if (!multiplierFits(multiplier) || !within(shift, 1, MAX_SHIFT_RIGHT)) {
    return false;
  }
  const offset = (rounding - 2 ** (shift - 1)) / 2 ** shift;
  return (
    Number.isInteger(offset) && within(offset, -128, 127) && (multiplier === 0 || offset === outputOffset)
  );
}

interface Window {
  readonly ih: number;
  readonly iw: number;
  readonly ic: number;
  readonly oh: number;
  readonly ow: number;
  readonly oc: number;
  readonly fh: number;
  readonly fw: number;
  readonly sh: number;
  readonly sw: number;
  readonly dh: number;
  readonly dw: number;
  readonly pt: number;
  readonly pl: number;
}

function windowOf(check: StepCheck): Window {
  const at = (i: number): number => check.word(Step.rest + i);
  return {
    ...{ ih: at(0), iw: at(1), ic: at(2), oh: at(3), ow: at(4), oc: at(5), fh: at(6), fw: at(7) },
    ...{ sh: at(8), sw: at(9), dh: at(10), dw: at(11), pt: at(12), pl: at(13) },
  };
}

function windowFits(w: Window): boolean {
  const { pt, pl, ...sizes } = w;
  if (!Object.values(sizes).every((size) => within(size, 1, MAX_DIMENSION))) {
    return false;
  }
  const height = (w.fh - 1) * w.dh + 1;
  const width = (w.fw - 1) * w.dw + 1;
  return (
    height <= MAX_DIMENSION &&
    width <= MAX_DIMENSION &&
    within(pt, 0, height - 1) &&
    within(pl, 0, width - 1) &&
    (w.oh - 1) * w.sh - pt < w.ih &&
    (w.ow - 1) * w.sw - pl < w.iw
  );
}

function windowInputs(w: Window): number {
  return size3(w.ih, w.iw, w.ic);
}

function windowOutputs(w: Window): number {
  return size3(w.oh, w.ow, w.oc);
}

function numbersFit(check: StepCheck, weights: number): boolean {
  return (
    within(check.word(weights + Weights.inputOffset), -127, 128) &&
    within(check.word(weights + Weights.outputOffset), -128, 127) &&
    clampFits(check.word(weights + Weights.min), check.word(weights + Weights.max))
  );
}

function generalWeights(
  check: StepCheck,
  at: number,
  stream: number,
  biases: number,
  channels: number,
): number {
  if (
    !check.constant(at + Weights.stream, stream) ||
    (check.word(at + Weights.bias) !== 0 && !check.constant(at + Weights.bias, 4 * biases)) ||
    !check.constant(at + Weights.multiplier, 4 * channels) ||
    !check.constant(at + Weights.shift, channels)
  ) {
    return Reason.badConstant;
  }
  for (let c = 0; c < channels; c++) {
    if (
      !multiplierFits(check.constantWord(at + Weights.multiplier, c)) ||
      !within(check.constantByte(at + Weights.shift, c), -31, 30)
    ) {
      return Reason.badNumber;
    }
  }
  return Reason.ok;
}

function checkConv(check: StepCheck): number {
  const w = windowOf(check);
  const kernel = check.word(Step.kernel);
  const triples = check.word(Conv.triples);
  const copies = check.word(Conv.copies);
  const general = kernel === Kernel.convGeneral;
  const pointwise = kernel === Kernel.conv1x1;
  if (!windowFits(w) || !within(triples, 1, MAX_TRIPLES) || !within(copies, 0, general ? 0 : 1)) {
    return Reason.badShape;
  }
  const dilated = w.dh > 1 || w.dw > 1;
  const isPointwise =
    w.fh === 1 && w.fw === 1 && w.sh === 1 && w.sw === 1 && w.ih === w.oh && w.iw === w.ow && w.ic % 4 === 0;
  if (
    (!general && w.oc < 2) ||
    (dilated && !general && kernel !== Kernel.convDilated) ||
    (pointwise && !isPointwise)
  ) {
    return Reason.badShape;
  }
  const depth = size3(w.fh, w.fw, w.ic);
  const pairs = 2 * Math.ceil(depth / 4);
  if (pairs > MAX_TOTAL || (copies !== 0 && pairs % 8 !== 0)) {
    return Reason.badShape;
  }
  if (!numbersFit(check, Conv.weights)) {
    return Reason.badNumber;
  }
  const scratch =
    12 * pairs * triples + (copies === 0 ? 0 : 4 * pairs + 32) + (pointwise ? 0 : 2 * pairs + 4);
  const memory = check.tensors(windowInputs(w), w.ic % 4 === 0 ? 0 : 3, windowOutputs(w), scratch);
  if (memory !== Reason.ok) {
    return memory;
  }
  check.work = times(windowOutputs(w), depth);
  const channelPairs = Math.ceil(w.oc / 2);
  const stream = 4 * times(channelPairs, pairs + (general ? 0 : 8));
  if (general) {
    return generalWeights(check, Conv.weights, stream, w.oc, w.oc);
  }
  if (!check.constant(Conv.weights, stream)) {
    return Reason.badConstant;
  }
  const offset = check.word(Conv.weights + Weights.outputOffset);
  const word = (i: number): number => check.constantWord(Conv.weights, i);
  for (let i = 0; i < channelPairs; i++) {
    const r = i * (pairs + 8) + pairs + 2;
    if (
      !rightShiftFits(word(r), word(r + 1), word(r + 2), offset) ||
      !rightShiftFits(word(r + 3), word(r + 4), word(r + 5), offset)
    ) {
      return Reason.badNumber;
    }
  }
  return Reason.ok;
}

function depthwiseShiftsFit(check: StepCheck, fours: number, tapWords: number): boolean {
  const offset = check.word(Depthwise.weights + Weights.outputOffset);
  const word = (i: number): number => check.constantWord(Depthwise.weights, i);
  for (let four = 0; four < fours; four++) {
    const r = four * (tapWords + 16) + 4 + tapWords;
    for (let c = 0; c < 4; c++) {
      const own = r + 4 * (c >> 1) + (c % 2);
      if (!rightShiftFits(word(own), word(own + 2), word(r + 8 + c), offset)) {
        return false;
      }
    }
  }
  return true;
}

function checkDepthwise(check: StepCheck): number {
  const w = windowOf(check);
  const kernel = check.word(Step.kernel);
  const multiplier = check.word(Depthwise.multiplier);
  const option = check.word(Depthwise.option);
  const fast = kernel === Kernel.depthwise;
  const portable = kernel === Kernel.depthwisePortable;
  if (
    !windowFits(w) ||
    !within(multiplier, 1, MAX_DIMENSION) ||
    !within(option, 0, portable ? 0 : 1) ||
    w.ic * multiplier !== w.oc ||
    (!portable && w.fh > MAX_DEPTHWISE_ROWS) ||
    (fast && (w.dh !== 1 || w.dw !== 1 || multiplier !== 1 || w.ic % 4 !== 0))
  ) {
    return Reason.badShape;
  }
  const taps = times(w.fh, w.fw);
  if (taps > MAX_TOTAL) {
    return Reason.badShape;
  }
  if (!numbersFit(check, Depthwise.weights)) {
    return Reason.badNumber;
  }
  const fours = Math.ceil(w.oc / 4);
  const columns = (w.ow - 1) * w.sw + (w.fw - 1) * w.dw + 1;
  const rows = (w.fh - 1) * w.dh + 1;
  const copy = fast && option !== 0 ? times(16 + 2 * taps, w.oc) : fast ? 0 : 4 * w.ow;
  const scratch = 8 * times(times(columns, fours), rows) + copy;
  const memory = check.tensors(
    windowInputs(w),
    fast || portable ? 0 : 3,
    windowOutputs(w),
    portable ? 0 : scratch,
  );
  if (memory !== Reason.ok) {
    return memory;
  }
  check.work = times(windowOutputs(w), taps);
  if (portable) {
    return generalWeights(check, Depthwise.weights, times(taps, w.oc), w.oc, w.oc);
  }
  const tapWords = fast && option !== 0 ? taps : 2 * taps;
  if (!fast && option === 0) {
    return generalWeights(check, Depthwise.weights, 4 * times(fours, tapWords), w.oc, w.oc);
  }
  if (!check.constant(Depthwise.weights, 4 * times(fours, tapWords + 16))) {
    return Reason.badConstant;
  }
  return depthwiseShiftsFit(check, fours, tapWords) ? Reason.ok : Reason.badNumber;
}

function checkDense(check: StepCheck): number {
  const rows = check.word(Dense.rows);
  const inputs = check.word(Dense.inputs);
  const outputs = check.word(Dense.outputs);
  const step = check.word(Dense.step);
  const general = check.word(Step.kernel) === Kernel.denseGeneral;
  const wide = check.word(Step.kernel) === Kernel.denseWide;
  if (
    rows < 1 ||
    inputs < 1 ||
    outputs < (wide ? MIN_WIDE_CHANNELS : 1) ||
    !within(step, 0, general ? 0 : 1)
  ) {
    return Reason.badShape;
  }
  if (!numbersFit(check, Dense.weights)) {
    return Reason.badNumber;
  }
  const memory = check.tensors(size3(rows, inputs, 1), inputs % 4 === 0 ? 0 : 3, size3(rows, outputs, 1), 0);
  if (memory !== Reason.ok) {
    return memory;
  }
  check.work = size3(rows, inputs, outputs);
  const fours = Math.ceil(outputs / 4);
  // Channels as the stream groups them: packDense.
  const sixes = wide ? Math.floor(outputs / 6) - (outputs % 6 === 2 ? 1 : 0) : 0;
  const rest = 4 * Math.ceil((outputs - 6 * sixes) / 4);
  const bytes = 4 * times(6 * sixes + rest, Math.ceil(inputs / 4) + (general ? 0 : 1));
  if (general) {
    return check.word(Dense.weights + Weights.bias) === 0
      ? Reason.badConstant
      : generalWeights(check, Dense.weights, bytes, 4 * fours, outputs);
  }
  const entries = step === 0 ? 1 : outputs + 3;
  const shifts = Dense.weights + Weights.multiplier;
  if (!check.constant(Dense.weights, bytes) || !check.constant(shifts, 12 * entries)) {
    return Reason.badConstant;
  }
  const offset = check.word(Dense.weights + Weights.outputOffset);
  const word = (i: number): number => check.constantWord(shifts, i);
  for (let i = 0; i < entries; i++) {
    if (!rightShiftFits(word(3 * i), word(3 * i + 1), word(3 * i + 2), offset)) {
      return Reason.badNumber;
    }
  }
  return Reason.ok;
}

function checkSum(check: StepCheck, second: number, count: number): number {
  if (count < 1) {
    return Reason.badShape;
  }
  check.work = count;
  return check.reads(second, 0, count) === undefined ? Reason.badTensor : check.tensors(count, 0, count, 0);
}

function checkAdd(check: StepCheck): number {
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

function checkFastAdd(check: StepCheck): number {
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

function checkPool(check: StepCheck): number {
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

function checkSoftmax(check: StepCheck): number {
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

function checkCopy(check: StepCheck): number {
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

function checkFill(check: StepCheck): number {
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

function checkMove(check: StepCheck): number {
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

function checkLookup(check: StepCheck): number {
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

function checkElementwise(check: StepCheck): number {
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

function checkResize(check: StepCheck): number {
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

function checkReduce(check: StepCheck): number {
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

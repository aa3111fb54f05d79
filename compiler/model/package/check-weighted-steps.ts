/** Checks of convolutions and dense layers; as in `runtime-c/kernels/package_check_weighted.c`. */
import { Conv, Dense, Depthwise, Kernel, Reason, Step, Weights } from "./format.js";
import type { StepCheck } from "./step-check.js";
import {
  MAX_DIMENSION,
  MAX_TRIPLES,
  MAX_DEPTHWISE_ROWS,
  MAX_TOTAL,
  MIN_WIDE_CHANNELS,
  times,
  size3,
  within,
  multiplierFits,
  clampFits,
  rightShiftFits,
} from "./step-check.js";

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

export function windowOf(check: StepCheck): Window {
  const at = (i: number): number => check.word(Step.rest + i);
  return {
    ...{ ih: at(0), iw: at(1), ic: at(2), oh: at(3), ow: at(4), oc: at(5), fh: at(6), fw: at(7) },
    ...{ sh: at(8), sw: at(9), dh: at(10), dw: at(11), pt: at(12), pl: at(13) },
  };
}

export function windowFits(w: Window): boolean {
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

export function windowInputs(w: Window): number {
  return size3(w.ih, w.iw, w.ic);
}

export function windowOutputs(w: Window): number {
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

export function checkConv(check: StepCheck): number {
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

export function checkDepthwise(check: StepCheck): number {
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

export function checkDense(check: StepCheck): number {
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

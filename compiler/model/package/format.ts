/**
 * The numbers of the package format: where words of the header, of descriptors and of steps are. The same numbers are in
 * runtime-c/kernels/package_layout.h and tmc/package.h; docs/model-packages.md says what they mean. Reads and writes nothing.
 */

export const MAGIC = 0x4d434d54; // "TMCM"
export const FORMAT = 1;
/** Grows when a kernel reads its numbers or weights otherwise. */
export const KERNEL_SET = 1;
export const HEADER_BYTES = 96;
export const NAME_BYTES = 32;
export const DIGEST_BYTES = 32;

/** Numbers of the kernels; `1 << number` in masks. */
export const Kernel = {
  conv: 1,
  conv1x1: 2,
  convDilated: 3,
  convGeneral: 4,
  depthwise: 5,
  depthwiseGeneral: 6,
  depthwisePortable: 7,
  dense: 8,
  denseGeneral: 9,
  add: 10,
  addFast: 11,
  maxPool: 12,
  averagePool: 13,
  averagePoolFast: 14,
  softmax: 15,
  copy: 16,
  fill: 17,
  move: 18,
  resize: 19,
  sum: 20,
  reduceMax: 21,
  reduceMin: 22,
  maxPoolFast: 23,
  denseWide: 24,
  addEqual: 25,
  lookup: 26,
  elementwise: 27,
} as const;

export const ALL_KERNELS = (1 << 28) - 2;

/** The name of a kernel number, for people. */
export function kernelName(kernel: number): string {
  return Object.entries(Kernel).find(([, number]) => number === kernel)?.[0] ?? `kernel ${kernel}`;
}

/** Words of the header. */
export const At = {
  magic: 0,
  format: 1,
  kernelSet: 2,
  kernels: 3,
  bytes: 4,
  arena: 5,
  steps: 6,
  program: 7,
  programWords: 8,
  inputs: 9,
  outputs: 10,
  descriptors: 11,
  golden: 12,
  goldenBytes: 13,
  work: 14,
  /** Offset, or 0. */
  about: 15,
  name: 16,
} as const;

/** Words of a descriptor. */
export const Descriptor = {
  offset: 0,
  bytes: 1,
  type: 2,
  rank: 3,
  shape: 4,
  scale: 10,
  zeroPoint: 11,
  words: 12,
} as const;

/** Words of the section about the model, and bytes of its texts. */
export const About = {
  bytes: 0,
  rate: 1,
  labels: 2,
  digest: 3,
  words: 11,
  textMax: 64,
  unitMax: 15,
} as const;

export const MAX_RANK = 6;

/** Words that every step starts with. */
export const Step = { kernel: 0, operator: 1, input: 2, output: 3, scratch: 4, rest: 5 } as const;

/** Set in an operand that is an offset in the package, not in the arena. */
export const IN_PACKAGE = 0x80000000;

/** Words of the weights of a layer, from their first. */
export const Weights = {
  stream: 0,
  bias: 1,
  multiplier: 2,
  shift: 3,
  inputOffset: 4,
  outputOffset: 5,
  min: 6,
  max: 7,
} as const;

/** A window is 14 words from Step.rest, its weights follow. */
export const Conv = { weights: 19, triples: 27, copies: 28 } as const;
export const Depthwise = { weights: 19, multiplier: 27, option: 28 } as const;
export const Dense = { rows: 5, inputs: 6, outputs: 7, weights: 8, step: 16 } as const;
export const Addition = { right: 5, count: 6, numbers: 7, min: 16, max: 17 } as const;
export const FastAddition = {
  plain: 5,
  count: 6,
  offset: 7,
  multiplier: 8,
  shift: 9,
  rounding: 10,
  output: 11,
  min: 14,
  max: 15,
} as const;
export const Lookup = { count: 5, table: 6 } as const;
export const ElementwiseStep = {
  right: 5,
  operation: 6,
  shape: 7,
  leftSteps: 11,
  rightSteps: 15,
  factors: 19,
  min: 28,
  max: 29,
} as const;
/** By their number in a step. */
export const operations = ["Add", "Sub", "Mul", "PRelu", "Minimum", "Maximum"] as const;
export const Pool = { min: 19, max: 20 } as const;
export const Softmax = { rows: 5, depth: 6, multiplier: 7, shift: 8, minDifference: 9 } as const;
export const Copy = { count: 5 } as const;
export const Fill = { count: 5, value: 6 } as const;
export const MoveStep = { from: 5, to: 6, run: 7, inner: 8, depth: 11, outer: 12 } as const;
export const ResizeStep = { rows: 5, columns: 6, run: 7, rowTable: 8, columnTable: 9 } as const;
export const Reduction = {
  kept: 5,
  reduced: 11,
  total: 17,
  multiplier: 18,
  shift: 19,
  outputOffset: 20,
} as const;

const words = [
  0, 29, 29, 29, 29, 29, 29, 29, 17, 17, 18, 16, 21, 21, 21, 10, 6, 7, 24, 10, 21, 21, 21, 21, 17, 16, 7, 30,
] as const;

/** Words of a step; 0 for kernels that do not exist. */
export function stepWords(kernel: number): number {
  return words[kernel] ?? 0;
}

/** Why a package is not accepted: position = `tmc_package_reason`. */
export const reasons = [
  "ok",
  "it does not start at a multiple of 4",
  "its size is not the one in its header",
  "it is not a model package",
  "it has another version of the format",
  "it is for another kernel set",
  "it needs a kernel that the node does not have",
  "it is too large for the flash of the slot",
  "it needs more RAM than the slot has",
  "an inference takes more work than allowed, or than its header says",
  "a count or an offset in the header is impossible",
  "its digest is not that of its bytes",
  "the description of an input or output is impossible",
  "its self-test has another size",
  "a step is unknown, not announced, or cut off",
  "the shapes of a step contradict each other",
  "a tensor lies outside of the arena",
  "weights lie outside of the package, or are not aligned",
  "a multiplier, shift, offset or bound is out of range",
  "memory overlaps that must be apart",
  "what it says of the model is not well-formed",
] as const;

export const Reason = {
  ok: 0,
  alignment: 1,
  truncated: 2,
  notAPackage: 3,
  wrongFormat: 4,
  wrongKernels: 5,
  noKernel: 6,
  tooLarge: 7,
  tooMuchRam: 8,
  tooMuchWork: 9,
  badHeader: 10,
  wrongDigest: 11,
  badDescriptor: 12,
  badGolden: 13,
  badProgram: 14,
  badShape: 15,
  badTensor: 16,
  badConstant: 17,
  badNumber: 18,
  badOverlap: 19,
  badAbout: 20,
} as const;

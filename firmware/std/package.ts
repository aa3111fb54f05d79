/**
 * Model packages (`docs/model-packages.md`): a model as data, checked and run in place. What a slot has taken is given to
 * these functions as it lies there; nothing is copied. Verdicts are numbers of `tmc_package_reason`.
 */
import { word } from "./layout.js";

/** Bytes from which `packagePlan` decides: the first of a package. */
export const packageHeaderSize = 96;

/** The verdicts that are told apart. */
export enum PackageReason {
  Ok = 0,
  /** It needs a kernel set, or kernels, that this node does not have. */
  WrongKernels = 5,
  NoKernel = 6,
  TooLarge = 7,
  TooMuchRam = 8,
  TooMuchWork = 9,
}

/**
 * What the first bytes of a package say, before anything is written: whether it fits in `flash` and `ram` bytes and needs
 * no more than `work` steps of an inference (0: any). @binding tmc_package_call_plan
 */
export declare function packagePlan(header: Uint8Array, flash: i32, ram: i32, work: i32): i32;
/** Everything but the digest; what it accepts reads and writes nothing but itself and its arena. @binding tmc_package_call_check */
export declare function packageCheck(model: Uint8Array, ram: i32, work: i32): i32;
/** Does an accepted package compute the outputs that it holds? True when it holds none. @binding tmc_package_call_self_test */
export declare function packageSelfTest(model: Uint8Array, arena: Int32Array): boolean;
/** One inference. @binding tmc_package_call_run */
export declare function packageRun(model: Uint8Array, arena: Int32Array): void;
/** Inputs first, then outputs: their memory in the arena. @binding tmc_package_call_tensor */
export declare function packageTensor(model: Uint8Array, arena: Int32Array, index: i32): Int8Array;

enum Head {
  Inputs = 9,
  Outputs = 10,
  Descriptors = 11,
  About = 15,
}

enum End {
  Rank = 3,
  Shape = 4,
  Scale = 10,
  ZeroPoint = 11,
  Words = 12,
}

const aboutTexts = 44;

export function packageInputs(model: Uint8Array): i32 {
  return i32(word(model, 4 * Head.Inputs));
}
export function packageOutputs(model: Uint8Array): i32 {
  return i32(word(model, 4 * Head.Outputs));
}

/** Of input or output `end` (as `packageTensor`): its rank, dimensions, and real = scale * (q - zeroPoint). */
export function packageRank(model: Uint8Array, end: i32): i32 {
  return i32(endWord(model, end, End.Rank));
}
export function packageDimension(model: Uint8Array, end: i32, dimension: i32): i32 {
  return i32(endWord(model, end, End.Shape + dimension));
}
export function packageScale(model: Uint8Array, end: i32): f32 {
  return f32FromBits(endWord(model, end, End.Scale));
}
export function packageZeroPoint(model: Uint8Array, end: i32): i32 {
  return i32(endWord(model, end, End.ZeroPoint));
}

/** Of the input's rows, Hz; 0: not said. */
export function packageRate(model: Uint8Array): f32 {
  const at = aboutAt(model);
  return at < 0 ? 0 : f32FromBits(word(model, at + 4));
}
/** Borrowed, as all texts; "" when it is not said. */
export function packageTask(model: Uint8Array): string {
  return aboutText(model, 0);
}
/** Of the input's values. */
export function packageUnit(model: Uint8Array): string {
  return aboutText(model, 1);
}
export function packageLabels(model: Uint8Array): i32 {
  const at = aboutAt(model);
  return at < 0 ? 0 : i32(word(model, at + 8));
}
export function packageLabel(model: Uint8Array, index: i32): string {
  return index >= 0 && index < packageLabels(model) ? aboutText(model, 2 + index) : "";
}
/** The first `size` (up to 32) bytes of the SHA-256 of the model file; zeros: not said. */
export function packageDigest(model: Uint8Array, size: i32): Uint8Array {
  const at = aboutAt(model);
  return at < 0 ? model.subarray(0, 0) : model.subarray(at + 12, at + 12 + size);
}

function aboutAt(model: Uint8Array): i32 {
  const at = i32(word(model, 4 * Head.About));
  return at === 0 ? -1 : at;
}

/** Each text stands after its length. */
function aboutText(model: Uint8Array, index: i32): string {
  const at = aboutAt(model);
  if (at < 0) return "";
  let next = at + aboutTexts;
  for (let i = 0; i < index; i++) next += 1 + model[next];
  return textView(model, next + 1, next + 1 + model[next]);
}

function endWord(model: Uint8Array, end: i32, index: i32): u32 {
  return word(model, i32(word(model, 4 * Head.Descriptors)) + 4 * (end * End.Words + index));
}

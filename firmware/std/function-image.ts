/**
 * Function images (`docs/functions.md`): machine code of a function as data, checked and called in place. What a slot has
 * taken is given to these functions as it lies there. Verdicts are numbers of `tmc_function_reason`. Images run on
 * Cortex-M only; elsewhere none is accepted.
 */
import { paddedText, word } from "./layout.js";

/** Bytes from which `functionPlan` decides: the first of an image. */
export const functionHeaderSize = 160;

/** The verdicts that are told apart. */
export enum FunctionReason {
  Ok = 0,
  NotAnImage = 1,
  WrongFormat = 2,
  WrongAbi = 3,
  WrongMachine = 4,
  /** It calls what this firmware does not offer. */
  NoImport = 5,
  TooLarge = 6,
  TooMuchRam = 7,
  TooMuchStack = 8,
  TooMuchOutput = 9,
}

/**
 * What the first bytes of an image say, before anything is written: whether it is for this processor and firmware, and fits
 * in so many bytes. @binding tmc_function_call_plan
 */
export declare function functionPlan(header: Uint8Array, flash: i32, ram: i32, stack: i32, output: i32): i32;
/** Everything that a check can say: what it accepts is entered in its code, with its RAM. @binding tmc_function_call_check */
export declare function functionCheck(image: Uint8Array, ram: i32, stack: i32, output: i32): i32;
/**
 * Calls it, from the same state every time: bytes of the output, or minus the number of the trap that ended it (7 also when
 * the stack that is left is too small for it). @binding tmc_function_call_run
 */
export declare function functionRun(
  image: Uint8Array,
  ram: Float64Array,
  input: Uint8Array,
  output: Uint8Array,
): i32;
/** Does it give the output that it holds for the input that it holds? @binding tmc_function_call_self_test */
export declare function functionSelfTest(image: Uint8Array, ram: Float64Array, output: Uint8Array): boolean;
/** The place of the trap that ended the last call, in the function's own table. @binding tmc_function_call_site */
export declare function functionSite(): u32;
/** Its text; borrowed until the next call. @binding tmc_function_call_text */
export declare function functionText(): string;

enum At {
  Input = 64,
  Output = 68,
  Types = 72,
  TypesSize = 76,
  Name = 96,
  Version = 128,
}

const nameSize = 32;

/** Most bytes of input and of output. */
export function functionInputSize(image: Uint8Array): i32 {
  return i32(word(image, At.Input));
}
export function functionOutputSize(image: Uint8Array): i32 {
  return i32(word(image, At.Output));
}

/** CBOR: an array of the input's descriptor and the output's. Borrowed. */
export function functionTypes(image: Uint8Array): Uint8Array {
  const at = i32(word(image, At.Types));
  return image.subarray(at, at + i32(word(image, At.TypesSize)));
}

/** Borrowed, as all texts of it. */
export function functionName(image: Uint8Array): string {
  return paddedText(image, At.Name, nameSize);
}
export function functionVersion(image: Uint8Array): string {
  return paddedText(image, At.Version, nameSize);
}

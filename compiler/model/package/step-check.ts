/** One step of a package while it is checked: its words, what it reads and writes, and limits that several kernels share. */
import { DIGEST_BYTES, IN_PACKAGE, Reason, Step } from "./format.js";

export const MAX_DIMENSION = 65535;
export const MAX_TRIPLES = 8;
export const MAX_DEPTHWISE_ROWS = 16;
export const MAX_SOFTMAX_DEPTH = 511;
const MAX_SHIFT_RIGHT = 22;
export const MAX_REDUCED = 2 ** 20;
export const MAX_TOTAL = 2 ** 28;
export const MIN_WIDE_CHANNELS = 12;
const MOST = 2 ** 32 - 1;

/** a * b, or 2^32 - 1 if it is more. */
export function times(a: number, b: number): number {
  return Math.min(a * b, MOST);
}

export function size3(a: number, b: number, c: number): number {
  return times(times(a, b), c);
}

/** [start, end) of the arena; empty for what lies in the package. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

export function apart(a: Extent, b: Extent): boolean {
  return a.end <= b.start || b.end <= a.start;
}

export function within(value: number, min: number, max: number): boolean {
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

export function multiplierFits(multiplier: number): boolean {
  return multiplier === 0 || multiplier >= 2 ** 30;
}

export function clampFits(min: number, max: number): boolean {
  return min >= -128 && min <= max && max <= 127;
}

export function rightShiftFits(
  multiplier: number,
  rounding: number,
  shift: number,
  outputOffset: number,
): boolean {
  if (!multiplierFits(multiplier) || !within(shift, 1, MAX_SHIFT_RIGHT)) {
    return false;
  }
  const offset = (rounding - 2 ** (shift - 1)) / 2 ** shift;
  return (
    Number.isInteger(offset) && within(offset, -128, 127) && (multiplier === 0 || offset === outputOffset)
  );
}

/**
 * Whether a package can be accepted: the same checks in the same order as `runtime-c/kernels/package_check.c`, with the same
 * verdicts. Makes nothing of the package: `read.ts` does.
 */
import { createHash } from "node:crypto";
import { aboutFits } from "./about.js";
import { checkStep } from "./check-steps.js";
import { StepCheck, times } from "./step-check.js";
import {
  About,
  ALL_KERNELS,
  At,
  Descriptor,
  DIGEST_BYTES,
  FORMAT,
  HEADER_BYTES,
  KERNEL_SET,
  MAGIC,
  MAX_RANK,
  Reason,
  reasons,
  stepWords,
} from "./format.js";

/** What a node has for a package. */
export interface Slot {
  /** Bytes for the package. */
  readonly flash: number;
  /** Bytes of the arena. */
  readonly ram: number;
  /** Most multiplications, comparisons or copies of one inference; 0: any number. */
  readonly work?: number;
  /** Mask of the kernels that it links. */
  readonly kernels?: number;
}

export interface Verdict {
  /** Of `Reason`. */
  readonly reason: number;
  /** -1: the package as a whole. */
  readonly step: number;
}

const MAX_PACKAGE_BYTES = 2 ** 27;
const MAX_ARENA_BYTES = 2 ** 26;
const MAX_STEPS = 4096;
const MAX_ENDS = 64;

/** A slot that holds every package that the format allows. */
export const unboundedSlot: Slot = { flash: MAX_PACKAGE_BYTES, ram: MAX_ARENA_BYTES };

function whole(reason: number): Verdict {
  return { reason, step: -1 };
}

/** `step 3: the shapes …`, for people. */
export function verdictText({ reason, step }: Verdict): string {
  const text = reasons[reason] ?? `reason ${reason}`;
  return step < 0 ? text : `step ${step}: ${text}`;
}

/** The word at `offset`, unsigned. */
function unsigned(view: DataView, word: number): number {
  return view.getUint32(4 * word, true);
}

function fits(offset: number, bytes: number, limit: number, alignment: number): boolean {
  return offset % alignment === 0 && offset + bytes <= limit;
}

/** What can be said from the header (at least HEADER_BYTES) alone. */
export function planPackage(header: Uint8Array, slot: Slot): Verdict {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const at = (word: number): number => unsigned(view, word);
  if (at(At.magic) !== MAGIC) return whole(Reason.notAPackage);
  if (at(At.format) !== FORMAT) return whole(Reason.wrongFormat);
  if (at(At.kernelSet) !== KERNEL_SET) return whole(Reason.wrongKernels);
  if ((at(At.kernels) & ~(slot.kernels ?? ALL_KERNELS)) !== 0) return whole(Reason.noKernel);
  const bytes = at(At.bytes);
  if (bytes > slot.flash || bytes > MAX_PACKAGE_BYTES) return whole(Reason.tooLarge);
  if (at(At.arena) > slot.ram || at(At.arena) > MAX_ARENA_BYTES) return whole(Reason.tooMuchRam);
  const work = slot.work ?? 0;
  if (work !== 0 && at(At.work) > work) return whole(Reason.tooMuchWork);
  if (bytes % 4 !== 0 || bytes < HEADER_BYTES + DIGEST_BYTES) {
    return whole(Reason.badHeader);
  }
  const end = bytes - DIGEST_BYTES;
  const [inputs, outputs] = [at(At.inputs), at(At.outputs)];
  const counts =
    inputs >= 1 && inputs <= MAX_ENDS && outputs >= 1 && outputs <= MAX_ENDS && at(At.steps) <= MAX_STEPS;
  const all =
    counts &&
    fits(at(At.program), 4 * at(At.programWords), end, 4) &&
    fits(at(At.descriptors), 4 * Descriptor.words * (inputs + outputs), end, 4) &&
    fits(at(At.golden), at(At.goldenBytes), end, 1) &&
    (at(At.about) === 0 || fits(at(At.about), 4 * About.words, end, 4));
  return whole(all ? Reason.ok : Reason.badHeader);
}

/** Everything; the digest only with `digest` (a node may leave it to its update agent). */
export function checkPackage(bytes: Uint8Array, slot: Slot, digest = true): Verdict {
  if (bytes.length < HEADER_BYTES) {
    return whole(Reason.truncated);
  }
  const planned = planPackage(bytes, slot);
  if (planned.reason !== Reason.ok) {
    return planned;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (unsigned(view, At.bytes) !== bytes.length) {
    return whole(Reason.truncated);
  }
  if (digest && !digestOf(bytes).equals(bytes.subarray(bytes.length - DIGEST_BYTES))) {
    return whole(Reason.wrongDigest);
  }
  const ends = checkEnds(view);
  if (ends !== Reason.ok) return whole(ends);
  return aboutFits(view, bytes.length - DIGEST_BYTES) ? checkProgram(bytes, view) : whole(Reason.badAbout);
}

/** SHA-256 of all but the digest. */
export function digestOf(bytes: Uint8Array): Buffer {
  return createHash("sha256")
    .update(bytes.subarray(0, bytes.length - DIGEST_BYTES))
    .digest();
}

function checkEnds(view: DataView): number {
  let bytes = 0;
  const first = unsigned(view, At.descriptors) / 4;
  const count = unsigned(view, At.inputs) + unsigned(view, At.outputs);
  for (let i = 0; i < count; i++) {
    const d = first + i * Descriptor.words;
    if (!descriptorFits(view, d, unsigned(view, At.arena))) {
      return Reason.badDescriptor;
    }
    bytes += unsigned(view, d + Descriptor.bytes);
  }
  const expected = unsigned(view, At.golden) === 0 ? 0 : bytes;
  return unsigned(view, At.goldenBytes) === expected ? Reason.ok : Reason.badGolden;
}

function descriptorFits(view: DataView, d: number, arena: number): boolean {
  const signed = (word: number): number => view.getInt32(4 * (d + word), true);
  const rank = signed(Descriptor.rank);
  if (signed(Descriptor.type) !== 1 || rank < 0 || rank > MAX_RANK) {
    return false;
  }
  let size = 1;
  for (let i = 0; i < rank; i++) {
    const dimension = signed(Descriptor.shape + i);
    if (dimension < 1) {
      return false;
    }
    size = times(size, dimension);
  }
  const bytes = unsigned(view, d + Descriptor.bytes);
  return size === bytes && fits(unsigned(view, d + Descriptor.offset), bytes, arena, 1);
}

function checkProgram(bytes: Uint8Array, view: DataView): Verdict {
  const kernels = unsigned(view, At.kernels);
  let left = unsigned(view, At.programWords);
  let work = 0;
  let at = unsigned(view, At.program);
  for (let step = 0; step < unsigned(view, At.steps); step++) {
    const kernel = left > 0 ? view.getUint32(at, true) : 0;
    const size = stepWords(kernel);
    let reason: number = Reason.badProgram;
    if (size !== 0 && size <= left && (kernels & (1 << kernel)) !== 0) {
      const check = new StepCheck(bytes, at, unsigned(view, At.arena));
      reason = checkStep(check);
      work += check.work;
    }
    if (reason === Reason.ok && work > unsigned(view, At.work)) {
      reason = Reason.tooMuchWork;
    }
    if (reason !== Reason.ok) {
      return { reason, step };
    }
    at += 4 * size;
    left -= size;
  }
  return whole(left === 0 ? Reason.ok : Reason.badProgram);
}

/** The work of one inference of a package whose steps are well-formed, as the check counts it. */
export function workOf(bytes: Uint8Array): number {
  return packageSteps(bytes).reduce((work, at) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const check = new StepCheck(bytes, at, unsigned(view, At.arena));
    checkStep(check);
    return work + check.work;
  }, 0);
}

/** Offsets of the steps of a package whose program is well-formed. */
export function packageSteps(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = unsigned(view, At.program);
  return Array.from({ length: unsigned(view, At.steps) }, () => {
    const step = at;
    at += 4 * stepWords(view.getUint32(at, true));
    return step;
  });
}

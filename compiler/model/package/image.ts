/**
 * A package while it is made: descriptors, constants (equal ones once), steps. `finish` puts the header before and the
 * digest after them. Knows the format, not the layers.
 */
import { digestOf, workOf } from "./check.js";
import {
  At,
  Descriptor,
  DIGEST_BYTES,
  FORMAT,
  HEADER_BYTES,
  KERNEL_SET,
  MAGIC,
  NAME_BYTES,
} from "./format.js";

export interface PackageEnd {
  /** In the arena. */
  readonly offset: number;
  readonly bytes: number;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface PackageHead {
  readonly name: string;
  readonly arenaBytes: number;
  /** Inputs and outputs of one inference, one after the other. */
  readonly golden?: Uint8Array;
  /** The section about the model. */
  readonly about?: Uint8Array;
}

export type PackageConstant = Int8Array | Int32Array | Uint32Array;

export class PackageImage {
  private readonly constants: Uint8Array[] = [];
  private readonly known = new Map<string, number>();
  private readonly steps: (readonly number[])[] = [];
  private next: number;
  private kernels = 0;

  constructor(
    private readonly inputs: readonly PackageEnd[],
    private readonly outputs: readonly PackageEnd[],
  ) {
    this.next = HEADER_BYTES + 4 * Descriptor.words * (inputs.length + outputs.length);
  }

  /** Where the constant lies in the package, at a multiple of 4. */
  constant(data: PackageConstant): number {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const key = bytes.toString("latin1");
    const before = this.known.get(key);
    if (before !== undefined) {
      return before;
    }
    const at = this.append(bytes);
    this.known.set(key, at);
    return at;
  }

  /** `words` start with the number of the kernel. */
  step(words: readonly number[]): void {
    this.steps.push(words);
    this.kernels |= 1 << (words[0] ?? 0);
  }

  finish({ name, arenaBytes, golden, about }: PackageHead): Uint8Array {
    const goldenAt = golden === undefined ? 0 : this.append(golden);
    const aboutAt = about === undefined ? 0 : this.append(about);
    const program = Int32Array.from(this.steps.flat());
    const programAt = this.append(new Uint8Array(program.buffer));
    const bytes = new Uint8Array(this.next + DIGEST_BYTES);
    const view = new DataView(bytes.buffer);
    const put = (word: number, value: number): void => view.setUint32(4 * word, value >>> 0, true);
    put(At.magic, MAGIC);
    put(At.format, FORMAT);
    put(At.kernelSet, KERNEL_SET);
    put(At.kernels, this.kernels);
    put(At.bytes, bytes.length);
    put(At.arena, arenaBytes);
    put(At.steps, this.steps.length);
    put(At.program, programAt);
    put(At.programWords, program.length);
    put(At.inputs, this.inputs.length);
    put(At.outputs, this.outputs.length);
    put(At.descriptors, HEADER_BYTES);
    put(At.golden, goldenAt);
    put(At.goldenBytes, golden?.length ?? 0);
    put(At.about, aboutAt);
    bytes.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES), 4 * At.name);
    [...this.inputs, ...this.outputs].forEach((end, i) => {
      const d = HEADER_BYTES / 4 + i * Descriptor.words;
      put(d + Descriptor.offset, end.offset);
      put(d + Descriptor.bytes, end.bytes);
      put(d + Descriptor.type, 1);
      put(d + Descriptor.rank, end.shape.length);
      end.shape.forEach((dimension, k) => put(d + Descriptor.shape + k, dimension));
      view.setFloat32(4 * (d + Descriptor.scale), end.scale, true);
      put(d + Descriptor.zeroPoint, end.zeroPoint);
    });
    let at = HEADER_BYTES + 4 * Descriptor.words * (this.inputs.length + this.outputs.length);
    for (const constant of this.constants) {
      bytes.set(constant, at);
      at += constant.length;
    }
    put(At.work, Math.min(workOf(bytes), 2 ** 32 - 1));
    bytes.set(digestOf(bytes), bytes.length - DIGEST_BYTES);
    return bytes;
  }

  /** Filled up to a multiple of 4. */
  private append(data: Uint8Array): number {
    const at = this.next;
    const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
    padded.set(data);
    this.constants.push(padded);
    this.next += padded.length;
    return at;
  }
}

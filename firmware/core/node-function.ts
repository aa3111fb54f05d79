/**
 * A function over typed data, as nodes offer it: name, version, what goes in and what comes out. The same source is
 * built into a minimal node (`FunctionInvoke`) and, by `tmc function build`, into a bundle that complete nodes run or an image
 * for the slots of minimal ones.
 *
 * A function keeps nothing between calls: where a node runs it is the node's choice, and calls may run side by side in
 * several places. What it computes depends on its input alone.
 */
import type { CborWriter } from "../std/cbor-writer.js";
import type { DataDescriptor } from "./data-descriptor.js";
import { OfferedFunction } from "./offered-function.js";
import type { AnyValues, Values } from "./values.js";

const noLabels: RomArray<string> = [];

/** A function without the types of its data. */
export abstract class AnyFunction extends OfferedFunction {
  readonly qualifiedName: string;

  /** @setup */
  constructor(
    readonly name: string,
    readonly version: string,
    readonly input: AnyValues,
    readonly output: AnyValues,
  ) {
    super();
    if (name.length === 0 || name.length > 32)
      throw new Error("the name of a function has 1 to 32 characters");
    if (version.length === 0 || version.length > 32) throw new Error("a version has 1 to 32 characters");
    for (let i = 0; i < name.length; i++) {
      const c = name.charCodeAt(i);
      const allowed =
        (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x2e || c === 0x5f || c === 0x2d;
      if (!allowed) throw new Error("the name of a function is made of a-z 0-9 . _ -");
    }
    this.qualifiedName = `${name}@${version}`;
    this.given.assign(output.descriptor);
  }

  override inputNeed(): DataDescriptor {
    return this.input.descriptor;
  }
  override outputOffer(): DataDescriptor {
    return this.output.descriptor;
  }
  override isThere(): boolean {
    return true;
  }
  override mostBytes(): i32 {
    return 0; // it does not come and go
  }
  override open(): void {}
  override identity(): string {
    return this.qualifiedName;
  }

  override isNamed(selector: string): boolean {
    return selector === this.name || selector === this.qualifiedName;
  }

  /**
   * Computes the output of these bytes, which stays in `output` until the next call; gives its elements. Traps when the
   * bytes are not as many as the input's shape allows, or the function gave a number of elements its output does not have.
   */
  call(bytes: Uint8Array): i32 {
    const width = this.input.width;
    const count = Math.trunc(bytes.length / width);
    if (count * width !== bytes.length || !this.input.allows(count))
      throw new Error("not an input of this function");
    this.input.load(bytes);
    this.output.clear();
    const given = this.compute(count);
    if (!this.output.allows(given)) throw new Error("not a number of elements of this output");
    this.given.shape[0] = Math.trunc(given / this.output.rowSize);
    return given;
  }

  /** Calls it, and puts the output's bytes at the start of `output`; gives how many. */
  callTo(input: Uint8Array, output: Uint8Array): i32 {
    const bytes = this.call(input) * this.output.width;
    this.output.store(0, output.subarray(0, bytes));
    return bytes;
  }

  override takes(bytes: i32): boolean {
    const width = this.input.width;
    const count = Math.trunc(bytes / width);
    return count * width === bytes && this.input.allows(count);
  }

  override invoke(input: Uint8Array): i32 {
    return this.call(input) * this.output.width;
  }

  override store(at: i32, part: Uint8Array): void {
    this.output.store(Math.trunc(at / this.output.width), part);
  }

  /** Its traps leave `invoke`. */
  override failure(): string {
    return "";
  }
  override failureSite(): u32 {
    return 0;
  }

  /** A function-descriptor. @setup */
  override describe(writer: CborWriter): void {
    writer.beginMap(5);
    writer.writeInt(0);
    writer.writeText(this.name);
    writer.writeInt(1);
    writer.writeText(this.version);
    writer.writeInt(2);
    this.input.descriptor.write(writer, noLabels);
    writer.writeInt(3);
    this.output.descriptor.write(writer, noLabels);
    writer.writeInt(4);
    writer.writeInt(0); // built in
  }

  /** Runs on the first `count` elements of the input; gives the elements of the output. */
  protected abstract compute(count: i32): i32;
}

export interface FunctionOptions<I, O> {
  /** 1 to 32 characters of a-z 0-9 . _ - */
  readonly name: string;
  readonly version: string;
  readonly input: Values<I>;
  readonly output: Values<O>;
  /** `input` has as many elements as came, `output` as many as it can have. Gives how many it filled. */
  readonly run: (input: I, output: O) => i32;
}

export class NodeFunction<I, O> extends AnyFunction {
  private readonly from: Values<I>;
  private readonly to: Values<O>;
  private readonly run: (input: I, output: O) => i32;

  /** @setup */
  constructor(options: FunctionOptions<I, O>) {
    super(options.name, options.version, options.input, options.output);
    this.from = options.input;
    this.to = options.output;
    this.run = options.run;
  }

  protected override compute(count: i32): i32 {
    return this.run(this.from.first(count), this.to.first(this.output.capacity));
  }
}

/** Offers the function to whoever hosts this program as a bundle: the C function `tmc_function_call`. @setup */
export function exportFunction(offered: AnyFunction): void {
  entry("function_call", (input: Uint8Array, output: Uint8Array): i32 => offered.callTo(input, output));
}

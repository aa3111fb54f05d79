/** A model as the node offers it, wherever it lies: what goes in, what comes out, and how reals become int8 and back. */
import type { CborWriter } from "../std/cbor-writer.js";
import { DataDescriptor } from "./data-descriptor.js";
import type { Drift } from "./drift.js";
import type { Offered } from "./offered.js";

export abstract class AnyModel implements Offered {
  /** Elements of the input and output tensors. */
  inputSize: i32 = 0;
  outputSize: i32 = 0;
  /** What the model needs: int8 in its quantisation, or reals in its unit. */
  readonly input: DataDescriptor = new DataDescriptor();
  readonly realInput: DataDescriptor = new DataDescriptor();
  /** What it gives: int8, or reals on request. */
  readonly output: DataDescriptor = new DataDescriptor();
  readonly realOutput: DataDescriptor = new DataDescriptor();

  /** `drift`: null when the app did not ask for it. */
  constructor(readonly drift: Drift | null) {}

  /** Elements that an input can have at most, of any model that this may become. @setup */
  abstract mostInput(): i32;
  /** Bytes that its descriptor has at most. @setup */
  abstract mostBytes(): i32;
  /** Is it there? One of the image always is. */
  abstract isThere(): boolean;
  /** At the start of the node: takes over what is kept. */
  abstract open(): void;
  /** "name@version", borrowed. */
  abstract identity(): string;
  /** Is it meant by "name" or "name@version"? */
  abstract isNamed(selector: string): boolean;
  abstract isFor(task: string): boolean;
  /** "" or the label of a class. */
  abstract label(index: i32): string;
  /** The input tensor; write it just before `invoke`. */
  abstract inputTensor(): Int8Array;
  /** The output tensor; valid until the input is written. */
  abstract outputTensor(): Int8Array;
  /** A model-descriptor. */
  abstract describe(writer: CborWriter): void;

  invoke(): void {
    if (this.drift !== null) this.drift.add(this.inputTensor());
    this.compute();
  }

  /** The int8 value nearest to a real input. */
  quantise(value: f32): i8 {
    const steps = Math.round(value / this.input.scale);
    return sat.i8(i32(Math.min(Math.max(steps, -512), 512)) + this.input.zeroPoint);
  }

  /** The real value of an output element. */
  dequantise(value: i8): f32 {
    return f32(value - this.output.zeroPoint) * this.output.scale;
  }

  protected abstract compute(): void;
}

/** A model in the image, as the node offers it: what goes in, what comes out, and how reals become int8 and back. */
import type { CborWriter } from "../std/cbor-writer.js";
import type { TensorDescriptor } from "../std/model.js";
import { loadModelDescriptor, modelInput, modelInvoke, modelOutput } from "../std/model.js";
import { DataDescriptor } from "./data-descriptor.js";
import { Drift } from "./drift.js";
import { ElementType } from "./protocol.js";

const noLabels: RomArray<string> = [];
/** Bytes of the digest that are told; enough to recognise a model, not to prove it. */
const digestSize = 8;

export interface ModelOptions {
  /** Sums up what goes in, feature by feature: see `Drift`. Default: no. */
  readonly drift?: boolean;
  /** Bins of its histograms: a power of two from 2 to 16. Default 16. */
  readonly driftBins?: i32;
}

export class Model {
  readonly name: string;
  readonly version: string;
  /** "name@version". */
  readonly qualifiedName: string;
  readonly task: string;
  readonly labels: RomArray<string>;
  /** Elements of the input and output tensors. */
  readonly inputSize: i32;
  readonly outputSize: i32;
  /** What the model needs: int8 in its quantisation, or reals in its unit. */
  readonly input: DataDescriptor = new DataDescriptor();
  readonly realInput: DataDescriptor = new DataDescriptor();
  /** What it gives: int8, or reals on request. */
  readonly output: DataDescriptor = new DataDescriptor();
  readonly realOutput: DataDescriptor = new DataDescriptor();
  /** Null when the app did not ask for it. */
  readonly drift: Drift | null;
  private readonly index: i32;
  private readonly digest: Uint8Array;

  /** `path` of the .tflite file, relative to the program's main module. @setup */
  constructor(path: string, options: ModelOptions | null = null) {
    const known = loadModelDescriptor(path);
    this.index = known.index;
    this.name = known.name;
    this.version = known.version;
    this.qualifiedName = `${known.name}@${known.version}`;
    this.task = known.task;
    this.labels = known.labels;
    this.digest = bytesOfHex(known.digest, digestSize);
    this.inputSize = known.input.elements;
    this.outputSize = known.output.elements;
    fill(this.input, known.input, ElementType.I8);
    fill(this.realInput, known.input, ElementType.F32);
    fill(this.output, known.output, ElementType.I8);
    fill(this.realOutput, known.output, ElementType.F32);
    const watches = options?.drift ?? false;
    this.drift = watches ? new Drift(this.qualifiedName, known.input, options?.driftBins ?? 16) : null;
  }

  /** The input tensor; write it just before `invoke`. */
  inputTensor(): Int8Array {
    return modelInput(this.index, 0);
  }

  /** The output tensor; valid until the input is written. */
  outputTensor(): Int8Array {
    return modelOutput(this.index, 0);
  }

  invoke(): void {
    if (this.drift !== null) this.drift.add(this.inputTensor());
    modelInvoke(this.index);
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

  /** "" or the label of a class. */
  label(index: i32): string {
    return index < this.labels.length ? this.labels[index] : "";
  }

  /** Is it meant by "name" or "name@version"? */
  isNamed(selector: string): boolean {
    return selector === this.name || selector === this.qualifiedName;
  }

  /** A model-descriptor. @setup */
  describe(writer: CborWriter): void {
    writer.beginMap(6);
    writer.writeInt(0);
    writer.writeText(this.name);
    writer.writeInt(1);
    writer.writeText(this.version);
    writer.writeInt(2);
    writer.writeBytes(this.digest);
    writer.writeInt(3);
    writer.writeText(this.task);
    writer.writeInt(4);
    writer.beginArray(1);
    this.input.write(writer, noLabels);
    writer.writeInt(5);
    writer.beginArray(1);
    this.output.write(writer, this.labels);
  }
}

/** @setup */
function fill(descriptor: DataDescriptor, tensor: TensorDescriptor, element: ElementType): void {
  descriptor.setElement(element);
  for (const size of tensor.shape) {
    if (!descriptor.addDimension(size)) throw new Error("a model's tensor has more than 6 dimensions");
  }
  descriptor.setRate(tensor.rate);
  if (!descriptor.setUnit(tensor.unit)) throw new Error("a model's unit is longer than 15 characters");
  if (element === ElementType.I8) descriptor.setQuantisation(tensor.scale, tensor.zeroPoint);
}

/** The first `size` bytes of hexadecimal text. @setup */
function bytesOfHex(text: string, size: i32): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = u8(hexDigit(text, 2 * i) * 16 + hexDigit(text, 2 * i + 1));
  return bytes;
}

/** @setup */
function hexDigit(text: string, at: i32): i32 {
  const c = text.charCodeAt(at);
  return c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57;
}

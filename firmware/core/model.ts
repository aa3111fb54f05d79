/** A model that is compiled into the image. */
import type { CborWriter } from "../std/cbor-writer.js";
import type { TensorDescriptor } from "../std/model.js";
import { loadModelDescriptor, modelInput, modelInvoke, modelOutput } from "../std/model.js";
import { AnyModel } from "./any-model.js";
import type { DataDescriptor } from "./data-descriptor.js";
import { Drift, maxDriftFeatures } from "./drift.js";
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

export class Model extends AnyModel {
  readonly name: string;
  readonly version: string;
  /** "name@version". */
  readonly qualifiedName: string;
  readonly task: string;
  readonly labels: RomArray<string>;
  private readonly index: i32;
  private readonly digest: Uint8Array;

  /** `path` of the .tflite file, relative to the program's main module. @setup */
  constructor(path: string, options: ModelOptions | null = null) {
    super(driftOf(path, options));
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
  }

  override mostInput(): i32 {
    return this.inputSize;
  }

  override mostBytes(): i32 {
    return 0; // part of what is encoded at build time
  }

  override isThere(): boolean {
    return true;
  }

  override open(): void {}

  override identity(): string {
    return this.qualifiedName;
  }

  override isFor(task: string): boolean {
    return task === this.task;
  }

  override inputTensor(): Int8Array {
    return modelInput(this.index, 0);
  }

  override outputTensor(): Int8Array {
    return modelOutput(this.index, 0);
  }

  protected override compute(): void {
    modelInvoke(this.index);
  }

  override label(index: i32): string {
    return index < this.labels.length ? this.labels[index] : "";
  }

  override isNamed(selector: string): boolean {
    return selector === this.name || selector === this.qualifiedName;
  }

  override describe(writer: CborWriter): void {
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
function driftOf(path: string, options: ModelOptions | null): Drift | null {
  if (options === null || options.drift !== true) return null;
  const input = loadModelDescriptor(path).input;
  const last = input.shape[input.shape.length - 1];
  const drift = new Drift(last > 1 && last <= maxDriftFeatures ? last : 1, options.driftBins ?? 16);
  if (!drift.watch(last, input.elements, input.scale, input.zeroPoint)) {
    throw new Error("the model's input is too large for drift");
  }
  return drift;
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

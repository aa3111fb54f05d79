/**
 * A model in the node's slot: it comes over the bus (`ModelDeploy`), is read in place, and stays over restarts. What runs is
 * checked at every start; a new one must compute the outputs that its package holds before it stays.
 */
import type { CborWriter as Writer } from "../std/cbor-writer.js";
import { CborWriter } from "../std/cbor-writer.js";
import {
  PackageReason,
  packageCheck,
  packageDigest,
  packageDimension,
  packageInputs,
  packageLabel,
  packageLabels,
  packageOutputs,
  packageRank,
  packageRate,
  packageRun,
  packageScale,
  packageSelfTest,
  packageTask,
  packageTensor,
  packageUnit,
  packageZeroPoint,
} from "../std/package.js";
import { slotBoot, slotConfirm, slotContent, slotHeader, slotReject } from "../std/platform.js";
import { SlotKind, SlotState, headerName, headerVersion, slotHeaderSize } from "../std/slot.js";
import { TextBuffer } from "../std/text-buffer.js";
import { AnyModel } from "./any-model.js";
import { DescriptorField, type DataDescriptor } from "./data-descriptor.js";
import { Drift } from "./drift.js";
import { ElementType, maxRank } from "./protocol.js";

/** Bytes of the digest that are told. */
const digestSize = 8;

export interface SlotModelOptions {
  /** RAM for the tensors of whatever model comes. */
  readonly arenaBytes: i32;
  /** Elements of the largest input; the node's windows of sensors are as large. */
  readonly inputSize: i32;
  /** The most multiplications, comparisons and copies of an inference; 0: any. Default 50 million: seconds. */
  readonly work?: i32;
  /** Bytes for what the birth record tells of it: names, labels. Default 256. */
  readonly describeBytes?: i32;
  /** Sums up so many features (1 to 8) of what goes in: see `Drift`. Default 0: none. */
  readonly driftFeatures?: i32;
  /** Bins of their histograms. Default 8. */
  readonly driftBins?: i32;
}

/** What became of a version on trial. */
export enum SlotVerdict {
  /** It stays; or nothing was on trial. */
  Fine,
  /** It is not a model that this node can run. */
  Unfit,
  /** What it says of itself does not fit in the birth record. */
  TooMuchToTell,
  /** It does not compute what its package says. */
  Wrong,
}

export class SlotModel extends AnyModel {
  readonly arenaBytes: i32;
  readonly work: i32;
  private readonly arena: Int32Array;
  private readonly most: i32;
  private readonly name: TextBuffer = new TextBuffer(31);
  private readonly version: TextBuffer = new TextBuffer(31);
  private readonly qualified: TextBuffer = new TextBuffer(63);
  private readonly described: CborWriter;
  private readonly header: Uint8Array = new Uint8Array(slotHeaderSize);
  private isLoaded: boolean = false;

  /** @setup */
  constructor(options: SlotModelOptions) {
    super(driftOf(options));
    if (options.arenaBytes < 1 || options.inputSize < 1)
      throw new Error("a slot needs an arena and an input");
    this.arena = new Int32Array(Math.trunc((options.arenaBytes + 3) / 4));
    this.arenaBytes = 4 * this.arena.length;
    this.most = options.inputSize;
    this.work = options.work ?? 50000000;
    this.described = new CborWriter(options.describeBytes ?? 256);
  }

  override mostInput(): i32 {
    return this.most;
  }

  override mostBytes(): i32 {
    return this.described.capacity;
  }

  override isThere(): boolean {
    return this.isLoaded;
  }

  override identity(): string {
    return this.qualified.toString();
  }

  override isNamed(selector: string): boolean {
    return this.isLoaded && (selector === this.name.toString() || selector === this.qualified.toString());
  }

  override isFor(task: string): boolean {
    return this.isLoaded && packageTask(slotContent(SlotKind.Model)) === task;
  }

  override label(index: i32): string {
    return packageLabel(slotContent(SlotKind.Model), index);
  }

  override inputTensor(): Int8Array {
    return packageTensor(slotContent(SlotKind.Model), this.arena, 0);
  }

  override outputTensor(): Int8Array {
    return packageTensor(slotContent(SlotKind.Model), this.arena, 1);
  }

  override describe(writer: Writer): void {
    writer.writeRaw(this.described.written());
  }

  override open(): void {
    this.settle();
  }

  /**
   * Decides what runs, at the start and after a version was tried or removed: one on trial is tested, and stays or gives way
   * to the one before.
   */
  settle(): SlotVerdict {
    this.isLoaded = false;
    const state = slotBoot(SlotKind.Model);
    if (state === SlotState.Confirmed) return this.load();
    if (state !== SlotState.OnTrial) return SlotVerdict.Fine;
    let verdict = this.load();
    if (verdict === SlotVerdict.Fine) {
      const isRight = packageSelfTest(slotContent(SlotKind.Model), this.arena);
      if (!isRight || slotConfirm(SlotKind.Model) < 0) verdict = SlotVerdict.Wrong;
    }
    if (verdict === SlotVerdict.Fine) return verdict;
    this.isLoaded = false;
    slotReject(SlotKind.Model);
    if (slotBoot(SlotKind.Model) === SlotState.Confirmed) this.load();
    return verdict;
  }

  protected override compute(): void {
    packageRun(slotContent(SlotKind.Model), this.arena);
  }

  /** Takes over what is in the slot that runs, when it is a model for this node. */
  private load(): SlotVerdict {
    const model = slotContent(SlotKind.Model);
    if (slotHeader(SlotKind.Model, this.header) !== slotHeaderSize) return SlotVerdict.Unfit;
    if (packageCheck(model, this.arenaBytes, this.work) !== PackageReason.Ok) return SlotVerdict.Unfit;
    // One input and one output, as the models of the image.
    if (packageInputs(model) !== 1 || packageOutputs(model) !== 1) return SlotVerdict.Unfit;
    const inputSize = packageTensor(model, this.arena, 0).length;
    const outputSize = packageTensor(model, this.arena, 1).length;
    if (inputSize < 1 || inputSize > this.most || outputSize < 1) return SlotVerdict.Unfit;
    this.inputSize = inputSize;
    this.outputSize = outputSize;
    this.name.assign(headerName(this.header));
    this.version.assign(headerVersion(this.header));
    this.qualified.clear();
    this.qualified.write(`${this.name.toString()}@${this.version.toString()}`);
    const unit = packageUnit(model);
    fill(this.input, model, 0, ElementType.I8, unit, packageRate(model));
    fill(this.realInput, model, 0, ElementType.F32, unit, packageRate(model));
    fill(this.output, model, 1, ElementType.I8, "", 0);
    fill(this.realOutput, model, 1, ElementType.F32, "", 0);
    const drift = this.drift;
    if (drift !== null) {
      const last = this.input.rank > 0 ? this.input.shape[this.input.rank - 1] : 1;
      if (!drift.watch(last, inputSize, this.input.scale, this.input.zeroPoint)) return SlotVerdict.Unfit;
    }
    this.encode(model);
    if (this.described.overflow) return SlotVerdict.TooMuchToTell;
    this.isLoaded = true;
    return SlotVerdict.Fine;
  }

  /** The model-descriptor of what is loaded. */
  private encode(model: Uint8Array): void {
    const writer = this.described;
    const digest = packageDigest(model, digestSize);
    const task = packageTask(model);
    const labels = packageLabels(model);
    writer.clear();
    writer.beginMap(4 + (digest.length > 0 ? 1 : 0) + (task.length > 0 ? 1 : 0));
    writer.writeInt(0);
    writer.writeText(this.name.toString());
    writer.writeInt(1);
    writer.writeText(this.version.toString());
    if (digest.length > 0) {
      writer.writeInt(2);
      writer.writeBytes(digest);
    }
    if (task.length > 0) {
      writer.writeInt(3);
      writer.writeText(task);
    }
    writer.writeInt(4);
    writer.beginArray(1);
    this.input.begin(writer, 0);
    writer.writeInt(5);
    writer.beginArray(1);
    this.output.begin(writer, labels > 0 ? 1 : 0);
    if (labels === 0) return;
    writer.writeInt(DescriptorField.Labels);
    writer.beginArray(labels);
    for (let i = 0; i < labels; i++) writer.writeText(packageLabel(model, i));
  }
}

/** @setup */
function driftOf(options: SlotModelOptions): Drift | null {
  const features = options.driftFeatures ?? 0;
  return features > 0 ? new Drift(features, options.driftBins ?? 8) : null;
}

function fill(
  into: DataDescriptor,
  model: Uint8Array,
  end: i32,
  element: ElementType,
  unit: string,
  rate: f32,
): void {
  into.clear();
  into.setElement(element);
  const rank = Math.min(packageRank(model, end), maxRank);
  for (let i = 0; i < rank; i++) into.addDimension(packageDimension(model, end, i));
  into.setRate(rate);
  into.setUnit(unit);
  if (element === ElementType.I8)
    into.setQuantisation(packageScale(model, end), packageZeroPoint(model, end));
}

/**
 * A function in the node's slot: machine code that came over the bus (`FunctionDeploy`), is called where it lies, and stays
 * over restarts. What runs is checked at every start; a new one must give the output that its image holds before it stays.
 * Nothing but the owner's signature keeps it from doing what the firmware can do.
 */
import { CborReader } from "../std/cbor-reader.js";
import type { CborWriter as Writer } from "../std/cbor-writer.js";
import { CborWriter } from "../std/cbor-writer.js";
import {
  FunctionReason,
  functionCheck,
  functionInputSize,
  functionName,
  functionOutputSize,
  functionPlan,
  functionRun,
  functionSelfTest,
  functionSite,
  functionText,
  functionTypes,
  functionVersion,
} from "../std/function-image.js";
import { slotBoot, slotConfirm, slotContent, slotReject, slotRoom } from "../std/platform.js";
import { SlotKind, SlotState } from "../std/slot.js";
import { TextBuffer } from "../std/text-buffer.js";
import { DataDescriptor } from "./data-descriptor.js";
import { OfferedFunction } from "./offered-function.js";
import { ElementType } from "./protocol.js";
import { SlotVerdict } from "./slot-model.js";

const noLabels: RomArray<string> = [];
/** Bytes of an element, by type. */
const widths: RomArray<i32> = [1, 1, 2, 2, 4, 4, 4, 8];
/** Of the two descriptors in an image. */
const typesMost = 128;
const trapCapacityNumber = 5;

export interface SlotFunctionOptions {
  /** RAM of whatever function comes: its elements of input and output, and what it computes with. */
  readonly ramBytes: i32;
  /** Bytes of the largest output. */
  readonly outputBytes: i32;
  /** The most stack that one may need. Default 2048. */
  readonly stackBytes?: i32;
  /** Bytes for what the birth record tells of it. Default 160. */
  readonly describeBytes?: i32;
}

export class SlotFunction extends OfferedFunction {
  readonly ramBytes: i32;
  readonly outputBytes: i32;
  readonly stackBytes: i32;
  private readonly ram: Float64Array;
  private readonly output: Uint8Array;
  private readonly input: DataDescriptor = new DataDescriptor();
  private readonly result: DataDescriptor = new DataDescriptor();
  private readonly name: TextBuffer = new TextBuffer(32);
  private readonly version: TextBuffer = new TextBuffer(32);
  private readonly qualified: TextBuffer = new TextBuffer(65);
  private readonly types: CborReader = new CborReader(typesMost);
  private readonly described: CborWriter;
  private mostInput: i32 = 0;
  private isLoaded: boolean = false;

  /** @setup */
  constructor(options: SlotFunctionOptions) {
    super();
    if (options.ramBytes < 8 || options.outputBytes < 1) throw new Error("a slot needs RAM and an output");
    this.ram = new Float64Array(Math.trunc((options.ramBytes + 7) / 8));
    this.ramBytes = 8 * this.ram.length;
    this.output = new Uint8Array(options.outputBytes);
    this.outputBytes = options.outputBytes;
    this.stackBytes = options.stackBytes ?? 2048;
    this.described = new CborWriter(options.describeBytes ?? 160);
  }

  override inputNeed(): DataDescriptor {
    return this.input;
  }
  override outputOffer(): DataDescriptor {
    return this.result;
  }
  override isThere(): boolean {
    return this.isLoaded;
  }
  override mostBytes(): i32 {
    return this.described.capacity;
  }
  override identity(): string {
    return this.qualified.toString();
  }

  override isNamed(selector: string): boolean {
    return this.isLoaded && (selector === this.name.toString() || selector === this.qualified.toString());
  }

  override takes(bytes: i32): boolean {
    const row = rowBytes(this.input);
    if (this.input.shape[0] === -1) return bytes >= 0 && bytes <= this.mostInput && bytes % row === 0;
    return bytes === this.mostInput;
  }

  override invoke(input: Uint8Array): i32 {
    const given = functionRun(slotContent(SlotKind.Function), this.ram, input, this.output);
    if (given < 0) return given;
    const row = rowBytes(this.result);
    const rows = Math.trunc(given / row);
    const known = this.result.shape[0];
    if (rows * row !== given || (known !== -1 && rows !== known)) return -trapCapacityNumber;
    this.given.shape[0] = rows;
    return given;
  }

  override store(at: i32, part: Uint8Array): void {
    part.set(this.output.subarray(at, at + part.length));
  }

  override failure(): string {
    return functionText();
  }
  override failureSite(): u32 {
    return functionSite();
  }

  override describe(writer: Writer): void {
    writer.writeRaw(this.described.written());
  }

  override open(): void {
    this.settle();
  }

  /** What the first bytes of an image say of it, before anything is written. */
  plan(header: Uint8Array): FunctionReason {
    const room = slotRoom(SlotKind.Function);
    return functionPlan(header, room, this.ramBytes, this.stackBytes, this.outputBytes);
  }

  /**
   * Decides what runs, at the start and after a version was tried or removed: one on trial is tested, and stays or gives way
   * to the one before.
   */
  settle(): SlotVerdict {
    this.isLoaded = false;
    const state = slotBoot(SlotKind.Function);
    if (state === SlotState.Confirmed) return this.load();
    if (state !== SlotState.OnTrial) return SlotVerdict.Fine;
    let verdict = this.load();
    if (verdict === SlotVerdict.Fine) {
      const isRight = functionSelfTest(slotContent(SlotKind.Function), this.ram, this.output);
      if (!isRight || slotConfirm(SlotKind.Function) < 0) verdict = SlotVerdict.Wrong;
    }
    if (verdict === SlotVerdict.Fine) return verdict;
    this.isLoaded = false;
    slotReject(SlotKind.Function);
    if (slotBoot(SlotKind.Function) === SlotState.Confirmed) this.load();
    return verdict;
  }

  /** Takes over what is in the slot that runs, when this node can call it. */
  private load(): SlotVerdict {
    const image = slotContent(SlotKind.Function);
    const reason = functionCheck(image, this.ramBytes, this.stackBytes, this.outputBytes);
    if (reason !== FunctionReason.Ok) return SlotVerdict.Unfit;
    const types = functionTypes(image);
    if (types.length > typesMost) return SlotVerdict.Unfit;
    const reader = this.types;
    reader.load(types);
    if (reader.readArray() !== 2) return SlotVerdict.Unfit;
    this.input.read(reader);
    this.result.read(reader);
    if (!reader.finished()) return SlotVerdict.Unfit;
    this.mostInput = functionInputSize(image);
    if (!fitsBytes(this.input, this.mostInput)) return SlotVerdict.Unfit;
    if (!fitsBytes(this.result, functionOutputSize(image))) return SlotVerdict.Unfit;
    this.given.assign(this.result);
    this.name.assign(functionName(image));
    this.version.assign(functionVersion(image));
    this.qualified.clear();
    this.qualified.write(`${this.name.toString()}@${this.version.toString()}`);
    this.encode();
    if (this.described.overflow) return SlotVerdict.TooMuchToTell;
    this.isLoaded = true;
    return SlotVerdict.Fine;
  }

  /** The function-descriptor of what is loaded. */
  private encode(): void {
    const writer = this.described;
    writer.clear();
    writer.beginMap(5);
    writer.writeInt(0);
    writer.writeText(this.name.toString());
    writer.writeInt(1);
    writer.writeText(this.version.toString());
    writer.writeInt(2);
    this.input.write(writer, noLabels);
    writer.writeInt(3);
    this.result.write(writer, noLabels);
    writer.writeInt(4);
    writer.writeInt(2); // in a slot
  }
}

/** Bytes of one row; 0: too many, or not data that functions have. */
function rowBytes(of: DataDescriptor): i32 {
  if (of.element > ElementType.F64 || of.rank < 1) return 0;
  let bytes = widths[of.element];
  for (let i = 1; i < of.rank; i++) {
    const size = of.shape[i];
    if (size < 1 || size > 0xffff || bytes > 0x7fff) return 0;
    bytes *= size;
  }
  return bytes;
}

/** Is `most` what this shape can have? */
function fitsBytes(of: DataDescriptor, most: i32): boolean {
  const row = rowBytes(of);
  const rows = of.shape[0];
  if (row < 1 || most < row || most % row !== 0) return false;
  return rows === -1 || (rows > 0 && Math.trunc(most / row) === rows);
}

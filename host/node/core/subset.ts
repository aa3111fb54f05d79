/**
 * The modules of `firmware/core` that the Core Service runs, with the types that the host sees. Text in them is a byte
 * string (one UTF-16 unit a byte). One request is parsed at a time; nothing of it outlives the next `parse`.
 */
import { bindSubset, loadSubset } from "../../runtime/load-subset.js";

/** firmware/std/cbor-reader.ts */
export interface SubsetReader {
  readonly failed: boolean;
  at: number;
  readonly end: number;
  load(message: Uint8Array): void;
  seek(at: number): void;
  finished(): boolean;
  peek(): number;
  readUint(): number;
  readInt(): number;
  readText(): string;
  readBytes(): Uint8Array;
  readArray(): number;
  readMap(): number;
  readBool(): boolean;
  skip(): void;
  bytesAt(start: number, end: number): Uint8Array;
}

/** firmware/std/cbor-writer.ts */
export interface SubsetWriter {
  readonly length: number;
  readonly overflow: boolean;
  clear(): void;
  writeInt(value: number): void;
  writeUint(value: number): void;
  writeText(text: string): void;
  writeRaw(bytes: Uint8Array): void;
  beginArray(items: number): void;
  beginMap(pairs: number): void;
  /** Borrowed. */
  written(): Uint8Array;
}

export interface SubsetDescriptor {
  /** Which fields are stated, bit by key. */
  readonly present: number;
  readonly element: number;
  /** 0 = raw. */
  format: number;
  has(field: number): boolean;
  clear(): void;
  setElement(element: number): void;
  addDimension(size: number): boolean;
  setRate(hertz: number): void;
  setUnit(unit: string): boolean;
  setQuantisation(scale: number, zeroPoint: number): void;
  read(reader: SubsetReader): void;
}

export interface SubsetTicket {
  id: number;
  boot: number;
  readonly sender: { toString(): string; assign(text: string): boolean };
}

export interface SubsetRequest {
  readonly reader: SubsetReader;
  readonly ticket: SubsetTicket;
  readonly identified: boolean;
  readonly error: number;
  readonly tooLarge: boolean;
  readonly hasBytes: boolean;
  readonly hasReference: boolean;
  readonly offered: SubsetDescriptor;
  readonly accepted: SubsetDescriptor;
  readonly deadlineMs: number;
  readonly priority: number;
  readonly brief: boolean;
  operation(): string;
  selector(): string;
  task(): string;
  selectorNode(): string;
  reference(): string;
  bytes(): Uint8Array;
  openLabels(): number;
  textArgument(key: number, fallback: string): string;
  argumentsOk(): boolean;
  errorField(): string;
  parse(message: Uint8Array): void;
}

export interface SubsetAnswer {
  readonly writer: SubsetWriter;
  begin(ticket: SubsetTicket, stage: number): void;
  fail(error: number, text: string, field?: string, inner?: string): void;
  failDetail(key: number, value: number): void;
  finish(queuedUs: number, executedUs: number): void;
  close(): void;
}

export interface Subset {
  readonly Answer: new (capacity: number) => SubsetAnswer;
  readonly CborReader: new (capacity: number) => SubsetReader;
  readonly CborWriter: new (capacity: number) => SubsetWriter;
  readonly DataDescriptor: new () => SubsetDescriptor;
  readonly Request: new (capacity: number) => SubsetRequest;
  readonly Ticket: new () => SubsetTicket;
  /** The name of the first field of `offer` that does not satisfy `need`; "" when all do. */
  mismatch(offer: SubsetDescriptor, need: SubsetDescriptor): string;
  isNodeId(text: string): boolean;
}

export const subset = (await loadSubset()) as Subset;

/** What `nodeId()` of the loaded modules says. Several services in one process take turns. */
let executingNode = "";
bindSubset({ tmc_port_node_id: () => executingNode });

/** Makes the modules speak as this node until another call. */
export function speakAs(node: string): void {
  executingNode = node;
}

/** UTF-8 bytes, one a character: how the subset holds text. */
export function byteString(text: string): string {
  return isAscii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The text behind a byte string. */
export function fromByteString(bytes: string): string {
  return isAscii.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

const isAscii = /^[\x00-\x7f]*$/;

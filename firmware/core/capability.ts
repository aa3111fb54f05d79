/**
 * What the node offers, as its birth record tells it: encoded at build time, but for what comes and goes while it runs. The
 * record's own keys 0 to 2 are the node's.
 */
import { CborWriter } from "../std/cbor-writer.js";
import type { NodeOptions } from "./node.js";
import type { Offered } from "./offered.js";
import type { Operation } from "./operation.js";

/** Bytes that an answer needs around the birth record. */
const envelopeSize = 96;
const modelsKey = 10;
const functionsKey = 11;

/** A list of the record: what the image has, encoded, and what may come. */
class ChangingList {
  /** @setup */
  constructor(
    private readonly key: i32,
    private readonly fixed: i32,
    private readonly encoded: Uint8Array,
    private readonly changing: RomArray<Offered>,
  ) {}

  /** Bytes of what the image has. @setup */
  size(): i32 {
    return this.encoded.length;
  }

  count(): i32 {
    let n = this.fixed;
    for (const one of this.changing) {
      if (one.isThere()) n++;
    }
    return n;
  }

  write(writer: CborWriter): void {
    const n = this.count();
    if (n === 0) return;
    writer.writeInt(this.key);
    writer.beginArray(n);
    writer.writeRaw(this.encoded);
    for (const one of this.changing) {
      if (one.isThere()) one.describe(writer);
    }
  }
}

export class Capability {
  /** Pairs of the fixed parts. */
  private readonly fixedPairs: i32;
  /** Keys 3 to 9, then what may change, then the rest; all of it last when nothing may. */
  private readonly first: Uint8Array;
  private readonly models: ChangingList | null;
  private readonly functions: ChangingList | null;
  private readonly last: Uint8Array;

  /** `message`: bytes of the largest. @setup */
  constructor(options: NodeOptions, operations: RomArray<Operation>, message: i32) {
    const writer = new CborWriter(message);
    const models: Offered[] = [];
    for (const model of options.models) models.push(model);
    const functions: Offered[] = [];
    const offered = options.functions ?? null;
    if (offered !== null) {
      for (const one of offered) functions.push(one);
    }
    const most = mostOf(models) + mostOf(functions);
    let pairs = writeFirst(writer, options, operations, message);
    let size = 0;
    if (most > 0) {
      this.first = taken(writer);
      this.models = listOf(modelsKey, models, writer);
      this.functions = listOf(functionsKey, functions, writer);
      size = this.first.length + this.models.size() + this.functions.size();
    } else {
      this.first = new Uint8Array(0);
      this.models = null;
      this.functions = null;
      pairs += writeFixed(writer, modelsKey, models);
      pairs += writeFixed(writer, functionsKey, functions);
    }
    pairs += writeLast(writer, options);
    if (writer.overflow || most + size + writer.length > message - 2 * envelopeSize) {
      throw new Error("the capability record of this node does not fit in a message: offer less");
    }
    this.fixedPairs = pairs;
    this.last = taken(writer);
  }

  pairs(): i32 {
    return this.fixedPairs + pairsOf(this.models) + pairsOf(this.functions);
  }

  /** Keys 3 and above of the birth record. */
  write(writer: CborWriter): void {
    const models = this.models;
    const functions = this.functions;
    writer.writeRaw(this.first);
    if (models !== null) models.write(writer);
    if (functions !== null) functions.write(writer);
    writer.writeRaw(this.last);
  }
}

function pairsOf(list: ChangingList | null): i32 {
  return list !== null && list.count() > 0 ? 1 : 0;
}

/** Bytes of those that come and go. @setup */
function mostOf(list: RomArray<Offered>): i32 {
  let most = 0;
  for (const one of list) most += one.mostBytes();
  return most;
}

/** @setup */
function listOf(key: i32, all: RomArray<Offered>, writer: CborWriter): ChangingList {
  const changing: Offered[] = [];
  let fixed = 0;
  for (const one of all) {
    if (one.mostBytes() > 0) changing.push(one);
    else {
      fixed++;
      one.describe(writer);
    }
  }
  return new ChangingList(key, fixed, taken(writer), changing);
}

/** A list of which nothing comes or goes; how many pairs. @setup */
function writeFixed(writer: CborWriter, key: i32, all: RomArray<Offered>): i32 {
  if (all.length === 0) return 0;
  writer.writeInt(key);
  writer.beginArray(all.length);
  for (const one of all) one.describe(writer);
  return 1;
}

/** What was written, and nothing is any more. @setup */
function taken(writer: CborWriter): Uint8Array {
  const bytes = new Uint8Array(writer.length);
  bytes.set(writer.written());
  const failed = writer.overflow;
  writer.clear();
  writer.overflow = failed;
  return bytes;
}

/** Keys 3 to 9; how many. @setup */
function writeFirst(
  writer: CborWriter,
  options: NodeOptions,
  operations: RomArray<Operation>,
  message: i32,
): i32 {
  writer.writeInt(3);
  writer.writeInt(0); // minimal
  writer.writeInt(4);
  writer.writeText(options.name);
  writer.writeInt(5);
  writer.writeText(options.version);
  writer.writeInt(6);
  writer.writeInt(message);
  writer.writeInt(7);
  writer.writeInt(options.jobs);
  writer.writeInt(8);
  writer.beginArray(operations.length);
  for (const operation of operations) writer.writeText(operation.name);
  if (options.sensors.length === 0) return 6;
  writer.writeInt(9);
  writer.beginArray(options.sensors.length);
  for (const sensor of options.sensors) sensor.describe(writer);
  return 7;
}

/** Keys 12 and above; how many. @setup */
function writeLast(writer: CborWriter, options: NodeOptions): i32 {
  let pairs = 0;
  if (options.labels.length > 0) {
    pairs++;
    writer.writeInt(12);
    writer.beginArray(options.labels.length);
    for (const label of options.labels) writer.writeText(label);
  }
  const actuators = options.actuators ?? null;
  if (actuators !== null && actuators.length > 0) {
    pairs++;
    writer.writeInt(13);
    writer.beginArray(actuators.length);
    for (const one of actuators) one.describe(writer);
  }
  return pairs;
}

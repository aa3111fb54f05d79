/** What a node counts since boot. Every counter wraps. */
import type { CborWriter } from "../std/cbor-writer.js";
import { ErrorCode } from "./protocol.js";

/** Keys of the counters record. */
export enum Counter {
  Received = 0,
  Answered = 1,
  Malformed = 2,
  Oversized = 3,
  Duplicates = 4,
  Traps = 5,
  Reconnects = 6,
  Unsent = 7,
}

const counterCount = 8;
const codeCount = 17;

export class Counters {
  private readonly values: Uint32Array = new Uint32Array(counterCount);
  private readonly errors: Uint32Array = new Uint32Array(codeCount);

  /** Of the last trap since boot; 0 = none yet. Kinds are numbers of `tmc_trap_kind`. */
  lastTrapKind: i32 = 0;
  lastTrapSite: u32 = 0;

  /** A trap that ended a handler or an operation. */
  countTrap(kind: i32, site: u32): void {
    this.count(Counter.Traps);
    this.lastTrapKind = kind;
    this.lastTrapSite = site;
  }

  count(counter: Counter): void {
    this.values[counter] = (this.values[counter] + 1) >>> 0;
  }

  countError(code: ErrorCode): void {
    if (code !== ErrorCode.None) this.errors[code] = (this.errors[code] + 1) >>> 0;
  }

  get(counter: Counter): u32 {
    return this.values[counter];
  }

  getError(code: ErrorCode): u32 {
    return this.errors[code];
  }

  write(writer: CborWriter): void {
    writer.beginMap(counterCount + 1);
    for (let i = 0; i < counterCount; i++) {
      writer.writeInt(i);
      writer.writeUint(this.values[i]);
    }
    writer.writeInt(counterCount);
    let used = 0;
    for (let code = 0; code < codeCount; code++) {
      if (this.errors[code] !== 0) used++;
    }
    writer.beginMap(used);
    for (let code = 0; code < codeCount; code++) {
      if (this.errors[code] !== 0) {
        writer.writeInt(code);
        writer.writeUint(this.errors[code]);
      }
    }
  }
}

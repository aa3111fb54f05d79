/** Something in a list of the birth record that comes and goes while the node runs: a model or a function in a slot. */
import type { CborWriter } from "../std/cbor-writer.js";

export interface Offered {
  isThere(): boolean;
  /** Bytes that its descriptor has at most. @setup */
  mostBytes(): i32;
  /** Its descriptor; called only while it is there. */
  describe(writer: CborWriter): void;
}

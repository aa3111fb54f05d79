/** A function as the node offers it, wherever it lies: what goes in, what comes out, and how it is called on bytes. */
import type { CborWriter } from "../std/cbor-writer.js";
import { DataDescriptor } from "./data-descriptor.js";
import type { Offered } from "./offered.js";

export abstract class OfferedFunction implements Offered {
  /** What the last call gave: the output's descriptor with the number of rows. */
  readonly given: DataDescriptor = new DataDescriptor();

  /** What it needs, and what it gives. */
  abstract inputNeed(): DataDescriptor;
  abstract outputOffer(): DataDescriptor;
  /** Is it there? One of the image always is. */
  abstract isThere(): boolean;
  /** Bytes that its descriptor has at most. @setup */
  abstract mostBytes(): i32;
  /** At the start of the node: takes over what is kept. */
  abstract open(): void;
  /** "name@version", borrowed. */
  abstract identity(): string;
  /** Is it meant by "name" or "name@version"? */
  abstract isNamed(selector: string): boolean;
  /** May an input have so many bytes? */
  abstract takes(bytes: i32): boolean;
  /** Computes the output, which stays until the next call: its bytes, or minus the number of the trap that ended it. */
  abstract invoke(input: Uint8Array): i32;
  /** Puts the output's bytes from `at` on into all of `part`; `at` is a multiple of an element's width. */
  abstract store(at: i32, part: Uint8Array): void;
  /** Of the trap that ended the last call, when `invoke` gave one: its text, borrowed, and its site. */
  abstract failure(): string;
  abstract failureSite(): u32;
  /** A function-descriptor. */
  abstract describe(writer: CborWriter): void;
}

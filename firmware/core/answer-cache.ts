/**
 * The last terminal answers, so that a repeated request gets the same bytes again, and so that an answer that could
 * not be sent is sent later. Answers lie one after the other in a ring of bytes; the oldest give way.
 */
import type { Counters } from "./counters.js";
import { Counter } from "./counters.js";

/** Entries a cache can hold, however small they are. */
const maxEntries = 32;

export class AnswerCache {
  private readonly bytes: Uint8Array;
  private readonly starts: Int32Array = new Int32Array(maxEntries);
  private readonly sizes: Int32Array = new Int32Array(maxEntries);
  private readonly unsent: Uint8Array = new Uint8Array(maxEntries);
  /** Answers that wait to be sent, and the most that did at once. */
  private waiting: i32 = 0;
  mostWaiting: i32 = 0;
  private oldest: i32 = 0;
  private count: i32 = 0;
  /** Where the next answer goes. */
  private head: i32 = 0;

  /** `capacity`: bytes, at least the largest answer. Answers pushed out before they were sent are counted. */
  constructor(
    readonly capacity: i32,
    private readonly counters: Counters,
  ) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Keeps a copy. */
  store(answer: Uint8Array, sent: boolean): void {
    const size = answer.length;
    if (this.count === maxEntries) this.drop();
    if (size > this.capacity - this.head) {
      while (this.count > 0 && this.starts[this.oldest] >= this.head) this.drop();
      this.head = 0;
    }
    // Only the oldest entries can lie in the way, and only ahead of `head`.
    while (this.count > 0 && this.overlaps(this.oldest, this.head, size)) this.drop();
    const entry = (this.oldest + this.count) % maxEntries;
    this.count++;
    this.starts[entry] = this.head;
    this.sizes[entry] = size;
    this.unsent[entry] = sent ? 0 : 1;
    if (!sent) this.waiting++;
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    this.bytes.set(answer, this.head);
    this.head += size;
  }

  /** The entry whose bytes from 1 on begin with `identity`; -1 when there is none. */
  find(identity: Uint8Array): i32 {
    for (let i = 0; i < this.count; i++) {
      const entry = (this.oldest + i) % maxEntries;
      if (this.startsWith(entry, identity)) return entry;
    }
    return -1;
  }

  /** An entry that was not sent; -1 when all were. */
  firstUnsent(): i32 {
    for (let i = 0; i < this.count; i++) {
      const entry = (this.oldest + i) % maxEntries;
      if (this.unsent[entry] !== 0) return entry;
    }
    return -1;
  }

  /** The answer of an entry, borrowed: valid until the next `store`. */
  answer(entry: i32): Uint8Array {
    const start = this.starts[entry];
    return this.bytes.subarray(start, start + this.sizes[entry]);
  }

  markSent(entry: i32): void {
    if (this.unsent[entry] !== 0) this.waiting--;
    this.unsent[entry] = 0;
  }

  private startsWith(entry: i32, identity: Uint8Array): boolean {
    if (this.sizes[entry] <= identity.length) return false;
    const start = this.starts[entry] + 1;
    for (let i = 0; i < identity.length; i++) {
      if (this.bytes[start + i] !== identity[i]) return false;
    }
    return true;
  }

  private overlaps(entry: i32, start: i32, size: i32): boolean {
    const begin = this.starts[entry];
    return begin < start + size && begin + this.sizes[entry] > start;
  }

  private drop(): void {
    if (this.unsent[this.oldest] !== 0) {
      this.counters.count(Counter.Unsent);
      this.waiting--;
    }
    this.oldest = (this.oldest + 1) % maxEntries;
    this.count--;
  }
}

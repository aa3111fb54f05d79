/** A first-in first-out queue of at most `capacity` elements. A push over the capacity traps (`capacity`). */
import { trapCapacity } from "./platform.js";

export class Ring<T> {
  /** Read-only for users. */
  length: i32 = 0;
  private oldest: i32 = 0;
  private readonly slots: Slots<T>;

  declare readonly [Symbol.iterator]: () => IterableIterator<T>;

  constructor(readonly capacity: i32) {
    this.slots = new Slots<T>(capacity);
  }

  push(value: T): void {
    if (this.length >= this.capacity) trapCapacity();
    this.slots.set(this.slotOf(this.length), value);
    this.length++;
  }

  /** Removes the oldest element; null when the ring is empty. */
  shift(): T | null {
    if (this.length === 0) return null;
    const value = this.slots.get(this.oldest);
    this.oldest = this.slotOf(1);
    this.length--;
    return value;
  }

  /** `get(0)` is the oldest. Traps (`index`) outside 0..length-1. */
  get(index: i32): T {
    return this.slots.get(index >= 0 && index < this.length ? this.slotOf(index) : -1);
  }

  clear(): void {
    this.length = 0;
  }

  private slotOf(offset: i32): i32 {
    const slot = this.oldest + offset;
    return slot < this.capacity ? slot : slot - this.capacity;
  }
}

/** A list of at most `capacity` elements, in order. A push over the capacity traps (`capacity`). */
import { trapCapacity } from "./platform.js";

export class List<T> {
  /** Read-only for users. */
  length: i32 = 0;
  private readonly slots: Slots<T>;

  declare readonly [Symbol.iterator]: () => IterableIterator<T>;

  constructor(readonly capacity: i32) {
    this.slots = new Slots<T>(capacity);
  }

  push(value: T): void {
    if (this.length >= this.capacity) trapCapacity();
    this.slots.set(this.length, value);
    this.length++;
  }

  /** Removes the last element; null when the list is empty. */
  pop(): T | null {
    if (this.length === 0) return null;
    this.length--;
    return this.slots.get(this.length);
  }

  /** Traps (`index`) outside 0..length-1, as `set` does. */
  get(index: i32): T {
    return this.slots.get(this.checked(index));
  }

  set(index: i32, value: T): void {
    this.slots.set(this.checked(index), value);
  }

  clear(): void {
    this.length = 0;
  }

  /** A slot in use, or one that does not exist, which traps. */
  private checked(index: i32): i32 {
    return index < this.length ? index : -1;
  }
}

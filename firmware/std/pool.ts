/**
 * `capacity` objects made at build time and lent at run time. It does not know who holds them: giving one back twice
 * ends in a trap (`capacity`) at the latest when the pool overflows.
 */
import { trapCapacity } from "./platform.js";

export class Pool<T> {
  /** Objects that can be taken: read-only for users. */
  free: i32;
  private readonly slots: Slots<T>;

  /** @setup */
  constructor(
    readonly capacity: i32,
    make: () => T,
  ) {
    this.slots = new Slots<T>(capacity);
    for (let i = 0; i < capacity; i++) this.slots.set(i, make());
    this.free = capacity;
  }

  /** Null when all are lent. */
  take(): T | null {
    if (this.free === 0) return null;
    this.free--;
    return this.slots.get(this.free);
  }

  give(value: T): void {
    if (this.free >= this.capacity) trapCapacity();
    this.slots.set(this.free, value);
    this.free++;
  }
}

/**
 * A map of at most `capacity` keys, compared with `===`, searched one by one: made for some dozens of keys.
 * A new key over the capacity traps (`capacity`). The order of the entries is not kept.
 */
import { trapCapacity } from "./platform.js";

export class FixedMap<K, V> {
  /** Read-only for users. */
  size: i32 = 0;
  private readonly keys: Slots<K>;
  private readonly values: Slots<V>;

  constructor(readonly capacity: i32) {
    this.keys = new Slots<K>(capacity);
    this.values = new Slots<V>(capacity);
  }

  set(key: K, value: V): void {
    let at = this.find(key);
    if (at < 0) {
      at = this.size;
      if (at >= this.capacity) trapCapacity();
      this.keys.set(at, key);
      this.size++;
    }
    this.values.set(at, value);
  }

  has(key: K): boolean {
    return this.find(key) >= 0;
  }

  get(key: K): V | null {
    const at = this.find(key);
    return at < 0 ? null : this.values.get(at);
  }

  /** False when there was no such key. */
  delete(key: K): boolean {
    const at = this.find(key);
    if (at < 0) return false;
    this.size--;
    this.keys.set(at, this.keys.get(this.size));
    this.values.set(at, this.values.get(this.size));
    return true;
  }

  clear(): void {
    this.size = 0;
  }

  private find(key: K): i32 {
    for (let i = 0; i < this.size; i++) {
      if (this.keys.get(i) === key) return i;
    }
    return -1;
  }
}

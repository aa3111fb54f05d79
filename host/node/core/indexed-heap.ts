/**
 * A binary heap whose members know their place in it, so that any of them can move or leave in O(log n). The least is
 * first; the order must not change without `update`.
 */
export class IndexedHeap<K extends string, T extends Record<K, number>> {
  private readonly items: T[] = [];

  /** `slot`: the member's field that holds its place, -1 outside. `before`: a strict order. */
  constructor(
    private readonly slot: K,
    private readonly before: (a: T, b: T) => boolean,
  ) {}

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  has(item: T): boolean {
    return this.items[item[this.slot]] === item;
  }

  push(item: T): void {
    this.items.push(item);
    this.up(item, this.items.length - 1);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Does nothing for what is not in it. */
  remove(item: T): void {
    const at = item[this.slot];
    if (this.items[at] !== item) return;
    const last = this.items.pop() as T;
    this.place(item, -1);
    if (last === item) return;
    this.up(last, at);
    this.down(last, last[this.slot]);
  }

  /** After the member's order changed. */
  update(item: T): void {
    if (!this.has(item)) return;
    this.up(item, item[this.slot]);
    this.down(item, item[this.slot]);
  }

  /** All, in no order. */
  values(): readonly T[] {
    return this.items;
  }

  /** From the least on; O(k log k) for the first k. The heap must not change meanwhile. */
  *inOrder(): Generator<T, void, undefined> {
    // A heap of places: those whose parents were given.
    const open = new IndexedHeap<"slot", { slot: number; at: number }>("slot", (a, b) =>
      this.before(this.items[a.at] as T, this.items[b.at] as T),
    );
    if (this.items.length > 0) open.push({ slot: -1, at: 0 });
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const child of [2 * next.at + 1, 2 * next.at + 2]) {
        if (child < this.items.length) open.push({ slot: -1, at: child });
      }
      yield this.items[next.at] as T;
    }
  }

  private place(item: T, at: number): void {
    (item as Record<K, number>)[this.slot] = at;
  }

  private up(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.items[above] as T;
      if (!this.before(item, other)) break;
      this.items[at] = other;
      this.place(other, at);
      at = above;
    }
    this.items[at] = item;
    this.place(item, at);
  }

  private down(item: T, from: number): void {
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.items.length) break;
      const right = below + 1;
      if (right < this.items.length && this.before(this.items[right] as T, this.items[below] as T))
        below = right;
      const other = this.items[below] as T;
      if (!this.before(other, item)) break;
      this.items[at] = other;
      this.place(other, at);
      at = below;
    }
    this.items[at] = item;
    this.place(item, at);
  }
}

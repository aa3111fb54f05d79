// Generic classes that extend and implement generic types; statics; several instances of one class with several types.
interface Source<T> {
  next(): T;
  done(): boolean;
}
abstract class Limited<T> implements Source<T> {
  static made: i32 = 0;
  protected taken: i32 = 0;
  constructor(private readonly limit: i32) {
    Limited.made++;
  }
  abstract value(i: i32): T;
  next(): T {
    this.taken++;
    return this.value(this.taken - 1);
  }
  done(): boolean {
    return this.taken >= this.limit;
  }
}
class Range extends Limited<i32> {
  constructor(
    private readonly from: i32,
    to: i32,
  ) {
    super(to - from);
  }
  value(i: i32): i32 {
    return this.from + i;
  }
}
class Cycle<T> extends Limited<T> {
  constructor(
    private readonly items: RomArray<T>,
    times: i32,
  ) {
    super(items.length * times);
  }
  value(i: i32): T {
    return this.items[i % this.items.length];
  }
}
class Mapped<A, B> implements Source<B> {
  constructor(
    private readonly source: Source<A>,
    private readonly f: (a: A) => B,
  ) {}
  next(): B {
    return this.f(this.source.next());
  }
  done(): boolean {
    return this.source.done();
  }
}
const range = new Range(3, 6);
const words = new Cycle<string>(["a", "bb"], 2);
const reals = new Cycle<f32>([0.1], 2);
const lengths = new Mapped<string, i32>(new Cycle<string>(["x", "xyz"], 1), (s) => s.length);

function sum(s: Source<i32>): i32 {
  let total = 0;
  while (!s.done()) total = total * 10 + s.next();
  return total;
}

export function main(): void {
  log(sum(range), sum(lengths), range.done());
  while (!words.done()) log(words.next());
  while (!reals.done()) log(reals.next());
  log(Limited.made);
}

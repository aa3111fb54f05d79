// Getters with effects, defaults of methods, methods through interfaces and bases, static methods, chained calls.
interface Counter {
  add(n: i32, times?: i32 | null): i32;
  reset(): void;
}
class Plain implements Counter {
  private n: i32 = 0;
  reads: i32 = 0;
  get value(): i32 {
    this.reads++;
    return this.n;
  }
  add(n: i32, times: i32 | null = null): i32 {
    this.n += n * (times === null ? 1 : times);
    return this.n;
  }
  reset(): void {
    this.n = 0;
  }
  static of(n: i32): i32 {
    return Plain.twice(n) + 1;
  }
  private static twice(n: i32): i32 {
    return n * 2;
  }
}
class Base {
  log(text: string = "base", n: i32 = 5): string {
    log(text, n);
    return text;
  }
}
class Child extends Base {
  override log(text: string = "base", n: i32 = 5): string {
    super.log(text, n + 1);
    return super.log("child");
  }
}
const plain = new Plain();
const counter: Counter = plain;
const things: Base[] = [new Base(), new Child()];

export function main(): void {
  log(counter.add(3), counter.add(2, 10), plain.add(1), plain.add(1, 2), plain.add(1, null));
  log(plain.value + plain.value * 2, plain.reads);
  counter.reset();
  log(plain.value, plain.reads, Plain.of(20));
  for (const t of things) log(t.log(), t.log("given").length, t.log("x", -1));
}

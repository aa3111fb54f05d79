// Classes: fields, constructors, parameter properties, methods, getters, statics, readonly embedded objects.
class Point {
  constructor(
    public x: i32,
    public y: i32 = 5,
  ) {}
  sum(): i32 {
    return this.x + this.y;
  }
  moveTo(other: Point): Point {
    this.x = other.x;
    this.y = other.y;
    return this;
  }
}
class Counter {
  static made: i32 = 0;
  static readonly limit: i32 = 3;
  static create(step: i32): Counter {
    Counter.made++;
    return new Counter(step);
  }
  private n: i32 = 0;
  readonly origin: Point = new Point(1, 2);
  readonly history: Uint8Array = new Uint8Array(4);
  constructor(private readonly step: i32 = 2) {
    this.n = step * 100;
  }
  get value(): i32 {
    return this.n;
  }
  setValue(v: i32): void {
    this.n = v < 0 ? 0 : v;
  }
  inc(): Counter {
    this.n += this.step;
    this.history[this.n & 3]++;
    return this;
  }
}
class Order {
  a: i32 = log1("a");
  b: i32 = log1("b") + this.a;
  constructor(readonly c: i32) {
    log("ctor", this.a, this.b, this.c);
  }
}
let order = 0;
function log1(what: string): i32 {
  order++;
  log("field", what, order);
  return order;
}

const one = Counter.create(1);
const two = new Counter();
const shared: Point = one.origin;
const list: Point[] = [new Point(1), new Point(2, 3), shared];

export function main(): void {
  log(one.value, two.value, Counter.made, Counter.limit);
  log(one.inc().inc().inc().value, two.inc().value);
  one.setValue(-5);
  two.setValue(two.value + 10);
  log(one.value, two.value);
  log(one.history[0], one.history[1], one.history[2], one.history[3], two.history[2]);
  one.origin.x = 50;
  log(shared.x, list[2].sum(), two.origin.x, two.origin.sum());
  for (const p of list) p.y *= 2;
  log(list[0].sum(), list[1].sum(), one.origin.sum());
  const local = new Point(7);
  local.x++;
  log(local.sum(), local.moveTo(new Point(10, 20)).sum(), local.x);
  const alias = local;
  alias.y = 0;
  log(local.y, alias === local, list[0] === list[1], shared === one.origin);
  Counter.made += 5;
  log(Counter.made);
  const o = new Order(9);
  log(o.a, o.b, o.c);
  const swap = list[0];
  list[0] = list[1];
  list[1] = swap;
  log(list[0].x, list[1].x);
}

// Generics: functions, classes, several instances, constraints, generic interfaces, used with every kind.
interface Comparable<T> {
  compare(other: T): i32;
}
class Version implements Comparable<Version> {
  constructor(
    readonly major: i32,
    readonly minor: i32,
  ) {}
  compare(other: Version): i32 {
    return this.major === other.major ? this.minor - other.minor : this.major - other.major;
  }
}
class Pair<A, B> {
  constructor(
    public first: A,
    public second: B,
  ) {}
  copyTo(other: Pair<B, A>): Pair<B, A> {
    other.first = this.second;
    other.second = this.first;
    return other;
  }
}
class Stack<T> {
  private size: i32 = 0;
  constructor(private readonly items: T[]) {}
  push(value: T): boolean {
    if (this.size >= this.items.length) return false;
    this.items[this.size++] = value;
    return true;
  }
  pop(): T | null {
    return this.size === 0 ? null : this.items[--this.size];
  }
}
function largest<T>(list: T[], compare: (a: T, b: T) => i32): T {
  let best = list[0];
  for (const item of list) if (compare(item, best) > 0) best = item;
  return best;
}
function or<T>(value: T | null, fallback: T): T {
  return value === null ? fallback : value;
}
function choose<T>(which: boolean, a: T, b: T): T {
  return which ? a : b;
}
function count<T>(list: T[], matches: (item: T) => boolean): i32 {
  let n = 0;
  for (const item of list) if (matches(item)) n++;
  return n;
}
function apply<A, B>(a: A, f: (a: A) => B): B {
  return f(a);
}

const ints = new Stack<i32>([0, 0, 0]);
const texts = new Stack<string>(["", ""]);
const versions: Version[] = [new Version(1, 9), new Version(2, 0), new Version(1, 10)];
const numbers: i32[] = [1, -2, 3, -4];
const reals: f64[] = [0.5, -0.5];

export function main(): void {
  log(ints.push(1), ints.push(-5), ints.push(7), ints.push(9));
  log(or(ints.pop(), 0), or(ints.pop(), 0), or(ints.pop(), 0), ints.pop() === null);
  log(texts.push("a"), texts.push("bc"), texts.push("d"), or(texts.pop(), "?"), or(texts.pop(), "?"));
  const best = largest(versions, (a, b) => a.compare(b));
  log(best.major, best.minor);
  const p = new Pair<i32, string>(1, "one");
  const q = p.copyTo(new Pair<string, i32>("", 0));
  log(p.first, p.second, q.first, q.second);
  log(choose(true, 1, 2), choose(false, "x", "y"), choose<f32>(true, 0.1, 0.2), choose<u8>(false, 1, 255));
  log(count(numbers, (n) => n < 0), count(reals, (r) => r > 0), count(versions, (v) => v.major === 1));
  log(apply(20, (n) => n * 2), apply("text", (s) => s.length), apply(3, (n) => n > 2));
}

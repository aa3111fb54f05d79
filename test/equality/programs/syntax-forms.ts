// Logical assignment, comma, constant powers, rest parameters, spread, defaults in patterns, enums and const objects.
interface Settings {
  rate?: i32;
  name?: string;
  limit: f32 | null;
}
class Holder {
  value: i32 | null = null;
  ready = false;
  items: (i32 | null)[] = [null, 2, null];
}
enum Level {
  Low,
  High = Low + 5,
  Top = High << 2,
}
const enum Flag {
  Read = 1 << 0,
  Write = 1 << 1,
  Both = Read | Write,
}
enum Color {
  Red = "red",
  Green = "green",
}
const Limits = { low: -5, high: 10, scale: 0.5, unit: "ms", strict: true } as const;
const holder = new Holder();
const KILO = 2 ** 10;
const WIDE = 2n ** 40n;
let calls = 0;

function get(): Holder {
  calls++;
  return holder;
}
function next(): i32 {
  return ++calls;
}

/** Arguments as an array, made by each call. */
function sum(start: i32, ...values: i32[]): i32 {
  let s = start;
  for (let i = 0; i < values.length; i++) {
    values[i] *= 2;
    s += values[i];
  }
  return s;
}
function longest(...texts: RomArray<string>): i32 {
  let n = 0;
  for (const t of texts) if (t.length > n) n = t.length;
  return n;
}

function describe({ rate = 7, name = "none", limit }: Settings): void {
  log(rate, name, limit ?? 1.5);
}

// Spread in setup, and of what has a known length.
const first: RomArray<i32> = [1, 2, 3];
const second = [4, 5];
const all: RomArray<i32> = [0, ...first, ...second, 6];
const copy = [...first];
const joined = new Float32Array([...[0.5, 0.25], 1]);
const more = new Int16Array([...new Int16Array([7, 8]), 9]);
const point: [i32, i32] = [3, 4];
const fallback: Settings = { limit: null };
const full: Settings = { rate: 1, name: "full", limit: 0.25 };

export function main(): void {
  holder.value ??= next();
  log(holder.value, calls);
  holder.value ??= next();
  get().ready ||= calls > 0;
  get().ready &&= calls > 100;
  log(holder.ready, calls);
  for (let i = 0; i < 3; i++) get().items[next() % 3] ??= i * 10;
  for (const x of holder.items) log(x ?? -1);
  log(calls);
  let text: string | null = null;
  text ??= "set";
  log(text);
  let flag = true;
  flag &&= calls > 1000;
  log(flag);

  for (let i = 0, j = 10; i < j; i++, j -= 2) log(i, j);
  let a = 0;
  let b = 0;
  for (a = 1, b = 2; a < 20; a += b, b++);
  log(a, b, (a++, b++, a + b));
  (a = 5), (b = 6);
  log(a, b, KILO, WIDE, 3 ** 4, (-2) ** 3);

  log(sum(1), sum(1, 2), sum(1, 2, 3), sum(0, ...point, 5), longest("a", "ccc", "bb"), longest());
  for (const x of all) log(x);
  log(all.length, copy.length, copy[2], joined[1], joined.length, more[2], more.length);
  const local: [i32, i32, i32] = [...point, 9];
  const wide = [...point, ...[7, 8]];
  log(local[2], wide[3], wide.length);
  describe(fallback);
  describe(full);
  const { rate: r = 2, limit } = fallback;
  log(r, limit === null);

  log(Level.Top, Level["High"], Flag.Both, Color.Red, Color["Green"]);
  log(Limits.low, Limits["high"], Limits.scale, Limits.unit, Limits.strict);
  outer: for (let y = 0; y < 3; y++) {
    for (let x = 0; ; x++) {
      if (x === y) continue outer;
      if (y === 2 && x === 1) break outer;
      log(x, y);
    }
  }
  let n = 0;
  do n += 3;
  while (n < 10);
  log(n, n > 5 ? (n > 11 ? "big" : "middle") : "small");
}

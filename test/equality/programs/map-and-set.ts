// Map and Set made in setup, read by the program: every kind of key and value, get, has, size, iteration, order.
type Mode = "idle" | "run" | "stop";
enum Level {
  Low = "low",
  High = "high",
}
interface Limit {
  low: i32;
  high: i32;
  hits: i32;
}
type Handler = (x: i32) => i32;

const byName = new Map<string, i32>([
  ["one", 1],
  ["two", 2],
]);
byName.set("three", 3).set("four", 4);
byName.set("", -1);
byName.delete("two");
byName.set("two", 22);
for (let i = 0; i < 100; i++) byName.set(`key${i}`, i * i);

const bytes = new Map<u8, u16>();
for (let i = 0; i < 200; i += 3) bytes.set(u8(i), u16(i * 300));
const signed = new Map<i8, f32>([
  [-128, 0.5],
  [-1, -1.25],
  [0, 3],
  [127, 1e9],
]);
const shorts = new Map<i16, string>([
  [-32768, "lowest"],
  [32767, "highest"],
  [-1, "minus"],
]);
const words = new Map<u16, boolean>([
  [65535, true],
  [1, false],
]);
const ints = new Map<i32, i32>();
for (let i = -50; i < 50; i++) ints.set(Math.imul(i, 40503) | 0, i);
const unsigned = new Map<u32, f64>([
  [4294967295, 0.1],
  [0, -0],
  [2147483648, 2.5],
]);
const flags = new Map<boolean, string>([
  [true, "yes"],
  [false, "no"],
]);
const modes = new Map<Mode, i32>([
  ["stop", 3],
  ["idle", 1],
]);
const levels = new Map<Level, Mode>([
  [Level.High, "run"],
  [Level.Low, "idle"],
]);
const limits = new Map<string, Limit>();
limits.set("temp", { low: -10, high: 40, hits: 0 });
limits.set("hum", { low: 20, high: 80, hits: 0 });
const handlers = new Map<string, Handler>();
handlers.set("double", (x) => x * 2);
handlers.set("negate", (x) => -x);
const maybe = new Map<i32, string | null>([
  [1, "text"],
  [2, null],
]);
const curves = new Map<string, Float32Array>([["a", new Float32Array([0.5, 1.5])]]);
const empty = new Map<string, i32>();
const reals = new Map<f32, i32>([
  [0.5, 1],
  [-0, 2],
  [1.5, 3],
]);
const primes = new Set<u16>([2, 3, 5, 7, 11, 13]);
primes.add(3);
primes.delete(2);
const names: ReadonlySet<string> = new Set<string>(["b", "a", "c", "a"]);
const none = new Set<i32>();
const nested = new Map<string, ReadonlyMap<string, i32>>([
  ["x", new Map<string, i32>([["y", 7]])],
  ["z", empty],
]);

class Router {
  readonly routes = new Map<string, i32>();
  constructor(readonly base: i32) {
    this.routes.set("home", base);
    this.routes.set(`only${base}`, base + 1);
  }
  find(name: string): i32 {
    return this.routes.get(name) ?? -1;
  }
}
const routers = [new Router(10), new Router(20)];

function lookUp(m: ReadonlyMap<string, i32>, key: string): i32 {
  const found = m.get(key);
  return found !== undefined ? found : -99;
}
function or<K, V>(m: ReadonlyMap<K, V>, key: K, otherwise: V): V {
  return m.get(key) ?? otherwise;
}
function sum(m: ReadonlyMap<string, i32>): i32 {
  let total = 0;
  for (const x of m.values()) total += x;
  return total;
}
let calls = 0;
function next(): string {
  calls++;
  return calls % 2 === 0 ? "temp" : "none";
}

export function main(): void {
  log(byName.size, lookUp(byName, "one"), lookUp(byName, "two"), lookUp(byName, "nine"), lookUp(empty, "one"));
  log(byName.has(""), byName.get("") ?? 5, byName.has(" "), empty.size, empty.has(""));
  for (let i = 0; i < 100; i += 33) log(byName.get("key99") ?? 0, byName.get("key0") ?? 1, sum(byName));
  let seen = 0;
  for (const [key, value] of byName) {
    if (key.startsWith("key")) {
      seen += value;
      continue;
    }
    log(key, value);
  }
  log(seen);
  for (let i = 0; i < 200; i += 41) log(bytes.get(u8(i)) ?? 7, bytes.has(u8(i)));
  log(signed.get(-128) ?? 9, signed.get(-1) ?? 9, signed.get(0) ?? 9, signed.get(127) ?? 9, signed.get(1) ?? 9);
  log(shorts.get(-32768) ?? "none", shorts.get(32767) ?? "none", shorts.get(-1) ?? "none", shorts.get(0) ?? "none");
  log(words.get(65535) ?? false, words.get(1) ?? true, words.get(2) ?? true);
  let right = 0;
  for (let i = -60; i < 60; i++) if (ints.get(Math.imul(i, 40503)) === i) right++;
  log(right, ints.size);
  log(unsigned.get(4294967295) ?? 1, unsigned.get(2147483648) ?? 1, 1 / (unsigned.get(0) ?? 1), unsigned.has(1));
  log(flags.get(calls === 0) ?? "", flags.get(calls !== 0) ?? "");
  const wanted: Mode[] = ["idle", "run", "stop"];
  for (const m of wanted) log(m, modes.get(m) ?? 0, modes.has(m));
  for (const [level, mode] of levels) log(level, mode);
  log(levels.get(Level.High) ?? "stop");
  for (let i = 0; i < 4; i++) {
    const limit = limits.get(next());
    if (limit !== undefined) limit.hits += limit.high;
  }
  for (const [name, { low, high, hits }] of limits) log(name, low, high, hits);
  for (const [name, f] of handlers) log(name, f(21));
  const f = handlers.get("negate");
  if (f !== undefined) log(f(5));
  log(maybe.get(1) ?? "null", maybe.get(2) ?? "null", maybe.get(3) ?? "null", maybe.has(2), maybe.has(3));
  const curve = curves.get("a")!;
  curve[1] = 7.5;
  log(curve.length, curves.get("a")![0], curve[1]);
  for (const [x, n] of reals) log(x, n, 1 / x);
  log(primes.size, primes.has(2), primes.has(3), primes.has(13), primes.has(14));
  for (const p of primes) log(p);
  for (const n of names) log(n);
  for (const n of names.values()) log(n, names.has(n));
  for (const n of none) log("never", n);
  for (const k of modes.keys()) log(k);
  for (const entry of modes.entries()) log(entry[0], entry[1]);
  for (const [, value] of modes) log(value);
  outer: for (const a of names) {
    for (const b of names) {
      if (a === b) continue outer;
      if (a === "c") break outer;
      log(a, b);
    }
  }
  for (const [name, inner] of nested) log(name, inner.size, inner.get("y") ?? 0);
  for (const r of routers) log(r.find("home"), r.find("only10"), r.find("only20"), r.routes.size);
  log(or(byName, "one", 5), or(byName, "zzz", 5), or(flags, true, "?"));
  let total = 0;
  const add = (key: string): void => {
    total += byName.get(key) ?? 1000;
  };
  for (const k of byName.keys()) add(k);
  add("absent");
  log(total);
  try {
    log(byName.get("absent")!);
  } catch (e) {
    log(e.kind);
  }
}

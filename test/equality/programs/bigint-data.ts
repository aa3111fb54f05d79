// i64 and u64 in fields, arrays, containers, closures, generics, switches, text, and what setup leaves.
import { FixedMap, List, Ring, TextBuffer } from "tmc";

interface Sample {
  readonly at: u64;
  readonly value: i64;
  readonly limit?: i64;
}

class Counter {
  total: u64 = 0n;
  readonly step: u64;
  last: i64 | null = null;
  static made = 0n;

  constructor(step: u64 = 3n) {
    this.step = step;
    Counter.made++;
  }

  add(n: u64): u64 {
    this.total += this.step * n;
    this.last = i64(n);
    return this.total;
  }
}

// Computed by setup, with bigints of the host.
const powers = filled(20, u64(1));
for (let i = 1; i < powers.length; i++) powers[i] = powers[i - 1] * 10n;
const rom: RomArray<i64> = [-1n, 0n, 9223372036854775807n];
const factorials = new Map<i32, u64>();
let product: u64 = 1n;
for (let i = 1; i <= 20; i++) {
  product *= u64(i);
  factorials.set(i, product);
}
const byKey = new Map<u64, i64>();
for (let i = 0n; i < 20n; i++) byKey.set(u64(i) << (u64(i) * 3n), -i);
const known = new Set<i64>([-1n, 1n << 40n, -9223372036854775808n]);
const last = factorials.get(20) ?? 0n;

const counter = new Counter();
const other = new Counter(1n << 40n);
const list = new List<i64>(4);
const ring = new Ring<u64>(2);
const map = new FixedMap<u64, i64>(4);
const times = new BigUint64Array(3);
const line = new TextBuffer(100);
const samples: Sample[] = [
  { at: 1700000000000000n, value: -5n },
  { at: 1700000000000001n, value: 5n, limit: 7n },
];
let epoch: u64 = 1700000000000n;
const scale = 1000n;
const later = (n: u64): u64 => epoch + n * scale;

function largest<T>(a: RomArray<T>, isLess: (x: T, y: T) => boolean): T {
  let best = a[0];
  for (const x of a) if (isLess(best, x)) best = x;
  return best;
}

function name(x: i64): string {
  switch (x) {
    case 0n:
      return "zero";
    case -1n:
    case 1n:
      return "unit";
    case 9223372036854775807n:
      return "most";
    default:
      return "other";
  }
}

function half(x: u64): u64 | null {
  return x % 2n === 0n ? x / 2n : null;
}

function pair(x: i64): [i64, boolean] {
  return [-x, x < 0n];
}

function withDefault(x: i64, by: i64 = 10n): i64 {
  return x * by;
}

function printed(x: i64 | null): void {
  if (x === null) log("null");
  else log(x);
}

export function main(): void {
  log(powers[19], rom[2], last, Counter.made);
  log(counter.add(4n), other.add(2n), other.step);
  log(factorials.get(13) ?? 0n, byKey.get(3n << 9n) ?? 1n, byKey.get(19n << 57n) ?? 1n, byKey.has(1n), byKey.size);
  for (const x of known) log(x, known.has(x), known.has(x + 1n), byKey.has(u64(x)));
  printed(counter.last);
  counter.last = null;
  printed(counter.last);
  for (let i = 0n; i < 4n; i++) list.push(i * -1000000007n);
  for (const x of list) log(x);
  ring.push(1n);
  ring.push(18446744073709551615n);
  const oldest = ring.shift();
  log(oldest ?? 0n, ring.get(0));
  map.set(18446744073709551615n, -1n);
  map.set(1n << 63n, 5n);
  map.set(1n << 63n, 6n);
  const found = map.get(1n << 63n);
  log(map.size, map.has(18446744073709551615n), map.has(0n), found === null ? 0n : found, map.get(2n) === null);
  times.fill(7n);
  times[1] = epoch;
  times.set(new BigUint64Array([9n]), 2);
  for (const t of times.subarray(1)) log(t, times.length);
  for (const s of samples) {
    log(s.at, s.value);
    printed(s.limit ?? null);
  }
  line.clear();
  line.write(`${samples[0].at} ${samples[0].value} ${rom[2]}`);
  log(line.toString(), `epoch ${epoch}`);
  epoch += 5n;
  log(later(2n));
  log(largest(rom, (x, y) => x < y));
  for (const x of rom) log(name(x));
  const h = half(10n);
  log(h === null, h !== null && h === 5n, half(7n) === null, half(6n) === half(6n), half(6n) ?? 0n);
  const [minus, negative] = pair(-9n);
  log(minus, negative, withDefault(4n), withDefault(4n, -1n));
  let sum = 0n;
  const add = (x: i64): void => {
    sum += x;
  };
  for (const x of [3n, 4n]) add(x);
  log(sum);
}

// Functions whose type parameters list number kinds: each instance has the exact rules of its kind.
// modes: both
function sum<T extends i32 | u32 | f32 | f64>(a: RomArray<T>): T {
  let s = 0 as T;
  for (const x of a) s = (s + x) as T;
  return s;
}

function clamp<T extends i32 | f32 | i16>(x: T, lo: T, hi: T): T {
  return x < lo ? lo : x > hi ? hi : x;
}

function rest<T extends i32 | u32 | f32>(x: T, by: T): T {
  return (x % by) as T;
}

function ratio<T extends f32 | f64>(a: T, b: T): T {
  return (a / b) as T;
}

function bits<T extends i32 | u32>(x: T): T {
  return (~(x << 4) & 0xffff) as T;
}

function grow<T extends i64 | u64>(x: T, by: T): T {
  return (x + by + (1n as T)) as T;
}

/** Calls another one with its own parameter, and captures it in a lambda. */
function mean<T extends i32 | f32>(a: RomArray<T>): f32 {
  const scaled = (x: f32): f32 => x / f32(a.length);
  return scaled(f32(sum(a)));
}

/** Two lists of kinds, and a parameter of any type. */
function dot<A extends i32 | f32, B extends i32 | f32, U>(a: RomArray<A>, b: RomArray<B>, tag: U, show: (u: U) => void): f32 {
  show(tag);
  let s: f32 = 0;
  for (let i = 0; i < a.length; i++) s += f32(a[i]) * f32(b[i]);
  return s;
}

function next<T extends u8 | i16>(x: T): T {
  let y = x;
  y++;
  return y;
}

const ints: RomArray<i32> = [2147483647, 2147483647, 5];
const words: RomArray<u32> = [4000000000, 4000000000];
const singles: RomArray<f32> = [0.1, 0.2, 0.3];
const doubles: RomArray<f64> = [0.1, 0.2, 0.3];
// In setup too.
const total = sum(singles);

export function main(): void {
  log(total, sum(doubles), sum<f32>([1, 2]));
  const s: i16 = 5;
  const b: u8 = 200;
  log(clamp(s, -1, 3), clamp<f32>(0.3, 0.4, 1), clamp(b, 0, 100), clamp(-7, -3, 3));
  log(rest(-7, 3), rest(words[0], 7), rest(singles[2], 0.25), ratio(singles[0], 3), ratio(doubles[0], 3));
  log(bits(ints[0]), bits(words[0]), grow(-5n, 2n), grow(u64(1n << 63n), 5n));
  log(mean<i32>([1, 2, 4]), mean(singles));
  log(dot(singles, [1, 2, 3], "text", (t) => log(t)), dot([1, 2], [3, 4], true, (t) => log(t)));
  log(next(b), next(s));
  try {
    log(sum(ints));
  } catch (e) {
    log(e.kind);
  }
  log(sum(words));
}

// Every operator of i64 and u64, on values at the edges.
const signed = new BigInt64Array([
  0n,
  1n,
  -1n,
  7n,
  -7n,
  63n,
  64n,
  4294967296n,
  -4294967297n,
  9223372036854775807n,
  -9223372036854775808n,
]);
const unsigned = new BigUint64Array([
  0n,
  1n,
  7n,
  63n,
  64n,
  4294967295n,
  0x8000_0000_0000_0000n,
  18446744073709551615n,
]);

function i64Operators(a: i64, b: i64): void {
  log("i64", a, b);
  const sum = BigInt.asIntN(64, a + b);
  const difference = BigInt.asIntN(64, a - b);
  const product = BigInt.asIntN(64, a * b);
  log("+-*", sum, difference, product, BigInt.asIntN(64, (a + b) * (a - b)));
  if (b !== 0n) log("/%", a / b, a % b, a / 7n, a % -7n, a / -1n);
  log("&|^~", a & b, a | b, a ^ b, ~a, BigInt.asIntN(64, -a));
  log("<< >>", a << b, a >> b, a << 1n, a >> 1n, a << 63n, a >> 63n, a << 64n, a >> 64n);
  log("compare", a === b, a !== b, a < b, a <= b, a > b, a >= b);
}

function u64Operators(a: u64, b: u64): void {
  log("u64", a, b);
  const sum = BigInt.asUintN(64, a + b);
  const difference = BigInt.asUintN(64, a - b);
  const product = BigInt.asUintN(64, a * b);
  log("+-*", sum, difference, product, BigInt.asUintN(64, -a));
  if (b !== 0n) log("/%", a / b, a % b, a / 10n, a % 10n);
  log("&|^~", a & b, a | b, a ^ b, ~a);
  log("<< >>", a << b, a >> b, a << 1n, a >> 1n, a << 63n, a >> 63n, a << 64n, a >> 64n);
  log("compare", a === b, a !== b, a < b, a <= b, a > b, a >= b);
}

function counts(a: i64, u: u64, n: i64, m: u64): void {
  log("count", n, m, a << n, a >> n, u << n, u >> n, a << m, a >> m, u << m, u >> m);
}

function compound(start: i64, from: u64): void {
  let a = start;
  a += 5n;
  a -= 7n;
  a *= 3n;
  a /= 2n;
  a %= 1000n;
  log(a, a++, a, ++a, a--, --a);
  a &= 0xffn;
  a |= 0x100n;
  a ^= 0x11n;
  a <<= 9n;
  a >>= 2n;
  log(a);
  let u = from;
  u += 5n;
  u *= 3n;
  u -= 2n;
  u /= 2n;
  u %= 1000n;
  u <<= 60n;
  u >>= 3n;
  u ^= 1n;
  log(u, u++, u, ++u, --u, u--);
}

/** A hash: what 64-bit integers are made for. */
function fnv(text: string): u64 {
  let hash: u64 = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = BigInt.asUintN(64, (hash ^ u64(text.charCodeAt(i))) * 0x100000001b3n);
  }
  return hash;
}

function rotate(x: u64, n: u64): u64 {
  return (x << n) | (x >> (64n - n));
}

const kilo = 1000n;
const mask = (1n << 40n) - 1n;
const sizes = { page: 4096n, name: "flash" } as const;

export function main(): void {
  for (const a of signed) for (const b of signed) i64Operators(a, b);
  for (const a of unsigned) for (const b of unsigned) u64Operators(a, b);
  for (const n of signed) for (const m of unsigned) counts(-81985529216486896n, 0xfedcba9876543210n, n, m);
  compound(1000000007n, 77n);
  log(fnv(""), fnv("a"), fnv("tmc: 64 bits"));
  log(rotate(0x0123456789abcdefn, 0n), rotate(0x0123456789abcdefn, 12n), rotate(1n, 63n));
  const x: i64 = -5n;
  const y: u64 = 5n;
  log(kilo, mask, sizes.page, sizes.name, x * kilo, y * kilo, mask & -1n, ~kilo, -kilo, kilo / 7n, kilo % -7n);
  log(x < 0n ? -x : x, y > 3n ? y : 3n, x === -5n ? 1n : 2n, y !== 5n);
  const wide: i64 = x > 0n ? 1n : -1n;
  log(wide, 1n << y, 0b101n, 0o17n, 0xffn, 1_000_000n);
  for (let i = 0n; i < 3n; i++) log("turn", i, i * i);
}

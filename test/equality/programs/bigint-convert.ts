// Conversions between i64, u64 and every other kind: low bits, rounding, saturation.
const bigs = new BigInt64Array([
  0n,
  1n,
  -1n,
  127n,
  128n,
  -129n,
  65535n,
  2147483648n,
  -2147483649n,
  4294967295n,
  9007199254740993n,
  -9007199254740995n,
  1152921573326323713n,
  9223372036854775807n,
  -9223372036854775808n,
]);
const floats = new Float64Array([
  0,
  0.9,
  -0.9,
  1.5,
  -2.5,
  1e18,
  -1e18,
  9223372036854775807,
  9223372036854774784,
  -9223372036854775808,
  18446744073709551615,
  18446744073709549568,
  1e30,
  -1e30,
]);

function fromBig(x: i64): void {
  const u = u64(x);
  log(x, u, i64(u));
  log(i8(x), u8(x), i16(x), u16(x), i32(x), u32(x), f32(x), f64(x));
  log(i8(u), u8(u), i16(u), u16(u), i32(u), u32(u), f32(u), f64(u));
  log(sat.i8(x), sat.u8(x), sat.i16(x), sat.u16(x), sat.i8(u), sat.u8(u), sat.i16(u), sat.u16(u));
  log(BigInt.asIntN(8, x), BigInt.asUintN(8, x), BigInt.asIntN(1, x), BigInt.asUintN(33, u), BigInt.asIntN(63, u));
  log(BigInt.asUintN(64, x), BigInt.asIntN(64, u));
}

function fromFloat(x: f64): void {
  const s = f32(x);
  log(x, i64(x), u64(x), s, i64(s), u64(s));
}

function fromInt(a: i32, b: u32, c: i8, d: u8, e: i16, f: u16, t: boolean): void {
  log(i64(a), i64(b), i64(c), i64(d), i64(e), i64(f), i64(t));
  log(u64(a), u64(b), u64(c), u64(d), u64(e), u64(f), u64(t));
}

export function main(): void {
  for (const x of bigs) fromBig(x);
  for (const x of floats) fromFloat(x);
  fromFloat(NaN);
  fromFloat(Infinity);
  fromFloat(-Infinity);
  fromInt(-1, 4294967295, -128, 255, -32768, 65535, true);
  fromInt(2147483647, 1, 127, 0, 32767, 1, false);
  // Constants convert when compiling, as values do at run time.
  log(i64(5), i64(-5.9), u64(-1), i64(1e30), u64(1e30), i64(NaN), u64(-Infinity));
  log(u64(-1n), i64(18446744073709551615n), i32(4294967297n), u8(-1n), f32(9007199791611905n), f64(9007199254740993n));
  log(sat.i8(1000n), sat.u8(-1n), BigInt.asIntN(8, 200n), BigInt.asUintN(16, -1n));
}

// Float to integer truncates and saturates at the target's range; NaN gives 0; there is no integer -0.
const xs: RomArray<f64> = [
  0, -0, 0.5, -0.5, 0.999999, -0.999999, 1.5, -1.5, 127.9, 128, -128.9, -129, 255.5, 256, 32767.5, 32768, -32769, 65535.99,
  65536, 2147483646.5, 2147483647, 2147483648, -2147483648.5, -2147483649, 4294967295, 4294967295.5, 4294967296, 3e9, -3e9,
  1e300, -1e300, 5e-324,
];

export function main(): void {
  for (const x of xs) log(x, i8(x), u8(x), i16(x), u16(x), i32(x), u32(x));
  log("nan", i8(NaN), u8(NaN), i16(NaN), u16(NaN), i32(NaN), u32(NaN));
  log("inf", i8(Infinity), u8(Infinity), i32(Infinity), u32(Infinity));
  log("-inf", i8(-Infinity), u8(-Infinity), i32(-Infinity), u32(-Infinity));
  for (const x of xs) log("f32", i32(f32(x)), u32(f32(x)), u8(f32(x)));
  const three: f32 = 3e9;
  log("3e9", i32(three), u32(three));
  const n: i32 = 16777217;
  const m: i32 = -2147483647;
  const u: u32 = 4294967295;
  log("to f32", f32(n), f32(m), f32(u), f64(n), f64(u));
  const zero = i32(-0.5);
  log("no -0", 1 / f64(zero), zero);
}

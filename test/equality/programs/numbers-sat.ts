// Saturating conversions of integers.
const xs: RomArray<i32> = [0, 127, 128, -128, -129, 255, 256, -1, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, -2147483648];

export function main(): void {
  for (const x of xs) log(x, sat.i8(x), sat.u8(x), sat.i16(x), sat.u16(x));
  const u: u32 = 4294967295;
  log(u, sat.i8(u), sat.u8(u), sat.i16(u), sat.u16(u));
  log(sat.u8(xs[1] + xs[2] + 1), sat.i8(xs[3] - 1));
}

// Printing: integers in decimal, floats as the shortest decimal that reads back the same, f32 as its exact f64.
const doubles: RomArray<f64> = [
  0, -0, 1, -1, 0.1, 0.5, 100, 1e20, 1e21, 123456789012345680000, 1e-6, 1e-7, 1.5e-7, 123e-20, 5e-324, 2.2250738585072014e-308,
  1.7976931348623157e308, 9007199254740991, 9007199254740993, 4.35, 0.000001, 1e22, 1e23, 5e-7, 0.3, 2e-3, 1.2345678901234567,
  4294967296, 0.1234567890123456789, 8.41e21, 9.5367431640625e-7, 144115188075855870, 2.5e-5, 67.5, 1e100,
];
const singles: RomArray<f32> = [0.1, 0.3, 1e10, 3.4028235e38, 1e-45, 16777216, 1.17549435e-38, 0.333333343, 65504, 1e-7];

export function main(): void {
  for (const x of doubles) log(x, -x);
  for (const x of singles) log(x);
  log(NaN, Infinity, -Infinity, f32(NaN), f32(-Infinity));
  log(true, false, "text", "", "two words", 0, -1);
  log();
  log("");
  log("", "");
  const b: u8 = 255;
  const s: i8 = -128;
  const u: u32 = 4294967295;
  const i: i32 = -2147483648;
  log(b, s, u, i);
}

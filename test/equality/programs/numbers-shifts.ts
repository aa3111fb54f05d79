// Shift counts are masked to five bits; << gives i32, >> keeps the sign, >>> gives u32.
const counts: RomArray<i32> = [0, 1, 31, 32, 33, -1, -31, 63, 64];
const values: RomArray<i32> = [1, -1, 5, -2147483648, 2147483647];

export function main(): void {
  for (const v of values) {
    for (const n of counts) log(v, n, v << n, v >> n, v >>> n);
  }
  const u: u32 = 2147483649;
  for (const n of counts) log("u32", n, u << n, u >>> n);
  log("constant", 1 << 32, 1 << 31, -1 >>> 0, -1 >>> 31, -1 >> 31);
  const b: u8 = 255;
  const s: i8 = -128;
  log("narrow", b << 24, b >>> 4, b >> 4, s << 1, s >> 7, s >>> 28);
  let c: i32 = -8;
  c <<= 3;
  log("<<=", c);
  c >>= 33;
  log(">>=", c);
  let d: u32 = 4026531840;
  d >>>= 4;
  log(">>>=", d);
  d <<= 8;
  log("<<= u32", d);
}

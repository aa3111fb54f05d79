// Integer to integer keeps the low bits; booleans convert to 0 and 1; narrower literals fit by themselves.
const xs: RomArray<i32> = [0, 1, -1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2147483647, -2147483648, -129];

export function main(): void {
  for (const x of xs) log(x, i8(x), u8(x), i16(x), u16(x), u32(x), i32(u32(x)));
  const u: u32 = 4294967168;
  log(u, i8(u), u8(u), i16(u), u16(u), i32(u));
  log(u8(-1), i8(255), u16(-1), i16(65535), u32(-1), i32(4294967295));
  log(i32(true), u8(false), f32(true), f64(false), u32(xs[0] === 0));
  const mask = xs[13];
  const bytes = new Uint8Array(4);
  bytes[0] = mask & 0xff;
  bytes[1] = (mask >>> 8) & 0xff;
  bytes[2] = mask >>> 24;
  bytes[3] = 1000 % 256;
  log(bytes[0], bytes[1], bytes[2], bytes[3]);
  const small: u8 = bytes[0];
  const wide: i32 = small;
  const half: i16 = small;
  const real: f32 = half;
  const double: f64 = real;
  log(small, wide, half, real, double);
}

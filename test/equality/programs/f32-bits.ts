// The bits of singles, and singles from bits: specials, denormals, a canonical NaN.
const bits: RomArray<u32> = [0, 0x80000000, 1, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000];

export function main(): void {
  for (const b of bits) {
    const x = f32FromBits(b);
    log(b, x, f32Bits(x) === b, f32Bits(-x), f32Bits(x * 2), f32Bits(x + 1));
  }
  log(f32Bits(f32(0.1)), f32Bits(f32(0.1) + f32(0.2)), f32Bits(f32(1) / 3), f32Bits(f32(NaN)));
  log(f32Bits(f32FromBits(0x7fa00001)), f32Bits(f32FromBits(0xffffffff)));
}

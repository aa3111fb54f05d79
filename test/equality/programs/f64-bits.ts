// The bits of doubles, and doubles from bits: specials, denormals, halves apart, a canonical NaN.
const bits: RomArray<u64> = [
  0n,
  0x8000000000000000n,
  1n,
  0xfffffffffffffn,
  0x10000000000000n,
  0x3ff0000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0x0123456789abcdefn,
];

export function main(): void {
  for (const b of bits) {
    const x = f64FromBits(b);
    log(b, x, f64Bits(x) === b, f64Bits(-x), f64Bits(x * 2), f64Bits(x + 1), u32(f64Bits(x) >> 32n));
  }
  const third: f64 = 1 / 3;
  log(f64Bits(0.1), f64Bits(0.1 + 0.2), f64Bits(third), f64Bits(NaN), f64Bits(f64(f32(0.1))));
  log(f64Bits(f64FromBits(0x7ff0000000000001n)), f64Bits(f64FromBits(0xffffffffffffffffn)));
}

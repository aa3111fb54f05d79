// `1 << n` beside a u32 is a u32: flags, masks, bit sets.
let flags: u32 = 0;
const words = new Uint32Array(3);
class Bits {
  constructor(private readonly words: Uint32Array) {}
  set(i: i32): void {
    this.words[i >> 5]! |= 1 << (i & 31);
  }
  clear(i: i32): void {
    this.words[i >> 5]! &= ~(1 << (i & 31));
  }
  has(i: i32): boolean {
    return (this.words[i >> 5]! & (1 << (i & 31))) !== 0;
  }
}
const bits = new Bits(words);
export function main(): void {
  for (let n = 0; n < 32; n += 31) {
    flags |= 1 << n;
    log(flags, flags & (1 << n), flags ^ ((1 << n) | (3 << 4)), ~(1 << n) & flags);
    const mask: u32 = 1 << n;
    log(mask, 1 << n, mask >>> 4, u32(1 << n));
  }
  bits.set(31);
  bits.set(64);
  bits.set(95);
  bits.clear(64);
  log(words[0]!, words[1]!, words[2]!, bits.has(31), bits.has(64), bits.has(95));
}

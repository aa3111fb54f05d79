// u32 at its edges: wrap modulo 2^32, logical shift, comparison above 2^31, conversions both ways.
const edges: RomArray<u32> = [0, 1, 2, 65536, 2147483647, 2147483648, 4294967295];

export function main(): void {
  for (const a of edges) {
    log(a, "+1", a + 1, "-1", a - 1, "*a", a * a, "~", ~a, ">>>1", a >>> 1, "<<1", a << 1, "i32", i32(a));
  }
  const big: u32 = 4294967295;
  const half: u32 = 2147483648;
  log("order", big > half, half > 1, half < 2147483647, big === 0xffffffff);
  log("bits", big & half, half | 1, big ^ half, (half | 0) < 0, (half | 0) >>> 0);
  log("div", Math.trunc(big / 7), (big / half) | 0, big % 10, half % 7);
  log("f64", f64(big), f64(half) + 0.5, f32(big), f32(half + 128), f32(half + 129));
  let down: u32 = 0;
  down--;
  log("0--", down);
  down++;
  log("max++", down);
  let steps = 0;
  for (let i: u32 = 3; i > 0; i--) steps++;
  log("steps", steps);
}

// & | ^ ~ on every integer kind; u32 stays u32, | 0 and >>> 0 change between the two.
export function main(): void {
  const i: i32 = -2;
  const j: i32 = 0x0f0f0f0f;
  log(i & j, i | j, i ^ j, ~i, ~~j);
  const u: u32 = 0xdeadbeef;
  const v: u32 = 0x0ff00ff0;
  log(u & v, u | v, u ^ v, ~u, u & 0xff, u >>> 16 & 0xffff);
  log(u | 0, (u | 0) >>> 0, i >>> 0, (i >>> 0) | 0);
  const a: u8 = 0xaa;
  const b: u8 = 0x0f;
  log(a & b, a | b, a ^ b, ~a);
  const s: i8 = -86;
  const w: u16 = 0xffff;
  log(s & w, s | w, s ^ w, ~w, ~s);
  let m: u32 = 0;
  m |= 0x80000000;
  log(m);
  m ^= 0xffffffff;
  log(m);
  m &= 0xff;
  log(m);
  let n: u8 = 0;
  n |= 0xf0;
  n ^= 0xff;
  n &= 0x1e;
  log(n);
  log(f64(1) / 3 > 0.3 && (5 & 1) === 1, (6 & 1) !== 0);
}

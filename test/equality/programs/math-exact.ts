// Math functions that are exact on every target; the result has the type of the operands.
const ds: RomArray<f64> = [0, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 0.49999999999999994, 4503599627370495.5, 1e300, -1e300, NaN, Infinity];
const is: RomArray<i32> = [0, 1, -1, 65535, 2147483647, -2147483648];

export function main(): void {
  for (const x of ds) log(x, Math.abs(x), Math.floor(x), Math.ceil(x), Math.trunc(x), Math.round(x), Math.sign(x), Math.sqrt(x));
  for (const x of ds) {
    const s = f32(x);
    log(s, Math.abs(s), Math.floor(s), Math.ceil(s), Math.trunc(s), Math.round(s), Math.sign(s), Math.sqrt(s));
  }
  for (const i of is) log(i, Math.abs(i), Math.clz32(i), Math.sign(i), Math.imul(i, 3), Math.min(i, 5), Math.max(i, -5));
  log(Math.min(ds[11], 1), Math.max(1, ds[11]), Math.min(ds[12], ds[9]), Math.max(ds[10], -1));
  const u: u32 = 3000000000;
  const v: u32 = 5;
  log(Math.min(u, v), Math.max(u, v), Math.clz32(u), Math.clz32(v), Math.abs(u));
  const b: u8 = 200;
  const s: i8 = -100;
  log(Math.max(b, s), Math.min(b, s), Math.abs(s));
  const f: f32 = 2;
  log(Math.sqrt(f), Math.sqrt(f64(f)), Math.fround(ds[0] + 0.1), Math.min(f, f32(-1)), Math.max(f, 3));
  log(Math.PI, Math.E, Math.LN2, Math.SQRT2, f32(Math.PI), f * Math.PI);
  log(Math.imul(-5, 12), Math.imul(is[4], is[4]), Math.imul(i32(u), 2));
}

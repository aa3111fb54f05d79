// Comparisons: NaN is unequal to itself and unordered, -0 equals 0, integers of different kinds compare by value.
const xs: RomArray<f64> = [0, -0, 1, NaN, Infinity, -Infinity];

export function main(): void {
  for (const a of xs) {
    for (const b of xs) log(a, b, a === b, a !== b, a < b, a <= b, a > b, a >= b);
  }
  const n = f32(NaN);
  log("f32", n === n, n !== n, n < 1, !(n < 1), f32(-0) === f32(0));
  const i: i32 = -1;
  const b: u8 = 255;
  const s: i8 = -1;
  const h: i16 = 255;
  log("mixed", i < b, s === i, h === b, s < b, b > h, s >= i);
  const u: u32 = 4294967295;
  log("u32", u > b, u === 4294967295, u32(i) === u);
  log("float", i < 0.5, b === 255.0, f32(b) === 255);
  const t = s === i;
  log("bool", t === true, t !== false, t === (i < 0), !t === false);
}

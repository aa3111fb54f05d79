// Untyped constants take the type of the other operand; an un-annotated integer is i32, a fraction f64.
const N = 10;
const MASK = 0xff00;
const NEGATIVE = -5;
const SHIFTED = (1 << 12) | 3;
const HALF = 0.5;
const table = { width: 16, scale: 0.25 } as const;
enum Level {
  Low = 1,
  High = Low << 4,
}

export function main(): void {
  const b: u8 = 200;
  const u: u32 = 4000000000;
  const f: f32 = 1.5;
  log(b + N, u + N, f + N, f * HALF, b & MASK, u | MASK);
  log(N * NEGATIVE, SHIFTED, -SHIFTED, ~N, N + 1, N * 2 - 1);
  log(table.width * N, f * table.width, f * table.scale, b * table.width);
  log(Level.High + b, Level.High, u + Level.Low, f + Level.Low);
  let i = 0;
  let x = 0.5;
  i += N;
  x += N;
  log(i, x, 0b1010, 0o17, 0xff, 1_000_000, 1e3, 5e-1);
  const chosen = b > 100 ? 1 : 0;
  log(chosen << 31, chosen - 2);
  const max: i32 = 2147483647;
  const min: i32 = -2147483648;
  const top: u32 = 4294967295;
  log(max, min, top, 7 % 4, -7 % 4, 7 % N);
  log(0.1, 1 / 3, f32(0.1), 3.0, HALF + HALF);
}

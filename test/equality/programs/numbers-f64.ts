// f64: JavaScript's numbers, with their special values and remainders.
const xs: RomArray<f64> = [0, -0, 0.1, 1, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 9007199254740992];

export function main(): void {
  for (const x of xs) log(x, x + 0.1, x * 3, x / 3, x - 1, -x, 1 / x);
  log("0.1+0.2", xs[2] + 0.2, xs[2] * 3, 0.1 + 0.7);
  log("2^53", xs[7] + 1, xs[7] + 2, xs[7] - 1);
  log("overflow", xs[4] * 2, -xs[4] * 2, xs[4] + 1e291, xs[4] + 1e292);
  log("underflow", xs[5] / 2, -xs[5] / 2, xs[6] / 2);
  const inf = Infinity;
  log("special", inf - inf, inf * 0, NaN + 1, xs[0] / xs[0], 1 / xs[0], 1 / xs[1], -1 / xs[0]);
  log("rem", 5.5 % 2, -5.5 % 2, 5.5 % -2, xs[1] % 1, 1 % inf, inf % 1, 1 % xs[0], 1e300 % 7, xs[5] % 3);
  log("no fma", 1.0000000000000002 * 1.0000000000000002 - 1.0000000000000004);
  const n: i32 = -7;
  const u: u32 = 4294967295;
  log("mixed", f64(n) + 0.5, f64(u) + 0.5, f64(n) * xs[2], u * xs[2]);
  let sum = 0.0;
  for (let i = 0; i < 10; i++) sum += 0.1;
  log("sum", sum);
  sum /= 0;
  log("/= 0", sum, -sum);
}

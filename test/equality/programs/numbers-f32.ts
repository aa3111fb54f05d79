// Every f32 operation rounds to single precision by itself.
const xs: RomArray<f32> = [0, -0, 0.1, 0.2, 1, 3, 16777216, 16777217, 3.4028235e38, 1e-45, 1.17549435e-38, 1e20];

export function main(): void {
  for (const x of xs) log(x, x + 0.1, x * 3, x / 3, x - 1, -x);
  const a: f32 = 0.1;
  const b: f32 = 0.2;
  log("0.1+0.2", a + b, f64(a) + f64(b), a + b === f32(0.3), a * b + a, a * b - b);
  const big: f32 = 16777216;
  log("2^24", big + 1, big + 1 + 1, big + 2, 1 + 1 + big, big + (1 + 1));
  const max: f32 = 3.4028235e38;
  log("max", max * 2, -max * 2, max + max - max, max * 0.5);
  const tiny: f32 = 1e-45;
  log("denormal", tiny / 2, tiny * 0.5 * 2, tiny * 3, tiny + tiny, f32(1.17549435e-38) / 2);
  const inf = f32(Infinity);
  const nan = f32(NaN);
  log("special", inf - inf, inf * 0, nan + 1, 1 / f32(0), 1 / f32(-0), f32(0) / f32(0));
  // A fused multiply-add would print 2^-24-sized remainders here.
  const u: f32 = 1.0000001;
  log("no fma", u * u - u, u * u - (u + u - 1));
  let sum: f32 = 0;
  for (let i = 0; i < 1000; i++) sum += 0.1;
  log("sum", sum);
  let poly: f32 = 0;
  for (let i = 1; i <= 10; i++) poly = poly * 1.1 + 1 / f32(i);
  log("poly", poly, poly % 1, poly % 0.3);
  let c: f32 = 5;
  c /= 3;
  log("/=", c);
  c *= 1e10;
  log("*=", c);
  c %= 7;
  log("%=", c);
  c++;
  log("++", c);
  c -= 0.25;
  log("-=", c);
  const n: i16 = -300;
  log("i16 * f32", n * a, n + u);
}

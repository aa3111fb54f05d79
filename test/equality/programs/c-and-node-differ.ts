// Where C and JavaScript differ unless the compiler acts.
const zero: i32 = 0;
const one: i32 = 1;
const min: i32 = -2147483648;
const minusOne: i32 = -1;
const thirtyTwo: i32 = 32;
const f: f32 = 3e9;
const a: f32 = 0.1;
const third: f32 = 1.1;

export function main(): void {
  try {
    log(7 % zero);
  } catch (e) {
    log("7 % 0", e.kind);
  }
  log("1 << 32", one << thirtyTwo);
  log("INT_MIN >> 32", min >> thirtyTwo);
  log("f32 3e9 to i32", i32(f));
  log("INT_MIN / -1", Math.trunc(min / minusOne), min % minusOne);
  log("-INT_MIN", -min, Math.abs(minusOne));
  log("f32 chain", a * a * a + third * third - a);
  log("double rounding", f32(0.1) * f32(0.1) === f32(0.01), f32(f64(a) * f64(a)));
  const c: u8 = 255;
  const d: i8 = -1;
  log("char", c, d, c > d, i32(c) === i32(d));
  const u: u32 = 1;
  log("unsigned", u - 2 > 0, i32(u) - 2 > 0);
  log("-0", -f64(zero), 1 / -f64(zero));
  let i = 0;
  const order = new Int32Array(3);
  order[i++] = i++;
  order[i] = i++ + i++ * 10;
  log("order", order[0], order[1], order[2], i);
}

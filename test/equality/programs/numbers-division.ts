// Integer division and remainder: toward zero, sign of the dividend, INT_MIN / -1 wraps, a zero divisor traps.
const as: RomArray<i32> = [7, -7, 0, 2147483647, -2147483648];
const bs: RomArray<i32> = [2, -2, 3, -1, 2147483647, -2147483648, 0];

export function main(): void {
  for (const a of as) {
    for (const b of bs) {
      try {
        log(a, b, Math.trunc(a / b), (a / b) | 0, a % b);
      } catch (e) {
        log(a, b, e.kind);
      }
    }
  }
  const u: u32 = 4294967295;
  const zero: u32 = 0;
  log("u32", Math.trunc(u / 2), u % 16, Math.trunc(u / u));
  try {
    log(u % zero);
  } catch (e) {
    log("u32 % 0", e.kind);
  }
  try {
    log(Math.trunc(u / zero));
  } catch (e) {
    log("u32 / 0", e.kind);
  }
  const small: i8 = -128;
  const minus: i8 = -1;
  log("i8", Math.trunc(small / minus), small % minus, small % 3);
  const byte: u8 = 200;
  const three: u8 = 3;
  log("u8", Math.trunc(byte / three), byte % three);
  let target: i32 = -2147483648;
  target %= -1;
  log("%=", target);
}

// Negative narrow integers as u32 inside arithmetic.
const a: i8 = -5;
const bs = new Int16Array([-7, 5]);
const us = new Uint32Array([3, 4]);
export function main(): void {
  let n: i8 = -3;
  for (const b of bs) {
    log(us[0] + u32(b), us[1] - u32(n), us[0] * u32(b), us[1] & u32(n), u32(a));
    n++;
  }
}

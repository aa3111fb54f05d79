// Uncaught in checked builds: an overflow that was not meant. Unchecked, it wraps.
// modes: both
export function main(): void {
  let n: i32 = 2147483600;
  for (let i = 0; i < 3; i++) {
    n += 20;
    log(n);
  }
}

function quotient(a: i64, b: i64): i64 {
  return a / b;
}
function remainder(a: u64, b: u64): u64 {
  return a % b;
}

export function main(): void {
  log(quotient(-9223372036854775808n, 10n), remainder(18446744073709551615n, 10n));
  try {
    log(quotient(1n, 0n));
  } catch (e) {
    log(e.kind);
  }
  let a: u64 = 5n;
  try {
    a /= remainder(4n, 2n);
  } catch (e) {
    log(e.kind, a);
  }
  log(remainder(1n, 0n));
}

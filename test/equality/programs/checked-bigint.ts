// Unintended wraps of 64-bit arithmetic trap in checked builds; else they wrap.
// modes: both
const most: i64 = 9223372036854775807n;
const least: i64 = -9223372036854775808n;
const all: u64 = 18446744073709551615n;

function attempt(what: i32, a: i64, u: u64): void {
  try {
    switch (what) {
      case 0:
        log(a + 1n);
        break;
      case 1:
        log(-a - 2n);
        break;
      case 2:
        log(a * 2n);
        break;
      case 3:
        log(u + 1n);
        break;
      case 4:
        log(5n - u);
        break;
      case 5:
        log(u * u);
        break;
      case 6: {
        let x = u;
        x++;
        log(x);
        break;
      }
      case 7: {
        let x = a;
        x *= 3n;
        log(x);
        break;
      }
      default:
        log(BigInt.asIntN(64, a + 1n), BigInt.asUintN(64, u + 1n), BigInt.asIntN(64, u * u + 1n));
        break;
    }
  } catch (e) {
    log("caught", what, e.kind);
  }
}

function negate(a: i64): i64 {
  return -a;
}

export function main(): void {
  for (let i = 0; i < 9; i++) attempt(i, most, all);
  log(least / -1n, least % -1n);
  log(negate(most));
  log(negate(least));
}

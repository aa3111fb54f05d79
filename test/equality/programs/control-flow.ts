// if, while, do, for, for-of, break, continue, labels, nested.
const values: RomArray<i32> = [3, -1, 4, 1, -5, 9];
const bytes = new Uint8Array([1, 2, 255]);

function classify(n: i32): string {
  if (n < 0) return "negative";
  else if (n === 0) return "zero";
  else if (n < 10) return "small";
  return "large";
}
function firstNegative(from: i32): i32 {
  for (let i = from; i < values.length; i++) if (values[i] < 0) return i;
  return -1;
}

export function main(): void {
  log(classify(-2147483648), classify(0), classify(9), classify(10));
  log(firstNegative(0), firstNegative(2), firstNegative(5), firstNegative(100));
  let n = 27;
  let steps = 0;
  while (n !== 1) {
    n = n % 2 === 0 ? Math.trunc(n / 2) : 3 * n + 1;
    steps++;
  }
  log("collatz", steps);
  do {
    n += 3;
  } while (n < 10);
  log("do", n);
  do n--;
  while (false);
  log("once", n);
  for (let i = 0, j = 10; i < j; i += 2) log("two", i, j--);
  for (;;) {
    if (n-- < 5) break;
  }
  log("endless", n);
  let sum = 0;
  for (const v of values) {
    if (v < 0) continue;
    if (v === 9) break;
    sum += v;
  }
  log("of", sum);
  for (const b of bytes) sum += b;
  log("bytes", sum);
  outer: for (let i = 0; i < 4; i++) {
    inner: for (let j = 0; j < 4; j++) {
      if (j === i) continue outer;
      if (i === 3) break outer;
      if (j === 1) continue inner;
      log("labels", i, j);
    }
  }
  let w = 0;
  again: while (true) {
    w++;
    switch (w) {
      case 1:
        continue again;
      case 2:
        break;
      case 5:
        break again;
      default:
        continue;
    }
    log("switch in while", w);
  }
  log("w", w);
  for (let i = 0; i < 0; i++) log("never");
  for (let i: u8 = 250; i < 255; i++) sum += i;
  log("u8 counter", sum);
  for (let x = 0.0; x < 1; x += 0.25) log("f64 counter", x);
  let shadow = 1;
  {
    let shadow = 2;
    shadow++;
    log(shadow);
  }
  log(shadow);
}

// Parameters that a try body assigns before a trap, in functions that compilers specialise for constant arguments.
const rows: u16[][] = [[0, 65535], [0, 9], [65535]];

function inFinally(given: f32): void {
  try {
    given -= given;
    log(rows[i8(-1)][1]);
  } catch (e) {
    log("caught", e.kind);
  } finally {
    log("finally", given);
  }
}

function inCatch(count: i32, name: string): void {
  try {
    count++;
    name = "other";
    log(rows[count][7]);
  } catch (e) {
    log("caught", e.kind, count, name);
  }
}

function after(values: u16[], wide: i64): i64 {
  try {
    values = rows[1];
    wide += 1n;
    throw new Error("stop");
  } catch {
    wide *= 2n;
  }
  return wide + i64(values[1]);
}

export function main(): void {
  inFinally(f32(0.5));
  inCatch(1, "first");
  log(after(rows[0], 5000000000n));
}

// Uncaught: a thrown error, from a function, after others were caught.
function check(n: i32): void {
  if (n > 1) throw new Error("too large: see the manual");
  log("checked", n);
}
export function main(): void {
  check(1);
  try {
    check(2);
  } catch {
    log("caught");
  }
  check(3);
}

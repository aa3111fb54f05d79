// Unary operators and conditional expressions in every position, nested, with effects.
let n: i32 = 5;
function next(): i32 {
  return n++;
}
const pairs: RomArray<i32> = [1, 2, 3, 4];

export function main(): void {
  log(-next(), ~next(), - -next(), ~~next(), n);
  log(n > 5 ? (n > 8 ? "big" : "middle") : "small", n < 5 ? next() : -next(), n);
  const x = n > 0 ? pairs[n % 4] : pairs[0];
  log(x, !(x > 2), !!(x > 2), x > 2 !== true);
  let a = n > 100 ? 1 : n > 9 ? 2 : 3;
  a += n > 9 ? (a += 10) : 0;
  log(a);
  const f: f32 = n > 1 ? 0.1 : 1;
  const d = n > 1 ? 0.1 : 1;
  const u: u32 = n > 1 ? 4294967295 : 0;
  const b: u8 = n > 1 ? 255 : 0;
  log(f, d, u, b, n > 1 ? b : u, n > 1 ? -1 : 0.5);
  log((n > 1 ? pairs : pairs)[n > 1 ? 3 : 0], (n > 1 && n < 100) || next() > 0, n);
  log(+x, -f, -d, -b, ~b, ~u);
  log(n++ + ++n, n-- - --n, n);
}

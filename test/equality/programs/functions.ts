// Functions: default parameters, several results, early returns, shadowing, parameters as locals.
function add(a: i32, b: i32 = 10, c: i32 = -1): i32 {
  return a + b + c;
}
const STEP = 5;
function wide(a: u8 = 255, b: f32 = 0.1, c: f64 = 0.1, d: u32 = 4294967295, e: i32 = STEP * 2): f64 {
  return f64(a) + b + c + d + e;
}
function text(s: string = "none", flag: boolean = true): string {
  return flag ? s : "";
}
interface Parsed {
  ok: boolean;
  value: i32;
}
function parse(s: string, into: Parsed): boolean {
  into.ok = false;
  into.value = 0;
  for (let i = 0; i < s.length; i++) {
    const digit = s.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    into.value = into.value * 10 + digit;
  }
  into.ok = s.length > 0;
  return into.ok;
}
function modify(n: i32, s: string): i32 {
  n += 5;
  s = s.slice(1);
  return n * s.length;
}
function noResult(n: i32): void {
  if (n > 0) return;
  log("noResult", n);
}
function floats(a: f32, b: f64): f64 {
  return a * b;
}
const arrow = (x: i32, y: i32): i32 => x * y;
const block = (x: i32): i32 => {
  const y = x + 1;
  return y * y;
};

export function main(): void {
  log(add(1), add(1, 2), add(1, 2, 3));
  log(wide(), wide(1), wide(1, 0.5, 0.25, 2, 3));
  log(text(), text("some"), text("x", false).length);
  const good: Parsed = { ok: false, value: 0 };
  const bad: Parsed = { ok: true, value: 9 };
  log(parse("1234", good), parse("12x4", bad), good.ok, good.value, bad.ok, bad.value);
  log(parse("", good), good.ok, good.value);
  const n = 2;
  const s = "abc";
  log(modify(n, s), n, s);
  noResult(1);
  noResult(-1);
  log(floats(0.5, 3), arrow(6, 7), block(2));
  log(add(add(1), add(2), add(3)), arrow(arrow(2, 3), arrow(4, 5)));
}

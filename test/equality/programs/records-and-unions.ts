import { List } from "tmc";
// Object types without names, generic results, discriminants of several kinds.
type Result<T> = { ok: true; value: T } | { ok: false; error: string };
type Command =
  | { op: "move"; by: { dx: i32; dy: i32 } }
  | { op: "say"; text: string; loud?: boolean }
  | { op: "stop" };
function parse(text: string): Result<i32> {
  let n: i32 = 0;
  if (text.length === 0) return { ok: false, error: "empty" };
  for (let i = 0; i < text.length; i++) {
    const c = i32(text.charCodeAt(i)) - 48;
    if (c < 0 || c > 9) return { ok: false, error: "digit" };
    n = n * 10 + c;
  }
  return { ok: true, value: n };
}
function half(x: f32): Result<f32> {
  return x < 0 ? { ok: false, error: "negative" } : { ok: true, value: x / 2 };
}
function orElse<T>(r: Result<T>, other: T): T {
  return r.ok ? r.value : other;
}
const script: Command[] = [
  { op: "move", by: { dx: 1, dy: -2 } },
  { op: "say", text: "hi", loud: true },
  { op: "say", text: "quiet" },
  { op: "stop" },
];
const at = { x: 0, y: 0 };
function run(c: Command): boolean {
  switch (c.op) {
    case "move":
      at.x += c.by.dx;
      at.y += c.by.dy;
      return true;
    case "say":
      log(c.text, c.loud ?? false);
      return true;
    case "stop":
      return false;
  }
}
function stats(xs: Float32Array) {
  let min: f32 = xs[0]!;
  let max: f32 = xs[0]!;
  for (const x of xs) {
    if (x < min) min = x;
    if (x > max) max = x;
  }
  return { min, max, n: xs.length };
}
const data = new Float32Array([3, -1, 2.5]);
interface Named { name: string; pos: { x: i32; y: i32 } }
const named: Named = { name: "n", pos: { x: 4, y: 5 } };
const table = [{ key: "a", v: 1 }, { key: "b", v: 2 }];
enum K { A, B }
type E = { k: K.A; a: i32 } | { k: K.B; b: string };
const es: E[] = [{ k: K.A, a: 7 }, { k: K.B, b: "bee" }];
const last: { current: Command | null } = { current: null };
const cb: (p: { a: i32; b?: i32 }) => i32 = (p) => p.a + (p.b ?? 100);
export function main(): void {
  const r = parse("123");
  log(r.ok ? r.value : -1);
  for (const t of ["", "12x", "77"]) {
    const q = parse(t);
    if (q.ok) log("value", q.value);
    else log("error", q.error);
  }
  log(orElse(parse("zz"), -5), orElse(half(5), 0), orElse(half(-1), 9));
  for (const c of script) { last.current = c; if (!run(c)) break; }
  log(at.x, at.y, last.current === null ? "none" : last.current.op);
  const { min, max, n } = stats(data);
  log(min, max, n);
  const p = named.pos;
  p.x++;
  log(named.pos.x, named.pos.y);
  for (const row of table) log(row.key, row.v);
  for (const e of es) {
    if (e.k === K.A) log("A", e.a);
    else log("B", e.b);
  }
  log(cb({ a: 1 }), cb({ a: 1, b: 2 }));
  const q = { ...p, y: 50 };
  log(q.x, q.y);
  const local: Command = { op: "move", by: { dx: 10, dy: 10 } };
  run(local);
  log(at.x, at.y);
}

// Objects and arrays made by handlers: fresh on every iteration and every call, initialised each time.
interface Point {
  x: i32;
  y: i32;
}
class Stat {
  n: i32 = 0;
  sum: f32 = 0;
  readonly bins: Uint8Array = new Uint8Array(3);
  add(v: f32): void {
    this.n++;
    this.sum += v;
    this.bins[i32(v) % 3]++;
  }
}
function length2(p: Point): i32 {
  return p.x * p.x + p.y * p.y;
}
function swap(p: Point): void {
  const x = p.x;
  p.x = p.y;
  p.y = x;
}
function mean(values: RomArray<f32>): f32 {
  const s = new Stat();
  for (const v of values) s.add(v);
  return s.sum / f32(s.n);
}
function make(x: i32): Point {
  return { x, y: x + 1 };
}
function scaled(p: Point, by: i32): Point {
  const q = make(p.x * by);
  q.y += p.y;
  return q;
}
function divmod(a: i32, b: i32): Point {
  if (b === 0) return { x: 0, y: -1 };
  return { x: Math.trunc(a / b), y: a % b };
}

export function main(): void {
  for (let i = 0; i < 3; i++) {
    const s = new Stat();
    const counts = [0, i];
    const zeros = new Int16Array(2);
    for (let k = 0; k <= i; k++) {
      s.add(f32(k));
      counts[0] += k;
      zeros[k % 2]++;
    }
    log(s.n, s.sum, s.bins[0], s.bins[1], s.bins[2], counts[0], counts[1], zeros[0], zeros[1]);
  }
  const p: Point = { x: 3, y: 4 };
  swap(p);
  log(length2(p), p.x, length2({ x: 1, y: 2 }));
  log(mean([1, 2, 4]), mean([0.5]));
  const m = make(5);
  const n = make(6);
  m.x = 50;
  log(m.x, m.y, n.x, n.y);
  const q = scaled(m, 2);
  log(q.x, q.y, make(1).y + make(2).y);
  const d = divmod(17, 5);
  const e = divmod(1, 0);
  log(d.x, d.y, e.x, e.y, divmod(-17, 5).y);
  let sum = 0;
  for (let i = 0; i < 3; i++) {
    const fresh = make(i);
    fresh.y *= 10;
    sum += fresh.x + fresh.y;
  }
  log(sum);
  let alias = d;
  alias.y = 9;
  alias = e;
  alias.y = 8;
  log(d.y, e.y, alias === e);
}

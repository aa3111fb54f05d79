// Arrays spread into arrays by handlers: copies in source order, of arrays whose length is known.
const base: i32[] = [3, 1, 2];
const bytes = new Uint8Array([10, 20, 30, 40, 50, 60]);
const names: string[] = ["a", "b"];
const none: i32[] = [];
const other: i32[] = [7, 8, 9];

class Point {
  constructor(
    public x: i32,
    public y: i32,
  ) {}
}
const points: Point[] = [new Point(1, 2), new Point(3, 4)];

class Window {
  readonly size: i32 = 3;
  readonly samples: f32[] = [0.5, 1.5, 2.5];
  last: i32[] = other;

  with(x: f32): f32[] {
    return [...this.samples, x];
  }
}
const window = new Window();

class Frame {
  readonly all: u8[];
  constructor(n: u8, head: u8[]) {
    this.all = [...head, n, ...head, n];
  }
}

function show(a: readonly i32[]): void {
  for (const [i, x] of a.entries()) log(i, x);
}

function sum(...xs: i32[]): i32 {
  let s = 0;
  for (const x of xs) s += x;
  return s;
}

function bump(a: i32[]): i32 {
  a[0] = a[0] + 100;
  return 5;
}

function traced(a: i32[], n: i32): i32[] {
  log("read", n);
  return a;
}

function tracedNone(n: i32): i32[] {
  log("read none", n);
  return none;
}

function joined<T>(a: T[], b: T[], x: T): T {
  const all = [...a, ...b, x];
  return all[all.length - 2];
}

function doubled(a: i32[]): i32[] {
  const twice = [...a, ...a];
  twice[0] = -1;
  return twice;
}

function rotate(a: i32[]): i32[] {
  return [...[a[1], a[2]], a[0]];
}

export function main(): void {
  const b = [0, ...base, 9];
  b[1] = 77;
  log("copy", b.length, base[0]);
  show(b);

  // A later part changes an array that an earlier one copied.
  const mine: i32[] = [1, 2, 3];
  const order = [...mine, bump(mine), ...mine];
  show(order);
  const traces = [...traced(base, 1), mine[0], ...tracedNone(2), ...traced(other, 3)];
  log("traces", traces.length, traces[3], traces[6]);
  const empty = [...tracedNone(4)];
  log("empty", empty.length);

  // Long ones, typed ones.
  const packet = new Uint8Array([1, ...bytes, ...bytes, 255]);
  packet[1] = 11;
  let check: u32 = 0;
  for (const x of packet) check = check * 31 + x;
  log("packet", packet.length, check, bytes[0]);
  const plain: u8[] = [...bytes, 7];
  log(plain.length, plain[5], plain[6]);

  // As arguments, and what functions return.
  log("sum", sum(...base), sum(1, ...base, ...other), sum(...none));
  const two = doubled(base);
  const four = [...two, ...two];
  log("doubled", two.length, four.length, sum(...four), base[0]);
  for (let i = 0; i < 3; i++) {
    const turned = rotate([...base]);
    const again = rotate(turned);
    log("turn", i, turned[0], again[0], sum(...turned, ...again, i));
  }

  // Text, objects, numbers of every size; generic.
  const words = [...names, "c", ...names];
  for (const w of words) log(w);
  log(joined(names, names, "z"), joined(base, other, 1));
  const shared = [...points, new Point(5, 6)];
  const first = shared[0];
  first.x = 50;
  log(points[0].x, shared[2].y);
  const wide: i64[] = [1n, 2n];
  const wider = [...wide, 3n, ...wide];
  log(wider[4], wider.length);

  // Fields.
  const longer = window.with(9.25);
  log("window", longer.length, longer[3], window.size);
  window.last = base;
  log("last", sum(...window.last));
  const frame = new Frame(9, [1, 2]);
  log("frame", frame.all.length, frame.all[2], frame.all[4], frame.all[5]);
}

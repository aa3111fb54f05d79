// TextBuffer, List, Ring and classes of one's own with arrays of a constant length, made by the program on its stack.
import { List, Ring, TextBuffer, FixedMap } from "tmc";

class Window {
  readonly samples: Int32Array;
  readonly names: TextBuffer;
  at = 0;
  constructor(
    readonly size: i32,
    extra: i32,
  ) {
    this.samples = new Int32Array(size * 2 + extra);
    this.names = new TextBuffer(size + 4);
  }
  add(x: i32): void {
    this.samples[this.at] = x;
    this.at++;
  }
}
class Named extends Window {
  constructor() {
    super(3, 1);
    this.names.write("named");
  }
}
interface Summary {
  sum: i32;
  used: i32;
}
const kept = new TextBuffer(8);
const global = new Window(2, 0);

function describe(n: i32, out: TextBuffer): void {
  const line = new TextBuffer(24);
  line.write(`n=${n}`);
  out.clear();
  out.write(line.toString());
}
function make(): TextBuffer {
  const made = new TextBuffer(12);
  made.write("made");
  return made;
}
function total(n: i32): Summary {
  const list = new List<i32>(8);
  for (let i = 0; i < n; i++) list.push(i * i);
  let sum = 0;
  for (const x of list) sum += x;
  return { sum, used: list.length };
}
function overflow(n: i32): i32 {
  const small = new List<u8>(2);
  try {
    for (let i = 0; i < n; i++) small.push(u8(i));
  } catch (e) {
    log(e.kind, small.length);
  }
  return small.length;
}

export function main(): void {
  const out = new TextBuffer(32);
  describe(7, out);
  log(out.toString(), out.length, out.capacity);
  describe(-1234, out);
  log(out.toString());
  const a = new TextBuffer(8);
  const b = new TextBuffer(8);
  a.write("aa");
  const text = a.toString();
  b.write("bbb");
  log(text, b.toString(), a.length);
  for (let i = 0; i < 3; i++) {
    const turn = new TextBuffer(16);
    turn.write(`turn ${i}`);
    log(turn.toString(), turn.length);
  }
  const fresh = make();
  fresh.write("!");
  log(fresh.toString());
  log(make().length);
  log(total(4).sum, total(8).used, overflow(1), overflow(5));
  const ring = new Ring<f32>(3);
  for (let i = 0; i < 5; i++) {
    if (ring.length === ring.capacity) ring.shift();
    ring.push(f32(i) / 2);
  }
  log(ring.length, ring.get(0), ring.get(2));
  const map = new FixedMap<string, i32>(4);
  map.set("x", 1);
  map.set("y", 2);
  log(map.get("y") ?? 0, map.has("z"), map.size);
  const w = new Window(2, 1);
  for (let i = 0; i < 5; i++) w.add(i);
  try {
    w.add(9);
  } catch (e) {
    log(e.kind, w.at, w.samples.length, w.size);
  }
  const n = new Named();
  n.add(5);
  log(n.names.toString(), n.names.capacity, n.samples.length, n.samples[0]!);
  global.add(1);
  global.names.write("g");
  log(global.names.toString(), global.samples.length, global.samples[0]!);
  kept.assign(a.toString());
  log(kept.toString());
}

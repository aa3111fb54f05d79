// Typed arrays of every kind: zero at first, wrap on store by conversion, fill, set, subarray, iteration, bounds.
const i8s = new Int8Array(3);
const u8s = new Uint8Array(4);
const i16s = new Int16Array([1, -32768, 32767]);
const u16s = new Uint16Array(2);
const i32s = new Int32Array([1, 2, 3, 4, 5, 6, 7, 8]);
const u32s = new Uint32Array(2);
const f32s = new Float32Array([0.1, 1e10, -0]);
const f64s = new Float64Array([0.1, 1e300]);
const copy = Uint8Array.from([1, 2, 3]);

function sum(a: Int32Array): i32 {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i];
  return s;
}
function show(name: string, a: Int32Array): void {
  let text = 0;
  for (const v of a) text = text * 10 + v;
  log(name, a.length, text);
}

export function main(): void {
  log(i8s[0], u8s[3], u16s[1], u32s[0], i8s.length, f64s.length);
  i8s[0] = i8(200);
  i8s[1] = -128;
  u8s[0] = u8(-1);
  u8s[1] = u8(256);
  u16s[0] = u16(65537);
  u32s[0] = u32(-1);
  u32s[1] = 4294967295;
  i16s[0]--;
  i16s[0]--;
  log(i8s[0], i8s[1], u8s[0], u8s[1], u16s[0], u32s[0], u32s[1], i16s[0], i16s[1], i16s[2]);
  log(f32s[0], f32s[1], 1 / f32s[2], f64s[0], f64s[1]);
  f32s[0] = f32(0.1 + 0.2);
  f32s[1] += 0.5;
  f64s[0] += 0.2;
  log(f32s[0], f32s[1], f64s[0]);
  u8s.fill(7);
  u8s.fill(9, 1, 3);
  log(u8s[0], u8s[1], u8s[2], u8s[3]);
  u8s.fill(1, -1);
  u8s.fill(2, -100, -3);
  u8s.fill(3, 3, 1);
  u8s.fill(4, 2, 100);
  log(u8s[0], u8s[1], u8s[2], u8s[3]);
  f32s.fill(0.1);
  log(f32s[2]);
  show("whole", i32s);
  show("2..5", i32s.subarray(2, 5));
  show("-3..", i32s.subarray(-3));
  show("..-6", i32s.subarray(0, -6));
  show("empty", i32s.subarray(5, 2));
  show("clamped", i32s.subarray(-100, 100));
  show("nested", i32s.subarray(1, 7).subarray(1, -1));
  const view = i32s.subarray(2, 6);
  view[0] = 9;
  log(i32s[2], view.length, sum(view), sum(i32s));
  view.set(i32s.subarray(3, 5), 2);
  show("set", i32s);
  i32s.set(i32s.subarray(0, 5), 2);
  show("overlap up", i32s);
  i32s.set(i32s.subarray(2, 7), 1);
  show("overlap down", i32s);
  i32s.subarray(6).fill(0);
  show("filled view", i32s);
  copy.set(u8s.subarray(0, 2), 1);
  log(copy[0], copy[1], copy[2]);
  try {
    log(i32s[8]);
  } catch (e) {
    log("read 8", e.kind);
  }
  try {
    log(i32s[-1]);
  } catch (e) {
    log("read -1", e.kind);
  }
  try {
    view[4] = 1;
  } catch (e) {
    log("write view", e.kind);
  }
  try {
    i32s.set(view, 5);
  } catch (e) {
    log("set over the end", e.kind);
  }
  try {
    i32s.set(view, -1);
  } catch (e) {
    log("set before the start", e.kind);
  }
  try {
    i32s.subarray(3, 3)[0]++;
  } catch (e) {
    log("empty view", e.kind);
  }
  const big: u32 = 4294967295;
  try {
    log(i32s[big]);
  } catch (e) {
    log("u32 index", e.kind);
  }
  const index: u8 = 7;
  log(i32s[index], i32s[u32(3)]);
  const local = new Int16Array(5);
  for (let i = 0; i < local.length; i++) local[i] = i16(i * 10000);
  log(local[2], local[3], local[4]);
}

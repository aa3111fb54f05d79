// The bounded containers of the library: List, Ring, FixedMap, Pool, with several element types and over their capacity.
import { FixedMap, List, Pool, Ring } from "tmc";

class Job {
  id: i32 = 0;
}
const list = new List<i32>(3);
const texts = new List<string>(2);
const floats = new List<f32>(2);
const ring = new Ring<u8>(3);
const map = new FixedMap<string, i32>(2);
const byId = new FixedMap<i32, Job>(4);
let made = 0;
const pool = new Pool<Job>(2, () => {
  const j = new Job();
  j.id = ++made;
  return j;
});
const queue = new Ring<Job>(2);
const preset = new List<i32>(4);
preset.push(100);
preset.push(200);

export function main(): void {
  list.push(1);
  list.push(-2);
  list.push(3);
  log(list.length, list.capacity, list.get(0), list.get(2));
  try {
    list.push(4);
  } catch (e) {
    log(e.kind, list.length);
  }
  let sum = 0;
  for (const v of list) sum += v;
  log(sum);
  list.set(1, 20);
  const popped = list.pop();
  log(popped === null ? -1 : popped, list.length, list.get(1));
  try {
    log(list.get(2));
  } catch (e) {
    log(e.kind);
  }
  try {
    list.set(-1, 0);
  } catch (e) {
    log(e.kind);
  }
  list.clear();
  log(list.length, list.pop() === null);
  for (const v of list) log("never", v);
  texts.push("x");
  texts.push("");
  for (const t of texts) log(t, t.length);
  floats.push(0.1);
  log(floats.get(0));
  for (let i = 0; i < 3; i++) ring.push(u8(250 + i * 3));
  try {
    ring.push(0);
  } catch (e) {
    log(e.kind);
  }
  log(ring.get(0), ring.get(2), ring.length);
  const first = ring.shift();
  log(first === null ? 0 : first, ring.get(0));
  ring.push(9);
  for (const v of ring) log("ring", v);
  while (ring.length > 0) ring.shift();
  log(ring.shift() === null);
  try {
    log(ring.get(0));
  } catch (e) {
    log(e.kind);
  }
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 10);
  const got = map.get("a");
  log(got === null ? -1 : got, map.has("b"), map.has("c"), map.get("c") === null, map.size);
  try {
    map.set("c", 3);
  } catch (e) {
    log(e.kind, map.size);
  }
  log(map.delete("a"), map.delete("a"), map.size, map.has("b"));
  map.set("c", 3);
  log(map.has("c"), map.size);
  const j1 = pool.take();
  const j2 = pool.take();
  log(j1 === null ? -1 : j1.id, j2 === null ? -1 : j2.id, pool.take() === null, pool.free);
  if (j1 !== null && j2 !== null) {
    byId.set(j1.id, j1);
    byId.set(j2.id * 100, j2);
    const found = byId.get(200);
    log(found === null ? -1 : found.id, byId.get(100) === null);
    queue.push(j1);
    queue.push(j2);
    j1.id = 77;
    log(queue.get(0).id);
    pool.give(j2);
    log(pool.free);
    pool.give(j1);
    try {
      pool.give(j1);
    } catch (e) {
      log(e.kind);
    }
  }
  log(preset.length, preset.get(0) + preset.get(1));
}

// for-of: over arrays, views, containers and nested arrays, with writes to what is iterated.
import { List, Ring } from "tmc";
const data: i32[] = [1, 2, 3, 4];
const list = new List<i32>(8);
const ring = new Ring<i32>(3);
const bytes = new Uint8Array([9, 8, 7]);
const rows: i32[][] = [[1], [2, 3], []];
const single: i32[] = [0];
let which = data;

export function main(): void {
  for (const v of data) {
    if (v === 1) data[2] = 30;
    log(v);
  }
  for (let v of data) {
    v *= 2;
    log(v, data[0]);
  }
  for (const v of bytes.subarray(1)) log(v);
  list.push(1);
  list.push(2);
  for (const v of list) {
    if (list.length < 5) list.push(v * 10);
    log("list", v);
  }
  ring.push(1);
  ring.push(2);
  for (const v of ring) log("ring", v);
  let sum = 0;
  for (const row of rows) for (const v of row) sum += v;
  log(sum);
  for (const v of which) {
    which = single;
    sum += v;
  }
  log(sum);
  search: for (const row of rows) {
    for (const v of row) {
      if (v === 3) break search;
      if (v === 1) continue search;
      log("seen", v);
    }
  }
  for (const v of new Int8Array([-1, -128])) log(v);
  for (const v of [0.5, 1.5]) log(v);
  for (const s of ["a", "bc"]) log(s, s.length);
  const sums = new Int32Array(2);
  for (const v of data) sums[v & 1] += v;
  log(sums[0], sums[1]);
}

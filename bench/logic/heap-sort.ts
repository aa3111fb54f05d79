/** Heap sort of 1000 numbers. */
import { Random } from "./lib/random.js";

const values = new Int32Array(1000);

/** Moves the element at `start` down to its place in the heap a[0 … end - 1]. */
function siftDown(a: Int32Array, start: i32, end: i32): void {
  const value = a[start];
  let hole = start;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= end) break;
    if (child + 1 < end && a[child + 1] > a[child]) child++;
    if (a[child] <= value) break;
    a[hole] = a[child];
    hole = child;
  }
  a[hole] = value;
}

function heapSort(a: Int32Array): void {
  for (let start = (a.length >> 1) - 1; start >= 0; start--) siftDown(a, start, a.length);
  for (let end = a.length - 1; end > 0; end--) {
    const largest = a[0];
    a[0] = a[end];
    a[end] = largest;
    siftDown(a, 0, end);
  }
}

export function main(): void {
  const random = new Random(7);
  let checksum: u32 = 0;
  for (let round = 0; round < 8; round++) {
    for (let i = 0; i < values.length; i++) values[i] = i32(random.next());
    heapSort(values);
    for (const value of values) checksum = (checksum << 5) ^ (checksum >>> 27) ^ u32(value);
  }
  log("heap-sort", checksum);
}

/** Insertion sort of 256 numbers. */
import { Random } from "./lib/random.js";

const values = new Int32Array(256);

function insertionSort(a: Int32Array): void {
  for (let i = 1; i < a.length; i++) {
    const value = a[i];
    let j = i - 1;
    while (j >= 0 && a[j] > value) {
      a[j + 1] = a[j];
      j--;
    }
    a[j + 1] = value;
  }
}

export function main(): void {
  const random = new Random(6);
  let checksum: u32 = 0;
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < values.length; i++) values[i] = i32(random.next());
    insertionSort(values);
    for (const value of values) checksum = (checksum << 5) ^ (checksum >>> 27) ^ u32(value);
  }
  log("insertion-sort", checksum);
}

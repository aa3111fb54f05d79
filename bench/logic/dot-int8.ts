/** A dense int8 layer: the dot products of an input with the rows of a matrix. */
import { Random } from "./lib/random.js";

const random = new Random(3);
const input = new Int8Array(256);
const rows: RomArray<Int8Array> = makeRows(16, 256);

function makeRows(count: i32, length: i32): Int8Array[] {
  const made: Int8Array[] = [];
  for (let i = 0; i < count; i++) made.push(new Int8Array(length));
  return made;
}

function randomize(values: Int8Array): void {
  for (let i = 0; i < values.length; i++) values[i] = i8(random.next());
}

function dot(a: Int8Array, b: Int8Array): i32 {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function main(): void {
  for (const row of rows) randomize(row);
  let checksum: u32 = 0;
  for (let round = 0; round < 32; round++) {
    randomize(input);
    for (const row of rows) checksum = (checksum << 5) ^ (checksum >>> 27) ^ u32(dot(input, row));
  }
  log("dot-int8", checksum);
}

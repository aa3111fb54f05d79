/** Traps that are caught, in loops, nested, through functions, and some that are not. */
import { I32Values, NodeFunction, U8Values } from "tmc";

const table = [3, 1, 4, 1, 5, 9, 2, 6];

function at(i: i32): i32 {
  if (i === 200) throw new Error("two hundred");
  return table[i];
}

function quotient(a: i32, b: i32): i32 {
  try {
    return Math.trunc(a / b);
  } catch (e) {
    return e.kind === "division" ? -1 : -2;
  }
}

function outer(i: i32): i32 {
  let sum = 0;
  try {
    try {
      sum += at(i);
    } finally {
      sum += 100;
    }
  } catch (e) {
    if (e.kind === "throw") throw new Error("again");
    sum += 1000;
  }
  return sum;
}

function run(input: Uint8Array, output: Int32Array): i32 {
  let caught = 0;
  let sum = 0;
  for (let i = 0; i < input.length; i++) {
    try {
      sum += outer(input[i]);
    } catch (e) {
      caught++;
    }
    sum += quotient(1000, input[i] & 7);
  }
  output[0] = sum;
  output[1] = caught;
  // Not caught: an index that depends on the data.
  output[2] = at(input.length > 0 ? input[0] % 10 : 0);
  return 3;
}

export const guarded = new NodeFunction({
  name: "guarded",
  version: "1",
  input: new U8Values([-1], { most: 64 }),
  output: new I32Values([3]),
  run,
});

/** Logs, throws, and has a table of texts: addresses that a function image has to move. */
import { I16Values, NodeFunction } from "tmc";

const names = ["zero", "one", "two"];
const calls = new Int32Array(1);

function talking(input: Int16Array, output: Int16Array): i32 {
  calls[0]++;
  if (input[0] < 0) throw new Error("negative");
  const kind = input[0] % 4;
  log(names[kind], input.length, calls[0], f32(input[0]) / 8);
  output[0] = input[input.length - 1];
  output[1] = i16(calls[0]);
  return 2;
}

export const talk = new NodeFunction({
  name: "talking",
  version: "1.2.3",
  input: new I16Values([-1], { most: 8 }),
  output: new I16Values([2]),
  run: talking,
});

/** Never returns for the input 13: what only a watchdog ends. */
import { I16Values, NodeFunction } from "tmc";

const turns = new Int32Array(1);

function hanging(input: Int16Array, output: Int16Array): i32 {
  while (input[0] === 13) turns[0] = (turns[0] + 1) % 7;
  output[0] = input[0];
  return 1;
}

export const hang = new NodeFunction({
  name: "hanging",
  version: "1.0.0",
  input: new I16Values([-1], { most: 8 }),
  output: new I16Values([1]),
  run: hanging,
});

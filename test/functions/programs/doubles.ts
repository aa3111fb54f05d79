/** Doubles in and out, any bits of them: sums that a single would lose, denormals, infinities, NaN. */
import { F64Values, NodeFunction } from "tmc";

export const doubles = new NodeFunction({
  name: "doubles",
  version: "1",
  input: new F64Values([-1, 2], { most: 20, unit: "s" }),
  output: new F64Values([-1, 2], { most: 20 }),
  run: (input: Float64Array, output: Float64Array): i32 => {
    let sum: f64 = 0;
    for (let i = 0; i < input.length; i++) {
      sum += input[i] * 1e-3;
      output[i] = i % 2 === 0 ? Math.sqrt(sum) : input[i];
    }
    return input.length;
  },
});

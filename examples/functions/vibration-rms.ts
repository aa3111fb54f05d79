/** Root mean square of each axis of an acceleration window, without the mean: what a vibration monitor watches. */
import { F32Values, NodeFunction } from "tmc";

const axes = 3;

function vibrationRms(input: Float32Array, output: Float32Array): i32 {
  const rows = Math.trunc(input.length / axes);
  for (let axis = 0; axis < axes; axis++) {
    let sum: f32 = 0;
    for (let row = 0; row < rows; row++) sum += input[row * axes + axis];
    const mean = sum / f32(rows);
    let squares: f32 = 0;
    for (let row = 0; row < rows; row++) {
      const d = input[row * axes + axis] - mean;
      squares += d * d;
    }
    output[axis] = Math.sqrt(squares / f32(rows));
  }
  return axes;
}

export const rms = new NodeFunction({
  name: "vibration-rms",
  version: "1.0.0",
  input: new F32Values([-1, axes], { unit: "g", most: 512 }),
  output: new F32Values([axes], { unit: "g" }),
  run: vibrationRms,
});

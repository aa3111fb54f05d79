/** Arithmetic where targets like to differ: rounding, NaN, saturation, wrapping, wide products, remembered state. */
import { F32Values, I16Values, NodeFunction, sinF32 } from "tmc";

/** State on purpose: where calls start afresh, every one sees 0 here, and `run` puts it back. */
const scratch = new Float32Array(8);

function run(input: Int16Array, output: Float32Array): i32 {
  let product: i64 = 1n;
  let hash: u32 = 2166136261;
  let mean: f64 = 0;
  for (let i = 0; i < input.length; i++) {
    const x = input[i];
    product = product * i64(x) + 7n;
    hash = Math.imul(i32(hash ^ u32(x & 0xffff)), 16777619) >>> 0;
    mean += f64(x) / f64(i + 1);
    scratch[i & 7] = scratch[i & 7] * f32(0.75) + f32(x) * f32(0.1);
  }
  const rows = input.length;
  output[0] = f32(product);
  output[1] = f32(hash);
  output[2] = f32(Math.sqrt(mean));
  output[3] = sinF32(f32(rows) * f32(0.37));
  output[4] = f32(sat.i8(i32(hash >>> 20) - 1000));
  output[5] = f32(i32(mean * 1e9));
  let sum: f32 = 0;
  for (let i = 0; i < 8; i++) {
    sum += scratch[i] / f32(rows);
    scratch[i] = 0;
  }
  output[6] = sum;
  output[7] = f32(Math.round(mean)) / f32(0);
  return 8;
}

export const numbers = new NodeFunction({
  name: "numbers",
  version: "1",
  input: new I16Values([-1, 2], { most: 40 }),
  output: new F32Values([8]),
  run,
});

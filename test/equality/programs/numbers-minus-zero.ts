// Minus zero: floats have it, however it is written or computed; integers do not.
const zeros: RomArray<f64> = [0, -0, -0.0, 0 * -1];
const halves: RomArray<f64> = [-0.5, 0.5, -0.2];
const single: f32 = -0;

export function main(): void {
  for (const z of zeros) log(z, 1 / z, 1 / -z, 1 / (z + 0), 1 / (z - 0), 1 / (z * -1), 1 / Math.abs(z), 1 / Math.sqrt(z));
  log(1 / single, 1 / -single, 1 / (single + single), 1 / (single - single), 1 / f64(single));
  for (const h of halves) log(1 / Math.trunc(h), 1 / Math.ceil(h), 1 / Math.round(h), 1 / Math.floor(h));
  log(1 / Math.min(zeros[0], zeros[1]), 1 / Math.max(zeros[1], zeros[0]), 1 / Math.max(zeros[1], zeros[1]));
  log(1 / (-1 % zeros[3] === 0 ? 1 : zeros[1]), 1 / (-4.5 % 1.5), 1 / (4.5 % -1.5));
  const i: i32 = -0;
  const j: i32 = 0;
  log(1 / f64(i), 1 / f64(-j), 1 / f64(j * -5), 1 / f64(-j % 3), 1 / f64(i32(zeros[1])), 1 / f64(-5 % (j + 5)));
  const data = new Float64Array(2);
  data[1] = -0;
  log(1 / data[0], 1 / data[1], data[0] === data[1]);
}

/** A 32-tap FIR filter in Q15 over blocks of 256 samples; the filter keeps the end of the block before. */
import { Random } from "./lib/random.js";

const taps = 32;
const block = 256;

class Fir {
  /** The last taps - 1 samples of the block before, then the block. */
  private readonly history = new Int16Array(taps - 1 + block);

  constructor(private readonly coefficients: RomArray<i16>) {}

  filter(input: Int16Array, output: Int16Array): void {
    this.history.set(input, taps - 1);
    for (let n = 0; n < output.length; n++) {
      let sum = 1 << 14;
      for (let k = 0; k < taps; k++) sum += this.coefficients[k] * this.history[n + taps - 1 - k];
      output[n] = sat.i16(sum >> 15);
    }
    this.history.set(this.history.subarray(block));
  }
}

function lowPass(): RomArray<i16> {
  const made: i16[] = [];
  for (let k = 0; k < taps; k++) {
    const x = (f64(k) - (taps - 1) / 2) * 0.2 * Math.PI;
    const window = 0.54 - 0.46 * Math.cos((2 * Math.PI * f64(k)) / (taps - 1));
    made.push(i16((Math.sin(x) / x) * 0.2 * window * 32768));
  }
  return made;
}

const fir = new Fir(lowPass());
const input = new Int16Array(block);
const output = new Int16Array(block);

export function main(): void {
  const random = new Random(4);
  let checksum: u32 = 0;
  for (let round = 0; round < 24; round++) {
    for (let i = 0; i < block; i++) input[i] = i16(random.next());
    fir.filter(input, output);
    for (const y of output) checksum = (checksum << 5) ^ (checksum >>> 27) ^ u32(y);
  }
  log("fir-int16", checksum);
}

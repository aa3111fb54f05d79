/** Two biquad sections in f32 over a block of samples, then the root mean square of the block. */
import { Random } from "./lib/random.js";

/** Transposed direct form II. */
class Biquad {
  private z1: f32 = 0;
  private z2: f32 = 0;

  constructor(
    private readonly b0: f32,
    private readonly b1: f32,
    private readonly b2: f32,
    private readonly a1: f32,
    private readonly a2: f32,
  ) {}

  step(x: f32): f32 {
    const y = this.b0 * x + this.z1;
    this.z1 = this.b1 * x - this.a1 * y + this.z2;
    this.z2 = this.b2 * x - this.a2 * y;
    return y;
  }
}

function rms(samples: Float32Array): f32 {
  let sum: f32 = 0;
  for (const x of samples) sum += x * x;
  return Math.sqrt(sum / f32(samples.length));
}

const lowPass = new Biquad(0.0674553, 0.1349105, 0.0674553, -1.1429805, 0.4128016);
const highPass = new Biquad(0.8370891, -1.6741782, 0.8370891, -1.6474576, 0.7008967);
const samples = new Float32Array(512);

export function main(): void {
  const random = new Random(5);
  let level: f32 = 0;
  for (let round = 0; round < 32; round++) {
    for (let i = 0; i < samples.length; i++) {
      const x = f32(i16(random.next())) / 32768;
      samples[i] = highPass.step(lowPass.step(x));
    }
    level += rms(samples);
  }
  log("biquad-f32", level);
}

// modes: both
// Windows, mel filters, log-mel spectra and statistics: what goes into a model, the same bits everywhere.
import {
  LogMel,
  MelFilterBank,
  Moments,
  Window,
  WindowI16,
  maximum,
  mean,
  minimum,
  peak,
  rms,
  sinF32,
  zeroCrossingRate,
} from "tmc";

const speech = new LogMel({ rate: 16000, size: 512, filters: 40, low: 20, high: 4000, frame: 480 });
const vibration = new LogMel({
  rate: 1600,
  size: 128,
  filters: 12,
  low: 10,
  scale: "slaney",
  window: "hamming",
  magnitude: true,
  floor: 0.001,
});
const bank = new MelFilterBank({ rate: 100, size: 64, filters: 8 });
const hann = new Window("hann", 16);
const blackman = new Window("blackman", 16, false);
const fixed = new WindowI16("hamming", 16);
const samples = new Float32Array(600);
const few = new Float32Array(16);
const words = new Int16Array(16);
const flat = new Float32Array(33);
const out = new Float32Array(40);
const moments = new Moments();

function statistics(data: Float32Array): void {
  moments.run(data);
  log(mean(data), rms(data), minimum(data), maximum(data), peak(data), zeroCrossingRate(data));
  log(moments.mean, moments.variance, moments.skewness, moments.kurtosis);
}

export function main(): void {
  let random: u32 = 99;
  for (let i = 0; i < samples.length; i++) {
    random = (random * 1664525 + 1013904223) >>> 0;
    samples[i] = sinF32(f32(i) * 0.31) * 2 + f32(i32(random)) * 2e-10;
  }
  speech.run(samples, 120, out);
  for (let i = 0; i < 40; i += 4) log(out[i], out[i + 1], out[i + 2], out[i + 3]);
  vibration.run(samples, 0, out);
  for (let i = 0; i < 12; i += 4) log(out[i], out[i + 1], out[i + 2], out[i + 3]);
  flat.fill(1);
  bank.run(flat, out);
  log(out[0], out[3], out[7]);
  few.fill(1);
  hann.run(few);
  blackman.run(few);
  words.fill(-32768);
  fixed.run(words);
  for (let i = 0; i < 16; i += 4) log(few[i], few[i + 1], few[i + 3], words[i], words[i + 2]);
  log(hann.sum, hann.squares);
  statistics(samples);
  statistics(few);
}

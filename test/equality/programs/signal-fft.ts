// modes: both
// Real transforms of every kind of size in f32 and i16: full-scale noise, a square wave, a sine between two bins.
import { RealFft, RealFftI16, magnitudeSpectrum, peakBin, powerSpectrum, powerSpectrumI16, sinF32 } from "tmc";

const fft8 = new RealFft(8);
const fft16 = new RealFft(16);
const fft256 = new RealFft(256);
const fft512 = new RealFft(512);
const fixed8 = new RealFftI16(8);
const fixed16 = new RealFftI16(16);
const fixed256 = new RealFftI16(256);
const fixed512 = new RealFftI16(512);
const data = new Float32Array(512);
const words = new Int16Array(512);
const spectrum = new Float32Array(257);
let random: u32 = 12345;

function sample(kind: i32, n: i32): i16 {
  random = (random * 1664525 + 1013904223) >>> 0;
  if (kind === 0) return i16(random >>> 16);
  if (kind === 1) return (n & 4) !== 0 ? 32767 : -32768;
  return i16(32000 * sinF32(f32(n) * 0.7));
}

function fill(kind: i32): void {
  for (let n = 0; n < 512; n++) {
    words[n] = sample(kind, n);
    data[n] = f32(words[n]) * 0.000030517578125;
  }
}

function hashOfData(count: i32): u32 {
  let hash: u32 = 2166136261;
  for (let i = 0; i < count; i++) hash = ((hash ^ f32Bits(data[i])) * 16777619) >>> 0;
  return hash;
}

function hashOfWords(count: i32): u32 {
  let hash: u32 = 2166136261;
  for (let i = 0; i < count; i++) hash = ((hash ^ u32(words[i] & 0xffff)) * 16777619) >>> 0;
  return hash;
}

function show(fft: RealFft, kind: i32): void {
  fill(kind);
  fft.run(data);
  log(fft.size, kind, data[0], data[1], data[2], data[3], data[4], hashOfData(fft.size));
}

function showFixed(fft: RealFftI16, kind: i32): void {
  fill(kind);
  fft.run(words);
  log(fft.size, kind, words[0], words[1], words[2], words[3], words[4], hashOfWords(fft.size));
}

export function main(): void {
  for (let kind = 0; kind < 3; kind++) {
    show(fft8, kind);
    show(fft16, kind);
    show(fft256, kind);
    show(fft512, kind);
    showFixed(fixed8, kind);
    showFixed(fixed16, kind);
    showFixed(fixed256, kind);
    showFixed(fixed512, kind);
  }
  powerSpectrumI16(words, 512, spectrum);
  log(peakBin(spectrum, 0, 257), spectrum[57], spectrum[256]);
  fft512.run(data);
  powerSpectrum(data, 512, spectrum);
  log(peakBin(spectrum, 0, 257), spectrum[57], spectrum[256]);
  magnitudeSpectrum(data, 512, spectrum);
  log(peakBin(spectrum, 0, 257), spectrum[57], spectrum[256]);
}

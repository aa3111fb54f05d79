// modes: both
// Every 500009th bit pattern (all magnitudes, denormals, NaN) through every f32 function: the bits are the same everywhere.
// No expected text: the library may improve.
import { atan2F32, atanF32, cosF32, expF32, log10F32, log2F32, logF32, powF32, sigmoidF32, sinF32, tanF32, tanhF32 } from "tmc";

const names: string[] = ["exp", "log", "log2", "log10", "tanh", "sigmoid", "sin", "cos", "tan", "atan", "atan2", "pow", "pow large"];
const hashes = new Uint32Array(13);

function mix(index: i32, y: f32): void {
  hashes[index] = ((hashes[index] ^ f32Bits(y)) * 16777619) >>> 0;
}

export function main(): void {
  hashes.fill(2166136261);
  let bits: u32 = 0;
  let other: u32 = 0x9e3779b9;
  for (let i = 0; i < 8590; i++) {
    const x = f32FromBits(bits);
    other = (other * 1664525 + 1013904223) >>> 0;
    const y = f32FromBits(other);
    mix(0, expF32(x));
    mix(1, logF32(x));
    mix(2, log2F32(x));
    mix(3, log10F32(x));
    mix(4, tanhF32(x));
    mix(5, sigmoidF32(x));
    mix(6, sinF32(x));
    mix(7, cosF32(x));
    mix(8, tanF32(x));
    mix(9, atanF32(x));
    mix(10, atan2F32(x, y));
    mix(11, powF32(x, y));
    mix(12, powF32(1 + f32(i) * 0.001, f32(i & 255) - 100));
    bits = (bits + 500009) >>> 0;
  }
  for (let i = 0; i < names.length; i++) log(names[i], hashes[i]);
}

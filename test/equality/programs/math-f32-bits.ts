// Every bit of the f32 functions over many arguments, the same on every target. No expected text: the library may improve.
import {
  atan2F32,
  atanF32,
  cosF32,
  expF32,
  log10F32,
  log2F32,
  logF32,
  powF32,
  sigmoidF32,
  sinF32,
  tanF32,
  tanhF32,
} from "tmc";

const edges: RomArray<f32> = [0, -0, 1e-30, 1e-45, 0.1, 1, 1.5707964, 3.1415927, 88.7, 88.8, -87, -103, 1000, 8192, 1e6, 3e38];

function mix(hash: u32, x: f32): u32 {
  return ((hash ^ f32Bits(x)) * 16777619) >>> 0;
}

export function main(): void {
  for (const x of edges) {
    log(x, expF32(x), logF32(x), sinF32(x), cosF32(x), tanhF32(x), sigmoidF32(x));
    log(x, tanF32(x), atanF32(x), atan2F32(x, -1), log2F32(x), log10F32(x), powF32(x, 0.75), powF32(1.5, -x));
    log(-x, expF32(-x), logF32(-x), sinF32(-x), cosF32(-x), tanhF32(-x), sigmoidF32(-x));
  }
  let hash: u32 = 2166136261;
  for (let i = -2000; i <= 2000; i++) {
    const x = f32(i) * 0.0137;
    hash = mix(mix(mix(hash, expF32(x)), sinF32(x)), cosF32(x));
    hash = mix(mix(hash, tanhF32(x)), logF32(Math.abs(x)));
    hash = mix(mix(mix(hash, tanF32(x)), atanF32(x)), atan2F32(x, 3 - x));
    hash = mix(mix(mix(hash, log2F32(Math.abs(x))), log10F32(Math.abs(x))), powF32(Math.abs(x), x * 0.1));
  }
  log(hash);
}

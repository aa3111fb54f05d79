// The f32 functions of the library: the same bits on every target, and close to the exact values.
import { cosF32, expF32, logF32, sigmoidF32, sinF32, tanhF32 } from "tmc";

const xs: RomArray<f32> = [0, -0, 1e-30, 0.1, 0.5, 0.7, 1, 1.5707964, 2, 3.1415927, -3.1415927, 10, -10, 88.7, 88.8, -87, -103, -104, 1000, 8192];

export function main(): void {
  for (const x of xs) log(x, expF32(x), logF32(x), sinF32(x), cosF32(x), tanhF32(x), sigmoidF32(x));
  const nan = f32(NaN);
  const inf = f32(Infinity);
  log(expF32(nan), logF32(nan), sinF32(nan), cosF32(nan), tanhF32(nan));
  log(expF32(inf), expF32(-inf), logF32(inf), logF32(-1), sinF32(inf), tanhF32(inf), tanhF32(-inf));
  // Every bit counts: a hash over many arguments.
  let hash: u32 = 2166136261;
  for (let i = -2000; i <= 2000; i++) {
    const x = f32(i) * 0.0137;
    hash = ((hash ^ f32Bits(expF32(x))) * 16777619) >>> 0;
    hash = ((hash ^ f32Bits(sinF32(x))) * 16777619) >>> 0;
    hash = ((hash ^ f32Bits(cosF32(x))) * 16777619) >>> 0;
    hash = ((hash ^ f32Bits(tanhF32(x))) * 16777619) >>> 0;
    hash = ((hash ^ f32Bits(logF32(Math.abs(x)))) * 16777619) >>> 0;
  }
  log(hash);
}

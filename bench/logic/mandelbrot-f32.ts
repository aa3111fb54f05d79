/** Iterations of the Mandelbrot set over a 64 × 48 grid, in f32. */
const width = 64;
const height = 48;
const limit = 100;

/** Iterations until the orbit of c = cr + ci·i leaves the disc of radius 2, at most `limit`. */
function iterations(cr: f32, ci: f32): i32 {
  let zr: f32 = 0;
  let zi: f32 = 0;
  for (let n = 0; n < limit; n++) {
    const rr = zr * zr;
    const ii = zi * zi;
    if (rr + ii > 4) return n;
    zi = 2 * zr * zi + ci;
    zr = rr - ii + cr;
  }
  return limit;
}

export function main(): void {
  let checksum: u32 = 0;
  for (let y = 0; y < height; y++) {
    const ci = (f32(y) / f32(height)) * 2.5 - 1.25;
    for (let x = 0; x < width; x++) {
      const cr = (f32(x) / f32(width)) * 3.5 - 2.5;
      checksum = (checksum << 1) ^ (checksum >>> 31) ^ u32(iterations(cr, ci));
    }
  }
  log("mandelbrot-f32", checksum);
}

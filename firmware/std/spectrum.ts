/**
 * Power and magnitude of packed spectra (fft.ts, fft-i16.ts). `count` = size of the transform; the result has
 * count / 2 + 1 values, one for each frequency k * rate / count. Not scaled: window.ts says what a sine or noise gives.
 */

/** out[k] = |X[k]|^2. Error below 1.5 ulp. `out` may be `packed`. Traps when an array is shorter than count or count / 2 + 1. */
export function powerSpectrum(packed: Float32Array, count: i32, out: Float32Array): void {
  const half = count >> 1;
  const last = packed[1] * packed[1];
  out[0] = packed[0] * packed[0];
  for (let k = 1; k < half; k++) {
    const re = packed[2 * k];
    const im = packed[2 * k + 1];
    out[k] = re * re + im * im;
  }
  out[half] = last;
}

/** out[k] = |X[k]|. Error below 1.5 ulp where |X[k]|^2 is a normal number. As `powerSpectrum`. */
export function magnitudeSpectrum(packed: Float32Array, count: i32, out: Float32Array): void {
  const half = count >> 1;
  const last = Math.abs(packed[1]);
  out[0] = Math.abs(packed[0]);
  for (let k = 1; k < half; k++) {
    const re = packed[2 * k];
    const im = packed[2 * k + 1];
    out[k] = Math.sqrt(re * re + im * im);
  }
  out[half] = last;
}

/** out[k] = |X[k]|^2 of a fixed-point spectrum, as an exact or correctly rounded single: 0 to 2^31. As `powerSpectrum`. */
export function powerSpectrumI16(packed: Int16Array, count: i32, out: Float32Array): void {
  const half = count >> 1;
  const last = f32(packed[1] * packed[1]);
  out[0] = f32(packed[0] * packed[0]);
  for (let k = 1; k < half; k++) {
    const re = u32(packed[2 * k] * packed[2 * k]);
    const im = u32(packed[2 * k + 1] * packed[2 * k + 1]);
    out[k] = f32(re + im);
  }
  out[half] = last;
}

/** The largest of out[first] .. out[end - 1]: its index, or -1 when there is none. The frequency is index * rate / count. */
export function peakBin(spectrum: Float32Array, first: i32, end: i32): i32 {
  let at = -1;
  let largest: f32 = f32(-Infinity);
  for (let k = first; k < end; k++) {
    if (spectrum[k] > largest) {
      largest = spectrum[k];
      at = k;
    }
  }
  return at;
}

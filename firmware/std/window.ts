/**
 * Window functions that are multiplied into samples before a transform: F. J. Harris, "On the Use of Windows for
 * Harmonic Analysis with the Discrete Fourier Transform", Proc. IEEE 66 (1978). Tables are made in setup.
 */

/**
 * With t = n / size (periodic, for spectra) or n / (size - 1) (symmetric, for filters):
 * Hann 0.5 - 0.5 cos(2 pi t), Hamming 0.54 - 0.46 cos(2 pi t), Blackman 0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t).
 */
export type WindowShape = "hann" | "hamming" | "blackman" | "rectangular";

/** The `size` coefficients, 0 to 1. @setup */
export function windowTable(shape: WindowShape, size: i32, periodic: boolean = true): f64[] {
  const table: f64[] = [];
  const period = f64(periodic ? size : size - 1);
  for (let n = 0; n < size; n++) {
    const angle = size === 1 ? Math.PI : (2 * Math.PI * f64(n)) / period;
    const cos = Math.cos(angle);
    if (shape === "hann") table.push(0.5 - 0.5 * cos);
    else if (shape === "hamming") table.push(0.54 - 0.46 * cos);
    else if (shape === "blackman") table.push(Math.max(0, 0.42 - 0.5 * cos + 0.08 * Math.cos(2 * angle)));
    else table.push(1);
  }
  return table;
}

/** Flash: 4 bytes per sample; RAM: none. Coefficients are the nearest singles. */
export class Window {
  readonly coefficients: Float32Array;
  /** Sum of the coefficients: a sine of amplitude A at the middle of a bin gives |X[k]| = A * sum / 2. */
  readonly sum: f32;
  /** Sum of their squares: noise of variance v gives a mean |X[k]|^2 of v * squares. */
  readonly squares: f32;

  /** `size`: samples, at least 1. @setup */
  constructor(
    shape: WindowShape,
    readonly size: i32,
    periodic: boolean = true,
  ) {
    const table = windowTable(shape, size, periodic);
    this.coefficients = Float32Array.from(table);
    this.sum = f32(table.reduce((sum: f64, c) => sum + c, 0));
    this.squares = f32(table.reduce((sum: f64, c) => sum + c * c, 0));
  }

  /** Multiplies the first `size` samples by the window. Relative error below 2^-23. Traps when `data` is shorter. */
  run(data: Float32Array): void {
    const coefficients = this.coefficients;
    for (let i = 0; i < coefficients.length; i++) data[i] *= coefficients[i];
  }
}

/** For 16-bit samples: coefficients of 15 bits. Flash: 2 bytes per sample; RAM: none. */
export class WindowI16 {
  readonly coefficients: Int16Array;

  /** `size`: samples, at least 1. @setup */
  constructor(
    shape: WindowShape,
    readonly size: i32,
    periodic: boolean = true,
  ) {
    const table = windowTable(shape, size, periodic);
    this.coefficients = Int16Array.from(table.map((c) => Math.min(32767, Math.round(c * 32768))));
  }

  /** Multiplies the first `size` samples by the window, rounded. Error 1.5 (of 32768). Traps when `data` is shorter. */
  run(data: Int16Array): void {
    const coefficients = this.coefficients;
    for (let i = 0; i < coefficients.length; i++) data[i] = i16((data[i] * coefficients[i] + 16384) >> 15);
  }
}

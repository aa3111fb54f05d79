/**
 * Mel filter banks and log-mel spectra. Filters are triangles between neighbouring points that are equally far apart
 * on the mel scale; they are made in setup, stored without their zeros, and applied at run time. Two definitions:
 * - "htk": mel = 1127 ln(1 + f / 700), triangles linear in mel, height 1, nothing from the bin of frequency 0: what
 *   tf.signal.linear_to_mel_weight_matrix computes (S. Young et al., The HTK Book, 5.4).
 * - "slaney": linear below 1000 Hz (3 mel per 200 Hz), then 27 mel per factor 6.4; triangles linear in frequency, of
 *   area 1 (height 2 / width in Hz): what librosa.filters.mel computes (M. Slaney, Auditory Toolbox, 1998).
 * No discrete cosine transform (MFCC).
 */
import { RealFft } from "./fft.js";
import { logF32 } from "./math.js";
import { magnitudeSpectrum, powerSpectrum } from "./spectrum.js";
import { Window, type WindowShape } from "./window.js";

export type MelScale = "htk" | "slaney";

export interface MelOptions {
  /** Hz. */
  readonly rate: f64;
  /** Size of the transform: the bank takes size / 2 + 1 values. */
  readonly size: i32;
  /** How many filters. */
  readonly filters: i32;
  /** Hz; where the first filter begins. Default 0. */
  readonly low?: f64;
  /** Hz; where the last filter ends. Default rate / 2. */
  readonly high?: f64;
  /** Default "htk". */
  readonly scale?: MelScale;
}

/** Mel of a frequency in Hz. @setup */
export function melOf(hertz: f64, scale: MelScale): f64 {
  if (scale === "htk") return 1127 * Math.log(1 + hertz / 700);
  return hertz < 1000 ? (hertz * 3) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
}

/** The frequency in Hz of a mel. @setup */
export function hertzOf(mel: f64, scale: MelScale): f64 {
  if (scale === "htk") return 700 * (Math.exp(mel / 1127) - 1);
  return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
}

/** The weight of every filter (rows) for every bin of the spectrum (columns), zeros included. @setup */
export function melWeights(options: MelOptions): f64[][] {
  const scale = options.scale ?? "htk";
  const low = melOf(options.low ?? 0, scale);
  const high = melOf(options.high ?? options.rate / 2, scale);
  const points: f64[] = [];
  for (let i = 0; i < options.filters + 2; i++) {
    const mel = low + ((high - low) * f64(i)) / f64(options.filters + 1);
    points.push(scale === "htk" ? mel : hertzOf(mel, scale));
  }
  const rows: f64[][] = [];
  for (let filter = 0; filter < options.filters; filter++) {
    const left = points[filter];
    const middle = points[filter + 1];
    const right = points[filter + 2];
    const row: f64[] = [];
    for (let bin = 0; bin <= options.size >> 1; bin++) {
      const hertz = (f64(bin) * options.rate) / f64(options.size);
      const x = scale === "htk" ? melOf(hertz, scale) : hertz;
      const triangle = Math.max(0, Math.min((x - left) / (middle - left), (right - x) / (right - middle)));
      row.push(scale === "htk" ? (bin === 0 ? 0 : triangle) : (triangle * 2) / (right - left));
    }
    rows.push(row);
  }
  return rows;
}

/** Flash: 4 bytes per weight that is not 0 (about `size`, for each bin belongs to two filters) and 4 per filter. */
export class MelFilterBank {
  readonly filters: i32;
  private readonly weights: Float32Array;
  /** Of each filter: its first bin, and where its weights end. */
  private readonly firsts: Uint16Array;
  private readonly ends: Uint16Array;

  /** @throws when a filter has no bin of the spectrum: fewer filters, or a larger transform. @setup */
  constructor(options: MelOptions) {
    this.filters = options.filters;
    const weights: f64[] = [];
    const firsts: u16[] = [];
    const ends: u16[] = [];
    for (const row of melWeights(options)) {
      let first = 0;
      while (first < row.length && row[first] === 0) first++;
      if (first === row.length) throw new Error("a mel filter is narrower than the bins of the spectrum");
      firsts.push(u16(first));
      for (let bin = first; bin < row.length && row[bin] !== 0; bin++) weights.push(row[bin]);
      ends.push(u16(weights.length));
    }
    this.weights = Float32Array.from(weights);
    this.firsts = new Uint16Array(firsts);
    this.ends = new Uint16Array(ends);
  }

  /**
   * out[i] = the weighted sum of filter i over `spectrum` (size / 2 + 1 values, power or magnitude). Relative error
   * below n 2^-24 for a filter of n bins. Traps when an array is shorter than what is read or written.
   */
  run(spectrum: Float32Array, out: Float32Array): void {
    const weights = this.weights;
    let at = 0;
    for (let i = 0; i < this.filters; i++) {
      let sum: f32 = 0;
      const end = this.ends[i];
      for (let bin = i32(this.firsts[i]); at < end; bin++) {
        sum += weights[at] * spectrum[bin];
        at++;
      }
      out[i] = sum;
    }
  }
}

export interface LogMelOptions extends MelOptions {
  /** Samples of a frame, at most `size`: the rest is zeros. Default `size`. */
  readonly frame?: i32;
  /** Default "hann". */
  readonly window?: WindowShape;
  /** Filters see the power (default) or the magnitude. */
  readonly magnitude?: boolean;
  /** Smaller sums count as this one. Default 1e-6. */
  readonly floor?: f64;
}

/** From samples to the logarithms of mel sums. RAM: 4 bytes per sample; flash: that of its three parts. */
export class LogMel {
  readonly bank: MelFilterBank;
  readonly frame: i32;
  private readonly fft: RealFft;
  private readonly window: Window;
  private readonly floor: f32;
  private readonly magnitude: boolean;
  private readonly data: Float32Array;

  /** @setup */
  constructor(options: LogMelOptions) {
    this.frame = options.frame ?? options.size;
    if (this.frame > options.size) throw new Error("a frame has at most the samples of the transform");
    this.bank = new MelFilterBank(options);
    this.fft = new RealFft(options.size);
    this.window = new Window(options.window ?? "hann", this.frame);
    this.floor = f32(options.floor ?? 1e-6);
    this.magnitude = options.magnitude ?? false;
    this.data = new Float32Array(options.size);
  }

  /** out[i] = ln(max(floor, mel sum i)) of samples[start] .. samples[start + frame - 1], which stay as they are. */
  run(samples: Float32Array, start: i32, out: Float32Array): void {
    const data = this.data;
    for (let i = 0; i < this.frame; i++) data[i] = samples[start + i];
    for (let i = this.frame; i < data.length; i++) data[i] = 0;
    this.window.run(data);
    this.fft.run(data);
    if (this.magnitude) magnitudeSpectrum(data, data.length, data);
    else powerSpectrum(data, data.length, data);
    this.bank.run(data, out);
    for (let i = 0; i < this.bank.filters; i++) out[i] = logF32(out[i] > this.floor ? out[i] : this.floor);
  }
}

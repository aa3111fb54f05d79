/**
 * What goes into a model, summed up feature by feature: count, least, most, mean, variance, and a histogram whose bins
 * divide the quantised range. No sample is kept and none leaves the node. Sums are integers, so every target gives the same
 * bits. A feature is a place along the input's last dimension (a channel of a window); it decides nothing about what it sees.
 */
import type { CborWriter } from "../std/cbor-writer.js";

export const maxDriftFeatures = 8;
/** Values of int8. */
const range = 256;
/** Samples of a feature in one window, so that its sum of squares stays below 2^31. */
const maxWindow = 100000;

export class Drift {
  features: i32 = 1;
  /** Bytes that `write` needs at most, beside the model's name. */
  readonly mostBytes: i32;
  private scale: f32 = 1;
  private zeroPoint: i32 = 0;
  /** Values of a bin, as a shift. */
  private readonly binShift: i32;
  /** Which baseline this is; -1: none yet. */
  private epoch: i32 = -1;
  /** Samples of each feature. */
  private count: u32 = 0;
  private readonly least: Int8Array;
  private readonly greatest: Int8Array;
  /** Sums of the quantised values and of their squares. */
  private readonly sums: BigInt64Array;
  private readonly squares: BigInt64Array;
  private readonly histogram: Uint32Array;

  /** At most `most` (1 to 8) features; `bins`: a power of two from 2 to 16. `watch` says of what. @setup */
  constructor(
    readonly most: i32,
    readonly bins: i32,
  ) {
    if (most < 1 || most > maxDriftFeatures) throw new Error("a drift has 1 to 8 features");
    if (bins < 2 || bins > 16 || (bins & (bins - 1)) !== 0) {
      throw new Error("the bins of a drift are a power of two from 2 to 16");
    }
    let shift = 0;
    while (bins << shift < range) shift++;
    this.binShift = shift;
    this.mostBytes = 20 + most * (25 + 5 * bins);
    this.least = new Int8Array(most);
    this.greatest = new Int8Array(most);
    this.sums = new BigInt64Array(most);
    this.squares = new BigInt64Array(most);
    this.histogram = new Uint32Array(most * bins);
    this.clear();
  }

  /**
   * Starts anew with another model's input: `last` values a sample, `elements` in all, real = scale * (q - zeroPoint). More
   * features than there are places for are summed up as one. False: too large to be summed up.
   */
  watch(last: i32, elements: i32, scale: f32, zeroPoint: i32): boolean {
    this.features = last > 1 && last <= this.most ? last : 1;
    this.scale = scale;
    this.zeroPoint = zeroPoint;
    this.clear();
    return elements <= maxWindow * this.features;
  }

  /** Starts anew when this is another epoch. */
  begin(epoch: i32): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.clear();
  }

  clear(): void {
    this.count = 0;
    this.least.fill(127);
    this.greatest.fill(-128);
    this.sums.fill(0n);
    this.squares.fill(0n);
    this.histogram.fill(0);
  }

  /** A whole input, features interleaved. Starts anew before a count would pass 32 bits. */
  add(input: Int8Array): void {
    const features = this.features;
    const samples = u32(Math.trunc(input.length / features));
    if (this.count > 0xffffffff - samples) this.clear();
    this.count = this.count + samples;
    for (let f = 0; f < features; f++) this.addFeature(input, f);
  }

  /** A drift-summary of the protocol, of the model of this name; real values in the model's unit. */
  write(writer: CborWriter, model: string): void {
    writer.beginMap(4);
    writer.writeInt(0);
    writer.writeText(model);
    writer.writeInt(1);
    writer.writeInt(Math.max(this.epoch, 0));
    writer.writeInt(2);
    writer.writeUint(this.count);
    writer.writeInt(3);
    const isEmpty = this.count === 0;
    writer.beginArray(isEmpty ? 0 : this.features);
    for (let f = 0; f < this.features && !isEmpty; f++) {
      writer.beginArray(5);
      writer.writeF32(this.real(this.least[f]));
      writer.writeF32(this.real(this.greatest[f]));
      writer.writeF32(this.mean(f));
      writer.writeF32(this.variance(f));
      writer.beginArray(this.bins);
      for (let b = 0; b < this.bins; b++) writer.writeUint(this.histogram[f * this.bins + b]);
    }
  }

  /** Of a feature, in the model's unit; 0 without samples. */
  mean(feature: i32): f32 {
    if (this.count === 0) return 0;
    const steps = f32(i32(this.meanQ16(feature)) - (this.zeroPoint << 16));
    return (steps / 65536) * this.scale;
  }

  /** Of a feature (divided by the count), in the model's unit squared; 0 without samples. */
  variance(feature: i32): f32 {
    if (this.count === 0) return 0;
    const mean = this.meanQ16(feature);
    const meanSquare = (this.squares[feature] << 16n) / i64(this.count);
    const steps = meanSquare - ((mean * mean) >> 16n);
    return (f32(i32(steps > 0n ? steps : 0n)) / 65536) * this.scale * this.scale;
  }

  private addFeature(input: Int8Array, feature: i32): void {
    let sum = 0;
    let square = 0;
    let least = i32(this.least[feature]);
    let most = i32(this.greatest[feature]);
    const first = feature * this.bins;
    for (let i = feature; i < input.length; i += this.features) {
      const q = i32(input[i]);
      sum += q;
      square += q * q;
      least = Math.min(least, q);
      most = Math.max(most, q);
      const bin = first + ((q + 128) >> this.binShift);
      this.histogram[bin] = (this.histogram[bin] + 1) >>> 0;
    }
    this.least[feature] = i8(least);
    this.greatest[feature] = i8(most);
    this.sums[feature] = this.sums[feature] + i64(sum);
    this.squares[feature] = this.squares[feature] + i64(square);
  }

  private real(q: i32): f32 {
    return f32(q - this.zeroPoint) * this.scale;
  }

  /** The mean of the quantised values, in 1/65536. */
  private meanQ16(feature: i32): i64 {
    return (this.sums[feature] << 16n) / i64(this.count);
  }
}

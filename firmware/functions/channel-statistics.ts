/** Running mean, minimum, maximum and root mean square of each channel, in single precision, for any number of frames. */
import type { CborWriter } from "../std/cbor-writer.js";

export class ChannelStatistics {
  private channels: i32 = 0;
  private frames: i32 = 0;
  private readonly mean: Float32Array;
  private readonly least: Float32Array;
  private readonly most: Float32Array;
  private readonly meanSquare: Float32Array;

  constructor(readonly maxChannels: i32) {
    this.mean = new Float32Array(maxChannels);
    this.least = new Float32Array(maxChannels);
    this.most = new Float32Array(maxChannels);
    this.meanSquare = new Float32Array(maxChannels);
  }

  clear(channels: i32): void {
    this.channels = channels;
    this.frames = 0;
    this.mean.fill(0);
    this.least.fill(f32(Infinity));
    this.most.fill(f32(-Infinity));
    this.meanSquare.fill(0);
  }

  /** Whole frames, channels interleaved. */
  add(values: Float32Array): void {
    for (let i = 0; i < values.length; i += this.channels) {
      this.frames++;
      const weight = 1 / f32(this.frames);
      for (let c = 0; c < this.channels; c++) {
        const x = values[i + c];
        this.mean[c] += (x - this.mean[c]) * weight;
        this.meanSquare[c] += (x * x - this.meanSquare[c]) * weight;
        this.least[c] = Math.min(this.least[c], x);
        this.most[c] = Math.max(this.most[c], x);
      }
    }
  }

  /** An array of [mean, min, max, rms] by channel. */
  write(writer: CborWriter): void {
    writer.beginArray(this.channels);
    for (let c = 0; c < this.channels; c++) {
      writer.beginArray(4);
      writer.writeF32(this.mean[c]);
      writer.writeF32(this.least[c]);
      writer.writeF32(this.most[c]);
      writer.writeF32(Math.sqrt(this.meanSquare[c]));
    }
  }
}

/**
 * TypeScript between two pieces of C: C calls `tmc_filter_step`, which reads a sensor that C implements and gives a
 * smoothed value back.
 */

/** How often a value was out of range, for the C side to show. */
export type Quality = "good" | "clipped";

/** Reads the converter: 0 to 4095. @binding board_read_adc */
declare function readAdc(channel: i32): u16;

/** Told whenever the quality changes. @binding board_show_quality */
declare function showQuality(quality: Quality, label: string): void;

/** Moving average over the last readings of one channel, in volts. */
class Smoother {
  private readonly window = new Float32Array(4);
  private at = 0;
  private filled = 0;
  private sum: f32 = 0;

  add(volts: f32): f32 {
    this.sum = this.sum - this.window[this.at] + volts;
    this.window[this.at] = volts;
    this.at = (this.at + 1) & 3;
    if (this.filled < 4) this.filled++;
    return this.sum / f32(this.filled);
  }
}

const channels = [new Smoother(), new Smoother()];
let quality: Quality = "good";

/** Reads `channel` once and gives the mean of its last four readings, in volts. Traps on a channel that is not 0 or 1. */
function filterStep(channel: i32): f32 {
  const smoother = channels[channel];
  const raw = readAdc(channel);
  const now: Quality = raw < 4095 ? "good" : "clipped";
  if (now !== quality) {
    quality = now;
    showQuality(now, channel === 0 ? "left" : "right");
  }
  return smoother.add(f32(raw) * f32(3.3 / 4095));
}

/** The sum of bytes that C hands over, for the length of the call. */
function checksum(bytes: Uint8Array): u32 {
  let sum: u32 = 0;
  for (const b of bytes) sum = (sum + b) >>> 0;
  return sum;
}

entry("filter_step", filterStep);
entry("checksum", checksum);

// No expected text: Node.js says what the sums are, firmware/core/drift.test.ts whether they are right.
import { CborWriter, Drift } from "tmc";

const drift = new Drift(3, 8);
drift.watch(3, 192, 0.0471, -11);
const window = new Int8Array(192);
const writer = new CborWriter(600);

export function main(): void {
  let state: u32 = 12345;
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < window.length; i++) {
      state = u32(Math.imul(i32(state), 1664525) + 1013904223);
      window[i] = i8(i32(state >>> 24) - (round % 3) * 40);
    }
    if (round === 20) drift.begin(3);
    drift.add(window);
    for (let f = 0; f < drift.features; f++) {
      log(round, f, f32Bits(drift.mean(f)), f32Bits(drift.variance(f)));
    }
    writer.clear();
    drift.write(writer, "m@1");
    let sum: u32 = 0;
    const bytes = writer.written();
    for (let i = 0; i < bytes.length; i++) sum = (sum * 31 + u32(bytes[i])) >>> 0;
    log(round, bytes.length, sum);
  }
}

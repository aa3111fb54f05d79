// Typical firmware arithmetic: FIR in i16, biquad in f32, moving average, sort, fixed point, a state machine.
const taps: RomArray<i16> = [-1024, 2048, 16384, 16384, 2048, -1024];
const input = new Int16Array(32);
for (let i = 0; i < 32; i++) input[i] = i16(((i * 7919) % 65536) - 32768);
const output = new Int16Array(32);
type State = "idle" | "heating" | "cooling";

class Biquad {
  private z1: f32 = 0;
  private z2: f32 = 0;
  constructor(
    private readonly b0: f32,
    private readonly b1: f32,
    private readonly b2: f32,
    private readonly a1: f32,
    private readonly a2: f32,
  ) {}
  step(x: f32): f32 {
    const y = this.b0 * x + this.z1;
    this.z1 = this.b1 * x - this.a1 * y + this.z2;
    this.z2 = this.b2 * x - this.a2 * y;
    return y;
  }
}
class Thermostat {
  state: State = "idle";
  switches: i32 = 0;
  update(celsius: f32): State {
    const before = this.state;
    switch (this.state) {
      case "idle":
        if (celsius < 18.5) this.state = "heating";
        else if (celsius > 25) this.state = "cooling";
        break;
      case "heating":
        if (celsius > 20) this.state = "idle";
        break;
      case "cooling":
        if (celsius < 23) this.state = "idle";
        break;
    }
    if (before !== this.state) this.switches++;
    return this.state;
  }
}
const filter = new Biquad(0.2, 0.4, 0.2, -0.3, 0.1);
const thermostat = new Thermostat();

function fir(x: Int16Array, y: Int16Array): void {
  for (let n = 0; n < x.length; n++) {
    let acc = 0;
    for (let k = 0; k < taps.length; k++) if (n >= k) acc += x[n - k] * taps[k];
    y[n] = sat.i16(acc >> 15);
  }
}
function q15(a: i16, b: i16): i16 {
  return sat.i16((a * b + 0x4000) >> 15);
}
function rms(x: Int16Array): f32 {
  let sum: f32 = 0;
  for (const v of x) {
    const s = f32(v) / 32768;
    sum += s * s;
  }
  return Math.sqrt(sum / f32(x.length));
}

export function main(): void {
  fir(input, output);
  log(output[0], output[5], output[10], output[31], rms(input), rms(output));
  log(q15(-32768, -32768), q15(16384, 16384), q15(-32768, 32767));
  let energy: f32 = 0;
  for (let i = 0; i < 64; i++) {
    const y = filter.step(i < 1 ? 1 : 0);
    energy += y * y;
    if (i < 4) log(y);
  }
  log(energy);
  for (let t = 0; t < 12; t++) log(t, thermostat.update(f32(((t * 37) % 20) + 12)));
  log(thermostat.switches);
  let crc: u32 = 0xffff;
  for (const v of output) {
    crc ^= u32(v & 0xff) << 8;
    for (let i = 0; i < 8; i++) crc = ((crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  log(crc);
}

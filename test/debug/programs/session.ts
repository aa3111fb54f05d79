// What the test of the debugger stops in: the line numbers are part of the test.
class Filter {
  private sum: f32 = 0;
  private readonly taps = new Float32Array(4);
  count = 0;

  push(sample: f32): f32 {
    const slot = this.count & 3;
    const old = this.taps[slot];
    this.taps[slot] = sample;
    this.sum = this.sum + sample - old;
    this.count = this.count + 1;
    return this.sum / 4;
  }
}

const filter = new Filter();

function feed(step: i32, label: string): f32 {
  let last: f32 = 0;
  for (let i = 0; i < 6; i++) {
    const sample = f32(i * step);
    last = filter.push(sample);
  }
  return label.length > 0 ? last : 0;
}

export function main(): void {
  const name = "debug";
  log(name, feed(3, name));
}

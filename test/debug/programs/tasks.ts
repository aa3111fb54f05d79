import { runTasks, sleep, task } from "tmc";

class Meter {
  total: i32 = 0;
  async read(channel: i32): Promise<i32> {
    const raw = channel * 10;
    await sleep(1);
    this.total = this.total + raw;
    return raw + this.total;
  }
}
const meter = new Meter();

async function average(samples: i32): Promise<i32> {
  let sum = 0;
  for (let i = 0; i < samples; i++) {
    const value = await meter.read(i);
    sum = sum + value;
  }
  return Math.trunc(sum / samples);
}

task(async () => {
  const result = await average(3);
  log("average", result);
});

export function main(): void {
  for (let now: u32 = 0; now < 10; now++) runTasks(now);
}

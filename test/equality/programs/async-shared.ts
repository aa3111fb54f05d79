// Variables that async closures share with the function around them, assigned on either side.
import { runTasks, sleep, task, taskTimeMs } from "tmc";

interface Counter {
  readonly add: (n: i32) => void;
  readonly step: () => Promise<i32>;
}
// In a function of setup: one variable for each call.
function counter(name: string, by: i32): Counter {
  let count: i32 = 0;
  let last: string | null = null;
  task(async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(by);
      count += by;
      last = name;
      log(name, count, taskTimeMs());
    }
  });
  return {
    add: (n: i32): void => {
      count += n;
    },
    step: async (): Promise<i32> => {
      await sleep(1);
      count++;
      return last === null ? -count : count;
    },
  };
}
const one = counter("one", 2);
const two = counter("two", 3);

// A parameter, a boolean, an object, 64 bits, a double.
class Box {
  constructor(readonly n: i32) {}
}
const boxes: RomArray<Box> = [new Box(1), new Box(2)];
function mixed(limit: i32, big: i64): void {
  let on = false;
  let box = boxes[0];
  let x: f64 = 0.5;
  task(async () => {
    while (limit > 0) {
      await sleep(4);
      limit--;
      on = !on;
      box = boxes[limit & 1];
      big *= -3n;
      x /= 2;
      log(limit, on, box.n, big, x);
    }
  });
  task(async () => {
    await sleep(6);
    limit = 1;
    log("limit", limit, on, box.n, big, x);
  });
}
mixed(5, 7n);

{
  let top: i32 = 10;
  task(async () => {
    await sleep(2);
    top += 5;
    log("top", top);
  });
  top++;
}

// In an async function: the variable is in its frame, and the closure is called by its name.
async function sum(n: i32): Promise<i32> {
  let total: i32 = 0;
  let calls: u8 = 0;
  const add = async (k: i32): Promise<void> => {
    await sleep(k);
    total += k;
    calls++;
  };
  for (let i = 1; i <= n; i++) {
    let twice: i32 = 0;
    const i2 = i;
    const both = async (): Promise<void> => {
      twice = i2 * 2;
      await sleep(1);
      twice++;
    };
    await add(i);
    await both();
    total += twice * 100;
    const again = (): void => {
      total += 1000;
    };
    again();
  }
  return total * 10 + calls;
}
class Meter {
  scale: i32 = 3;
  async read(channel: i32): Promise<i32> {
    let raw = channel;
    const wait = async (): Promise<i32> => {
      await sleep(1);
      raw *= this.scale;
      return raw;
    };
    const first = await wait();
    this.scale++;
    return first * 1000 + (await wait()) + raw;
  }
}
const meter = new Meter();
task(async () => {
  log("sum", await sum(3), await sum(2), await sum(0));
  log("meter", await meter.read(2), await meter.read(5));
  one.add(100);
  log("step", await one.step(), await two.step());
});

export function main(): void {
  for (let now: u32 = 0; now < 60; now++) runTasks(now);
}

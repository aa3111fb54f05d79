// Async functions as values: named arrow functions, parameters, arrays, fields; each is called and waited for.
import { runTasks, sleep, task, taskTimeMs } from "tmc";

type Step = (n: i32) => Promise<i32>;
const double = async (n: i32): Promise<i32> => {
  await sleep(n);
  return n * 2;
};
async function triple(n: i32): Promise<i32> {
  await sleep(1);
  return n * 3;
}
const forward: Step = (n: i32): Promise<i32> => triple(n + 1);

// One of several, by parameter; both frames are in that of the caller.
async function twice(f: Step, n: i32): Promise<i32> {
  return (await f(n)) * 100 + (await f(n + 1));
}
const steps: Step[] = [double, triple, async (n: i32): Promise<i32> => n, forward];

function adder(k: i32, late: boolean): Step {
  return async (n: i32): Promise<i32> => {
    if (late) await sleep(2);
    return n + k;
  };
}
const add10 = adder(10, true);
const add20 = adder(20, false);

class Counter {
  presses: i32 = 0;
  readonly count = async (): Promise<void> => {
    this.presses++;
    await sleep(1);
    log("presses", this.presses);
  };
}
class Button {
  readonly counter: Counter = new Counter();
  constructor(
    readonly name: string,
    readonly pressed: ((times: i32) => Promise<boolean>) | null,
  ) {}
  async press(times: i32): Promise<boolean> {
    const f = this.pressed;
    log(this.name);
    await this.counter.count();
    return f === null ? false : await f(times);
  }
}
const even = new Button("even", async (times: i32): Promise<boolean> => {
  await sleep(times);
  return (times & 1) === 0;
});
const trapping = new Button("trapping", async (times: i32): Promise<boolean> => {
  await sleep(1);
  const list: RomArray<i32> = [1, 2, 3];
  return list[times] > 1;
});
const nothing = new Button("nothing", null);

// Values without a result, and both ways to wait.
let opened: i32 = 0;
const doors: (() => Promise<void>)[] = [
  async () => {
    await sleep(3);
    opened += 1;
  },
  async () => {
    opened += 10;
  },
];

async function retry<T extends i32 | f32>(f: (attempt: i32) => Promise<T>, wanted: T): Promise<i32> {
  for (let i = 1; i < 5; i++) {
    if ((await f(i)) === wanted) return i;
  }
  return -1;
}

async function local(): Promise<void> {
  const k: i32 = 5;
  const inner = async (n: i32): Promise<i32> => {
    await sleep(n);
    return n + k;
  };
  log("local", await inner(2), await inner(await inner(1)));
  for (const factor of factors) {
    const scaled = async (n: i32): Promise<i32> => (await inner2(n)) * factor;
    log("scaled", await scaled(3), await scaled(4));
  }
}
const factors: RomArray<i32> = [0, 7];
const inner2 = async (n: i32): Promise<i32> => {
  await sleep(1);
  return n + 1;
};

task(async () => {
  log(await double(4), taskTimeMs());
  log(await twice(double, 1), await twice(triple, 2), await twice(forward, 5));
  log(await twice(async (n: i32): Promise<i32> => n + 1, 3));
  for (const s of steps) log("step", await s(2), taskTimeMs());
  log(await add10(1), await add20(1), await twice(add10, 1), await twice(add20, 1));
  const [a, b] = await Promise.all([steps[0](5), steps[1](7)]);
  log("both", a, b, taskTimeMs());
  await Promise.all([doors[0](), doors[1]()]);
  log("opened", opened);
  for (const open of doors) await open();
  log("opened", opened);
  log(await even.press(2), await even.press(3), await nothing.press(1), await trapping.press(2));
  try {
    log(await trapping.press(3));
  } catch (e) {
    log("caught", e.kind);
  }
  log(await retry(async (n: i32): Promise<i32> => n * n, 9));
  log(
    await retry<f32>(async (n: i32): Promise<f32> => {
      await sleep(1);
      return f32(n) / 2;
    }, 2),
  );
  await local();
  const at: i32 = steps.length;
  log(await steps[at](1));
});

export function main(): void {
  for (let now: u32 = 0; now < 120; now++) runTasks(now);
}

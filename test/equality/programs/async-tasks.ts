// Several tasks under a simulated clock: who runs when, signals, time-outs, starting and stopping.
import { runTasks, Signal, sleep, sleepUntil, type Task, task, tasksDueIn, taskTimeMs, taskTraps } from "tmc";

const ping = new Signal<i32>();
const pong = new Signal<i32>();
const events = new Signal<string>();

async function blink(name: string, ms: i32, times: i32): Promise<void> {
  for (let i = 0; i < times; i++) {
    log(taskTimeMs(), name, i);
    await sleep(ms);
  }
}

class Sensor {
  private reads: i32 = 0;
  constructor(
    readonly name: string,
    readonly step: i32,
  ) {}
  async read(): Promise<i32> {
    this.reads++;
    await sleep(this.step);
    return this.reads * this.step;
  }
}
class Doubled extends Sensor {
  override async read(): Promise<i32> {
    const x = await super.read();
    return x * 2;
  }
}
interface Reader {
  take(n: i32): Promise<i32>;
}
class Fast implements Reader {
  async take(n: i32): Promise<i32> {
    await sleep(0);
    return n + 1;
  }
}
class Slow implements Reader {
  private sum: i32 = 0;
  async take(n: i32): Promise<i32> {
    await sleep(7);
    this.sum += n;
    return this.sum;
  }
}
const sensors: Sensor[] = [new Sensor("plain", 3), new Doubled("doubled", 4)];
const readers: Reader[] = [new Fast(), new Slow()];

async function pick<T>(a: T, b: T, second: boolean): Promise<T> {
  await sleep(1);
  return second ? b : a;
}

class Counter {
  private count: i32 = 0;
  work: Task | null = null;
  constructor(private readonly name: string) {}
  /** A closure of setup with an argument of the function around and `this`. */
  every(period: i32): Counter {
    this.work = task(async () => {
      while (true) {
        await sleep(period);
        this.count++;
        if (this.count === 4) return;
      }
    });
    return this;
  }
  tell(): void {
    const work = this.work;
    log(this.name, this.count, work !== null && work.running);
  }
}

task(() => blink("a", 10, 4));
task(() => blink("b", 15, 3));
const counters: Counter[] = [new Counter("fast").every(8), new Counter("slow").every(30)];
task(async () => {
  for (let i = 0; i < 3; i++) {
    ping.set(i);
    log("pong", await pong.wait());
  }
});
task(async () => {
  for (let i = 0; i < 3; i++) {
    const x = await ping.wait();
    log("ping", x);
    pong.set(x * 10);
  }
});
task(async () => {
  for (let i = 0; i < 3; i++) {
    const e = await events.waitFor(25);
    log(taskTimeMs(), e === null ? "no event" : e);
  }
});
task(async () => {
  for (const s of sensors) log(s.name, await s.read(), await s.read());
  for (const r of readers) log("reader", await r.take(5), await r.take(6));
  log(await pick(1.5, 2.5, true), await pick("x", "y", false), await pick(true, false, true));
  let next: u32 = 100;
  for (let i = 0; i < 3; i++) {
    await sleepUntil(next);
    log("exactly", taskTimeMs());
    next += 20;
  }
});
const manual = task(async () => {
  log(taskTimeMs(), "manual begins");
  await sleep(12);
  log(taskTimeMs(), "manual ends");
}, false);
const both = task(async () => {
  const [x, y] = await Promise.all([ping.waitFor(30), events.waitFor(10)]);
  log(taskTimeMs(), "both", x ?? -1, y ?? "none");
}, false);

export function main(): void {
  // Around the wrap of the clock.
  const start: u32 = 4294967196;
  log("due", tasksDueIn(start));
  for (let i: u32 = 0; i < 250; i += 2) {
    const t = (start + i) >>> 0;
    if (i === 30) log(manual.start(), manual.start());
    if (i === 40) events.set("knock");
    if (i === 60) {
      log(manual.start());
      log(both.start());
    }
    if (i === 66) {
      manual.stop();
      ping.set(77);
    }
    runTasks(t);
    if (i % 50 === 0) for (const c of counters) c.tell();
  }
  log("due", tasksDueIn((start + 250) >>> 0), "traps", taskTraps());
}

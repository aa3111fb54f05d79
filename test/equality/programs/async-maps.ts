// Waits in loops over Map and Set: in the order of insertion, over keys, values and entries.
import { runTasks, sleep, task, taskTimeMs } from "tmc";

class Device {
  on: boolean = false;
  constructor(readonly pin: i32) {}
  async blink(ms: i32): Promise<i32> {
    this.on = true;
    await sleep(ms);
    this.on = false;
    return this.pin;
  }
}
type Color = "red" | "green" | "blue";
const devices = new Map<string, Device>([
  ["pump", new Device(7)],
  ["fan", new Device(3)],
  ["lamp", new Device(12)],
]);
const delays: ReadonlyMap<Color, i32> = new Map<Color, i32>([
  ["green", 2],
  ["red", 1],
  ["blue", 3],
]);
const scales = new Map<f32, i64>([
  [0.5, 1n],
  [0.25, -5n],
]);
const pins = new Set<u16>([9, 4, 65535]);
const none = new Set<string>();
const names = new Map<i32, string | null>([
  [1, "one"],
  [2, null],
]);
const deviceSet = new Set<Device>([new Device(70), new Device(71)]);

function which(second: boolean): Map<string, Device> {
  return second ? others : devices;
}
const others = new Map<string, Device>([["valve", new Device(99)]]);

async function all(): Promise<void> {
  for (const [name, device] of devices) {
    log(name, device.pin, await device.blink(2), device.on, taskTimeMs());
  }
  for (const name of devices.keys()) {
    if (name === "fan") continue;
    await sleep(1);
    log("key", name);
  }
  for (const d of devices.values()) {
    await sleep(1);
    if (d.pin === 3) break;
    log("value", d.pin);
  }
  let sum = 0;
  for (const [color, delay] of delays.entries()) {
    await sleep(delay);
    sum += delay;
    log(color, delay, sum);
  }
  for (const [scale, x] of scales) {
    log(scale, x);
    await sleep(1);
    log(scale * 2, x * 2n);
  }
  for (const pin of pins) {
    await sleep(1);
    log("pin", pin);
  }
  for (const n of none) {
    await sleep(1);
    log("never", n);
  }
  for (const [n, name] of names) {
    await sleep(1);
    log(n, name ?? "null");
  }
  for (const d of deviceSet) {
    log(await d.blink(1), d.pin);
  }
}

async function first(second: boolean, wanted: i32): Promise<string | null> {
  outer: for (const [name, device] of which(second)) {
    for (const pin of pins) {
      await sleep(1);
      if (device.pin < pin && device.pin === wanted) return name;
      if (pin === 4) continue outer;
    }
  }
  return null;
}

task(async () => {
  await all();
  log((await first(false, 3)) ?? "none", (await first(true, 99)) ?? "none", (await first(true, 7)) ?? "none");
  for (const [name] of which(true)) {
    try {
      await sleep(1);
      if (name === "valve") throw new Error("stuck");
    } finally {
      log("done", name);
    }
  }
});

export function main(): void {
  for (let now: u32 = 0; now < 60; now++) runTasks(now);
}

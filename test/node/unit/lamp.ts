/** A node with tasks, as the example of docs/testing.md: a lamp that blinks, and flashes when it is told to. */
import { minimalNode, Signal, sleep, sleepUntil, task, taskTimeMs } from "tmc";

export class Lamp {
  on: boolean = false;
  changes: i32 = 0;
  set(on: boolean): void {
    this.on = on;
    this.changes++;
  }
}
export const lamp = new Lamp();
export const flashes = new Signal<i32>();
export const node = minimalNode({
  name: "lamp",
  version: "1.0.0",
  sensors: [],
  models: [],
  settings: [],
  labels: [],
  jobs: 1,
});
const patterns: RomArray<i32> = [1, 3];

/** Half a second on, half a second off, at even distances. */
export const heartbeat = task(async () => {
  let next: u32 = taskTimeMs();
  for (;;) {
    next = (next + 500) >>> 0;
    await sleepUntil(next);
    lamp.set(!lamp.on);
  }
});

/** Traps when there is no such pattern. */
export const flasher = task(async () => {
  for (;;) {
    const pattern = await flashes.wait();
    for (let n = patterns[pattern]; n > 0; n--) {
      lamp.set(true);
      await sleep(7);
      lamp.set(false);
      await sleep(3);
    }
  }
});

node.serve();

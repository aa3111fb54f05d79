/** A sensor that watches a pump: a moving average over a window drives a state machine. */
import { Random } from "./lib/random.js";

type State = "idle" | "starting" | "running" | "alarm" | "fault";

class Pump {
  state: State = "idle";
  transitions = 0;
  private ticks = 0;
  private sum = 0;
  private at = 0;
  private readonly window = new Int16Array(16);

  constructor(
    private readonly low: i32,
    private readonly high: i32,
  ) {}

  sample(value: i16): void {
    const level = this.average(value);
    this.ticks++;
    switch (this.state) {
      case "idle":
        if (level > this.low) this.enter("starting");
        break;
      case "starting":
        if (this.ticks >= 10) this.enter(level > this.low ? "running" : "idle");
        break;
      case "running":
        if (level > this.high) this.enter("alarm");
        else if (level < this.low) this.enter("idle");
        break;
      case "alarm":
        if (level < this.high - 100) this.enter("running");
        else if (this.ticks > 60) this.enter("fault");
        break;
      case "fault":
        if (this.ticks > 100) this.enter("idle");
        break;
    }
  }

  /** Puts the value in place of the oldest and gives the mean of the window. */
  private average(value: i16): i32 {
    this.sum += value - this.window[this.at];
    this.window[this.at] = value;
    this.at = (this.at + 1) % this.window.length;
    return this.sum >> 4;
  }

  private enter(state: State): void {
    this.state = state;
    this.ticks = 0;
    this.transitions++;
  }
}

const pump = new Pump(400, 1200);

export function main(): void {
  const random = new Random(9);
  let level = 0;
  let faults = 0;
  for (let i = 0; i < 40000; i++) {
    // A random walk that turns back at 0 and 2000.
    level += i32(random.next() & 0xff) - 127;
    if (level < 0 || level > 2000) level = 800;
    pump.sample(i16(level));
    if (pump.state === "fault") faults++;
  }
  log("state-machine", pump.state, pump.transitions, faults);
}

/** An alarm with hysteresis: goes on at `high` or above, and off only below `low`. */
export class Alarm {
  active: boolean = false;
  /** How often it went on; stays at 65535. */
  count: u16 = 0;

  constructor(
    private readonly low: f32,
    private readonly high: f32,
  ) {}

  /** Takes a new value; gives whether the alarm is on. */
  update(value: f32): boolean {
    if (!this.active && value >= this.high) {
      this.active = true;
      if (this.count < 65535) this.count++;
    } else if (this.active && value < this.low) {
      this.active = false;
    }
    return this.active;
  }
}

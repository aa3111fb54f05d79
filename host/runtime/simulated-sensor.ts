/** A sensor of the simulated platform: frames fall due with the simulated clock and wait in a bounded ring. */

export interface SimulatedSensorOptions {
  readonly channels: number;
  /** Frame number since start → one value a channel; null: the source has ended. */
  readonly frame: (index: number) => readonly number[] | null;
  /** Frames that wait; more are lost. Default 1024. */
  readonly ringFrames?: number;
  /** Rates above are refused. Default: any. */
  readonly maxRateMilliHz?: number;
}

export class SimulatedSensor {
  readonly channels: number;
  running = false;
  rateMilliHz = 0;
  lost = 0;
  /** Frames that waited at once, since it was made. */
  most = 0;
  private startedAtMs = 0;
  private made = 0;
  private readonly ring: (readonly number[])[] = [];

  constructor(private readonly options: SimulatedSensorOptions) {
    this.channels = options.channels;
  }

  start(rateMilliHz: number, nowMs: number): boolean {
    if (rateMilliHz <= 0 || rateMilliHz > (this.options.maxRateMilliHz ?? Infinity)) return false;
    this.running = true;
    this.rateMilliHz = rateMilliHz;
    this.startedAtMs = nowMs;
    this.made = 0;
    this.lost = 0;
    this.ring.length = 0;
    return true;
  }

  stop(): void {
    this.running = false;
  }

  /** Moves whole frames to `out`; returns how many. */
  take(out: Float32Array, nowMs: number): number {
    this.produce(nowMs);
    const frames = Math.min(Math.floor(out.length / this.channels), this.ring.length);
    for (let i = 0; i < frames; i++) out.set(this.ring.shift() ?? [], i * this.channels);
    return frames;
  }

  private produce(nowMs: number): void {
    if (!this.running) return;
    const due = Math.floor(((nowMs - this.startedAtMs) * this.rateMilliHz) / 1e6);
    for (; this.made < due; this.made++) {
      const frame = this.options.frame(this.made);
      if (frame === null) return;
      if (frame.length !== this.channels)
        throw new RangeError(`frame ${this.made} has ${frame.length} values`);
      if (this.ring.length < (this.options.ringFrames ?? 1024)) this.ring.push(frame);
      else this.lost++;
      this.most = Math.max(this.most, this.ring.length);
    }
  }
}

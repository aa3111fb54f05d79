/** The retention sweep: removes what is older than its time to live, again and again, one sweep at a time. */
import type { Log } from "./log.js";

export class Sweeper {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    /** Tells how many things it removed. */
    private readonly sweep: () => Promise<{ readonly items: number; readonly bytes: number }>,
    public seconds: number,
    private readonly log: Log,
  ) {}

  start(): void {
    this.plan();
  }

  /** From the next sweep on. */
  setInterval(seconds: number): void {
    this.seconds = seconds;
    this.plan();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.stopped || this.running !== undefined) return;
    this.timer = setTimeout(() => {
      this.running = this.run().finally(() => {
        this.running = undefined;
        this.plan();
      });
    }, this.seconds * 1000);
  }

  private async run(): Promise<void> {
    try {
      const { items, bytes } = await this.sweep();
      if (items > 0) this.log.info({ module: "storage", items, bytes }, "old data was removed");
    } catch (error) {
      this.log.error({ module: "storage", err: error }, "the sweep failed; it is tried again");
    }
  }
}

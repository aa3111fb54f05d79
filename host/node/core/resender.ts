/**
 * When a dispatch is to be sent again. A broker can lose what it took (a server of its cluster dies, a subscriber is just
 * connecting again), so a dispatch that nobody answers is repeated under its identity: whoever got it before recognises
 * it and answers from memory. It sends nothing itself.
 */
import type { Exchange } from "./exchange.js";

/** ms between repetitions at most. */
const longestMs = 30_000;

export class Resender {
  private timer: NodeJS.Timeout | undefined;

  /** `ms` until the first repetition, doubled from one to the next; 0: never. `all`: what has no terminal answer; `again`: sends one that is due. */
  constructor(
    private readonly ms: number,
    private readonly all: () => Iterable<Exchange>,
    private readonly again: (exchange: Exchange) => void,
  ) {}

  /** It was sent now. */
  watch(exchange: Exchange): void {
    exchange.resendAt = performance.now() + Math.min(this.ms * 2 ** exchange.resends, longestMs);
    this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** One timer for all; none while nothing is dispatched. */
  private look(): void {
    if (this.timer !== undefined || this.ms === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const now = performance.now();
      let dispatched = false;
      for (const exchange of this.all()) {
        if (exchange.state !== "dispatched") continue;
        dispatched = true;
        if (exchange.resendAt > now) continue;
        exchange.resends++;
        // Its parts may take a while: `watch` comes when it is on its way.
        exchange.resendAt = Infinity;
        this.again(exchange);
      }
      if (dispatched) this.look();
    }, this.ms / 4);
    this.timer.unref();
  }
}

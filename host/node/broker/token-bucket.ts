/** So much per second on average, so much in a burst; what is taken beyond that is a debt, told as time to wait. */

export class TokenBucket {
  private tokens: number;
  private at: number;

  /** @param now ms, rising. */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.tokens = burst;
    this.at = now;
  }

  /** How many there are; below 0: a debt. */
  available(now: number): number {
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
    return this.tokens;
  }

  /** Takes them in any case. Returns the ms until the debt is paid; 0: none. */
  take(count: number, now: number): number {
    this.tokens = this.available(now) - count;
    return this.tokens >= 0 ? 0 : Math.ceil((-this.tokens / this.perSecond) * 1000);
  }
}

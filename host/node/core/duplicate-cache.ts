/**
 * Terminal answers by identity of their requests, so that a repeated request is answered and not executed. Bounded in
 * time, bytes and number; the oldest go first.
 */

interface Kept {
  readonly answer: Uint8Array;
  /** On the clock of performance.now(). */
  readonly until: number;
}

export interface DuplicateLimits {
  readonly keptMs: number;
  readonly bytes: number;
  readonly count: number;
}

/** What an entry costs besides its answer, about. */
const overhead = 200;

export class DuplicateCache {
  private readonly answers = new Map<string, Kept>();
  private bytes = 0;

  constructor(private readonly limits: DuplicateLimits) {}

  get(key: string, now: number): Uint8Array | undefined {
    const kept = this.answers.get(key);
    return kept === undefined || kept.until <= now ? undefined : kept.answer;
  }

  put(key: string, answer: Uint8Array, now: number): void {
    this.remove(key);
    this.answers.set(key, { answer, until: now + this.limits.keptMs });
    this.bytes += answer.length + overhead;
    for (const [oldest, kept] of this.answers) {
      const tooMuch = this.bytes > this.limits.bytes || this.answers.size > this.limits.count;
      if (!tooMuch && kept.until > now) break;
      this.remove(oldest);
    }
  }

  private remove(key: string): void {
    const kept = this.answers.get(key);
    if (kept === undefined) return;
    this.answers.delete(key);
    this.bytes -= kept.answer.length + overhead;
  }
}

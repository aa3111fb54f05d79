/** Repeatable inputs: xorshift32, the same numbers as random.h. Not for keys. */
export class Random {
  constructor(private state: u32) {}

  /** 1 … 2^32 - 1. */
  next(): u32 {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state;
  }
}

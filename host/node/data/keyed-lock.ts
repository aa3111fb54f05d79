/** One at a time by key, in order of asking: what changes a data set or a model waits for the change before it. */

export class KeyedLock {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `work` when all work of this key that was asked for before has ended, well or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.tails.set(key, ended);
    try {
      return await result;
    } finally {
      if (this.tails.get(key) === ended) this.tails.delete(key);
    }
  }
}

/** What has to be ended when a node stops, or when its start fails half-way: last started, first ended. */
import type { Log } from "./log.js";

interface Closer {
  readonly what: string;
  readonly close: () => Promise<void> | void;
}

/** A part that does not end in this time is left behind; the process ends anyway. */
const longestMs = 15_000;

export class Closers {
  private readonly stack: Closer[] = [];

  add(what: string, close: () => Promise<void> | void): void {
    this.stack.push({ what, close });
  }

  /** Each is ended once, whatever the others do. */
  async run(log: Log): Promise<void> {
    for (let closer = this.stack.pop(); closer !== undefined; closer = this.stack.pop()) {
      const { what, close } = closer;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${longestMs} ms`)), longestMs);
      });
      try {
        await Promise.race([Promise.resolve(close()), late]);
      } catch (error) {
        log.error({ module: "node", what, err: error }, "could not be stopped");
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

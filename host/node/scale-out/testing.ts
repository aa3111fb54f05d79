/** For tests: workers of one server that know each other by memory, and die when the test says so. */
import type { Settled, WorkerGroup } from "./worker-group.js";

export class MemoryGroups {
  readonly answers = new Map<string, Uint8Array>();
  private readonly members = new Map<string, { live: boolean; readonly listeners: (() => void)[] }>();

  join(id: string): WorkerGroup {
    const member = { live: true, listeners: [] as (() => void)[] };
    this.members.set(id, member);
    this.changed();
    const set = (live: boolean): Promise<void> => {
      if (member.live !== live) {
        member.live = live;
        this.changed();
      }
      return Promise.resolve();
    };
    return {
      id,
      live: () => this.live(),
      onChange: (listener) => void member.listeners.push(listener),
      takePart: set,
      settled: (request) => Promise.resolve(this.answers.get(request)),
      settle: (request, answer) => Promise.resolve(this.settle(request, answer)),
      close: () => set(false),
    };
  }

  /** It gives no sign of life any more. */
  bury(id: string): void {
    const member = this.members.get(id);
    if (member !== undefined) member.live = false;
    this.changed();
  }

  live(): readonly string[] {
    return [...this.members].flatMap(([id, { live }]) => (live ? [id] : [])).sort();
  }

  private settle(request: string, answer: Uint8Array): Settled {
    const before = this.answers.get(request);
    if (before !== undefined) return { first: false, answer: before };
    this.answers.set(request, answer);
    return { first: true, answer };
  }

  private changed(): void {
    for (const { listeners } of this.members.values()) for (const listener of listeners) listener();
  }
}

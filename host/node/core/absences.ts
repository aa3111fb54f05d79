/**
 * Nodes that went away a moment ago and may come back in the same life: a broker that loses a server of its cluster
 * ends connections and publishes last wills of nodes that live. It knows who is away and until when; what becomes of
 * their requests is the dispatcher's business.
 */
import type { NodeEntry } from "./node-entry.js";

interface Absence {
  readonly boot: number;
  readonly end: NodeJS.Timeout;
}

export class Absences {
  private readonly away = new Map<NodeEntry, Absence>();

  /** `ms`: how long they are waited for; 0: not at all. */
  constructor(private readonly ms: number) {}

  get none(): boolean {
    return this.away.size === 0;
  }

  /** False: it is not waited for. `over`: it did not come back in time. */
  begin(entry: NodeEntry, over: () => void): boolean {
    if (this.ms === 0) return false;
    this.end(entry);
    const end = setTimeout(() => {
      this.away.delete(entry);
      over();
    }, this.ms);
    end.unref();
    this.away.set(entry, { boot: entry.boot, end });
    return true;
  }

  /** It is back, or given up. The boot counter that it went away with; undefined when it was not waited for. */
  end(entry: NodeEntry): number | undefined {
    const absence = this.away.get(entry);
    if (absence === undefined) return undefined;
    clearTimeout(absence.end);
    this.away.delete(entry);
    return absence.boot;
  }

  entries(): IterableIterator<NodeEntry> {
    return this.away.keys();
  }

  stop(): void {
    for (const { end } of this.away.values()) clearTimeout(end);
    this.away.clear();
  }
}

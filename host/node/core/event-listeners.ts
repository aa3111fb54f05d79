/** Who in this node listens to what the Core Service sees. A listener that fails disturbs nobody. */
import type { Log } from "../log.js";
import type { CoreEvents } from "./core-service.js";

type Listeners = { [E in keyof CoreEvents]: Set<(value: CoreEvents[E]) => void> };

export class EventListeners {
  private readonly listeners: Listeners = {
    "node-online": new Set(),
    "node-offline": new Set(),
    request: new Set(),
    event: new Set(),
  };

  constructor(private readonly log: Log) {}

  /** Gives the function that ends it. */
  on<E extends keyof CoreEvents>(event: E, listener: (value: CoreEvents[E]) => void): () => void {
    const set: Set<(value: CoreEvents[E]) => void> = this.listeners[event];
    set.add(listener);
    return () => set.delete(listener);
  }

  /** `value` is made only when somebody listens. */
  emit<E extends keyof CoreEvents>(event: E, value: () => CoreEvents[E]): void {
    if (this.listeners[event].size === 0) return;
    const made = value();
    for (const listener of this.listeners[event]) {
      try {
        listener(made);
      } catch (error) {
        this.log.error({ err: error, event }, "a listener failed");
      }
    }
  }
}

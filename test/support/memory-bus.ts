/**
 * A message bus in this process for tests: topics, wildcards, retained messages, last wills, connections that break. A
 * message arrives in a later turn, in the order of publishing. It checks no access.
 */
import type { BusConnection, MessageHandler, PublishOptions } from "../../host/bus/connection.js";

export interface MemoryWill {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export class MemoryBus {
  readonly retained = new Map<string, Uint8Array>();
  /** Every message in order of publishing. */
  readonly log: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  private readonly connections = new Set<MemoryConnection>();

  connect(will?: MemoryWill): MemoryConnection {
    const connection = new MemoryConnection(this, will);
    this.connections.add(connection);
    return connection;
  }

  /** @internal */
  publish(topic: string, payload: Uint8Array, options: PublishOptions): void {
    this.log.push({ topic, payload });
    if (options.retain === true) {
      if (payload.length === 0) this.retained.delete(topic);
      else this.retained.set(topic, payload);
    }
    for (const connection of this.connections) connection.offer(topic, payload);
  }

  /** @internal */
  leave(connection: MemoryConnection): void {
    this.connections.delete(connection);
  }

  /** @internal */
  join(connection: MemoryConnection): void {
    this.connections.add(connection);
  }

  /** Until nothing is on its way any more. */
  static async settled(): Promise<void> {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    // Acknowledgements may wait a millisecond for company.
    await new Promise((resolve) => setTimeout(resolve, 3));
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

export class MemoryConnection implements BusConnection {
  connected = true;
  private readonly filters = new Set<string>();
  private readonly handlers: MessageHandler[] = [];
  private readonly watchers: ((connected: boolean) => void)[] = [];

  constructor(
    private readonly bus: MemoryBus,
    private readonly will: MemoryWill | undefined,
  ) {}

  publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (!this.connected) return Promise.reject(new Error("not connected"));
    this.bus.publish(topic, payload, options);
    return Promise.resolve();
  }

  subscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) {
      this.filters.add(filter);
      for (const [topic, payload] of this.bus.retained)
        if (matches(filter, topic)) this.offer(topic, payload);
    }
    return Promise.resolve();
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.filters.delete(filter);
    return Promise.resolve();
  }

  onMessage(handler: MessageHandler): void {
    this.handlers.push(handler);
  }

  onConnectionChange(handler: (connected: boolean) => void): void {
    this.watchers.push(handler);
  }

  close(): Promise<void> {
    this.connected = false;
    this.bus.leave(this);
    return Promise.resolve();
  }

  /** The connection breaks: the broker publishes the will. */
  die(): void {
    this.connected = false;
    this.bus.leave(this);
    if (this.will !== undefined) this.bus.publish(this.will.topic, this.will.payload, { retain: true });
    for (const watcher of this.watchers) watcher(false);
  }

  /** And is there again. */
  revive(): void {
    this.connected = true;
    this.bus.join(this);
    for (const filter of this.filters) {
      for (const [topic, payload] of this.bus.retained)
        if (matches(filter, topic)) this.offer(topic, payload);
    }
    for (const watcher of this.watchers) watcher(true);
  }

  /** @internal */
  offer(topic: string, payload: Uint8Array): void {
    if (![...this.filters].some((filter) => matches(filter, topic))) return;
    setImmediate(() => {
      if (this.connected) for (const handler of this.handlers) handler(topic, payload);
    });
  }
}

function matches(filter: string, topic: string): boolean {
  const f = filter.split("/");
  const t = topic.split("/");
  return f.length === t.length && f.every((part, i) => part === "+" || part === t[i]);
}

/**
 * The bus as the Core Service of the same process sees it: no socket, no parsing, no copies. It has all rights; access
 * lists are for clients.
 */
import type { AedesPublishPacket } from "aedes";
import type { BusConnection, MessageHandler, PublishOptions } from "../../bus/connection.js";
import type { Log } from "../log.js";
import { filtersOverlap } from "./access-list.js";
import type { AedesInside } from "./aedes-inside.js";
import type { SessionMemory } from "./session-memory.js";

type Deliver = (packet: AedesPublishPacket, done: () => void) => void;

/** @internal Made by `Broker.connect`. */
export class EmbeddedConnection implements BusConnection {
  connected = true;
  private readonly handlers: MessageHandler[] = [];
  private readonly changes: ((connected: boolean) => void)[] = [];
  private readonly filters = new Map<string, Deliver>();
  /** Only when filters overlap is a message remembered, so that it is delivered once. */
  private overlapping = false;
  private readonly seen = new WeakSet<object>();
  /** True while our own publish runs: subscribers of ours are called after it, not inside. */
  private publishing = false;
  /** Messages under way through the broker's sessions; later ones may not overtake them. */
  private slow = 0;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly aedes: AedesInside,
    private readonly memory: SessionMemory,
    private readonly log: Log,
    private readonly onClose: () => void,
  ) {}

  /**
   * Resolves when every present subscriber's socket has it (so a slow one holds up who publishes to it), and what must
   * be kept for others is safe.
   */
  publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (!this.connected) return Promise.reject(new Error("the connection to the bus is closed"));
    const { qos = 1, retain = false } = options;
    const bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const packet = { cmd: "publish", topic, payload: bytes, qos, retain, dup: false } as const;
    if (this.slow === 0 && !retain && (qos === 0 || !this.memory.concernsSession(topic))) {
      return this.emit(packet);
    }
    this.slow++;
    const sent = this.tail.then(() => this.store(packet));
    this.tail = sent.then(
      () => void this.slow--,
      () => void this.slow--,
    );
    // Only who asked waits for the disk, not the next message.
    return sent.then(() => this.memory.settled());
  }

  /** Nothing to store: straight to the subscribers. */
  private emit(packet: object): Promise<void> {
    return new Promise((resolve) => {
      this.publishing = true;
      try {
        this.aedes.mq.emit(packet, resolve);
      } finally {
        this.publishing = false;
      }
    });
  }

  private store(packet: Parameters<AedesInside["publish"]>[0]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.publishing = true;
      try {
        this.aedes.publish(packet, (error?: Error | null) => {
          if (error === undefined || error === null) resolve();
          else reject(error);
        });
      } finally {
        this.publishing = false;
      }
    });
  }

  async subscribe(filters: readonly string[]): Promise<void> {
    if (!this.connected) throw new Error("the connection to the bus is closed");
    const fresh = filters.filter((filter) => !this.filters.has(filter));
    for (const filter of new Set(fresh)) {
      this.overlapping ||= [...this.filters.keys()].some((other) => filtersOverlap(other, filter));
      const deliver: Deliver = (packet, done) => {
        if (this.publishing) queueMicrotask(() => this.deliver(packet));
        else this.deliver(packet);
        // The broker acknowledges then: what we publish because of the message leaves before that, and nobody waits for it.
        setImmediate(done);
      };
      this.filters.set(filter, deliver);
      await new Promise<void>((resolve) => this.aedes.subscribe(filter, deliver, resolve));
    }
    for (const packet of this.memory.retained.matching(fresh)) this.call(packet.topic, packet.payload);
  }

  private deliver(packet: AedesPublishPacket): void {
    if (this.overlapping) {
      if (this.seen.has(packet)) return;
      this.seen.add(packet);
    }
    this.call(packet.topic, packet.payload as Buffer);
  }

  private call(topic: string, payload: Uint8Array): void {
    for (const handler of this.handlers) {
      try {
        handler(topic, payload);
      } catch (error) {
        this.log.error({ topic, err: error }, "a handler of messages failed");
      }
    }
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) {
      const deliver = this.filters.get(filter);
      if (deliver === undefined) continue;
      this.filters.delete(filter);
      await new Promise<void>((resolve) => this.aedes.unsubscribe(filter, deliver, resolve));
    }
  }

  onMessage(handler: MessageHandler): void {
    this.handlers.push(handler);
  }

  onConnectionChange(handler: (connected: boolean) => void): void {
    this.changes.push(handler);
  }

  async close(): Promise<void> {
    if (!this.connected) return;
    await this.unsubscribe([...this.filters.keys()]);
    this.connected = false;
    this.onClose();
    for (const handler of this.changes) handler(false);
  }
}

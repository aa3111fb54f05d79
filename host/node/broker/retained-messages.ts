/** The last retained message of every topic, bounded in number and bytes. */
import { filterMatches } from "./access-list.js";
import { keys, messageValue, type Keeper, type StoredPacket } from "./kept-state.js";
import type { Entry } from "./journal.js";

export interface RetainedLimits {
  readonly retained: number;
  /** Of all their payloads. */
  readonly retainedBytes: number;
}

export class RetainedMessages {
  private readonly byTopic = new Map<string, StoredPacket>();
  private bytes = 0;

  constructor(
    private readonly limits: RetainedLimits,
    private readonly keeper: Keeper,
  ) {}

  get count(): number {
    return this.byTopic.size;
  }

  /** Is there room for a message of so many bytes on this topic? */
  hasRoomFor(topic: string, bytes: number): boolean {
    const old = this.byTopic.get(topic);
    if (bytes === 0) return true;
    return (
      (old !== undefined || this.byTopic.size < this.limits.retained) &&
      this.bytes - (old?.payload.length ?? 0) + bytes <= this.limits.retainedBytes
    );
  }

  /** Nothing to say: the topic has no message any more. False: no room. */
  store(packet: StoredPacket): boolean {
    const { topic, payload } = packet;
    if (!this.hasRoomFor(topic, payload.length)) return false;
    if (payload.length === 0) {
      this.delete(topic);
    } else {
      this.put(packet);
      this.keeper.set(keys.retained(topic), messageValue(packet));
    }
    return true;
  }

  delete(topic: string): void {
    const old = this.byTopic.get(topic);
    if (old === undefined) return;
    this.bytes -= old.payload.length;
    this.byTopic.delete(topic);
    this.keeper.set(keys.retained(topic), undefined);
  }

  /** From the disk. */
  restore(packets: readonly StoredPacket[]): void {
    for (const packet of packets) {
      if (this.hasRoomFor(packet.topic, packet.payload.length)) this.put(packet);
      else this.keeper.set(keys.retained(packet.topic), undefined);
    }
  }

  /** Without a copy; each once. */
  matching(filters: readonly string[]): StoredPacket[] {
    const found = new Set<StoredPacket>();
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.byTopic.get(filter);
        if (packet !== undefined) found.add(packet);
      } else {
        for (const packet of this.byTopic.values()) {
          if (filterMatches(filter, packet.topic)) found.add(packet);
        }
      }
    }
    return [...found];
  }

  topics(): string[] {
    return [...this.byTopic.keys()];
  }

  *entries(): Iterable<Entry> {
    for (const [topic, packet] of this.byTopic) yield [keys.retained(topic), messageValue(packet)];
  }

  private put(packet: StoredPacket): void {
    this.bytes += packet.payload.length - (this.byTopic.get(packet.topic)?.payload.length ?? 0);
    this.byTopic.set(packet.topic, packet);
  }
}

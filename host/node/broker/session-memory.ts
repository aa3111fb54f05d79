/**
 * What the broker remembers, in memory and bounded: retained messages, sessions of clients that asked for it, their
 * queues, wills. It is aedes' persistence interface. Nothing survives the process: nodes announce themselves anew
 * after every connection, and requesters repeat what was not answered.
 */
import { Readable } from "node:stream";
import { filterMatches } from "./access-list.js";
import type { Refusals } from "./refusals.js";

/** The part of aedes' packets that is stored. */
export interface StoredPacket {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  brokerId?: string | null;
  brokerCounter?: number;
  clientId?: string;
  messageId?: number;
}

interface StoredSubscription {
  readonly topic: string;
  readonly qos: number;
}

interface Session {
  readonly subscriptions: Map<string, number>;
  queue: StoredPacket[];
  bytes: number;
}

interface ClientRef {
  readonly id: string;
  readonly clean?: boolean;
}

export interface SessionLimits {
  /** Retained messages. */
  readonly retained: number;
  readonly sessions: number;
  /** Of one session. */
  readonly queue: number;
  readonly queueBytes: number;
}

export class SessionMemory {
  private readonly retained = new Map<string, StoredPacket>();
  private readonly sessions = new Map<string, Session>();
  private readonly wills = new Map<string, StoredPacket>();
  /** Subscriptions of sessions with QoS 1, by filter without wildcards, and the others. */
  private readonly exact = new Map<string, Set<string>>();
  private readonly wild = new Map<string, Set<string>>();
  private brokerId = "";

  constructor(
    private readonly limits: SessionLimits,
    private readonly refusals: Refusals,
    /** aedes stores every filter of a packet as soon as one of them is allowed: this decides for each. */
    private readonly mayStore: (clientId: string, filter: string) => boolean,
  ) {}

  // aedes looks at the kind of this function.
  async setup(broker: { readonly id: string }): Promise<void> {
    this.brokerId = broker.id;
  }

  // ---- retained ----

  /** Is there room for a retained message on this topic? */
  hasRoomFor(topic: string): boolean {
    return this.retained.has(topic) || this.retained.size < this.limits.retained;
  }

  get retainedCount(): number {
    return this.retained.size;
  }

  async storeRetained(packet: StoredPacket): Promise<void> {
    if (packet.payload.length === 0) this.retained.delete(packet.topic);
    else if (this.hasRoomFor(packet.topic)) this.retained.set(packet.topic, { ...packet });
    else this.refusals.add("retain", packet.clientId ?? "", "no room for more retained messages");
  }

  /** Without a copy; each once. */
  retainedOf(filters: readonly string[]): StoredPacket[] {
    const found = new Set<StoredPacket>();
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.retained.get(filter);
        if (packet !== undefined) found.add(packet);
      } else {
        for (const packet of this.retained.values()) {
          if (filterMatches(filter, packet.topic)) found.add(packet);
        }
      }
    }
    return [...found];
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retainedOf(filters));
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  // ---- sessions ----

  /** Is any session, present or away, subscribed with QoS 1? */
  concernsSession(topic: string): boolean {
    if (this.exact.has(topic)) return true;
    for (const filter of this.wild.keys()) if (filterMatches(filter, topic)) return true;
    return false;
  }

  hasRoomForSession(id: string): boolean {
    return this.sessions.has(id) || this.sessions.size < this.limits.sessions;
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const session = this.session(client.id);
    for (const { topic, qos } of subscriptions) {
      if (!this.mayStore(client.id, topic)) continue;
      session.subscriptions.set(topic, qos);
      this.index(client.id, topic, qos > 0);
    }
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    const session = this.sessions.get(client.id);
    for (const topic of topics) {
      session?.subscriptions.delete(topic);
      this.index(client.id, topic, false);
    }
  }

  async subscriptionsByClient(client: ClientRef): Promise<StoredSubscription[]> {
    const session = this.sessions.get(client.id);
    return [...(session?.subscriptions ?? [])].map(([topic, qos]) => ({ topic, qos }));
  }

  async subscriptionsByTopic(topic: string): Promise<{ clientId: string; topic: string; qos: number }[]> {
    const ids = new Map<string, string>();
    for (const id of this.exact.get(topic) ?? []) ids.set(id, topic);
    for (const [filter, clients] of this.wild) {
      if (filterMatches(filter, topic)) for (const id of clients) ids.set(id, filter);
    }
    return [...ids].map(([clientId, filter]) => ({ clientId, topic: filter, qos: 1 }));
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return { subsCount: this.exact.size + this.wild.size, clientsCount: this.sessions.size };
  }

  async cleanSubscriptions(client: ClientRef): Promise<void> {
    this.forget(client.id);
  }

  /** Ends a session: of a client that wants none, or is not enrolled any more. */
  forget(id: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    for (const topic of session.subscriptions.keys()) this.index(id, topic, false);
    this.sessions.delete(id);
  }

  // ---- queues of sessions ----

  async outgoingEnqueue(subscription: { readonly clientId: string }, packet: StoredPacket): Promise<void> {
    const session = this.sessions.get(subscription.clientId);
    if (session === undefined) return;
    if (
      session.queue.length >= this.limits.queue ||
      session.bytes + packet.payload.length > this.limits.queueBytes
    ) {
      this.refusals.add("queue", subscription.clientId, "the queue of its session is full");
      return;
    }
    session.queue.push({ ...packet });
    session.bytes += packet.payload.length;
  }

  async outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: StoredPacket,
  ): Promise<void> {
    for (const subscription of subscriptions) void this.outgoingEnqueue(subscription, packet);
  }

  /** The message has got its number. @throws Error when it is not in the queue: the queue was full. */
  async outgoingUpdate(client: ClientRef, packet: StoredPacket): Promise<void> {
    const queue = this.sessions.get(client.id)?.queue ?? [];
    const found = queue.find(
      (p) => p.brokerId === packet.brokerId && p.brokerCounter === packet.brokerCounter,
    );
    if (found === undefined) throw new Error("the queue of its session is full");
    if (packet.messageId !== undefined) found.messageId = packet.messageId;
  }

  async outgoingClearMessageId(client: ClientRef, packet: StoredPacket): Promise<StoredPacket | undefined> {
    const session = this.sessions.get(client.id);
    const at = session?.queue.findIndex((p) => p.messageId === packet.messageId) ?? -1;
    if (session === undefined || at < 0) return undefined;
    const [removed] = session.queue.splice(at, 1);
    session.bytes -= removed?.payload.length ?? 0;
    return removed;
  }

  outgoingStream(client: ClientRef): Readable {
    return Readable.from([...(this.sessions.get(client.id)?.queue ?? [])]);
  }

  // ---- wills ----

  async putWill(client: ClientRef, packet: StoredPacket): Promise<void> {
    packet.brokerId = this.brokerId;
    packet.clientId = client.id;
    this.wills.set(client.id, packet);
  }

  async getWill(client: ClientRef): Promise<StoredPacket | undefined> {
    return this.wills.get(client.id);
  }

  async delWill(client: ClientRef): Promise<StoredPacket | undefined> {
    const will = this.wills.get(client.id);
    this.wills.delete(client.id);
    return will;
  }

  /** Wills of other brokers that died: there are none. */
  streamWill(): Readable {
    return Readable.from([]);
  }

  // ---- QoS 2 is refused, so nothing of it is stored ----

  async incomingStorePacket(): Promise<void> {
    throw new Error("QoS 2 is not supported");
  }

  async incomingGetPacket(): Promise<never> {
    throw new Error("no such packet");
  }

  async incomingDelPacket(): Promise<never> {
    throw new Error("no such packet");
  }

  async cleanIncoming(): Promise<void> {
    // nothing to clean
  }

  getClientList(topic: string): Readable {
    return Readable.from([...(this.exact.get(topic) ?? this.wild.get(topic) ?? [])]);
  }

  async destroy(): Promise<void> {
    this.retained.clear();
    this.sessions.clear();
  }

  private session(id: string): Session {
    const known = this.sessions.get(id);
    if (known !== undefined) return known;
    const session = { subscriptions: new Map<string, number>(), queue: [], bytes: 0 };
    this.sessions.set(id, session);
    return session;
  }

  private index(id: string, topic: string, present: boolean): void {
    const map = /[+#]/.test(topic) ? this.wild : this.exact;
    const ids = map.get(topic);
    if (present) {
      if (ids === undefined) map.set(topic, new Set([id]));
      else ids.add(id);
    } else if (ids?.delete(id) === true && ids.size === 0) {
      map.delete(topic);
    }
  }
}

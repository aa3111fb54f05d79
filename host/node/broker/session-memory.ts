/**
 * What the broker remembers, bounded: retained messages, sessions of clients that asked for it, their queues, wills. It
 * is aedes' persistence interface. The state lives in memory, and every change is told to a keeper, which may have it on
 * the disk (journal.ts); the functions that aedes waits for before it answers a client wait for the keeper too.
 */
import { Readable } from "node:stream";
import { filterMatches } from "./access-list.js";
import type { Entry } from "./journal.js";
import {
  keepsNothing,
  keys,
  messageValue,
  sessionValue,
  type Keeper,
  type KeptState,
  type StoredPacket,
} from "./kept-state.js";
import type { Refusals } from "./refusals.js";
import { RetainedMessages, type RetainedLimits } from "./retained-messages.js";

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

export interface SessionLimits extends RetainedLimits {
  readonly sessions: number;
  /** Messages, and bytes of them, of one session. */
  readonly queue: number;
  readonly queueBytes: number;
  /** Of all sessions. */
  readonly allQueueBytes: number;
}

/** Packet ids of MQTT. */
const lastNumber = 65535;

export class SessionMemory {
  readonly retained: RetainedMessages;
  private readonly sessions = new Map<string, Session>();
  private readonly wills = new Map<string, StoredPacket>();
  /** Subscriptions of sessions with QoS 1, by filter without wildcards, and the others. */
  private readonly exact = new Map<string, Set<string>>();
  private readonly wild = new Map<string, Set<string>>();
  private brokerId = "";
  private bytes = 0;
  private lastCounter = 0;

  constructor(
    private readonly limits: SessionLimits,
    private readonly refusals: Refusals,
    /** aedes stores every filter of a packet as soon as one of them is allowed: this decides for each. */
    private readonly mayStore: (clientId: string, filter: string) => boolean,
    private readonly keeper: Keeper = keepsNothing,
  ) {
    this.retained = new RetainedMessages(limits, keeper);
  }

  // aedes looks at the kind of this function.
  async setup(broker: { readonly id: string; counter: number }): Promise<void> {
    this.brokerId = broker.id;
    // Messages are known by this number: those that were kept must not meet their equals.
    broker.counter = Math.max(broker.counter, this.lastCounter);
  }

  // ---- what was kept ----

  /** Before anybody connects. */
  restore(state: KeptState): void {
    this.retained.restore(state.retained);
    for (const [id, { subscriptions, queue }] of state.sessions) {
      if (!this.hasRoomForSession(id)) continue;
      const session = this.session(id);
      for (const [topic, qos] of subscriptions) {
        session.subscriptions.set(topic, qos);
        this.index(id, topic, qos > 0);
      }
      for (const packet of queue) {
        this.lastCounter = Math.max(this.lastCounter, packet.brokerCounter ?? 0);
        this.append(session, packet);
      }
    }
    for (const [id, will] of state.wills) this.wills.set(id, will);
  }

  /** Everything that is to be kept, now. */
  *entries(): Iterable<Entry> {
    yield* this.retained.entries();
    for (const [id, will] of this.wills) yield [keys.will(id), messageValue(will)];
    for (const [id, session] of this.sessions) {
      yield [keys.session(id), sessionValue(session.subscriptions)];
      for (const packet of session.queue) {
        const counter = packet.brokerCounter ?? 0;
        yield [keys.queued(id, counter), messageValue(packet)];
        if (packet.messageId !== undefined) yield [keys.number(id, counter), packet.messageId];
      }
    }
  }

  /** Resolves when what happened so far would survive the end of this process. Rejects when it cannot be kept. */
  settled(): Promise<void> {
    return this.keeper.settled();
  }

  // ---- retained ----

  async storeRetained(packet: StoredPacket): Promise<void> {
    if (!this.retained.store(own(packet))) {
      this.refusals.add("retain", packet.clientId ?? "", "no room for more retained messages");
    }
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.retained.matching(filters));
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

  /** Messages that sessions have not acknowledged. */
  get queued(): number {
    let sum = 0;
    for (const { queue } of this.sessions.values()) sum += queue.length;
    return sum;
  }

  sessionIds(): string[] {
    return [...this.sessions.keys()];
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const session = this.session(client.id);
    let changed = false;
    for (const { topic, qos } of subscriptions) {
      if (!this.mayStore(client.id, topic) || session.subscriptions.get(topic) === qos) continue;
      session.subscriptions.set(topic, qos);
      this.index(client.id, topic, qos > 0);
      changed = true;
    }
    if (changed) this.keeper.set(keys.session(client.id), sessionValue(session.subscriptions));
    await this.settled();
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    const session = this.sessions.get(client.id);
    if (session === undefined) return;
    for (const topic of topics) {
      session.subscriptions.delete(topic);
      this.index(client.id, topic, false);
    }
    if (session.subscriptions.size === 0 && session.queue.length === 0) this.forget(client.id);
    else this.keeper.set(keys.session(client.id), sessionValue(session.subscriptions));
    await this.settled();
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

  /** Subscriptions with QoS 1, and sessions. */
  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    let subsCount = 0;
    for (const map of [this.exact, this.wild]) for (const ids of map.values()) subsCount += ids.size;
    return { subsCount, clientsCount: this.sessions.size };
  }

  async cleanSubscriptions(client: ClientRef): Promise<void> {
    if (this.forget(client.id)) await this.settled();
  }

  /** Ends a session: of a client that wants none, or is not enrolled any more. False: there was none. */
  forget(id: string): boolean {
    const session = this.sessions.get(id);
    if (session === undefined) return false;
    for (const topic of session.subscriptions.keys()) this.index(id, topic, false);
    this.sessions.delete(id);
    this.bytes -= session.bytes;
    this.keeper.set(keys.session(id), undefined);
    for (const packet of session.queue) this.unkeep(id, packet);
    return true;
  }

  // ---- queues of sessions ----

  async outgoingEnqueue(subscription: { readonly clientId: string }, packet: StoredPacket): Promise<void> {
    this.enqueue(subscription.clientId, unsent(packet));
  }

  private enqueue(id: string, packet: StoredPacket): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    const { queue, queueBytes, allQueueBytes } = this.limits;
    const { length } = packet.payload;
    if (session.queue.length >= queue || session.bytes + length > queueBytes) {
      this.refusals.add("queue", id, "the queue of its session is full");
    } else if (this.bytes + length > allQueueBytes) {
      this.refusals.add("queue", id, "the queues of all sessions together are full");
    } else {
      this.append(session, packet);
      this.keeper.set(keys.queued(id, packet.brokerCounter ?? 0), messageValue(packet));
    }
  }

  private append(session: Session, packet: StoredPacket): void {
    session.queue.push(packet);
    session.bytes += packet.payload.length;
    this.bytes += packet.payload.length;
  }

  async outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: StoredPacket,
  ): Promise<void> {
    if (subscriptions.length === 0) return;
    const kept = unsent(packet);
    for (const { clientId } of subscriptions) this.enqueue(clientId, { ...kept });
  }

  /** The message has got its number. @throws Error when it is not in the queue: the queue was full. */
  async outgoingUpdate(client: ClientRef, packet: StoredPacket): Promise<void> {
    const queue = this.sessions.get(client.id)?.queue ?? [];
    const found = queue.find(
      (p) => p.brokerId === packet.brokerId && p.brokerCounter === packet.brokerCounter,
    );
    if (found === undefined) throw new Error("the queue of its session is full");
    if (packet.messageId === undefined || found.messageId === packet.messageId) return;
    found.messageId = packet.messageId;
    this.keeper.set(keys.number(client.id, packet.brokerCounter ?? 0), packet.messageId);
  }

  async outgoingClearMessageId(client: ClientRef, packet: StoredPacket): Promise<StoredPacket | undefined> {
    const session = this.sessions.get(client.id);
    const at = session?.queue.findIndex((p) => p.messageId === packet.messageId) ?? -1;
    if (session === undefined || at < 0) return undefined;
    const [removed] = session.queue.splice(at, 1);
    if (removed === undefined) return undefined;
    session.bytes -= removed.payload.length;
    this.bytes -= removed.payload.length;
    this.unkeep(client.id, removed);
    return removed;
  }

  /** Those that were sent before are marked as repeated. */
  outgoingStream(client: ClientRef): Readable {
    const queue = this.sessions.get(client.id)?.queue ?? [];
    return Readable.from(queue.map((p) => ({ ...p, dup: p.messageId !== undefined })));
  }

  /** Behind the last number that waits for its acknowledgement: a new message never gets one of those. */
  nextNumber(id: string): number | undefined {
    const last = this.sessions.get(id)?.queue.findLast((packet) => packet.messageId !== undefined)?.messageId;
    return last === undefined ? undefined : (last % lastNumber) + 1;
  }

  private unkeep(id: string, { brokerCounter = 0, messageId }: StoredPacket): void {
    this.keeper.set(keys.queued(id, brokerCounter), undefined);
    if (messageId !== undefined) this.keeper.set(keys.number(id, brokerCounter), undefined);
  }

  // ---- wills ----

  async putWill(client: ClientRef, packet: StoredPacket): Promise<void> {
    packet.brokerId = this.brokerId;
    packet.clientId = client.id;
    this.wills.set(client.id, own(packet));
    this.keeper.set(keys.will(client.id), messageValue(packet));
    await this.settled();
  }

  async getWill(client: ClientRef): Promise<StoredPacket | undefined> {
    return this.wills.get(client.id);
  }

  async delWill(client: ClientRef): Promise<StoredPacket | undefined> {
    const will = this.wills.get(client.id);
    if (will === undefined) return undefined;
    this.wills.delete(client.id);
    this.keeper.set(keys.will(client.id), undefined);
    return will;
  }

  /** Of clients that were connected when an earlier process of this broker ended: they are gone without a word. */
  takeWills(): [client: string, will: StoredPacket][] {
    const wills = [...this.wills];
    for (const [id] of wills) void this.delWill({ id });
    return wills;
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

/** A small payload may be a view into a large chunk of the socket, which would stay as long as it does. */
function own(packet: StoredPacket): StoredPacket {
  const { payload } = packet;
  if (payload.buffer.byteLength <= 2 * payload.length + 1024) return { ...packet };
  const copy = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(copy);
  return { ...packet, payload: copy };
}

/** As it is kept for a client: without the number that its publisher gave it. */
function unsent(packet: StoredPacket): StoredPacket {
  const { topic, payload, qos, retain, brokerId, brokerCounter, clientId } = own(packet);
  return {
    cmd: "publish",
    topic,
    payload,
    qos,
    retain,
    ...(brokerId === undefined ? {} : { brokerId }),
    ...(brokerCounter === undefined ? {} : { brokerCounter }),
    ...(clientId === undefined ? {} : { clientId }),
  };
}

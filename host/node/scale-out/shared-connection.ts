/**
 * The bus of a server that is several workers: each hears everything, and its Core Service is given only the requests that
 * it owns. The others keep a request until they see its terminal answer; when its owner dies, the next owner begins it
 * anew under the same identity, so that nodes recognise what they did already. Of the answers that workers make to one
 * request, the first that is settled is published, and no other.
 */
import type { BusConnection, MessageHandler, PublishOptions } from "../../bus/connection.js";
import { decodeCbor, encodeCbor } from "../../bus/protocol.js";
import { parseTopic } from "../../bus/topics.js";
import type { Log } from "../log.js";
import { ownerOf, type Settled, type WorkerGroup } from "./worker-group.js";

interface Kept {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly envelope: Map<number, unknown>;
  /** On the clock of performance.now(). */
  readonly deadlineAt: number;
  /** Given to the Core Service of this worker. */
  mine: boolean;
}

const defaultDeadlineMs = 10_000;
const longestDeadlineMs = 3_600_000;
/** Requests that are kept for others at most; the oldest go first. */
const mostKept = 50_000;
/** An answer that another worker settled and did not publish within this time is published here, ms. */
const patienceMs = 400;
/** How long after its deadline a request without an answer is kept: longer than it takes to notice a dead worker, ms. */
const overdueMs = 10_000;

export interface SharedCounts {
  /** Requests that this worker took from a dead one. */
  takenOver: number;
  /** Answers of this worker that came second. */
  second: number;
  /** Answers that a dead worker had settled and not published. */
  completed: number;
}

export class SharedConnection implements BusConnection {
  readonly counts: SharedCounts = { takenOver: 0, second: 0, completed: 0 };
  private readonly kept = new Map<string, Kept>();
  /** Requests whose answer was settled by this worker. */
  private readonly own = new Set<string>();
  private readonly handlers: MessageHandler[] = [];
  private readonly sweep: NodeJS.Timeout;

  /** `server`: the id that all workers share. */
  constructor(
    private readonly inner: BusConnection,
    private readonly group: WorkerGroup,
    private readonly server: string,
    private readonly log: Log,
  ) {
    inner.onMessage((topic, payload) => this.receive(topic, payload));
    inner.onConnectionChange((connected) => {
      group.takePart(connected).catch((error: unknown) => log.warn({ err: error }, "worker group"));
    });
    group.onChange(() => this.reassign());
    this.sweep = setInterval(() => this.forget(), 1_000);
    this.sweep.unref();
  }

  get connected(): boolean {
    return this.inner.connected;
  }

  /** Also the answers to nodes: that is how a worker learns that a request is over. */
  async subscribe(filters: readonly string[]): Promise<void> {
    await this.inner.subscribe([...filters, `t1/${this.server}/+/r`]);
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    return this.inner.unsubscribe(filters);
  }

  onMessage(handler: MessageHandler): void {
    this.handlers.push(handler);
  }

  onConnectionChange(handler: (connected: boolean) => void): void {
    this.inner.onConnectionChange(handler);
  }

  async publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<void> {
    const answer = parseTopic(topic)?.kind === "r" ? readEnvelope(payload) : undefined;
    const key = answer === undefined ? undefined : identity(answer, answer.get(3));
    if (answer === undefined || key === undefined) return this.inner.publish(topic, payload, options);
    if (answer.get(4) === 1) return this.inner.publish(topic, payload, options);
    // Cut off: another worker has the request by now, and its answer must be the only one.
    if (!this.inner.connected) return undefined;
    const settled = await this.settle(key, payload, options?.refusal === true);
    if (settled === undefined) return this.inner.publish(topic, payload, options);
    if (settled.first) this.remember(key);
    // Settled here before: the request was repeated.
    if (this.own.has(key)) return this.inner.publish(topic, settled.answer, options);
    this.counts.second++;
    return this.complete(key, topic, settled.answer);
  }

  /** Undefined: a refusal, and nothing is settled. It is not remembered: the request may be repeated under its number. */
  private async settle(key: string, answer: Uint8Array, refusal: boolean): Promise<Settled | undefined> {
    try {
      if (!refusal) return await this.group.settle(key, answer);
      const before = await this.group.settled(key);
      return before === undefined ? undefined : { first: false, answer: before };
    } catch (error) {
      this.log.warn({ err: error }, "an answer could not be settled; it is published all the same");
      return refusal ? undefined : { first: true, answer };
    }
  }

  private remember(key: string): void {
    this.own.add(key);
    if (this.own.size > mostKept) this.own.delete(this.own.values().next().value as string);
  }

  async close(): Promise<void> {
    clearInterval(this.sweep);
    await this.group.close();
    await this.inner.close();
  }

  private receive(topic: string, payload: Uint8Array): void {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "q") this.request(parsed.node, topic, payload);
    else if (parsed?.kind === "r") this.answered(payload);
    else this.deliver(topic, payload);
  }

  private deliver(topic: string, payload: Uint8Array): void {
    for (const handler of this.handlers) handler(topic, payload);
  }

  private answered(payload: Uint8Array): void {
    const answer = readEnvelope(payload);
    const key = answer?.get(4) === 2 ? identity(answer, answer.get(3)) : undefined;
    if (key !== undefined) this.kept.delete(key);
  }

  private request(node: string, topic: string, payload: Uint8Array): void {
    const envelope = readEnvelope(payload);
    const key = envelope === undefined ? undefined : identity(envelope, envelope.get(3) ?? node);
    if (envelope === undefined || key === undefined) {
      // Nobody can repeat it, and every Core Service would drop it: one counts it.
      if (ownerOf(topic, this.group.live()) === this.group.id) this.deliver(topic, payload);
      return;
    }
    const asked = envelope.get(10);
    const ms =
      typeof asked === "number" && asked >= 0 ? Math.min(asked, longestDeadlineMs) : defaultDeadlineMs;
    const known = this.kept.get(key);
    const kept: Kept = known ?? { topic, payload, envelope, deadlineAt: performance.now() + ms, mine: false };
    if (known === undefined) this.keep(key, kept);
    if (ownerOf(key, this.group.live()) !== this.group.id) return;
    if (kept.mine) this.deliver(topic, payload);
    else void this.begin(key, kept, false);
  }

  private keep(key: string, kept: Kept): void {
    this.kept.set(key, kept);
    if (this.kept.size > mostKept) this.kept.delete(this.kept.keys().next().value as string);
  }

  /** Others live or died: what now belongs to this worker begins here. */
  private reassign(): void {
    const live = this.group.live();
    for (const [key, kept] of this.kept) {
      if (kept.mine || ownerOf(key, live) !== this.group.id) continue;
      this.counts.takenOver++;
      void this.begin(key, kept, true);
    }
  }

  private async begin(key: string, kept: Kept, late: boolean): Promise<void> {
    kept.mine = true;
    try {
      const settled = await this.group.settled(key);
      if (settled !== undefined) {
        await this.complete(key, kept.topic.replace(/\/q\/([0-9a-z-]+)$/, "/$1/r"), settled, !late);
        return;
      }
    } catch (error) {
      this.log.warn({ err: error }, "answers of other workers cannot be seen");
    }
    if (!late) {
      this.deliver(kept.topic, kept.payload);
      return;
    }
    // Also without time: it must end, and nobody else ends it.
    const left = Math.max(1, Math.floor(kept.deadlineAt - performance.now()));
    const shorter = new Map(kept.envelope).set(10, left);
    this.deliver(kept.topic, encodeCbor(shorter));
  }

  /** Publishes an answer that another worker settled, if that one does not. */
  private async complete(key: string, topic: string, answer: Uint8Array, repeated = false): Promise<void> {
    if (!repeated) {
      await new Promise((resolve) => setTimeout(resolve, patienceMs));
      if (!this.kept.has(key)) return;
    }
    this.kept.delete(key);
    this.counts.completed++;
    await this.inner.publish(topic, answer, { qos: 1 });
  }

  private forget(): void {
    // Its owner has answered "deadline" by now, or is known to be dead, and the next one has.
    const now = performance.now() - overdueMs;
    for (const [key, { deadlineAt }] of this.kept) if (deadlineAt < now) this.kept.delete(key);
  }
}

function readEnvelope(payload: Uint8Array): Map<number, unknown> | undefined {
  try {
    const item = decodeCbor(payload);
    return item instanceof Map ? (item as Map<number, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** "sender/boot/id", as the Core Service identifies requests. */
function identity(envelope: Map<number, unknown>, sender: unknown): string | undefined {
  const [id, boot] = [envelope.get(1), envelope.get(2)];
  if (typeof id !== "number" || typeof boot !== "number" || typeof sender !== "string") return undefined;
  return /^[0-9a-z-]{1,23}$/.test(sender) ? `${sender}/${boot}/${id}` : undefined;
}

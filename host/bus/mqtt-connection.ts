/**
 * The bus through any MQTT 3.1.1 broker, or a cluster of them. Every connection is a fresh clean session, unless asked
 * otherwise: subscriptions are made again, and what was published and not acknowledged is published again (requests are
 * recognised as repetitions by their sender, boot counter and number). It keeps trying to connect for as long as it is
 * open.
 */
import { connect, type MqttClient } from "mqtt";
import type { BusConnection, MessageHandler, PublishOptions } from "./connection.js";
import { clientSettings, type MqttConnectionOptions } from "./mqtt-settings.js";
import { withoutDelay } from "./no-delay.js";

export type { MqttConnectionOptions } from "./mqtt-settings.js";

interface Pending {
  /** Connections that ended while it was the next to be acknowledged. */
  ends: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Of one SUBSCRIBE packet: what AWS IoT Core takes. */
const filtersAtOnce = 8;
/** Connections that may end on one message. */
const attemptsOfOne = 3;
/** How often a connection asks again for what was granted before and is refused now, and after how many ms. */
const asksOfOne = 10;
const askAgainMs = 250;

/** Subscriptions that the broker did not grant. */
class RefusedError extends Error {
  constructor(
    readonly filters: readonly string[],
    readonly why: string,
  ) {
    super(`the broker refused to subscribe ${filters.join(", ")}: ${why}`);
  }
}

/** What was not published, and why. */
export class NotPublishedError extends Error {
  override readonly name = "NotPublishedError";
}

export class MqttConnection implements BusConnection {
  connected = false;
  private client: MqttClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  /** When the next message may leave, and what waits for that. */
  private nextAt = 0;
  private pace: NodeJS.Timeout | undefined;
  private wait: number;
  /** Of the servers that are tried. */
  private turn = 0;
  private reported = false;
  private readonly handlers: MessageHandler[] = [];
  private readonly changes: ((connected: boolean) => void)[] = [];
  private readonly filters = new Set<string>();
  /** Those of them that the broker has granted at some time. */
  private readonly granted = new Set<string>();
  /** Oldest first; those in flight are not in it. */
  private queue: Pending[] = [];
  private queueBytes = 0;
  private readonly inFlight = new Set<Pending>();

  private constructor(private readonly options: MqttConnectionOptions) {
    this.wait = this.backoff[0];
  }

  /** Begins to connect, and returns; see `ready`. */
  static open(options: MqttConnectionOptions): MqttConnection {
    const connection = new MqttConnection(options);
    connection.attempt();
    return connection;
  }

  private get backoff(): readonly [number, number] {
    return this.options.backoffMs ?? [250, 30_000];
  }

  /** Resolves at the first connection. @throws Error after `timeoutMs`; it goes on trying nevertheless. */
  ready(timeoutMs: number): Promise<void> {
    if (this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no connection to ${this.options.url} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.changes.push((connected) => {
        if (!connected) return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** While there is no connection messages wait in a bounded queue; beyond it they are refused. */
  publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<void> {
    if (this.closed) return Promise.reject(new NotPublishedError("the connection is closed"));
    const { queue = 1000, queueBytes = 16 * 1024 * 1024 } = this.options;
    if (this.queue.length >= queue || this.queueBytes + payload.length > queueBytes) {
      return Promise.reject(new NotPublishedError("the queue of outgoing messages is full"));
    }
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
      const retain = options.retain === true && this.options.retain !== false;
      const pending: Pending = {
        topic,
        payload: bytes,
        qos: options.qos ?? 1,
        retain,
        resolve,
        reject,
        ends: 0,
      };
      this.queue.push(pending);
      this.queueBytes += bytes.length;
      this.flush();
    });
  }

  private flush(): void {
    const { client } = this;
    const limit = this.options.inFlight ?? 100;
    while (this.connected && client !== undefined && this.inFlight.size < limit) {
      if (this.queue.length === 0 || this.isTooEarly()) return;
      const next = this.queue.shift();
      if (next === undefined) return;
      this.queueBytes -= next.payload.length;
      this.inFlight.add(next);
      const { topic, payload, qos, retain } = next;
      client.publish(topic, payload, { qos, retain }, (error) => {
        if (!this.inFlight.has(next) || client !== this.client) return;
        const failed = error !== undefined && error !== null;
        // Ended with its connection: `ended` puts it back into the queue.
        if (failed && (!client.connected || client.disconnecting)) return;
        this.inFlight.delete(next);
        if (failed) next.reject(new NotPublishedError(error.message));
        else next.resolve();
        this.flush();
      });
    }
  }

  /** Messages leave in even distances; `flush` comes again when the next may. */
  private isTooEarly(): boolean {
    const { messagesPerSecond } = this.options;
    if (messagesPerSecond === undefined) return false;
    const now = performance.now();
    if (now < this.nextAt) {
      this.pace ??= setTimeout(() => {
        this.pace = undefined;
        this.flush();
      }, this.nextAt - now);
      return true;
    }
    this.nextAt = now + 1000 / messagesPerSecond;
    return false;
  }

  /** Without a connection they are remembered, and made with the next. @throws Error when the broker refuses. */
  async subscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.filters.add(filter);
    const { client } = this;
    if (!this.connected || client === undefined) return;
    try {
      await this.subscribeOn(client, filters);
    } catch (error) {
      if (client === this.client && this.connected) throw error;
      // Otherwise the connection broke meanwhile, and the next one subscribes.
    }
  }

  /** @throws RefusedError with those that the broker refused */
  private async subscribeOn(client: MqttClient, filters: readonly string[]): Promise<void> {
    const refused: string[] = [];
    let why = "";
    for (let at = 0; at < filters.length; at += filtersAtOnce) {
      try {
        await this.subscribeAtOnce(client, filters.slice(at, at + filtersAtOnce));
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        refused.push(...error.filters);
        why = error.why;
      }
    }
    if (refused.length > 0) throw new RefusedError(refused, why);
  }

  private subscribeAtOnce(client: MqttClient, filters: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      client.subscribe([...filters], { qos: 1 }, (error, _granted, packet) => {
        const codes = packet?.granted ?? [];
        const ok = (i: number): boolean => (error === null ? true : Number(codes[i] ?? 0x80) < 0x80);
        const refused = filters.filter((_, i) => !ok(i));
        for (const [i, filter] of filters.entries()) if (ok(i)) this.granted.add(filter);
        if (refused.length === 0) resolve();
        else reject(new RefusedError(refused, error?.message ?? ""));
      });
    });
  }

  /**
   * Granted before, so a refusal means that the broker is not ready (a cluster without a leader, for one): only what was
   * refused is asked for again. @throws Error when it goes on
   */
  private async subscribeAgain(client: MqttClient, filters: readonly string[]): Promise<void> {
    let left = filters;
    for (let ask = 1; ; ask++) {
      try {
        await this.subscribeOn(client, left);
        return;
      } catch (error) {
        if (!(error instanceof RefusedError) || ask === asksOfOne || !client.connected) throw error;
        left = error.filters;
        await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      }
    }
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) {
      this.filters.delete(filter);
      this.granted.delete(filter);
    }
    if (this.connected && filters.length > 0) {
      await this.client?.unsubscribeAsync([...filters]).catch(() => undefined);
    }
  }

  onMessage(handler: MessageHandler): void {
    this.handlers.push(handler);
  }

  onConnectionChange(handler: (connected: boolean) => void): void {
    this.changes.push(handler);
  }

  /** Sends what it can within a second, then DISCONNECT: the will is not published. */
  async close(): Promise<void> {
    if (this.closed) return;
    const end = Date.now() + 1000;
    while (this.connected && this.inFlight.size + this.queue.length > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.pace);
    const { client } = this;
    if (this.connected && this.options.session === true) await this.forgetSession();
    this.client = undefined;
    this.setConnected(false);
    for (const pending of [...this.inFlight, ...this.queue]) {
      pending.reject(new NotPublishedError("the connection was closed"));
    }
    this.inFlight.clear();
    this.queue = [];
    if (client === undefined) return;
    // mqtt.js waits for the end of the socket, which a broker that is away may never confirm.
    const patience = setTimeout(() => client.stream?.destroy(), 1000);
    await Promise.race([
      client.endAsync(!client.connected).catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 1500).unref()),
    ]);
    clearTimeout(patience);
  }

  /** Nobody comes back for it: the broker need not keep messages. */
  private async forgetSession(): Promise<void> {
    const patience = new Promise((resolve) => setTimeout(resolve, 1000).unref());
    await Promise.race([this.unsubscribe([...this.filters]), patience]);
  }

  // ---- life of one connection ----

  private attempt(): void {
    const { options } = this;
    const urls = [options.url, ...(options.alternatives ?? [])];
    const address = urls[this.turn++ % urls.length] ?? options.url;
    const client = connect(address, clientSettings(options, address));
    this.client = client;
    withoutDelay(client);
    let failure = "";
    client.on("error", (error) => {
      failure = error.message;
      // After a refusal (CONNACK) mqtt.js leaves the connection to the broker.
      client.end(true);
    });
    client.on("message", (topic, payload) => {
      for (const handler of this.handlers) handler(topic, payload);
    });
    client.on("connect", () => void this.established(client));
    client.once("close", () => this.ended(client, failure));
  }

  private async established(client: MqttClient): Promise<void> {
    const filters = [...this.filters];
    try {
      await this.subscribeAgain(
        client,
        filters.filter((filter) => this.granted.has(filter)),
      );
    } catch (error) {
      // A connection that does not hear everything is none. `ended` tries again.
      this.ended(client, error instanceof Error ? error.message : String(error));
      return;
    }
    try {
      await this.subscribeOn(
        client,
        filters.filter((filter) => !this.granted.has(filter)),
      );
    } catch (error) {
      this.options.onProblem?.(error instanceof Error ? error.message : String(error));
    }
    if (client !== this.client || !client.connected) return;
    this.wait = this.backoff[0];
    this.reported = false;
    this.setConnected(true);
    this.flush();
  }

  private ended(client: MqttClient, failure: string): void {
    if (client !== this.client || this.closed) return;
    this.client = undefined;
    // Unacknowledged QoS 1 messages first, in their order; QoS 0 is not repeated.
    const again = [...this.inFlight];
    this.inFlight.clear();
    const repeated = again.filter((pending) => pending.qos === 1);
    const [first] = repeated;
    // A broker that refuses a message says so by ending the connection: no use to repeat it for ever.
    if (first !== undefined && ++first.ends === attemptsOfOne) {
      repeated.shift();
      first.reject(
        new NotPublishedError(`the broker ended the connection when it got a message on ${first.topic}`),
      );
    }
    for (const pending of repeated) this.queueBytes += pending.payload.length;
    this.queue.unshift(...repeated);
    for (const pending of again) {
      if (pending.qos === 0) pending.reject(new NotPublishedError("the connection ended"));
    }
    this.setConnected(false);
    if (!this.reported) {
      this.reported = true;
      this.options.onProblem?.(`no connection to ${this.options.url}${failure === "" ? "" : `: ${failure}`}`);
    }
    client.removeAllListeners();
    client.on("error", () => undefined);
    client.end(true);
    const wait = this.wait * (0.5 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, this.backoff[1]);
    this.timer = setTimeout(() => this.attempt(), wait);
  }

  private setConnected(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const handler of this.changes) handler(connected);
  }
}

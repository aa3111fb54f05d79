/**
 * The bus through any MQTT 3.1.1 broker. Every connection is a fresh clean session: subscriptions are made again, and
 * what was published and not acknowledged is published again (requests are recognised as repetitions by their sender,
 * boot counter and number). It keeps trying to connect for as long as it is open.
 */
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import type { BusConnection, MessageHandler, PublishOptions } from "./connection.js";
import { withoutDelay } from "./no-delay.js";

export interface MqttConnectionOptions {
  /** mqtt://HOST[:PORT] or mqtts://HOST[:PORT] */
  readonly url: string;
  /** The node's or server's id. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM. Without `ca` the system's; the host name of the url is always verified. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly alpn?: string;
  readonly will?: { readonly topic: string; readonly payload: Uint8Array; readonly retain?: boolean };
  /** False for brokers that keep no retained messages: nothing is published as retained. Default true. */
  readonly retain?: boolean;
  /** Seconds between signs of life; default 15. */
  readonly keepaliveS?: number;
  /** Messages, and bytes of them, that wait for a connection; default 1000 and 16 MiB. */
  readonly queue?: number;
  readonly queueBytes?: number;
  /** Published and not acknowledged; default 100. */
  readonly inFlight?: number;
  /** ms between attempts, doubled from the first to the second value, with jitter; default 250 to 30 000. */
  readonly backoffMs?: readonly [number, number];
  readonly connectTimeoutMs?: number;
  /** Told about failures: once for a row of failed attempts, and refused subscriptions. */
  readonly onProblem?: (text: string) => void;
}

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

/** Connections that may end on one message. */
const attemptsOfOne = 3;

/** What was not published, and why. */
export class NotPublishedError extends Error {
  override readonly name = "NotPublishedError";
}

export class MqttConnection implements BusConnection {
  connected = false;
  private client: MqttClient | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private wait: number;
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

  private async subscribeOn(client: MqttClient, filters: readonly string[]): Promise<void> {
    if (filters.length === 0) return;
    try {
      await client.subscribeAsync([...filters], { qos: 1 });
      for (const filter of filters) this.granted.add(filter);
    } catch (error) {
      // mqtt.js does not say which of them: "Unspecified error".
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`the broker refused to subscribe ${filters.join(", ")}: ${text}`);
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
    const { client } = this;
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

  // ---- life of one connection ----

  private attempt(): void {
    const { options } = this;
    const url = new URL(options.url);
    const settings: IClientOptions = {
      clientId: options.clientId,
      protocolVersion: 4,
      clean: true,
      keepalive: options.keepaliveS ?? 15,
      // Reconnecting is ours: fresh sessions, jitter.
      reconnectPeriod: 0,
      connectTimeout: options.connectTimeoutMs ?? 10_000,
      resubscribe: false,
      queueQoSZero: false,
      ...(options.username === undefined ? {} : { username: options.username }),
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.will === undefined ? {} : { will: this.will(options.will) }),
      ...(url.protocol === "mqtts:" ? this.tlsSettings(url.hostname) : {}),
    };
    const client = connect(options.url, settings);
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

  private will(will: NonNullable<MqttConnectionOptions["will"]>): NonNullable<IClientOptions["will"]> {
    const retain = will.retain === true && this.options.retain !== false;
    return { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain };
  }

  private tlsSettings(host: string): IClientOptions {
    const { tls, alpn } = this.options;
    const name = host.replace(/^\[|\]$/g, "");
    return {
      ...tls,
      rejectUnauthorized: true,
      // SNI is for names only; addresses are verified all the same.
      ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
    };
  }

  private async established(client: MqttClient): Promise<void> {
    const filters = [...this.filters];
    try {
      await this.subscribeOn(
        client,
        filters.filter((filter) => this.granted.has(filter)),
      );
    } catch (error) {
      // Granted before, so the broker is not ready (a cluster without a leader, for one): a connection that
      // hears nothing is none. `ended` tries again.
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

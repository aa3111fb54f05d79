/**
 * The server's side of the bus, as much as a test or a demonstration needs: it hears what nodes announce, sends
 * operations to one node and gathers the two acknowledgements. No routing, no registry, no storage: those are the
 * complete node's.
 */
import { connect, type MqttClient } from "mqtt";
import { withoutDelay } from "./no-delay.js";
import { parseTopic, subscriptionsOfServer, topicOf } from "./topics.js";
import {
  decodeAnswer,
  decodeBirth,
  decodeEvent,
  decodeState,
  encodeRequest,
  errorName,
  type Answer,
  type Birth,
  type Event,
  type Request,
  type State,
} from "./protocol.js";

/** Everything of a request but its identity, which the client gives. */
export type Order = Omit<Request, "id" | "boot" | "sender">;

/** A request from sending to its terminal answer; times in milliseconds since it was sent. */
export interface Exchange {
  readonly request: Request;
  /** Bytes of the request. */
  readonly size: number;
  /** Undefined when the node refused at once. */
  readonly accepted: Answer | undefined;
  readonly acceptedMs: number | undefined;
  readonly done: Answer;
  readonly doneMs: number;
}

/** A payload or an answer that the protocol does not allow; tests expect none. */
export interface Violation {
  readonly topic: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

/** No terminal answer in time, or, with the code TMC6111, no connection. */
export class BusError extends Error {
  override readonly name = "BusError";
  constructor(
    message: string,
    readonly code?: "TMC6111",
  ) {
    super(message);
  }
}

export interface BusClientOptions {
  /** mqtt://host:port */
  readonly url: string;
  /** Id of the server it plays; 1-23 characters of [0-9a-z-]. */
  readonly server: string;
  /** MQTT client id; default: the server's id. */
  readonly clientId?: string;
  /** Boot counter of the server; default: seconds since 1970, which rises from start to start. */
  readonly boot?: number;
  /** How long the broker may take until it has connected and subscribed; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** A request without any answer is sent again after so long, then after twice that; default 2 s, 0: never. */
  readonly resendMs?: number;
}

interface Pending {
  readonly request: Request;
  readonly size: number;
  readonly sentAt: number;
  /** Each may be acknowledged. */
  sends: number;
  acknowledged: number;
  resend: NodeJS.Timeout | undefined;
  accepted: Answer | undefined;
  acceptedMs: number | undefined;
  readonly finish: (done: Answer, doneMs: number) => void;
}

interface Wait {
  readonly check: () => boolean;
  readonly resolve: () => void;
}

const defaultTimeoutMs = 10_000;
const defaultResendMs = 2_000;

export class BusClient {
  /** The newest retained records by node. */
  readonly births = new Map<string, Birth>();
  readonly states = new Map<string, State>();
  readonly events: Event[] = [];
  /** Answers that no request of this client waits for: to raw payloads, duplicates, after a time-out. */
  readonly unmatched: Answer[] = [];
  readonly violations: Violation[] = [];
  /** Every message received, by topic. */
  readonly received = new Map<string, number>();
  /** Called with every message before it is read; for checks of the bytes themselves. */
  onPayload: ((topic: string, payload: Uint8Array) => void) | undefined;

  private readonly pending = new Map<string, Pending>();
  private readonly waits = new Set<Wait>();
  private lastId = 0;

  private constructor(
    private readonly mqtt: MqttClient,
    readonly server: string,
    readonly boot: number,
    private readonly resendMs: number,
  ) {
    withoutDelay(mqtt);
    mqtt.on("message", (topic, payload) => this.receive(topic, payload));
    // Reconnects by itself; a broker that is away shows in time-outs.
    mqtt.on("error", () => {});
  }

  /**
   * Connected and subscribed. @throws the MQTT library's error when the broker cannot be reached or refuses; BusError
   * TMC6111 when it does not answer in time.
   */
  static async connect(options: BusClientOptions): Promise<BusClient> {
    const { url, connectTimeoutMs = defaultTimeoutMs } = options;
    const mqtt = connect(url, {
      clientId: options.clientId ?? options.server,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 100,
      connectTimeout: 5_000,
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const what = mqtt.connected ? "did not grant the subscriptions" : "did not accept the connection";
        reject(new BusError(`${url} ${what} within ${connectTimeoutMs} ms`, "TMC6111"));
      }, connectTimeoutMs);
    });
    const connected = new Promise<void>((resolve, reject) => {
      mqtt.once("connect", () => resolve());
      mqtt.on("error", reject);
    });
    try {
      await Promise.race([connected, late]);
      const boot = options.boot ?? Math.floor(Date.now() / 1000) >>> 0;
      const client = new BusClient(mqtt, options.server, boot, options.resendMs ?? defaultResendMs);
      await Promise.race([mqtt.subscribeAsync(subscriptionsOfServer(options.server), { qos: 1 }), late]);
      return client;
    } catch (error) {
      mqtt.end(true);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get connected(): boolean {
    return this.mqtt.connected;
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync(true);
  }

  /**
   * Sends an operation to a node and waits for its terminal answer, be it success or error. While nothing comes back it is
   * sent again under its identity: brokers lose messages, and a node that got it before recognises it.
   * @throws BusError after `timeoutMs` (default 10 s).
   */
  async request(node: string, order: Order, timeoutMs = defaultTimeoutMs): Promise<Exchange> {
    const request = this.identify(order);
    const payload = encodeRequest(request);
    const key = identityOf(request);
    return new Promise<Exchange>((resolve, reject) => {
      const timer = setTimeout(() => {
        clearTimeout(entry.resend);
        this.pending.delete(key);
        const seen = entry.accepted === undefined ? "no answer" : "accepted, but not done";
        reject(new BusError(`${order.operation} on ${node}: ${seen} after ${timeoutMs} ms`));
      }, timeoutMs);
      const entry: Pending = {
        request,
        size: payload.length,
        sentAt: performance.now(),
        sends: 0,
        acknowledged: 0,
        resend: undefined,
        accepted: undefined,
        acceptedMs: undefined,
        finish: (done, doneMs) => {
          clearTimeout(timer);
          clearTimeout(entry.resend);
          const { accepted, acceptedMs } = entry;
          resolve({ request, size: payload.length, accepted, acceptedMs, done, doneMs });
        },
      };
      this.pending.set(key, entry);
      this.sendAgain(node, payload, entry).catch((error: unknown) => {
        clearTimeout(timer);
        clearTimeout(entry.resend);
        this.pending.delete(key);
        reject(error instanceof Error ? error : new BusError(String(error)));
      });
    });
  }

  /** Now, and again for as long as there is no answer. */
  private sendAgain(node: string, payload: Uint8Array, entry: Pending): Promise<void> {
    if (this.resendMs > 0) {
      entry.resend = setTimeout(
        () => {
          if (entry.accepted !== undefined) return;
          // What was sent before a connection ended goes out with the next one by itself.
          if (this.mqtt.connected) this.sendAgain(node, payload, entry).catch(() => undefined);
          else entry.resend?.refresh();
        },
        this.resendMs * 2 ** entry.sends,
      );
    }
    entry.sends++;
    return this.send(node, payload);
  }

  /** Gives an order the identity (sender, boot, id) that `request` would give it. */
  identify(order: Order): Request {
    this.lastId = (this.lastId + 1) >>> 0;
    return { ...order, id: this.lastId, boot: this.boot, sender: this.server };
  }

  /** Any bytes on the node's topic of dispatched operations. Resolves when the broker has them. */
  async send(node: string, payload: Uint8Array, qos: 0 | 1 = 1): Promise<void> {
    await this.mqtt.publishAsync(topicOf({ server: this.server, node, kind: "x" }), Buffer.from(payload), {
      qos,
    });
  }

  /** The node's birth record, at once or when it comes; `accept` can ask for a newer one. */
  async birth(
    node: string,
    accept: (birth: Birth) => boolean = () => true,
    timeoutMs?: number,
  ): Promise<Birth> {
    return this.record(`birth record of ${node}`, () => this.births.get(node), accept, timeoutMs);
  }

  async state(
    node: string,
    accept: (state: State) => boolean = () => true,
    timeoutMs?: number,
  ): Promise<State> {
    return this.record(`state of ${node}`, () => this.states.get(node), accept, timeoutMs);
  }

  /** Resolves as soon as `check` holds; it is asked after every message. @throws BusError */
  until(what: string, check: () => boolean, timeoutMs = defaultTimeoutMs): Promise<void> {
    if (check()) {
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const wait: Wait = {
        check,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.waits.delete(wait);
        reject(new BusError(`${what}: not within ${timeoutMs} ms`));
      }, timeoutMs);
      this.waits.add(wait);
    });
  }

  private async record<T>(
    what: string,
    get: () => T | undefined,
    accept: (value: T) => boolean,
    timeoutMs?: number,
  ): Promise<T> {
    const found = (): T | undefined => {
      const value = get();
      return value !== undefined && accept(value) ? value : undefined;
    };
    await this.until(what, () => found() !== undefined, timeoutMs);
    const value = found();
    if (value === undefined) {
      throw new BusError(`${what}: gone again`);
    }
    return value;
  }

  private receive(topic: string, payload: Uint8Array): void {
    this.received.set(topic, (this.received.get(topic) ?? 0) + 1);
    this.onPayload?.(topic, payload);
    try {
      this.handle(topic, payload);
    } catch (error) {
      this.violations.push({
        topic,
        reason: error instanceof Error ? error.message : String(error),
        payload,
      });
    }
    for (const wait of [...this.waits]) {
      if (wait.check()) {
        this.waits.delete(wait);
        wait.resolve();
      }
    }
  }

  private handle(topic: string, payload: Uint8Array): void {
    const parsed = parseTopic(topic);
    switch (parsed?.kind) {
      case "y":
        this.answer(topic, payload, parsed.node);
        break;
      case "b":
        this.births.set(parsed.node, decodeBirth(payload));
        break;
      case "s":
        this.states.set(parsed.node, decodeState(payload));
        break;
      case "e":
        this.events.push(decodeEvent(payload));
        break;
      default:
        break; // requests of nodes to the server: not played here
    }
  }

  private answer(topic: string, payload: Uint8Array, node: string): void {
    const answer = decodeAnswer(payload);
    const violation = (reason: string): void => {
      this.violations.push({ topic, reason, payload });
    };
    if (answer.node !== node) {
      violation(`the answer says it is of ${answer.node}`);
    }
    const key = identityOf(answer);
    const entry = this.pending.get(key);
    if (entry === undefined) {
      this.unmatched.push(answer);
      return;
    }
    const elapsed = performance.now() - entry.sentAt;
    if (answer.stage === 2) {
      this.pending.delete(key);
      entry.finish(answer, elapsed);
    } else if (entry.accepted === undefined) {
      entry.accepted = answer;
      entry.acceptedMs = elapsed;
      entry.acknowledged = 1;
    } else if (++entry.acknowledged > entry.sends) {
      violation(`request ${answer.id} was accepted twice`);
    }
  }
}

/** What identifies a request on the bus: who asked, in which of its lives, under which number. */
export function identityOf(envelope: Pick<Answer, "sender" | "boot" | "id">): string {
  return `${envelope.sender ?? ""}/${envelope.boot}/${envelope.id}`;
}

/** "done" or "busy (retry after 50 ms): text", for people. */
export function describeOutcome(answer: Answer): string {
  const { error } = answer;
  if (error === undefined) {
    return "done";
  }
  const details = [
    error.retryAfterMs === undefined ? "" : ` (retry after ${error.retryAfterMs} ms)`,
    error.field === undefined ? "" : ` in ${error.field}`,
    error.text === undefined ? "" : `: ${error.text}`,
  ];
  return `${errorName(error.code) ?? `error ${error.code}`}${details.join("")}`;
}

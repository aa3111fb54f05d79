/**
 * A client of a complete node that asks at a steady rate and keeps account of every request: it repeats a request with
 * the same identity for as long as a fault can have swallowed it, and notes what no fault excuses. It decides nothing
 * about pass or fail; see fault-report.ts.
 */
import { connectAsync, type MqttClient } from "mqtt";
import {
  decodeAnswer,
  encodeRequest,
  errorName,
  type Answer,
  type Request,
} from "../../host/bus/protocol.js";
import { contentOfItem } from "./load-client.js";

/** Times, of performance.now(), in which the node or its broker was not there. */
export class Outages {
  private readonly spans: { from: number; to: number }[] = [];

  begin(): void {
    this.spans.push({ from: performance.now(), to: Infinity });
  }

  /** Ends the last one; its length in ms. */
  end(): number {
    const last = this.spans.at(-1);
    if (last === undefined) return 0;
    last.to = performance.now();
    return last.to - last.from;
  }

  overlap(from: number, to: number): boolean {
    return this.spans.some((span) => span.from <= to && span.to >= from);
  }

  /** How many began after `from`. */
  since(from: number): number {
    return this.spans.filter((span) => span.to >= from).length;
  }
}

export type Order = Omit<Request, "id" | "boot" | "sender" | "deadlineMs">;

/** A write: the item that test/node-faults/load-client.ts numbers so. */
export function storeItem(n: number): Order {
  const { name, values } = contentOfItem(n);
  return {
    operation: "data.store",
    arguments: { name },
    input: new Uint8Array(values.buffer),
    inputDescriptor: { elementType: 6, shape: [values.length] },
  };
}

export interface Tracked {
  /** Unique among all clients; below 2^24, so that an f32 holds it. */
  readonly n: number;
  readonly order: Order;
  readonly payload: Buffer;
  readonly firstAt: number;
  lastAt: number;
  sends: number;
  /** Terminal answers, as they came. */
  readonly done: Answer[];
  fate: "waiting" | "answered" | "unanswered" | "gave up";
}

export interface ClientOptions {
  readonly url: string;
  /** 0..15; makes the id and the numbers of its requests. */
  readonly index: number;
  readonly outages: Outages;
  /** Requests a second. */
  readonly rate: number;
  /** Of every request. */
  readonly deadlineMs: number;
  /** How much later an answer may be here: the way back, and a busy machine. */
  readonly graceMs: number;
  /** After so long a client that meets nobody gives up. */
  readonly giveUpMs: number;
  /** The order of request number `n`. */
  readonly order: (n: number) => Order;
}

const mostWaiting = 200;

export class FaultClient {
  readonly requests = new Map<number, Tracked>();
  /** Terminal answers so far. */
  answers = 0;
  private ready = false;
  private running = false;
  private count = 0;
  private waiting = 0;
  private due = 0;
  private ticked = performance.now();
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly mqtt: MqttClient,
    readonly id: string,
    private readonly options: ClientOptions,
  ) {
    mqtt.on("message", (_topic, payload) => this.hear(decodeAnswer(payload)));
    mqtt.on("error", () => undefined);
    mqtt.on("close", () => (this.ready = false));
    mqtt.on("connect", () => void this.join().catch(() => undefined));
    this.timer = setInterval(() => this.tick(), 20);
  }

  static async connect(options: ClientOptions): Promise<FaultClient> {
    const id = `load-${options.index}`;
    const mqtt = await connectAsync(options.url, {
      clientId: id,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 100,
      connectTimeout: 5_000,
      resubscribe: false,
    });
    const client = new FaultClient(mqtt, id, options);
    await client.join();
    return client;
  }

  start(): void {
    this.running = true;
  }

  /** Asks nothing new; what waits is still repeated. */
  stop(): void {
    this.running = false;
  }

  get pending(): number {
    return this.waiting;
  }

  /** Sends everything again that waits: after an outage. */
  repeatAll(): void {
    for (const request of this.requests.values()) if (request.fate === "waiting") this.send(request);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.mqtt.endAsync(true);
  }

  private async join(): Promise<void> {
    await this.mqtt.subscribeAsync(`t1/edge/${this.id}/r`, { qos: 1 });
    this.ready = true;
  }

  private tick(): void {
    const now = performance.now();
    this.due = Math.min(this.due + ((now - this.ticked) / 1000) * this.options.rate, 20);
    this.ticked = now;
    if (!this.running || !this.ready) this.due = 0;
    for (; this.due >= 1 && this.waiting < mostWaiting; this.due--) this.ask();
    const { deadlineMs, graceMs, giveUpMs, outages } = this.options;
    for (const request of this.requests.values()) {
      if (request.fate !== "waiting" || now <= request.lastAt + deadlineMs + graceMs) continue;
      if (!outages.overlap(request.lastAt, request.lastAt + deadlineMs)) this.end(request, "unanswered");
      else if (now - request.firstAt > giveUpMs) this.end(request, "gave up");
      else this.send(request);
    }
  }

  private ask(): void {
    const id = ++this.count;
    const n = this.options.index * 1_000_000 + id;
    const order = this.options.order(n);
    const { deadlineMs } = this.options;
    const payload = Buffer.from(encodeRequest({ ...order, id, boot: 7, sender: this.id, deadlineMs }));
    const now = performance.now();
    const request: Tracked = {
      n,
      order,
      payload,
      firstAt: now,
      lastAt: now,
      sends: 0,
      done: [],
      fate: "waiting",
    };
    this.requests.set(id, request);
    this.waiting++;
    this.send(request);
  }

  private send(request: Tracked): void {
    request.lastAt = performance.now();
    if (!this.ready) return;
    request.sends++;
    this.mqtt.publish(`t1/edge/q/${this.id}`, request.payload, { qos: 1 }, () => undefined);
  }

  private hear(answer: Answer): void {
    const request = this.requests.get(answer.id);
    if (answer.stage !== 2 || request === undefined) return;
    this.answers++;
    request.done.push(answer);
    if (request.fate === "waiting") this.end(request, "answered");
  }

  private end(request: Tracked, fate: Tracked["fate"]): void {
    request.fate = fate;
    this.waiting--;
  }
}

/** The outcome of a terminal answer: "ok", or the name of its error. */
export function outcomeOf(answer: Answer): string {
  return answer.error === undefined ? "ok" : (errorName(answer.error.code) ?? `code ${answer.error.code}`);
}

/**
 * True when a request has answers that contradict each other, or more of them than anybody asked for: one for every
 * sending, and one for every outage, after which MQTT delivers again what was not acknowledged.
 */
export function answeredTwice(request: Tracked, outages: Outages): boolean {
  const outcomes = new Set(request.done.map(outcomeOf));
  return outcomes.size > 1 || request.done.length > request.sends + outages.since(request.firstAt);
}
